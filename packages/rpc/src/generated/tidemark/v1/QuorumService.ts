// Original file: proto/tidemark/v1/quorum.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AddVoterRequest as _tidemark_v1_AddVoterRequest, AddVoterRequestOutput as _tidemark_v1_AddVoterRequestOutput } from '../../tidemark/v1/AddVoterRequest.ts';
import type { AddVoterResponse as _tidemark_v1_AddVoterResponse, AddVoterResponseOutput as _tidemark_v1_AddVoterResponseOutput } from '../../tidemark/v1/AddVoterResponse.ts';
import type { DescribeQuorumRequest as _tidemark_v1_DescribeQuorumRequest, DescribeQuorumRequestOutput as _tidemark_v1_DescribeQuorumRequestOutput } from '../../tidemark/v1/DescribeQuorumRequest.ts';
import type { DescribeQuorumResponse as _tidemark_v1_DescribeQuorumResponse, DescribeQuorumResponseOutput as _tidemark_v1_DescribeQuorumResponseOutput } from '../../tidemark/v1/DescribeQuorumResponse.ts';
import type { RemoveVoterRequest as _tidemark_v1_RemoveVoterRequest, RemoveVoterRequestOutput as _tidemark_v1_RemoveVoterRequestOutput } from '../../tidemark/v1/RemoveVoterRequest.ts';
import type { RemoveVoterResponse as _tidemark_v1_RemoveVoterResponse, RemoveVoterResponseOutput as _tidemark_v1_RemoveVoterResponseOutput } from '../../tidemark/v1/RemoveVoterResponse.ts';
import type { TransferLeadershipRequest as _tidemark_v1_TransferLeadershipRequest, TransferLeadershipRequestOutput as _tidemark_v1_TransferLeadershipRequestOutput } from '../../tidemark/v1/TransferLeadershipRequest.ts';
import type { TransferLeadershipResponse as _tidemark_v1_TransferLeadershipResponse, TransferLeadershipResponseOutput as _tidemark_v1_TransferLeadershipResponseOutput } from '../../tidemark/v1/TransferLeadershipResponse.ts';

export interface QuorumServiceClient extends grpc.Client {
  AddVoter(argument: _tidemark_v1_AddVoterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AddVoterResponseOutput>): grpc.ClientUnaryCall;
  AddVoter(argument: _tidemark_v1_AddVoterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_AddVoterResponseOutput>): grpc.ClientUnaryCall;
  AddVoter(argument: _tidemark_v1_AddVoterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AddVoterResponseOutput>): grpc.ClientUnaryCall;
  AddVoter(argument: _tidemark_v1_AddVoterRequest, callback: grpc.requestCallback<_tidemark_v1_AddVoterResponseOutput>): grpc.ClientUnaryCall;
  addVoter(argument: _tidemark_v1_AddVoterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AddVoterResponseOutput>): grpc.ClientUnaryCall;
  addVoter(argument: _tidemark_v1_AddVoterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_AddVoterResponseOutput>): grpc.ClientUnaryCall;
  addVoter(argument: _tidemark_v1_AddVoterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AddVoterResponseOutput>): grpc.ClientUnaryCall;
  addVoter(argument: _tidemark_v1_AddVoterRequest, callback: grpc.requestCallback<_tidemark_v1_AddVoterResponseOutput>): grpc.ClientUnaryCall;
  
  DescribeQuorum(argument: _tidemark_v1_DescribeQuorumRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeQuorumResponseOutput>): grpc.ClientUnaryCall;
  DescribeQuorum(argument: _tidemark_v1_DescribeQuorumRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeQuorumResponseOutput>): grpc.ClientUnaryCall;
  DescribeQuorum(argument: _tidemark_v1_DescribeQuorumRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeQuorumResponseOutput>): grpc.ClientUnaryCall;
  DescribeQuorum(argument: _tidemark_v1_DescribeQuorumRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeQuorumResponseOutput>): grpc.ClientUnaryCall;
  describeQuorum(argument: _tidemark_v1_DescribeQuorumRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeQuorumResponseOutput>): grpc.ClientUnaryCall;
  describeQuorum(argument: _tidemark_v1_DescribeQuorumRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeQuorumResponseOutput>): grpc.ClientUnaryCall;
  describeQuorum(argument: _tidemark_v1_DescribeQuorumRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeQuorumResponseOutput>): grpc.ClientUnaryCall;
  describeQuorum(argument: _tidemark_v1_DescribeQuorumRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeQuorumResponseOutput>): grpc.ClientUnaryCall;
  
