// Original file: proto/tidemark/v1/group.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { LeftMember as _tidemark_v1_LeftMember, LeftMemberOutput as _tidemark_v1_LeftMemberOutput } from '../../tidemark/v1/LeftMember.ts';

export interface LeaveGroupResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'members'?: (_tidemark_v1_LeftMember)[];
}

export interface LeaveGroupResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'members': (_tidemark_v1_LeftMemberOutput)[];
}
