// Original file: proto/tidemark/v1/group.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CommitOffsetsRequest as _tidemark_v1_CommitOffsetsRequest, CommitOffsetsRequestOutput as _tidemark_v1_CommitOffsetsRequestOutput } from '../../tidemark/v1/CommitOffsetsRequest.ts';
import type { CommitOffsetsResponse as _tidemark_v1_CommitOffsetsResponse, CommitOffsetsResponseOutput as _tidemark_v1_CommitOffsetsResponseOutput } from '../../tidemark/v1/CommitOffsetsResponse.ts';
import type { DeleteGroupsRequest as _tidemark_v1_DeleteGroupsRequest, DeleteGroupsRequestOutput as _tidemark_v1_DeleteGroupsRequestOutput } from '../../tidemark/v1/DeleteGroupsRequest.ts';
import type { DeleteGroupsResponse as _tidemark_v1_DeleteGroupsResponse, DeleteGroupsResponseOutput as _tidemark_v1_DeleteGroupsResponseOutput } from '../../tidemark/v1/DeleteGroupsResponse.ts';
import type { DeleteOffsetsRequest as _tidemark_v1_DeleteOffsetsRequest, DeleteOffsetsRequestOutput as _tidemark_v1_DeleteOffsetsRequestOutput } from '../../tidemark/v1/DeleteOffsetsRequest.ts';
import type { DeleteOffsetsResponse as _tidemark_v1_DeleteOffsetsResponse, DeleteOffsetsResponseOutput as _tidemark_v1_DeleteOffsetsResponseOutput } from '../../tidemark/v1/DeleteOffsetsResponse.ts';
import type { DescribeGroupsRequest as _tidemark_v1_DescribeGroupsRequest, DescribeGroupsRequestOutput as _tidemark_v1_DescribeGroupsRequestOutput } from '../../tidemark/v1/DescribeGroupsRequest.ts';
import type { DescribeGroupsResponse as _tidemark_v1_DescribeGroupsResponse, DescribeGroupsResponseOutput as _tidemark_v1_DescribeGroupsResponseOutput } from '../../tidemark/v1/DescribeGroupsResponse.ts';
import type { FetchOffsetsRequest as _tidemark_v1_FetchOffsetsRequest, FetchOffsetsRequestOutput as _tidemark_v1_FetchOffsetsRequestOutput } from '../../tidemark/v1/FetchOffsetsRequest.ts';
import type { FetchOffsetsResponse as _tidemark_v1_FetchOffsetsResponse, FetchOffsetsResponseOutput as _tidemark_v1_FetchOffsetsResponseOutput } from '../../tidemark/v1/FetchOffsetsResponse.ts';
import type { FindCoordinatorRequest as _tidemark_v1_FindCoordinatorRequest, FindCoordinatorRequestOutput as _tidemark_v1_FindCoordinatorRequestOutput } from '../../tidemark/v1/FindCoordinatorRequest.ts';
import type { FindCoordinatorResponse as _tidemark_v1_FindCoordinatorResponse, FindCoordinatorResponseOutput as _tidemark_v1_FindCoordinatorResponseOutput } from '../../tidemark/v1/FindCoordinatorResponse.ts';
import type { HeartbeatRequest as _tidemark_v1_HeartbeatRequest, HeartbeatRequestOutput as _tidemark_v1_HeartbeatRequestOutput } from '../../tidemark/v1/HeartbeatRequest.ts';
import type { HeartbeatResponse as _tidemark_v1_HeartbeatResponse, HeartbeatResponseOutput as _tidemark_v1_HeartbeatResponseOutput } from '../../tidemark/v1/HeartbeatResponse.ts';
import type { JoinGroupRequest as _tidemark_v1_JoinGroupRequest, JoinGroupRequestOutput as _tidemark_v1_JoinGroupRequestOutput } from '../../tidemark/v1/JoinGroupRequest.ts';
import type { JoinGroupResponse as _tidemark_v1_JoinGroupResponse, JoinGroupResponseOutput as _tidemark_v1_JoinGroupResponseOutput } from '../../tidemark/v1/JoinGroupResponse.ts';
import type { LeaveGroupRequest as _tidemark_v1_LeaveGroupRequest, LeaveGroupRequestOutput as _tidemark_v1_LeaveGroupRequestOutput } from '../../tidemark/v1/LeaveGroupRequest.ts';
import type { LeaveGroupResponse as _tidemark_v1_LeaveGroupResponse, LeaveGroupResponseOutput as _tidemark_v1_LeaveGroupResponseOutput } from '../../tidemark/v1/LeaveGroupResponse.ts';
import type { ListGroupsRequest as _tidemark_v1_ListGroupsRequest, ListGroupsRequestOutput as _tidemark_v1_ListGroupsRequestOutput } from '../../tidemark/v1/ListGroupsRequest.ts';
import type { ListGroupsResponse as _tidemark_v1_ListGroupsResponse, ListGroupsResponseOutput as _tidemark_v1_ListGroupsResponseOutput } from '../../tidemark/v1/ListGroupsResponse.ts';
import type { SyncGroupRequest as _tidemark_v1_SyncGroupRequest, SyncGroupRequestOutput as _tidemark_v1_SyncGroupRequestOutput } from '../../tidemark/v1/SyncGroupRequest.ts';
import type { SyncGroupResponse as _tidemark_v1_SyncGroupResponse, SyncGroupResponseOutput as _tidemark_v1_SyncGroupResponseOutput } from '../../tidemark/v1/SyncGroupResponse.ts';