  RemoveVoter(argument: _tidemark_v1_RemoveVoterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_RemoveVoterResponseOutput>): grpc.ClientUnaryCall;
  RemoveVoter(argument: _tidemark_v1_RemoveVoterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_RemoveVoterResponseOutput>): grpc.ClientUnaryCall;
  RemoveVoter(argument: _tidemark_v1_RemoveVoterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_RemoveVoterResponseOutput>): grpc.ClientUnaryCall;
  RemoveVoter(argument: _tidemark_v1_RemoveVoterRequest, callback: grpc.requestCallback<_tidemark_v1_RemoveVoterResponseOutput>): grpc.ClientUnaryCall;
  removeVoter(argument: _tidemark_v1_RemoveVoterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_RemoveVoterResponseOutput>): grpc.ClientUnaryCall;
  removeVoter(argument: _tidemark_v1_RemoveVoterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_RemoveVoterResponseOutput>): grpc.ClientUnaryCall;
  removeVoter(argument: _tidemark_v1_RemoveVoterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_RemoveVoterResponseOutput>): grpc.ClientUnaryCall;
  removeVoter(argument: _tidemark_v1_RemoveVoterRequest, callback: grpc.requestCallback<_tidemark_v1_RemoveVoterResponseOutput>): grpc.ClientUnaryCall;
  
  TransferLeadership(argument: _tidemark_v1_TransferLeadershipRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_TransferLeadershipResponseOutput>): grpc.ClientUnaryCall;
  TransferLeadership(argument: _tidemark_v1_TransferLeadershipRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_TransferLeadershipResponseOutput>): grpc.ClientUnaryCall;
  TransferLeadership(argument: _tidemark_v1_TransferLeadershipRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_TransferLeadershipResponseOutput>): grpc.ClientUnaryCall;
  TransferLeadership(argument: _tidemark_v1_TransferLeadershipRequest, callback: grpc.requestCallback<_tidemark_v1_TransferLeadershipResponseOutput>): grpc.ClientUnaryCall;
  transferLeadership(argument: _tidemark_v1_TransferLeadershipRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_TransferLeadershipResponseOutput>): grpc.ClientUnaryCall;
  transferLeadership(argument: _tidemark_v1_TransferLeadershipRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_TransferLeadershipResponseOutput>): grpc.ClientUnaryCall;
  transferLeadership(argument: _tidemark_v1_TransferLeadershipRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_TransferLeadershipResponseOutput>): grpc.ClientUnaryCall;
  transferLeadership(argument: _tidemark_v1_TransferLeadershipRequest, callback: grpc.requestCallback<_tidemark_v1_TransferLeadershipResponseOutput>): grpc.ClientUnaryCall;
  
}

export interface QuorumServiceHandlers extends grpc.UntypedServiceImplementation {
  AddVoter: grpc.handleUnaryCall<_tidemark_v1_AddVoterRequestOutput, _tidemark_v1_AddVoterResponse>;
  
  DescribeQuorum: grpc.handleUnaryCall<_tidemark_v1_DescribeQuorumRequestOutput, _tidemark_v1_DescribeQuorumResponse>;
  
  RemoveVoter: grpc.handleUnaryCall<_tidemark_v1_RemoveVoterRequestOutput, _tidemark_v1_RemoveVoterResponse>;
  
  TransferLeadership: grpc.handleUnaryCall<_tidemark_v1_TransferLeadershipRequestOutput, _tidemark_v1_TransferLeadershipResponse>;
  
}

export interface QuorumServiceDefinition extends grpc.ServiceDefinition {
  AddVoter: MethodDefinition<_tidemark_v1_AddVoterRequest, _tidemark_v1_AddVoterResponse, _tidemark_v1_AddVoterRequestOutput, _tidemark_v1_AddVoterResponseOutput>
  DescribeQuorum: MethodDefinition<_tidemark_v1_DescribeQuorumRequest, _tidemark_v1_DescribeQuorumResponse, _tidemark_v1_DescribeQuorumRequestOutput, _tidemark_v1_DescribeQuorumResponseOutput>
  RemoveVoter: MethodDefinition<_tidemark_v1_RemoveVoterRequest, _tidemark_v1_RemoveVoterResponse, _tidemark_v1_RemoveVoterRequestOutput, _tidemark_v1_RemoveVoterResponseOutput>
  TransferLeadership: MethodDefinition<_tidemark_v1_TransferLeadershipRequest, _tidemark_v1_TransferLeadershipResponse, _tidemark_v1_TransferLeadershipRequestOutput, _tidemark_v1_TransferLeadershipResponseOutput>
}
