// Original file: proto/tidemark/v1/cluster.proto


export interface DescribeClusterRequest {
}

export interface DescribeClusterRequestOutput {
}
