// Original file: proto/tidemark/v1/admin.proto

import type { ReplicaDescription as _tidemark_v1_ReplicaDescription, ReplicaDescriptionOutput as _tidemark_v1_ReplicaDescriptionOutput } from '../../tidemark/v1/ReplicaDescription.ts';

export interface DescribeReplicasResponse {
  'replicas'?: (_tidemark_v1_ReplicaDescription)[];
}

export interface DescribeReplicasResponseOutput {
  'replicas': (_tidemark_v1_ReplicaDescriptionOutput)[];
}
