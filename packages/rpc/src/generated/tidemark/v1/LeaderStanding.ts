// Original file: proto/tidemark/v1/admin.proto

import type { FollowerProgress as _tidemark_v1_FollowerProgress, FollowerProgressOutput as _tidemark_v1_FollowerProgressOutput } from '../../tidemark/v1/FollowerProgress.ts';
import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { Long } from '@grpc/proto-loader';

export interface LeaderStanding {
  'epochStartOffset'?: (number | string | Long);
  'isolated'?: (boolean);
  'followers'?: (_tidemark_v1_FollowerProgress)[];
  'acksAllRefusal'?: (_tidemark_v1_ErrorDetail | null);
}

export interface LeaderStandingOutput {
  'epochStartOffset': (number);
  'isolated': (boolean);
  'followers': (_tidemark_v1_FollowerProgressOutput)[];
  'acksAllRefusal': (_tidemark_v1_ErrorDetailOutput | null);
}
