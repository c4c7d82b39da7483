// Original file: proto/tidemark/v1/quorum.proto


export interface DescribeQuorumRequest {
  'allowStale'?: (boolean);
  'timeoutMs'?: (number);
}

export interface DescribeQuorumRequestOutput {
  'allowStale': (boolean);
  'timeoutMs': (number);
}
