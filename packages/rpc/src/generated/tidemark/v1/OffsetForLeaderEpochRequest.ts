// Original file: proto/tidemark/v1/log.proto

import type { OffsetForLeaderEpochPartition as _tidemark_v1_OffsetForLeaderEpochPartition, OffsetForLeaderEpochPartitionOutput as _tidemark_v1_OffsetForLeaderEpochPartitionOutput } from '../../tidemark/v1/OffsetForLeaderEpochPartition.ts';

export interface OffsetForLeaderEpochRequest {
  'partitions'?: (_tidemark_v1_OffsetForLeaderEpochPartition)[];
}

export interface OffsetForLeaderEpochRequestOutput {
  'partitions': (_tidemark_v1_OffsetForLeaderEpochPartitionOutput)[];
}
