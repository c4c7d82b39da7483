// Original file: proto/tidemark/v1/admin.proto

import type { ReplicaAssignment as _tidemark_v1_ReplicaAssignment, ReplicaAssignmentOutput as _tidemark_v1_ReplicaAssignmentOutput } from '../../tidemark/v1/ReplicaAssignment.ts';

export interface NewPartitions {
  'name'?: (string);
  'totalCount'?: (number);
  'assignments'?: (_tidemark_v1_ReplicaAssignment)[];
}

export interface NewPartitionsOutput {
  'name': (string);
  'totalCount': (number);
  'assignments': (_tidemark_v1_ReplicaAssignmentOutput)[];
}
