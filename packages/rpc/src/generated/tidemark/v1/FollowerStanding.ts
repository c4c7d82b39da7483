// Original file: proto/tidemark/v1/admin.proto

import type { FollowingState as _tidemark_v1_FollowingState, FollowingStateOutput as _tidemark_v1_FollowingStateOutput } from '../../tidemark/v1/FollowingState.ts';
import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface FollowerStanding {
  'leaderId'?: (number);
  'state'?: (_tidemark_v1_FollowingState);
  'refusal'?: (_tidemark_v1_ErrorDetail | null);
}

export interface FollowerStandingOutput {
  'leaderId': (number);
  'state': (_tidemark_v1_FollowingStateOutput);
  'refusal': (_tidemark_v1_ErrorDetailOutput | null);
}
