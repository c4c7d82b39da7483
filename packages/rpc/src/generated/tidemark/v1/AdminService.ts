// Original file: proto/tidemark/v1/admin.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AlterConfigsRequest as _tidemark_v1_AlterConfigsRequest, AlterConfigsRequestOutput as _tidemark_v1_AlterConfigsRequestOutput } from '../../tidemark/v1/AlterConfigsRequest.ts';
import type { AlterConfigsResponse as _tidemark_v1_AlterConfigsResponse, AlterConfigsResponseOutput as _tidemark_v1_AlterConfigsResponseOutput } from '../../tidemark/v1/AlterConfigsResponse.ts';
import type { CreatePartitionsRequest as _tidemark_v1_CreatePartitionsRequest, CreatePartitionsRequestOutput as _tidemark_v1_CreatePartitionsRequestOutput } from '../../tidemark/v1/CreatePartitionsRequest.ts';
import type { CreatePartitionsResponse as _tidemark_v1_CreatePartitionsResponse, CreatePartitionsResponseOutput as _tidemark_v1_CreatePartitionsResponseOutput } from '../../tidemark/v1/CreatePartitionsResponse.ts';
import type { CreateTopicsRequest as _tidemark_v1_CreateTopicsRequest, CreateTopicsRequestOutput as _tidemark_v1_CreateTopicsRequestOutput } from '../../tidemark/v1/CreateTopicsRequest.ts';
import type { CreateTopicsResponse as _tidemark_v1_CreateTopicsResponse, CreateTopicsResponseOutput as _tidemark_v1_CreateTopicsResponseOutput } from '../../tidemark/v1/CreateTopicsResponse.ts';
import type { DeleteTopicsRequest as _tidemark_v1_DeleteTopicsRequest, DeleteTopicsRequestOutput as _tidemark_v1_DeleteTopicsRequestOutput } from '../../tidemark/v1/DeleteTopicsRequest.ts';
import type { DeleteTopicsResponse as _tidemark_v1_DeleteTopicsResponse, DeleteTopicsResponseOutput as _tidemark_v1_DeleteTopicsResponseOutput } from '../../tidemark/v1/DeleteTopicsResponse.ts';
import type { DescribeConfigsRequest as _tidemark_v1_DescribeConfigsRequest, DescribeConfigsRequestOutput as _tidemark_v1_DescribeConfigsRequestOutput } from '../../tidemark/v1/DescribeConfigsRequest.ts';
import type { DescribeConfigsResponse as _tidemark_v1_DescribeConfigsResponse, DescribeConfigsResponseOutput as _tidemark_v1_DescribeConfigsResponseOutput } from '../../tidemark/v1/DescribeConfigsResponse.ts';
import type { DescribeReplicasRequest as _tidemark_v1_DescribeReplicasRequest, DescribeReplicasRequestOutput as _tidemark_v1_DescribeReplicasRequestOutput } from '../../tidemark/v1/DescribeReplicasRequest.ts';
import type { DescribeReplicasResponse as _tidemark_v1_DescribeReplicasResponse, DescribeReplicasResponseOutput as _tidemark_v1_DescribeReplicasResponseOutput } from '../../tidemark/v1/DescribeReplicasResponse.ts';
import type { ElectLeadersRequest as _tidemark_v1_ElectLeadersRequest, ElectLeadersRequestOutput as _tidemark_v1_ElectLeadersRequestOutput } from '../../tidemark/v1/ElectLeadersRequest.ts';
import type { ElectLeadersResponse as _tidemark_v1_ElectLeadersResponse, ElectLeadersResponseOutput as _tidemark_v1_ElectLeadersResponseOutput } from '../../tidemark/v1/ElectLeadersResponse.ts';
import type { ListPartitionReassignmentsRequest as _tidemark_v1_ListPartitionReassignmentsRequest, ListPartitionReassignmentsRequestOutput as _tidemark_v1_ListPartitionReassignmentsRequestOutput } from '../../tidemark/v1/ListPartitionReassignmentsRequest.ts';
import type { ListPartitionReassignmentsResponse as _tidemark_v1_ListPartitionReassignmentsResponse, ListPartitionReassignmentsResponseOutput as _tidemark_v1_ListPartitionReassignmentsResponseOutput } from '../../tidemark/v1/ListPartitionReassignmentsResponse.ts';
import type { ReassignPartitionsRequest as _tidemark_v1_ReassignPartitionsRequest, ReassignPartitionsRequestOutput as _tidemark_v1_ReassignPartitionsRequestOutput } from '../../tidemark/v1/ReassignPartitionsRequest.ts';
import type { ReassignPartitionsResponse as _tidemark_v1_ReassignPartitionsResponse, ReassignPartitionsResponseOutput as _tidemark_v1_ReassignPartitionsResponseOutput } from '../../tidemark/v1/ReassignPartitionsResponse.ts';
import type { UnregisterBrokerRequest as _tidemark_v1_UnregisterBrokerRequest, UnregisterBrokerRequestOutput as _tidemark_v1_UnregisterBrokerRequestOutput } from '../../tidemark/v1/UnregisterBrokerRequest.ts';
import type { UnregisterBrokerResponse as _tidemark_v1_UnregisterBrokerResponse, UnregisterBrokerResponseOutput as _tidemark_v1_UnregisterBrokerResponseOutput } from '../../tidemark/v1/UnregisterBrokerResponse.ts';

