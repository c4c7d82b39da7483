// Original file: proto/tidemark/v1/log.proto

import type { FetchPartitionResult as _tidemark_v1_FetchPartitionResult, FetchPartitionResultOutput as _tidemark_v1_FetchPartitionResultOutput } from '../../tidemark/v1/FetchPartitionResult.ts';

export interface FetchResponse {
  'results'?: (_tidemark_v1_FetchPartitionResult)[];
  'throttleMs'?: (number);
}

export interface FetchResponseOutput {
  'results': (_tidemark_v1_FetchPartitionResultOutput)[];
  'throttleMs': (number);
}
