// The message types of the quorum, of cluster health and of moving partitions; beside messages.ts.

export type { AddVoterRequest, AddVoterRequestOutput } from './generated/tidemark/v1/AddVoterRequest.ts';
export type { AddVoterResponse, AddVoterResponseOutput } from './generated/tidemark/v1/AddVoterResponse.ts';
export type { ClusterNode, ClusterNodeOutput } from './generated/tidemark/v1/ClusterNode.ts';
export type { ControllerHint, ControllerHintOutput } from './generated/tidemark/v1/ControllerHint.ts';
export type {
  DescribeClusterHealthRequest,
  DescribeClusterHealthRequestOutput,
} from './generated/tidemark/v1/DescribeClusterHealthRequest.ts';
export type {
  DescribeClusterHealthResponse,
  DescribeClusterHealthResponseOutput,
} from './generated/tidemark/v1/DescribeClusterHealthResponse.ts';
export type {
  DescribeQuorumRequest,
  DescribeQuorumRequestOutput,
} from './generated/tidemark/v1/DescribeQuorumRequest.ts';
export type {
  DescribeQuorumResponse,
  DescribeQuorumResponseOutput,
} from './generated/tidemark/v1/DescribeQuorumResponse.ts';
export type {
  ElectLeadersRequest,
  ElectLeadersRequestOutput,
} from './generated/tidemark/v1/ElectLeadersRequest.ts';
export type {
  ElectLeadersResponse,
  ElectLeadersResponseOutput,
} from './generated/tidemark/v1/ElectLeadersResponse.ts';
export type {
  ElectLeadersResult,
  ElectLeadersResultOutput,
} from './generated/tidemark/v1/ElectLeadersResult.ts';
export type { ElectionType, ElectionTypeOutput } from './generated/tidemark/v1/ElectionType.ts';
export type { FeatureLevel, FeatureLevelOutput } from './generated/tidemark/v1/FeatureLevel.ts';
export type { HealthReason, HealthReasonOutput } from './generated/tidemark/v1/HealthReason.ts';
export type { HealthSeverity, HealthSeverityOutput } from './generated/tidemark/v1/HealthSeverity.ts';
export type {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsRequestOutput,
} from './generated/tidemark/v1/ListPartitionReassignmentsRequest.ts';
export type {
  ListPartitionReassignmentsResponse,
  ListPartitionReassignmentsResponseOutput,
} from './generated/tidemark/v1/ListPartitionReassignmentsResponse.ts';
export type { NodeEndpoint, NodeEndpointOutput } from './generated/tidemark/v1/NodeEndpoint.ts';
export type { NodeRole, NodeRoleOutput } from './generated/tidemark/v1/NodeRole.ts';
export type {
  OngoingReassignment,
  OngoingReassignmentOutput,
} from './generated/tidemark/v1/OngoingReassignment.ts';
export type { PartitionName, PartitionNameOutput } from './generated/tidemark/v1/PartitionName.ts';
export type {
  PartitionReassignment,
  PartitionReassignmentOutput,
} from './generated/tidemark/v1/PartitionReassignment.ts';
export type { QuorumMembership, QuorumMembershipOutput } from './generated/tidemark/v1/QuorumMembership.ts';
export type { QuorumReplica, QuorumReplicaOutput } from './generated/tidemark/v1/QuorumReplica.ts';
export type {
  QuorumReplicaState,
  QuorumReplicaStateOutput,
} from './generated/tidemark/v1/QuorumReplicaState.ts';
export type { QuorumRole, QuorumRoleOutput } from './generated/tidemark/v1/QuorumRole.ts';
export type {
  ReassignPartitionsRequest,
  ReassignPartitionsRequestOutput,
} from './generated/tidemark/v1/ReassignPartitionsRequest.ts';
export type {
  ReassignPartitionsResponse,
  ReassignPartitionsResponseOutput,
} from './generated/tidemark/v1/ReassignPartitionsResponse.ts';
export type {
  ReassignPartitionsResult,
  ReassignPartitionsResultOutput,
} from './generated/tidemark/v1/ReassignPartitionsResult.ts';
export type {
  RemoveVoterRequest,
  RemoveVoterRequestOutput,
} from './generated/tidemark/v1/RemoveVoterRequest.ts';
export type {
  RemoveVoterResponse,
  RemoveVoterResponseOutput,
} from './generated/tidemark/v1/RemoveVoterResponse.ts';
export type {
  TransferLeadershipRequest,
  TransferLeadershipRequestOutput,
} from './generated/tidemark/v1/TransferLeadershipRequest.ts';
export type {
  TransferLeadershipResponse,
  TransferLeadershipResponseOutput,
} from './generated/tidemark/v1/TransferLeadershipResponse.ts';
export type { QuorumServiceClient, QuorumServiceHandlers } from './generated/tidemark/v1/QuorumService.ts';
export type {
  UnregisterBrokerRequest,
  UnregisterBrokerRequestOutput,
} from './generated/tidemark/v1/UnregisterBrokerRequest.ts';
export type {
  UnregisterBrokerResponse,
  UnregisterBrokerResponseOutput,
} from './generated/tidemark/v1/UnregisterBrokerResponse.ts';
