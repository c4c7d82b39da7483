// The message types of consumer groups; beside messages.ts.

export type {
  CommitOffsetsRequest,
  CommitOffsetsRequestOutput,
} from './generated/tidemark/v1/CommitOffsetsRequest.ts';
export type {
  CommitOffsetsResponse,
  CommitOffsetsResponseOutput,
} from './generated/tidemark/v1/CommitOffsetsResponse.ts';
export type { CommittedOffset, CommittedOffsetOutput } from './generated/tidemark/v1/CommittedOffset.ts';
export type { Coordinator, CoordinatorOutput } from './generated/tidemark/v1/Coordinator.ts';
export type {
  DeleteGroupResult,
  DeleteGroupResultOutput,
} from './generated/tidemark/v1/DeleteGroupResult.ts';
export type {
  DeleteGroupsRequest,
  DeleteGroupsRequestOutput,
} from './generated/tidemark/v1/DeleteGroupsRequest.ts';
export type {
  DeleteGroupsResponse,
  DeleteGroupsResponseOutput,
} from './generated/tidemark/v1/DeleteGroupsResponse.ts';
export type {
  DeleteOffsetsRequest,
  DeleteOffsetsRequestOutput,
} from './generated/tidemark/v1/DeleteOffsetsRequest.ts';
export type {
  DeleteOffsetsResponse,
  DeleteOffsetsResponseOutput,
} from './generated/tidemark/v1/DeleteOffsetsResponse.ts';
export type {
  DescribeGroupsRequest,
  DescribeGroupsRequestOutput,
} from './generated/tidemark/v1/DescribeGroupsRequest.ts';
export type {
  DescribeGroupsResponse,
  DescribeGroupsResponseOutput,
} from './generated/tidemark/v1/DescribeGroupsResponse.ts';
export type { DescribedMember, DescribedMemberOutput } from './generated/tidemark/v1/DescribedMember.ts';
export type {
  FetchOffsetsRequest,
  FetchOffsetsRequestOutput,
} from './generated/tidemark/v1/FetchOffsetsRequest.ts';
export type {
  FetchOffsetsResponse,
  FetchOffsetsResponseOutput,
} from './generated/tidemark/v1/FetchOffsetsResponse.ts';
export type {
  FindCoordinatorRequest,
  FindCoordinatorRequestOutput,
} from './generated/tidemark/v1/FindCoordinatorRequest.ts';
export type {
  FindCoordinatorResponse,
  FindCoordinatorResponseOutput,
} from './generated/tidemark/v1/FindCoordinatorResponse.ts';
export type { GroupDescription, GroupDescriptionOutput } from './generated/tidemark/v1/GroupDescription.ts';
export type { GroupPartition, GroupPartitionOutput } from './generated/tidemark/v1/GroupPartition.ts';
export type {
  GroupPartitionResult,
  GroupPartitionResultOutput,
} from './generated/tidemark/v1/GroupPartitionResult.ts';
export type { GroupProtocol, GroupProtocolOutput } from './generated/tidemark/v1/GroupProtocol.ts';
export type { HeartbeatRequest, HeartbeatRequestOutput } from './generated/tidemark/v1/HeartbeatRequest.ts';
export type {
  HeartbeatResponse,
  HeartbeatResponseOutput,
} from './generated/tidemark/v1/HeartbeatResponse.ts';
export type { JoinGroupRequest, JoinGroupRequestOutput } from './generated/tidemark/v1/JoinGroupRequest.ts';
export type {
  JoinGroupResponse,
  JoinGroupResponseOutput,
} from './generated/tidemark/v1/JoinGroupResponse.ts';
export type { JoinedMember, JoinedMemberOutput } from './generated/tidemark/v1/JoinedMember.ts';
export type {
  LeaveGroupRequest,
  LeaveGroupRequestOutput,
} from './generated/tidemark/v1/LeaveGroupRequest.ts';
export type {
  LeaveGroupResponse,
  LeaveGroupResponseOutput,
} from './generated/tidemark/v1/LeaveGroupResponse.ts';
export type { LeavingMember, LeavingMemberOutput } from './generated/tidemark/v1/LeavingMember.ts';
export type { LeftMember, LeftMemberOutput } from './generated/tidemark/v1/LeftMember.ts';
export type {
  ListGroupsRequest,
  ListGroupsRequestOutput,
} from './generated/tidemark/v1/ListGroupsRequest.ts';
export type {
  ListGroupsResponse,
  ListGroupsResponseOutput,
} from './generated/tidemark/v1/ListGroupsResponse.ts';
export type { ListedGroup, ListedGroupOutput } from './generated/tidemark/v1/ListedGroup.ts';
export type { MemberAssignment, MemberAssignmentOutput } from './generated/tidemark/v1/MemberAssignment.ts';
export type { OffsetToCommit, OffsetToCommitOutput } from './generated/tidemark/v1/OffsetToCommit.ts';
export type { RebalanceCause, RebalanceCauseOutput } from './generated/tidemark/v1/RebalanceCause.ts';
export type {
  RememberedRebalance,
  RememberedRebalanceOutput,
} from './generated/tidemark/v1/RememberedRebalance.ts';
export type { SyncGroupRequest, SyncGroupRequestOutput } from './generated/tidemark/v1/SyncGroupRequest.ts';
export type {
  SyncGroupResponse,
  SyncGroupResponseOutput,
} from './generated/tidemark/v1/SyncGroupResponse.ts';