export interface GroupServiceClient extends grpc.Client {
  CommitOffsets(argument: _tidemark_v1_CommitOffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CommitOffsetsResponseOutput>): grpc.ClientUnaryCall;
  CommitOffsets(argument: _tidemark_v1_CommitOffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_CommitOffsetsResponseOutput>): grpc.ClientUnaryCall;
  CommitOffsets(argument: _tidemark_v1_CommitOffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CommitOffsetsResponseOutput>): grpc.ClientUnaryCall;
  CommitOffsets(argument: _tidemark_v1_CommitOffsetsRequest, callback: grpc.requestCallback<_tidemark_v1_CommitOffsetsResponseOutput>): grpc.ClientUnaryCall;
  commitOffsets(argument: _tidemark_v1_CommitOffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CommitOffsetsResponseOutput>): grpc.ClientUnaryCall;
  commitOffsets(argument: _tidemark_v1_CommitOffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_CommitOffsetsResponseOutput>): grpc.ClientUnaryCall;
  commitOffsets(argument: _tidemark_v1_CommitOffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CommitOffsetsResponseOutput>): grpc.ClientUnaryCall;
  commitOffsets(argument: _tidemark_v1_CommitOffsetsRequest, callback: grpc.requestCallback<_tidemark_v1_CommitOffsetsResponseOutput>): grpc.ClientUnaryCall;
  
  DeleteGroups(argument: _tidemark_v1_DeleteGroupsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteGroupsResponseOutput>): grpc.ClientUnaryCall;
  DeleteGroups(argument: _tidemark_v1_DeleteGroupsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteGroupsResponseOutput>): grpc.ClientUnaryCall;
  DeleteGroups(argument: _tidemark_v1_DeleteGroupsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteGroupsResponseOutput>): grpc.ClientUnaryCall;
  DeleteGroups(argument: _tidemark_v1_DeleteGroupsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteGroupsResponseOutput>): grpc.ClientUnaryCall;
  deleteGroups(argument: _tidemark_v1_DeleteGroupsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteGroupsResponseOutput>): grpc.ClientUnaryCall;
  deleteGroups(argument: _tidemark_v1_DeleteGroupsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteGroupsResponseOutput>): grpc.ClientUnaryCall;
  deleteGroups(argument: _tidemark_v1_DeleteGroupsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteGroupsResponseOutput>): grpc.ClientUnaryCall;
  deleteGroups(argument: _tidemark_v1_DeleteGroupsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteGroupsResponseOutput>): grpc.ClientUnaryCall;
  