export interface AdminServiceClient extends grpc.Client {
  AlterConfigs(argument: _tidemark_v1_AlterConfigsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterConfigsResponseOutput>): grpc.ClientUnaryCall;
  AlterConfigs(argument: _tidemark_v1_AlterConfigsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_AlterConfigsResponseOutput>): grpc.ClientUnaryCall;
  AlterConfigs(argument: _tidemark_v1_AlterConfigsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterConfigsResponseOutput>): grpc.ClientUnaryCall;
  AlterConfigs(argument: _tidemark_v1_AlterConfigsRequest, callback: grpc.requestCallback<_tidemark_v1_AlterConfigsResponseOutput>): grpc.ClientUnaryCall;
  alterConfigs(argument: _tidemark_v1_AlterConfigsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterConfigsResponseOutput>): grpc.ClientUnaryCall;
  alterConfigs(argument: _tidemark_v1_AlterConfigsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_AlterConfigsResponseOutput>): grpc.ClientUnaryCall;
  alterConfigs(argument: _tidemark_v1_AlterConfigsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterConfigsResponseOutput>): grpc.ClientUnaryCall;
  alterConfigs(argument: _tidemark_v1_AlterConfigsRequest, callback: grpc.requestCallback<_tidemark_v1_AlterConfigsResponseOutput>): grpc.ClientUnaryCall;
  
  CreatePartitions(argument: _tidemark_v1_CreatePartitionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreatePartitionsResponseOutput>): grpc.ClientUnaryCall;
  CreatePartitions(argument: _tidemark_v1_CreatePartitionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_CreatePartitionsResponseOutput>): grpc.ClientUnaryCall;
  CreatePartitions(argument: _tidemark_v1_CreatePartitionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreatePartitionsResponseOutput>): grpc.ClientUnaryCall;
  CreatePartitions(argument: _tidemark_v1_CreatePartitionsRequest, callback: grpc.requestCallback<_tidemark_v1_CreatePartitionsResponseOutput>): grpc.ClientUnaryCall;
  createPartitions(argument: _tidemark_v1_CreatePartitionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreatePartitionsResponseOutput>): grpc.ClientUnaryCall;
  createPartitions(argument: _tidemark_v1_CreatePartitionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_CreatePartitionsResponseOutput>): grpc.ClientUnaryCall;
  createPartitions(argument: _tidemark_v1_CreatePartitionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreatePartitionsResponseOutput>): grpc.ClientUnaryCall;
  createPartitions(argument: _tidemark_v1_CreatePartitionsRequest, callback: grpc.requestCallback<_tidemark_v1_CreatePartitionsResponseOutput>): grpc.ClientUnaryCall;
  
