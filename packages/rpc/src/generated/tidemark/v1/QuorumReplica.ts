// Original file: proto/tidemark/v1/quorum.proto

import type { QuorumReplicaState as _tidemark_v1_QuorumReplicaState, QuorumReplicaStateOutput as _tidemark_v1_QuorumReplicaStateOutput } from '../../tidemark/v1/QuorumReplicaState.ts';
import type { Long } from '@grpc/proto-loader';

export interface QuorumReplica {
  'nodeId'?: (number);
  'directoryId'?: (string);
  'host'?: (string);
  'port'?: (number);
  'matchOffset'?: (number | string | Long);
  'lag'?: (number | string | Long);
  'lastContactMs'?: (number | string | Long);
  'state'?: (_tidemark_v1_QuorumReplicaState);
}

export interface QuorumReplicaOutput {
  'nodeId': (number);
  'directoryId': (string);
  'host': (string);
  'port': (number);
  'matchOffset': (number);
  'lag': (number);
  'lastContactMs': (number);
  'state': (_tidemark_v1_QuorumReplicaStateOutput);
}