  DeleteOffsets(argument: _tidemark_v1_DeleteOffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteOffsetsResponseOutput>): grpc.ClientUnaryCall;
  DeleteOffsets(argument: _tidemark_v1_DeleteOffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteOffsetsResponseOutput>): grpc.ClientUnaryCall;
  DeleteOffsets(argument: _tidemark_v1_DeleteOffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteOffsetsResponseOutput>): grpc.ClientUnaryCall;
  DeleteOffsets(argument: _tidemark_v1_DeleteOffsetsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteOffsetsResponseOutput>): grpc.ClientUnaryCall;
  deleteOffsets(argument: _tidemark_v1_DeleteOffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteOffsetsResponseOutput>): grpc.ClientUnaryCall;
  deleteOffsets(argument: _tidemark_v1_DeleteOffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteOffsetsResponseOutput>): grpc.ClientUnaryCall;
  deleteOffsets(argument: _tidemark_v1_DeleteOffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteOffsetsResponseOutput>): grpc.ClientUnaryCall;
  deleteOffsets(argument: _tidemark_v1_DeleteOffsetsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteOffsetsResponseOutput>): grpc.ClientUnaryCall;
  
  DescribeGroups(argument: _tidemark_v1_DescribeGroupsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeGroupsResponseOutput>): grpc.ClientUnaryCall;
  DescribeGroups(argument: _tidemark_v1_DescribeGroupsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeGroupsResponseOutput>): grpc.ClientUnaryCall;
  DescribeGroups(argument: _tidemark_v1_DescribeGroupsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeGroupsResponseOutput>): grpc.ClientUnaryCall;
  DescribeGroups(argument: _tidemark_v1_DescribeGroupsRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeGroupsResponseOutput>): grpc.ClientUnaryCall;
  describeGroups(argument: _tidemark_v1_DescribeGroupsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeGroupsResponseOutput>): grpc.ClientUnaryCall;
  describeGroups(argument: _tidemark_v1_DescribeGroupsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeGroupsResponseOutput>): grpc.ClientUnaryCall;
  describeGroups(argument: _tidemark_v1_DescribeGroupsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeGroupsResponseOutput>): grpc.ClientUnaryCall;
  describeGroups(argument: _tidemark_v1_DescribeGroupsRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeGroupsResponseOutput>): grpc.ClientUnaryCall;
  
  FetchOffsets(argument: _tidemark_v1_FetchOffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FetchOffsetsResponseOutput>): grpc.ClientUnaryCall;
  FetchOffsets(argument: _tidemark_v1_FetchOffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_FetchOffsetsResponseOutput>): grpc.ClientUnaryCall;
  FetchOffsets(argument: _tidemark_v1_FetchOffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FetchOffsetsResponseOutput>): grpc.ClientUnaryCall;
  FetchOffsets(argument: _tidemark_v1_FetchOffsetsRequest, callback: grpc.requestCallback<_tidemark_v1_FetchOffsetsResponseOutput>): grpc.ClientUnaryCall;
  fetchOffsets(argument: _tidemark_v1_FetchOffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FetchOffsetsResponseOutput>): grpc.ClientUnaryCall;
  fetchOffsets(argument: _tidemark_v1_FetchOffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_FetchOffsetsResponseOutput>): grpc.ClientUnaryCall;
  fetchOffsets(argument: _tidemark_v1_FetchOffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FetchOffsetsResponseOutput>): grpc.ClientUnaryCall;
  fetchOffsets(argument: _tidemark_v1_FetchOffsetsRequest, callback: grpc.requestCallback<_tidemark_v1_FetchOffsetsResponseOutput>): grpc.ClientUnaryCall;
  
