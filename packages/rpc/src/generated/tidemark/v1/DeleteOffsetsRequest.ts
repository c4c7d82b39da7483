// Original file: proto/tidemark/v1/group.proto

import type { GroupPartition as _tidemark_v1_GroupPartition, GroupPartitionOutput as _tidemark_v1_GroupPartitionOutput } from '../../tidemark/v1/GroupPartition.ts';

export interface DeleteOffsetsRequest {
  'groupId'?: (string);
  'partitions'?: (_tidemark_v1_GroupPartition)[];
}

export interface DeleteOffsetsRequestOutput {
  'groupId': (string);
  'partitions': (_tidemark_v1_GroupPartitionOutput)[];
}
