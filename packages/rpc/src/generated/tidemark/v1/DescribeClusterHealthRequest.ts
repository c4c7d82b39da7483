// Original file: proto/tidemark/v1/cluster.proto


export interface DescribeClusterHealthRequest {
  'allowStale'?: (boolean);
  'timeoutMs'?: (number);
}

export interface DescribeClusterHealthRequestOutput {
  'allowStale': (boolean);
  'timeoutMs': (number);
}