  FindCoordinator(argument: _tidemark_v1_FindCoordinatorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FindCoordinatorResponseOutput>): grpc.ClientUnaryCall;
  FindCoordinator(argument: _tidemark_v1_FindCoordinatorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_FindCoordinatorResponseOutput>): grpc.ClientUnaryCall;
  FindCoordinator(argument: _tidemark_v1_FindCoordinatorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FindCoordinatorResponseOutput>): grpc.ClientUnaryCall;
  FindCoordinator(argument: _tidemark_v1_FindCoordinatorRequest, callback: grpc.requestCallback<_tidemark_v1_FindCoordinatorResponseOutput>): grpc.ClientUnaryCall;
  findCoordinator(argument: _tidemark_v1_FindCoordinatorRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FindCoordinatorResponseOutput>): grpc.ClientUnaryCall;
  findCoordinator(argument: _tidemark_v1_FindCoordinatorRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_FindCoordinatorResponseOutput>): grpc.ClientUnaryCall;
  findCoordinator(argument: _tidemark_v1_FindCoordinatorRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FindCoordinatorResponseOutput>): grpc.ClientUnaryCall;
  findCoordinator(argument: _tidemark_v1_FindCoordinatorRequest, callback: grpc.requestCallback<_tidemark_v1_FindCoordinatorResponseOutput>): grpc.ClientUnaryCall;
  
  Heartbeat(argument: _tidemark_v1_HeartbeatRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_HeartbeatResponseOutput>): grpc.ClientUnaryCall;
  Heartbeat(argument: _tidemark_v1_HeartbeatRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_HeartbeatResponseOutput>): grpc.ClientUnaryCall;
  Heartbeat(argument: _tidemark_v1_HeartbeatRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_HeartbeatResponseOutput>): grpc.ClientUnaryCall;
  Heartbeat(argument: _tidemark_v1_HeartbeatRequest, callback: grpc.requestCallback<_tidemark_v1_HeartbeatResponseOutput>): grpc.ClientUnaryCall;
  heartbeat(argument: _tidemark_v1_HeartbeatRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_HeartbeatResponseOutput>): grpc.ClientUnaryCall;
  heartbeat(argument: _tidemark_v1_HeartbeatRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_HeartbeatResponseOutput>): grpc.ClientUnaryCall;
  heartbeat(argument: _tidemark_v1_HeartbeatRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_HeartbeatResponseOutput>): grpc.ClientUnaryCall;
  heartbeat(argument: _tidemark_v1_HeartbeatRequest, callback: grpc.requestCallback<_tidemark_v1_HeartbeatResponseOutput>): grpc.ClientUnaryCall;
  
  JoinGroup(argument: _tidemark_v1_JoinGroupRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_JoinGroupResponseOutput>): grpc.ClientUnaryCall;
  JoinGroup(argument: _tidemark_v1_JoinGroupRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_JoinGroupResponseOutput>): grpc.ClientUnaryCall;
  JoinGroup(argument: _tidemark_v1_JoinGroupRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_JoinGroupResponseOutput>): grpc.ClientUnaryCall;
  JoinGroup(argument: _tidemark_v1_JoinGroupRequest, callback: grpc.requestCallback<_tidemark_v1_JoinGroupResponseOutput>): grpc.ClientUnaryCall;
  joinGroup(argument: _tidemark_v1_JoinGroupRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_JoinGroupResponseOutput>): grpc.ClientUnaryCall;
  joinGroup(argument: _tidemark_v1_JoinGroupRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_JoinGroupResponseOutput>): grpc.ClientUnaryCall;
  joinGroup(argument: _tidemark_v1_JoinGroupRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_JoinGroupResponseOutput>): grpc.ClientUnaryCall;
  joinGroup(argument: _tidemark_v1_JoinGroupRequest, callback: grpc.requestCallback<_tidemark_v1_JoinGroupResponseOutput>): grpc.ClientUnaryCall;
  
  LeaveGroup(argument: _tidemark_v1_LeaveGroupRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_LeaveGroupResponseOutput>): grpc.ClientUnaryCall;
  LeaveGroup(argument: _tidemark_v1_LeaveGroupRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_LeaveGroupResponseOutput>): grpc.ClientUnaryCall;
  LeaveGroup(argument: _tidemark_v1_LeaveGroupRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_LeaveGroupResponseOutput>): grpc.ClientUnaryCall;
  LeaveGroup(argument: _tidemark_v1_LeaveGroupRequest, callback: grpc.requestCallback<_tidemark_v1_LeaveGroupResponseOutput>): grpc.ClientUnaryCall;
  leaveGroup(argument: _tidemark_v1_LeaveGroupRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_LeaveGroupResponseOutput>): grpc.ClientUnaryCall;
  leaveGroup(argument: _tidemark_v1_LeaveGroupRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_LeaveGroupResponseOutput>): grpc.ClientUnaryCall;
  leaveGroup(argument: _tidemark_v1_LeaveGroupRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_LeaveGroupResponseOutput>): grpc.ClientUnaryCall;
  leaveGroup(argument: _tidemark_v1_LeaveGroupRequest, callback: grpc.requestCallback<_tidemark_v1_LeaveGroupResponseOutput>): grpc.ClientUnaryCall;
  
