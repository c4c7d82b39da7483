// Original file: proto/tidemark/v1/group.proto

import type { GroupPartition as _tidemark_v1_GroupPartition, GroupPartitionOutput as _tidemark_v1_GroupPartitionOutput } from '../../tidemark/v1/GroupPartition.ts';

export interface FetchOffsetsRequest {
  'groupId'?: (string);
  'partitions'?: (_tidemark_v1_GroupPartition)[];
  'allPartitions'?: (boolean);
}

export interface FetchOffsetsRequestOutput {
  'groupId': (string);
  'partitions': (_tidemark_v1_GroupPartitionOutput)[];
  'allPartitions': (boolean);
}
