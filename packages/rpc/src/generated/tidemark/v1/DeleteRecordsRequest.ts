// Original file: proto/tidemark/v1/log.proto

import type { DeleteRecordsPartition as _tidemark_v1_DeleteRecordsPartition, DeleteRecordsPartitionOutput as _tidemark_v1_DeleteRecordsPartitionOutput } from '../../tidemark/v1/DeleteRecordsPartition.ts';

export interface DeleteRecordsRequest {
  'partitions'?: (_tidemark_v1_DeleteRecordsPartition)[];
  'timeoutMs'?: (number);
}

export interface DeleteRecordsRequestOutput {
  'partitions': (_tidemark_v1_DeleteRecordsPartitionOutput)[];
  'timeoutMs': (number);
}
