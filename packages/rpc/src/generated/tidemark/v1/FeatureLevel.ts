// Original file: proto/tidemark/v1/cluster.proto


export interface FeatureLevel {
  'name'?: (string);
  'level'?: (number);
}

export interface FeatureLevelOutput {
  'name': (string);
  'level': (number);
}
