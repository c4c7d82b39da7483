// Original file: proto/tidemark/v1/group.proto


export interface JoinedMember {
  'memberId'?: (string);
  'groupInstanceId'?: (string);
  'metadata'?: (Buffer | Uint8Array | string);
}

export interface JoinedMemberOutput {
  'memberId': (string);
  'groupInstanceId': (string);
  'metadata': (Buffer);
}
