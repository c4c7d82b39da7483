// Original file: proto/tidemark/v1/admin.proto


export interface DescribeReplicasRequest {
  'topics'?: (string)[];
}

export interface DescribeReplicasRequestOutput {
  'topics': (string)[];
}
