// Original file: proto/tidemark/v1/log.proto

import type { OffsetForLeaderEpochResult as _tidemark_v1_OffsetForLeaderEpochResult, OffsetForLeaderEpochResultOutput as _tidemark_v1_OffsetForLeaderEpochResultOutput } from '../../tidemark/v1/OffsetForLeaderEpochResult.ts';

export interface OffsetForLeaderEpochResponse {
  'results'?: (_tidemark_v1_OffsetForLeaderEpochResult)[];
}

export interface OffsetForLeaderEpochResponseOutput {
  'results': (_tidemark_v1_OffsetForLeaderEpochResultOutput)[];
}
