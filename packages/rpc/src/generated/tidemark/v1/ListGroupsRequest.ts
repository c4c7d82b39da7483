// Original file: proto/tidemark/v1/group.proto


export interface ListGroupsRequest {
  'states'?: (string)[];
}

export interface ListGroupsRequestOutput {
  'states': (string)[];
}
