// Original file: proto/tidemark/v1/admin.proto

import type { ElectionType as _tidemark_v1_ElectionType, ElectionTypeOutput as _tidemark_v1_ElectionTypeOutput } from '../../tidemark/v1/ElectionType.ts';
import type { PartitionName as _tidemark_v1_PartitionName, PartitionNameOutput as _tidemark_v1_PartitionNameOutput } from '../../tidemark/v1/PartitionName.ts';

export interface ElectLeadersRequest {
  'type'?: (_tidemark_v1_ElectionType);
  'partitions'?: (_tidemark_v1_PartitionName)[];
  'timeoutMs'?: (number);
}

export interface ElectLeadersRequestOutput {
  'type': (_tidemark_v1_ElectionTypeOutput);
  'partitions': (_tidemark_v1_PartitionNameOutput)[];
  'timeoutMs': (number);
}