  ListGroups(argument: _tidemark_v1_ListGroupsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListGroupsResponseOutput>): grpc.ClientUnaryCall;
  ListGroups(argument: _tidemark_v1_ListGroupsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ListGroupsResponseOutput>): grpc.ClientUnaryCall;
  ListGroups(argument: _tidemark_v1_ListGroupsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListGroupsResponseOutput>): grpc.ClientUnaryCall;
  ListGroups(argument: _tidemark_v1_ListGroupsRequest, callback: grpc.requestCallback<_tidemark_v1_ListGroupsResponseOutput>): grpc.ClientUnaryCall;
  listGroups(argument: _tidemark_v1_ListGroupsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListGroupsResponseOutput>): grpc.ClientUnaryCall;
  listGroups(argument: _tidemark_v1_ListGroupsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ListGroupsResponseOutput>): grpc.ClientUnaryCall;
  listGroups(argument: _tidemark_v1_ListGroupsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListGroupsResponseOutput>): grpc.ClientUnaryCall;
  listGroups(argument: _tidemark_v1_ListGroupsRequest, callback: grpc.requestCallback<_tidemark_v1_ListGroupsResponseOutput>): grpc.ClientUnaryCall;
  
  SyncGroup(argument: _tidemark_v1_SyncGroupRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_SyncGroupResponseOutput>): grpc.ClientUnaryCall;
  SyncGroup(argument: _tidemark_v1_SyncGroupRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_SyncGroupResponseOutput>): grpc.ClientUnaryCall;
  SyncGroup(argument: _tidemark_v1_SyncGroupRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_SyncGroupResponseOutput>): grpc.ClientUnaryCall;
  SyncGroup(argument: _tidemark_v1_SyncGroupRequest, callback: grpc.requestCallback<_tidemark_v1_SyncGroupResponseOutput>): grpc.ClientUnaryCall;
  syncGroup(argument: _tidemark_v1_SyncGroupRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_SyncGroupResponseOutput>): grpc.ClientUnaryCall;
  syncGroup(argument: _tidemark_v1_SyncGroupRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_SyncGroupResponseOutput>): grpc.ClientUnaryCall;
  syncGroup(argument: _tidemark_v1_SyncGroupRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_SyncGroupResponseOutput>): grpc.ClientUnaryCall;
  syncGroup(argument: _tidemark_v1_SyncGroupRequest, callback: grpc.requestCallback<_tidemark_v1_SyncGroupResponseOutput>): grpc.ClientUnaryCall;
  
}

export interface GroupServiceHandlers extends grpc.UntypedServiceImplementation {
  CommitOffsets: grpc.handleUnaryCall<_tidemark_v1_CommitOffsetsRequestOutput, _tidemark_v1_CommitOffsetsResponse>;
  
  DeleteGroups: grpc.handleUnaryCall<_tidemark_v1_DeleteGroupsRequestOutput, _tidemark_v1_DeleteGroupsResponse>;
  
  DeleteOffsets: grpc.handleUnaryCall<_tidemark_v1_DeleteOffsetsRequestOutput, _tidemark_v1_DeleteOffsetsResponse>;
  
  DescribeGroups: grpc.handleUnaryCall<_tidemark_v1_DescribeGroupsRequestOutput, _tidemark_v1_DescribeGroupsResponse>;
  
  FetchOffsets: grpc.handleUnaryCall<_tidemark_v1_FetchOffsetsRequestOutput, _tidemark_v1_FetchOffsetsResponse>;
  
