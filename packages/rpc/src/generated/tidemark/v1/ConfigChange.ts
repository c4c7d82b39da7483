// Original file: proto/tidemark/v1/admin.proto


export interface ConfigChange {
  'name'?: (string);
  'value'?: (string);
  '_value'?: "value";
}

export interface ConfigChangeOutput {
  'name': (string);
  'value'?: (string);
  '_value'?: "value";
}
