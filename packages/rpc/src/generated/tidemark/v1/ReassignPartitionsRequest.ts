// Original file: proto/tidemark/v1/admin.proto

import type { PartitionReassignment as _tidemark_v1_PartitionReassignment, PartitionReassignmentOutput as _tidemark_v1_PartitionReassignmentOutput } from '../../tidemark/v1/PartitionReassignment.ts';

export interface ReassignPartitionsRequest {
  'partitions'?: (_tidemark_v1_PartitionReassignment)[];
  'timeoutMs'?: (number);
  'keepReplicationFactor'?: (boolean);
}

export interface ReassignPartitionsRequestOutput {
  'partitions': (_tidemark_v1_PartitionReassignmentOutput)[];
  'timeoutMs': (number);
  'keepReplicationFactor': (boolean);
}
