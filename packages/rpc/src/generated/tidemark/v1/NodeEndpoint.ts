// Original file: proto/tidemark/v1/cluster.proto


export interface NodeEndpoint {
  'name'?: (string);
  'host'?: (string);
  'port'?: (number);
}

export interface NodeEndpointOutput {
  'name': (string);
  'host': (string);
  'port': (number);
}
