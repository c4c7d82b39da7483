// Original file: proto/tidemark/v1/quorum.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { QuorumRole as _tidemark_v1_QuorumRole, QuorumRoleOutput as _tidemark_v1_QuorumRoleOutput } from '../../tidemark/v1/QuorumRole.ts';
import type { QuorumReplica as _tidemark_v1_QuorumReplica, QuorumReplicaOutput as _tidemark_v1_QuorumReplicaOutput } from '../../tidemark/v1/QuorumReplica.ts';
import type { Long } from '@grpc/proto-loader';

export interface DescribeQuorumResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'nodeId'?: (number);
  'role'?: (_tidemark_v1_QuorumRole);
  'leaderId'?: (number);
  'leaderDirectoryId'?: (string);
  'term'?: (number);
  'commitOffset'?: (number | string | Long);
  'logStartOffset'?: (number | string | Long);
  'logEndOffset'?: (number | string | Long);
  'appliedOffset'?: (number | string | Long);
  'snapshotOffset'?: (number | string | Long);
  'voters'?: (_tidemark_v1_QuorumReplica)[];
  'observers'?: (_tidemark_v1_QuorumReplica)[];
}

export interface DescribeQuorumResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'nodeId': (number);
  'role': (_tidemark_v1_QuorumRoleOutput);
  'leaderId': (number);
  'leaderDirectoryId': (string);
  'term': (number);
  'commitOffset': (number);
  'logStartOffset': (number);
  'logEndOffset': (number);
  'appliedOffset': (number);
  'snapshotOffset': (number);
  'voters': (_tidemark_v1_QuorumReplicaOutput)[];
  'observers': (_tidemark_v1_QuorumReplicaOutput)[];
}
