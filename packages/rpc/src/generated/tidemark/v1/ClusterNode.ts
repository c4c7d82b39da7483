// Original file: proto/tidemark/v1/cluster.proto

import type { NodeRole as _tidemark_v1_NodeRole, NodeRoleOutput as _tidemark_v1_NodeRoleOutput } from '../../tidemark/v1/NodeRole.ts';
import type { NodeEndpoint as _tidemark_v1_NodeEndpoint, NodeEndpointOutput as _tidemark_v1_NodeEndpointOutput } from '../../tidemark/v1/NodeEndpoint.ts';
import type { QuorumMembership as _tidemark_v1_QuorumMembership, QuorumMembershipOutput as _tidemark_v1_QuorumMembershipOutput } from '../../tidemark/v1/QuorumMembership.ts';
import type { Long } from '@grpc/proto-loader';

export interface ClusterNode {
  'id'?: (number);
  'roles'?: (_tidemark_v1_NodeRole)[];
  'rack'?: (string);
  'brokerEpoch'?: (number | string | Long);
  'fenced'?: (boolean);
  'inControlledShutdown'?: (boolean);
  'endpoints'?: (_tidemark_v1_NodeEndpoint)[];
  'membership'?: (_tidemark_v1_QuorumMembership);
}

export interface ClusterNodeOutput {
  'id': (number);
  'roles': (_tidemark_v1_NodeRoleOutput)[];
  'rack': (string);
  'brokerEpoch': (number);
  'fenced': (boolean);
  'inControlledShutdown': (boolean);
  'endpoints': (_tidemark_v1_NodeEndpointOutput)[];
  'membership': (_tidemark_v1_QuorumMembershipOutput);
}
