// Original file: proto/tidemark/v1/cluster.proto


export interface DescribeClusterRequest {
  'allowStale'?: (boolean);
  'timeoutMs'?: (number);
}

export interface DescribeClusterRequestOutput {
  'allowStale': (boolean);
  'timeoutMs': (number);
}
