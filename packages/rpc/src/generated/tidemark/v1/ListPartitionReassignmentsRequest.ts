// Original file: proto/tidemark/v1/admin.proto

import type { PartitionName as _tidemark_v1_PartitionName, PartitionNameOutput as _tidemark_v1_PartitionNameOutput } from '../../tidemark/v1/PartitionName.ts';

export interface ListPartitionReassignmentsRequest {
  'partitions'?: (_tidemark_v1_PartitionName)[];
  'allowStale'?: (boolean);
  'timeoutMs'?: (number);
}

export interface ListPartitionReassignmentsRequestOutput {
  'partitions': (_tidemark_v1_PartitionNameOutput)[];
  'allowStale': (boolean);
  'timeoutMs': (number);
}