  FindCoordinator: grpc.handleUnaryCall<_tidemark_v1_FindCoordinatorRequestOutput, _tidemark_v1_FindCoordinatorResponse>;
  
  Heartbeat: grpc.handleUnaryCall<_tidemark_v1_HeartbeatRequestOutput, _tidemark_v1_HeartbeatResponse>;
  
  JoinGroup: grpc.handleUnaryCall<_tidemark_v1_JoinGroupRequestOutput, _tidemark_v1_JoinGroupResponse>;
  
  LeaveGroup: grpc.handleUnaryCall<_tidemark_v1_LeaveGroupRequestOutput, _tidemark_v1_LeaveGroupResponse>;
  
  ListGroups: grpc.handleUnaryCall<_tidemark_v1_ListGroupsRequestOutput, _tidemark_v1_ListGroupsResponse>;
  
  SyncGroup: grpc.handleUnaryCall<_tidemark_v1_SyncGroupRequestOutput, _tidemark_v1_SyncGroupResponse>;
  
}

export interface GroupServiceDefinition extends grpc.ServiceDefinition {
  CommitOffsets: MethodDefinition<_tidemark_v1_CommitOffsetsRequest, _tidemark_v1_CommitOffsetsResponse, _tidemark_v1_CommitOffsetsRequestOutput, _tidemark_v1_CommitOffsetsResponseOutput>
  DeleteGroups: MethodDefinition<_tidemark_v1_DeleteGroupsRequest, _tidemark_v1_DeleteGroupsResponse, _tidemark_v1_DeleteGroupsRequestOutput, _tidemark_v1_DeleteGroupsResponseOutput>
  DeleteOffsets: MethodDefinition<_tidemark_v1_DeleteOffsetsRequest, _tidemark_v1_DeleteOffsetsResponse, _tidemark_v1_DeleteOffsetsRequestOutput, _tidemark_v1_DeleteOffsetsResponseOutput>
  DescribeGroups: MethodDefinition<_tidemark_v1_DescribeGroupsRequest, _tidemark_v1_DescribeGroupsResponse, _tidemark_v1_DescribeGroupsRequestOutput, _tidemark_v1_DescribeGroupsResponseOutput>
  FetchOffsets: MethodDefinition<_tidemark_v1_FetchOffsetsRequest, _tidemark_v1_FetchOffsetsResponse, _tidemark_v1_FetchOffsetsRequestOutput, _tidemark_v1_FetchOffsetsResponseOutput>
  FindCoordinator: MethodDefinition<_tidemark_v1_FindCoordinatorRequest, _tidemark_v1_FindCoordinatorResponse, _tidemark_v1_FindCoordinatorRequestOutput, _tidemark_v1_FindCoordinatorResponseOutput>
  Heartbeat: MethodDefinition<_tidemark_v1_HeartbeatRequest, _tidemark_v1_HeartbeatResponse, _tidemark_v1_HeartbeatRequestOutput, _tidemark_v1_HeartbeatResponseOutput>
  JoinGroup: MethodDefinition<_tidemark_v1_JoinGroupRequest, _tidemark_v1_JoinGroupResponse, _tidemark_v1_JoinGroupRequestOutput, _tidemark_v1_JoinGroupResponseOutput>
  LeaveGroup: MethodDefinition<_tidemark_v1_LeaveGroupRequest, _tidemark_v1_LeaveGroupResponse, _tidemark_v1_LeaveGroupRequestOutput, _tidemark_v1_LeaveGroupResponseOutput>
  ListGroups: MethodDefinition<_tidemark_v1_ListGroupsRequest, _tidemark_v1_ListGroupsResponse, _tidemark_v1_ListGroupsRequestOutput, _tidemark_v1_ListGroupsResponseOutput>
  SyncGroup: MethodDefinition<_tidemark_v1_SyncGroupRequest, _tidemark_v1_SyncGroupResponse, _tidemark_v1_SyncGroupRequestOutput, _tidemark_v1_SyncGroupResponseOutput>
}