  CreateTopics(argument: _tidemark_v1_CreateTopicsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreateTopicsResponseOutput>): grpc.ClientUnaryCall;
  CreateTopics(argument: _tidemark_v1_CreateTopicsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_CreateTopicsResponseOutput>): grpc.ClientUnaryCall;
  CreateTopics(argument: _tidemark_v1_CreateTopicsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreateTopicsResponseOutput>): grpc.ClientUnaryCall;
  CreateTopics(argument: _tidemark_v1_CreateTopicsRequest, callback: grpc.requestCallback<_tidemark_v1_CreateTopicsResponseOutput>): grpc.ClientUnaryCall;
  createTopics(argument: _tidemark_v1_CreateTopicsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreateTopicsResponseOutput>): grpc.ClientUnaryCall;
  createTopics(argument: _tidemark_v1_CreateTopicsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_CreateTopicsResponseOutput>): grpc.ClientUnaryCall;
  createTopics(argument: _tidemark_v1_CreateTopicsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreateTopicsResponseOutput>): grpc.ClientUnaryCall;
  createTopics(argument: _tidemark_v1_CreateTopicsRequest, callback: grpc.requestCallback<_tidemark_v1_CreateTopicsResponseOutput>): grpc.ClientUnaryCall;
  
  DeleteTopics(argument: _tidemark_v1_DeleteTopicsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteTopicsResponseOutput>): grpc.ClientUnaryCall;
  DeleteTopics(argument: _tidemark_v1_DeleteTopicsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteTopicsResponseOutput>): grpc.ClientUnaryCall;
  DeleteTopics(argument: _tidemark_v1_DeleteTopicsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteTopicsResponseOutput>): grpc.ClientUnaryCall;
  DeleteTopics(argument: _tidemark_v1_DeleteTopicsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteTopicsResponseOutput>): grpc.ClientUnaryCall;
  deleteTopics(argument: _tidemark_v1_DeleteTopicsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteTopicsResponseOutput>): grpc.ClientUnaryCall;
  deleteTopics(argument: _tidemark_v1_DeleteTopicsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteTopicsResponseOutput>): grpc.ClientUnaryCall;
  deleteTopics(argument: _tidemark_v1_DeleteTopicsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteTopicsResponseOutput>): grpc.ClientUnaryCall;
  deleteTopics(argument: _tidemark_v1_DeleteTopicsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteTopicsResponseOutput>): grpc.ClientUnaryCall;
  
  DescribeConfigs(argument: _tidemark_v1_DescribeConfigsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeConfigsResponseOutput>): grpc.ClientUnaryCall;
  DescribeConfigs(argument: _tidemark_v1_DescribeConfigsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeConfigsResponseOutput>): grpc.ClientUnaryCall;
  DescribeConfigs(argument: _tidemark_v1_DescribeConfigsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeConfigsResponseOutput>): grpc.ClientUnaryCall;
  DescribeConfigs(argument: _tidemark_v1_DescribeConfigsRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeConfigsResponseOutput>): grpc.ClientUnaryCall;
  describeConfigs(argument: _tidemark_v1_DescribeConfigsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeConfigsResponseOutput>): grpc.ClientUnaryCall;
  describeConfigs(argument: _tidemark_v1_DescribeConfigsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeConfigsResponseOutput>): grpc.ClientUnaryCall;
  describeConfigs(argument: _tidemark_v1_DescribeConfigsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeConfigsResponseOutput>): grpc.ClientUnaryCall;
  describeConfigs(argument: _tidemark_v1_DescribeConfigsRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeConfigsResponseOutput>): grpc.ClientUnaryCall;
  
