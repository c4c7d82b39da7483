// Original file: proto/tidemark/v1/quorum.proto


export interface TransferLeadershipRequest {
  'nodeId'?: (number);
  'timeoutMs'?: (number);
  '_nodeId'?: "nodeId";
}

export interface TransferLeadershipRequestOutput {
  'nodeId'?: (number);
  'timeoutMs': (number);
  '_nodeId'?: "nodeId";
}
