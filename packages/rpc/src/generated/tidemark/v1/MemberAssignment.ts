// Original file: proto/tidemark/v1/group.proto


export interface MemberAssignment {
  'memberId'?: (string);
  'assignment'?: (Buffer | Uint8Array | string);
}

export interface MemberAssignmentOutput {
  'memberId': (string);
  'assignment': (Buffer);
}
