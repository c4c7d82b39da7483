// Original file: proto/tidemark/v1/group.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface HeartbeatResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
}

export interface HeartbeatResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
}
