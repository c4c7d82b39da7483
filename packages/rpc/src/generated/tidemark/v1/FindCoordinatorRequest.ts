// Original file: proto/tidemark/v1/group.proto


export interface FindCoordinatorRequest {
  'groupIds'?: (string)[];
}

export interface FindCoordinatorRequestOutput {
  'groupIds': (string)[];
}
