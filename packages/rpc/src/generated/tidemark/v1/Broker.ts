// Original file: proto/tidemark/v1/cluster.proto


export interface Broker {
  'id'?: (number);
  'host'?: (string);
  'port'?: (number);
  'rack'?: (string);
  'fenced'?: (boolean);
}

export interface BrokerOutput {
  'id': (number);
  'host': (string);
  'port': (number);
  'rack': (string);
  'fenced': (boolean);
}
