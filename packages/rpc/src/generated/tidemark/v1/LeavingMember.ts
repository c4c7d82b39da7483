// Original file: proto/tidemark/v1/group.proto


export interface LeavingMember {
  'memberId'?: (string);
  'groupInstanceId'?: (string);
  'reason'?: (string);
}

export interface LeavingMemberOutput {
  'memberId': (string);
  'groupInstanceId': (string);
  'reason': (string);
}
