// Original file: proto/tidemark/v1/group.proto


export interface DeleteGroupsRequest {
  'groupIds'?: (string)[];
}

export interface DeleteGroupsRequestOutput {
  'groupIds': (string)[];
}