  DescribeReplicas(argument: _tidemark_v1_DescribeReplicasRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeReplicasResponseOutput>): grpc.ClientUnaryCall;
  DescribeReplicas(argument: _tidemark_v1_DescribeReplicasRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeReplicasResponseOutput>): grpc.ClientUnaryCall;
  DescribeReplicas(argument: _tidemark_v1_DescribeReplicasRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeReplicasResponseOutput>): grpc.ClientUnaryCall;
  DescribeReplicas(argument: _tidemark_v1_DescribeReplicasRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeReplicasResponseOutput>): grpc.ClientUnaryCall;
  describeReplicas(argument: _tidemark_v1_DescribeReplicasRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeReplicasResponseOutput>): grpc.ClientUnaryCall;
  describeReplicas(argument: _tidemark_v1_DescribeReplicasRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeReplicasResponseOutput>): grpc.ClientUnaryCall;
  describeReplicas(argument: _tidemark_v1_DescribeReplicasRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeReplicasResponseOutput>): grpc.ClientUnaryCall;
  describeReplicas(argument: _tidemark_v1_DescribeReplicasRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeReplicasResponseOutput>): grpc.ClientUnaryCall;
  
  ElectLeaders(argument: _tidemark_v1_ElectLeadersRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ElectLeadersResponseOutput>): grpc.ClientUnaryCall;
  ElectLeaders(argument: _tidemark_v1_ElectLeadersRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ElectLeadersResponseOutput>): grpc.ClientUnaryCall;
  ElectLeaders(argument: _tidemark_v1_ElectLeadersRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ElectLeadersResponseOutput>): grpc.ClientUnaryCall;
  ElectLeaders(argument: _tidemark_v1_ElectLeadersRequest, callback: grpc.requestCallback<_tidemark_v1_ElectLeadersResponseOutput>): grpc.ClientUnaryCall;
  electLeaders(argument: _tidemark_v1_ElectLeadersRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ElectLeadersResponseOutput>): grpc.ClientUnaryCall;
  electLeaders(argument: _tidemark_v1_ElectLeadersRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ElectLeadersResponseOutput>): grpc.ClientUnaryCall;
  electLeaders(argument: _tidemark_v1_ElectLeadersRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ElectLeadersResponseOutput>): grpc.ClientUnaryCall;
  electLeaders(argument: _tidemark_v1_ElectLeadersRequest, callback: grpc.requestCallback<_tidemark_v1_ElectLeadersResponseOutput>): grpc.ClientUnaryCall;
  
  ListPartitionReassignments(argument: _tidemark_v1_ListPartitionReassignmentsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListPartitionReassignmentsResponseOutput>): grpc.ClientUnaryCall;
  ListPartitionReassignments(argument: _tidemark_v1_ListPartitionReassignmentsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ListPartitionReassignmentsResponseOutput>): grpc.ClientUnaryCall;
  ListPartitionReassignments(argument: _tidemark_v1_ListPartitionReassignmentsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListPartitionReassignmentsResponseOutput>): grpc.ClientUnaryCall;
  ListPartitionReassignments(argument: _tidemark_v1_ListPartitionReassignmentsRequest, callback: grpc.requestCallback<_tidemark_v1_ListPartitionReassignmentsResponseOutput>): grpc.ClientUnaryCall;
  listPartitionReassignments(argument: _tidemark_v1_ListPartitionReassignmentsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListPartitionReassignmentsResponseOutput>): grpc.ClientUnaryCall;
  listPartitionReassignments(argument: _tidemark_v1_ListPartitionReassignmentsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ListPartitionReassignmentsResponseOutput>): grpc.ClientUnaryCall;
  listPartitionReassignments(argument: _tidemark_v1_ListPartitionReassignmentsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListPartitionReassignmentsResponseOutput>): grpc.ClientUnaryCall;
  listPartitionReassignments(argument: _tidemark_v1_ListPartitionReassignmentsRequest, callback: grpc.requestCallback<_tidemark_v1_ListPartitionReassignmentsResponseOutput>): grpc.ClientUnaryCall;
  
