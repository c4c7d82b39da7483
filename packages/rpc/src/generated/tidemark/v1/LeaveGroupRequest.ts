// Original file: proto/tidemark/v1/group.proto

import type { LeavingMember as _tidemark_v1_LeavingMember, LeavingMemberOutput as _tidemark_v1_LeavingMemberOutput } from '../../tidemark/v1/LeavingMember.ts';

export interface LeaveGroupRequest {
  'groupId'?: (string);
  'members'?: (_tidemark_v1_LeavingMember)[];
}

export interface LeaveGroupRequestOutput {
  'groupId': (string);
  'members': (_tidemark_v1_LeavingMemberOutput)[];
}
