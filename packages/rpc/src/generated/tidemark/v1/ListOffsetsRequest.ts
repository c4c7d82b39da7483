// Original file: proto/tidemark/v1/log.proto

import type { ListOffsetsPartition as _tidemark_v1_ListOffsetsPartition, ListOffsetsPartitionOutput as _tidemark_v1_ListOffsetsPartitionOutput } from '../../tidemark/v1/ListOffsetsPartition.ts';

export interface ListOffsetsRequest {
  'partitions'?: (_tidemark_v1_ListOffsetsPartition)[];
}

export interface ListOffsetsRequestOutput {
  'partitions': (_tidemark_v1_ListOffsetsPartitionOutput)[];
}