  ReassignPartitions(argument: _tidemark_v1_ReassignPartitionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ReassignPartitionsResponseOutput>): grpc.ClientUnaryCall;
  ReassignPartitions(argument: _tidemark_v1_ReassignPartitionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ReassignPartitionsResponseOutput>): grpc.ClientUnaryCall;
  ReassignPartitions(argument: _tidemark_v1_ReassignPartitionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ReassignPartitionsResponseOutput>): grpc.ClientUnaryCall;
  ReassignPartitions(argument: _tidemark_v1_ReassignPartitionsRequest, callback: grpc.requestCallback<_tidemark_v1_ReassignPartitionsResponseOutput>): grpc.ClientUnaryCall;
  reassignPartitions(argument: _tidemark_v1_ReassignPartitionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ReassignPartitionsResponseOutput>): grpc.ClientUnaryCall;
  reassignPartitions(argument: _tidemark_v1_ReassignPartitionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ReassignPartitionsResponseOutput>): grpc.ClientUnaryCall;
  reassignPartitions(argument: _tidemark_v1_ReassignPartitionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ReassignPartitionsResponseOutput>): grpc.ClientUnaryCall;
  reassignPartitions(argument: _tidemark_v1_ReassignPartitionsRequest, callback: grpc.requestCallback<_tidemark_v1_ReassignPartitionsResponseOutput>): grpc.ClientUnaryCall;
  
  UnregisterBroker(argument: _tidemark_v1_UnregisterBrokerRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_UnregisterBrokerResponseOutput>): grpc.ClientUnaryCall;
  UnregisterBroker(argument: _tidemark_v1_UnregisterBrokerRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_UnregisterBrokerResponseOutput>): grpc.ClientUnaryCall;
  UnregisterBroker(argument: _tidemark_v1_UnregisterBrokerRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_UnregisterBrokerResponseOutput>): grpc.ClientUnaryCall;
  UnregisterBroker(argument: _tidemark_v1_UnregisterBrokerRequest, callback: grpc.requestCallback<_tidemark_v1_UnregisterBrokerResponseOutput>): grpc.ClientUnaryCall;
  unregisterBroker(argument: _tidemark_v1_UnregisterBrokerRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_UnregisterBrokerResponseOutput>): grpc.ClientUnaryCall;
  unregisterBroker(argument: _tidemark_v1_UnregisterBrokerRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_UnregisterBrokerResponseOutput>): grpc.ClientUnaryCall;
  unregisterBroker(argument: _tidemark_v1_UnregisterBrokerRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_UnregisterBrokerResponseOutput>): grpc.ClientUnaryCall;
  unregisterBroker(argument: _tidemark_v1_UnregisterBrokerRequest, callback: grpc.requestCallback<_tidemark_v1_UnregisterBrokerResponseOutput>): grpc.ClientUnaryCall;
  
}

export interface AdminServiceHandlers extends grpc.UntypedServiceImplementation {
  AlterConfigs: grpc.handleUnaryCall<_tidemark_v1_AlterConfigsRequestOutput, _tidemark_v1_AlterConfigsResponse>;
  
  CreatePartitions: grpc.handleUnaryCall<_tidemark_v1_CreatePartitionsRequestOutput, _tidemark_v1_CreatePartitionsResponse>;
  
  CreateTopics: grpc.handleUnaryCall<_tidemark_v1_CreateTopicsRequestOutput, _tidemark_v1_CreateTopicsResponse>;
  
  DeleteTopics: grpc.handleUnaryCall<_tidemark_v1_DeleteTopicsRequestOutput, _tidemark_v1_DeleteTopicsResponse>;
  
