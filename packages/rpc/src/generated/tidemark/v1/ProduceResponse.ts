// Original file: proto/tidemark/v1/log.proto

import type { ProducePartitionResult as _tidemark_v1_ProducePartitionResult, ProducePartitionResultOutput as _tidemark_v1_ProducePartitionResultOutput } from '../../tidemark/v1/ProducePartitionResult.ts';

export interface ProduceResponse {
  'results'?: (_tidemark_v1_ProducePartitionResult)[];
  'throttleMs'?: (number);
}

export interface ProduceResponseOutput {
  'results': (_tidemark_v1_ProducePartitionResultOutput)[];
  'throttleMs': (number);
}
