// Original file: proto/tidemark/v1/log.proto

import type { Acks as _tidemark_v1_Acks, AcksOutput as _tidemark_v1_AcksOutput } from '../../tidemark/v1/Acks.ts';
import type { ProducePartition as _tidemark_v1_ProducePartition, ProducePartitionOutput as _tidemark_v1_ProducePartitionOutput } from '../../tidemark/v1/ProducePartition.ts';

export interface ProduceRequest {
  'acks'?: (_tidemark_v1_Acks);
  'timeoutMs'?: (number);
  'partitions'?: (_tidemark_v1_ProducePartition)[];
}

export interface ProduceRequestOutput {
  'acks': (_tidemark_v1_AcksOutput);
  'timeoutMs': (number);
  'partitions': (_tidemark_v1_ProducePartitionOutput)[];
}
