// Original file: proto/tidemark/v1/group.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { CommittedOffset as _tidemark_v1_CommittedOffset, CommittedOffsetOutput as _tidemark_v1_CommittedOffsetOutput } from '../../tidemark/v1/CommittedOffset.ts';

export interface FetchOffsetsResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'offsets'?: (_tidemark_v1_CommittedOffset)[];
}

export interface FetchOffsetsResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'offsets': (_tidemark_v1_CommittedOffsetOutput)[];
}