  DescribeConfigs: grpc.handleUnaryCall<_tidemark_v1_DescribeConfigsRequestOutput, _tidemark_v1_DescribeConfigsResponse>;
  
  DescribeReplicas: grpc.handleUnaryCall<_tidemark_v1_DescribeReplicasRequestOutput, _tidemark_v1_DescribeReplicasResponse>;
  
  ElectLeaders: grpc.handleUnaryCall<_tidemark_v1_ElectLeadersRequestOutput, _tidemark_v1_ElectLeadersResponse>;
  
  ListPartitionReassignments: grpc.handleUnaryCall<_tidemark_v1_ListPartitionReassignmentsRequestOutput, _tidemark_v1_ListPartitionReassignmentsResponse>;
  
  ReassignPartitions: grpc.handleUnaryCall<_tidemark_v1_ReassignPartitionsRequestOutput, _tidemark_v1_ReassignPartitionsResponse>;
  
  UnregisterBroker: grpc.handleUnaryCall<_tidemark_v1_UnregisterBrokerRequestOutput, _tidemark_v1_UnregisterBrokerResponse>;
  
}

export interface AdminServiceDefinition extends grpc.ServiceDefinition {
  AlterConfigs: MethodDefinition<_tidemark_v1_AlterConfigsRequest, _tidemark_v1_AlterConfigsResponse, _tidemark_v1_AlterConfigsRequestOutput, _tidemark_v1_AlterConfigsResponseOutput>
  CreatePartitions: MethodDefinition<_tidemark_v1_CreatePartitionsRequest, _tidemark_v1_CreatePartitionsResponse, _tidemark_v1_CreatePartitionsRequestOutput, _tidemark_v1_CreatePartitionsResponseOutput>
  CreateTopics: MethodDefinition<_tidemark_v1_CreateTopicsRequest, _tidemark_v1_CreateTopicsResponse, _tidemark_v1_CreateTopicsRequestOutput, _tidemark_v1_CreateTopicsResponseOutput>
  DeleteTopics: MethodDefinition<_tidemark_v1_DeleteTopicsRequest, _tidemark_v1_DeleteTopicsResponse, _tidemark_v1_DeleteTopicsRequestOutput, _tidemark_v1_DeleteTopicsResponseOutput>
  DescribeConfigs: MethodDefinition<_tidemark_v1_DescribeConfigsRequest, _tidemark_v1_DescribeConfigsResponse, _tidemark_v1_DescribeConfigsRequestOutput, _tidemark_v1_DescribeConfigsResponseOutput>
  DescribeReplicas: MethodDefinition<_tidemark_v1_DescribeReplicasRequest, _tidemark_v1_DescribeReplicasResponse, _tidemark_v1_DescribeReplicasRequestOutput, _tidemark_v1_DescribeReplicasResponseOutput>
  ElectLeaders: MethodDefinition<_tidemark_v1_ElectLeadersRequest, _tidemark_v1_ElectLeadersResponse, _tidemark_v1_ElectLeadersRequestOutput, _tidemark_v1_ElectLeadersResponseOutput>
  ListPartitionReassignments: MethodDefinition<_tidemark_v1_ListPartitionReassignmentsRequest, _tidemark_v1_ListPartitionReassignmentsResponse, _tidemark_v1_ListPartitionReassignmentsRequestOutput, _tidemark_v1_ListPartitionReassignmentsResponseOutput>
  ReassignPartitions: MethodDefinition<_tidemark_v1_ReassignPartitionsRequest, _tidemark_v1_ReassignPartitionsResponse, _tidemark_v1_ReassignPartitionsRequestOutput, _tidemark_v1_ReassignPartitionsResponseOutput>
  UnregisterBroker: MethodDefinition<_tidemark_v1_UnregisterBrokerRequest, _tidemark_v1_UnregisterBrokerResponse, _tidemark_v1_UnregisterBrokerRequestOutput, _tidemark_v1_UnregisterBrokerResponseOutput>
}
