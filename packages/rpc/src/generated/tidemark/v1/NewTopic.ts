// Original file: proto/tidemark/v1/admin.proto

import type { ReplicaAssignment as _tidemark_v1_ReplicaAssignment, ReplicaAssignmentOutput as _tidemark_v1_ReplicaAssignmentOutput } from '../../tidemark/v1/ReplicaAssignment.ts';

export interface NewTopic {
  'name'?: (string);
  'partitionCount'?: (number);
  'replicationFactor'?: (number);
  'assignments'?: (_tidemark_v1_ReplicaAssignment)[];
  'configs'?: ({[key: string]: string});
}

export interface NewTopicOutput {
  'name': (string);
  'partitionCount': (number);
  'replicationFactor': (number);
  'assignments': (_tidemark_v1_ReplicaAssignmentOutput)[];
  'configs': ({[key: string]: string});
}
