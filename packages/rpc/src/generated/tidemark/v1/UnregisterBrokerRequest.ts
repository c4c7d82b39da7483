// Original file: proto/tidemark/v1/admin.proto


export interface UnregisterBrokerRequest {
  'brokerId'?: (number);
  'timeoutMs'?: (number);
}

export interface UnregisterBrokerRequestOutput {
  'brokerId': (number);
  'timeoutMs': (number);
}
