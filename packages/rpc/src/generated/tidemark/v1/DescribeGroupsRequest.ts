// Original file: proto/tidemark/v1/group.proto


export interface DescribeGroupsRequest {
  'groupIds'?: (string)[];
}

export interface DescribeGroupsRequestOutput {
  'groupIds': (string)[];
}
