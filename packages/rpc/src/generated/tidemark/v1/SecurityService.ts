// Original file: proto/tidemark/v1/security.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AlterClientQuotasRequest as _tidemark_v1_AlterClientQuotasRequest, AlterClientQuotasRequestOutput as _tidemark_v1_AlterClientQuotasRequestOutput } from '../../tidemark/v1/AlterClientQuotasRequest.ts';
import type { AlterClientQuotasResponse as _tidemark_v1_AlterClientQuotasResponse, AlterClientQuotasResponseOutput as _tidemark_v1_AlterClientQuotasResponseOutput } from '../../tidemark/v1/AlterClientQuotasResponse.ts';
import type { AlterScramCredentialsRequest as _tidemark_v1_AlterScramCredentialsRequest, AlterScramCredentialsRequestOutput as _tidemark_v1_AlterScramCredentialsRequestOutput } from '../../tidemark/v1/AlterScramCredentialsRequest.ts';
import type { AlterScramCredentialsResponse as _tidemark_v1_AlterScramCredentialsResponse, AlterScramCredentialsResponseOutput as _tidemark_v1_AlterScramCredentialsResponseOutput } from '../../tidemark/v1/AlterScramCredentialsResponse.ts';
import type { CreateAclsRequest as _tidemark_v1_CreateAclsRequest, CreateAclsRequestOutput as _tidemark_v1_CreateAclsRequestOutput } from '../../tidemark/v1/CreateAclsRequest.ts';
import type { CreateAclsResponse as _tidemark_v1_CreateAclsResponse, CreateAclsResponseOutput as _tidemark_v1_CreateAclsResponseOutput } from '../../tidemark/v1/CreateAclsResponse.ts';
import type { DeleteAclsRequest as _tidemark_v1_DeleteAclsRequest, DeleteAclsRequestOutput as _tidemark_v1_DeleteAclsRequestOutput } from '../../tidemark/v1/DeleteAclsRequest.ts';
import type { DeleteAclsResponse as _tidemark_v1_DeleteAclsResponse, DeleteAclsResponseOutput as _tidemark_v1_DeleteAclsResponseOutput } from '../../tidemark/v1/DeleteAclsResponse.ts';
import type { DescribeAclsRequest as _tidemark_v1_DescribeAclsRequest, DescribeAclsRequestOutput as _tidemark_v1_DescribeAclsRequestOutput } from '../../tidemark/v1/DescribeAclsRequest.ts';
import type { DescribeAclsResponse as _tidemark_v1_DescribeAclsResponse, DescribeAclsResponseOutput as _tidemark_v1_DescribeAclsResponseOutput } from '../../tidemark/v1/DescribeAclsResponse.ts';
import type { DescribeClientQuotasRequest as _tidemark_v1_DescribeClientQuotasRequest, DescribeClientQuotasRequestOutput as _tidemark_v1_DescribeClientQuotasRequestOutput } from '../../tidemark/v1/DescribeClientQuotasRequest.ts';
import type { DescribeClientQuotasResponse as _tidemark_v1_DescribeClientQuotasResponse, DescribeClientQuotasResponseOutput as _tidemark_v1_DescribeClientQuotasResponseOutput } from '../../tidemark/v1/DescribeClientQuotasResponse.ts';
import type { DescribeScramCredentialsRequest as _tidemark_v1_DescribeScramCredentialsRequest, DescribeScramCredentialsRequestOutput as _tidemark_v1_DescribeScramCredentialsRequestOutput } from '../../tidemark/v1/DescribeScramCredentialsRequest.ts';
import type { DescribeScramCredentialsResponse as _tidemark_v1_DescribeScramCredentialsResponse, DescribeScramCredentialsResponseOutput as _tidemark_v1_DescribeScramCredentialsResponseOutput } from '../../tidemark/v1/DescribeScramCredentialsResponse.ts';

export interface SecurityServiceClient extends grpc.Client {
  AlterClientQuotas(argument: _tidemark_v1_AlterClientQuotasRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  AlterClientQuotas(argument: _tidemark_v1_AlterClientQuotasRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_AlterClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  AlterClientQuotas(argument: _tidemark_v1_AlterClientQuotasRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  AlterClientQuotas(argument: _tidemark_v1_AlterClientQuotasRequest, callback: grpc.requestCallback<_tidemark_v1_AlterClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  alterClientQuotas(argument: _tidemark_v1_AlterClientQuotasRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  alterClientQuotas(argument: _tidemark_v1_AlterClientQuotasRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_AlterClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  alterClientQuotas(argument: _tidemark_v1_AlterClientQuotasRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  alterClientQuotas(argument: _tidemark_v1_AlterClientQuotasRequest, callback: grpc.requestCallback<_tidemark_v1_AlterClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  
  AlterScramCredentials(argument: _tidemark_v1_AlterScramCredentialsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  AlterScramCredentials(argument: _tidemark_v1_AlterScramCredentialsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_AlterScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  AlterScramCredentials(argument: _tidemark_v1_AlterScramCredentialsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  AlterScramCredentials(argument: _tidemark_v1_AlterScramCredentialsRequest, callback: grpc.requestCallback<_tidemark_v1_AlterScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  alterScramCredentials(argument: _tidemark_v1_AlterScramCredentialsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  alterScramCredentials(argument: _tidemark_v1_AlterScramCredentialsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_AlterScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  alterScramCredentials(argument: _tidemark_v1_AlterScramCredentialsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_AlterScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  alterScramCredentials(argument: _tidemark_v1_AlterScramCredentialsRequest, callback: grpc.requestCallback<_tidemark_v1_AlterScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  
  CreateAcls(argument: _tidemark_v1_CreateAclsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreateAclsResponseOutput>): grpc.ClientUnaryCall;
  CreateAcls(argument: _tidemark_v1_CreateAclsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_CreateAclsResponseOutput>): grpc.ClientUnaryCall;
  CreateAcls(argument: _tidemark_v1_CreateAclsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreateAclsResponseOutput>): grpc.ClientUnaryCall;
  CreateAcls(argument: _tidemark_v1_CreateAclsRequest, callback: grpc.requestCallback<_tidemark_v1_CreateAclsResponseOutput>): grpc.ClientUnaryCall;
  createAcls(argument: _tidemark_v1_CreateAclsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreateAclsResponseOutput>): grpc.ClientUnaryCall;
  createAcls(argument: _tidemark_v1_CreateAclsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_CreateAclsResponseOutput>): grpc.ClientUnaryCall;
  createAcls(argument: _tidemark_v1_CreateAclsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_CreateAclsResponseOutput>): grpc.ClientUnaryCall;
  createAcls(argument: _tidemark_v1_CreateAclsRequest, callback: grpc.requestCallback<_tidemark_v1_CreateAclsResponseOutput>): grpc.ClientUnaryCall;
  
  DeleteAcls(argument: _tidemark_v1_DeleteAclsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteAclsResponseOutput>): grpc.ClientUnaryCall;
  DeleteAcls(argument: _tidemark_v1_DeleteAclsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteAclsResponseOutput>): grpc.ClientUnaryCall;
  DeleteAcls(argument: _tidemark_v1_DeleteAclsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteAclsResponseOutput>): grpc.ClientUnaryCall;
  DeleteAcls(argument: _tidemark_v1_DeleteAclsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteAclsResponseOutput>): grpc.ClientUnaryCall;
  deleteAcls(argument: _tidemark_v1_DeleteAclsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteAclsResponseOutput>): grpc.ClientUnaryCall;
  deleteAcls(argument: _tidemark_v1_DeleteAclsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteAclsResponseOutput>): grpc.ClientUnaryCall;
  deleteAcls(argument: _tidemark_v1_DeleteAclsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteAclsResponseOutput>): grpc.ClientUnaryCall;
  deleteAcls(argument: _tidemark_v1_DeleteAclsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteAclsResponseOutput>): grpc.ClientUnaryCall;
  
  DescribeAcls(argument: _tidemark_v1_DescribeAclsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeAclsResponseOutput>): grpc.ClientUnaryCall;
  DescribeAcls(argument: _tidemark_v1_DescribeAclsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeAclsResponseOutput>): grpc.ClientUnaryCall;
  DescribeAcls(argument: _tidemark_v1_DescribeAclsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeAclsResponseOutput>): grpc.ClientUnaryCall;
  DescribeAcls(argument: _tidemark_v1_DescribeAclsRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeAclsResponseOutput>): grpc.ClientUnaryCall;
  describeAcls(argument: _tidemark_v1_DescribeAclsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeAclsResponseOutput>): grpc.ClientUnaryCall;
  describeAcls(argument: _tidemark_v1_DescribeAclsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeAclsResponseOutput>): grpc.ClientUnaryCall;
  describeAcls(argument: _tidemark_v1_DescribeAclsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeAclsResponseOutput>): grpc.ClientUnaryCall;
  describeAcls(argument: _tidemark_v1_DescribeAclsRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeAclsResponseOutput>): grpc.ClientUnaryCall;
  
  DescribeClientQuotas(argument: _tidemark_v1_DescribeClientQuotasRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  DescribeClientQuotas(argument: _tidemark_v1_DescribeClientQuotasRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  DescribeClientQuotas(argument: _tidemark_v1_DescribeClientQuotasRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  DescribeClientQuotas(argument: _tidemark_v1_DescribeClientQuotasRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  describeClientQuotas(argument: _tidemark_v1_DescribeClientQuotasRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  describeClientQuotas(argument: _tidemark_v1_DescribeClientQuotasRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  describeClientQuotas(argument: _tidemark_v1_DescribeClientQuotasRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  describeClientQuotas(argument: _tidemark_v1_DescribeClientQuotasRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeClientQuotasResponseOutput>): grpc.ClientUnaryCall;
  
  DescribeScramCredentials(argument: _tidemark_v1_DescribeScramCredentialsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  DescribeScramCredentials(argument: _tidemark_v1_DescribeScramCredentialsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  DescribeScramCredentials(argument: _tidemark_v1_DescribeScramCredentialsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  DescribeScramCredentials(argument: _tidemark_v1_DescribeScramCredentialsRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  describeScramCredentials(argument: _tidemark_v1_DescribeScramCredentialsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  describeScramCredentials(argument: _tidemark_v1_DescribeScramCredentialsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  describeScramCredentials(argument: _tidemark_v1_DescribeScramCredentialsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  describeScramCredentials(argument: _tidemark_v1_DescribeScramCredentialsRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeScramCredentialsResponseOutput>): grpc.ClientUnaryCall;
  
}

export interface SecurityServiceHandlers extends grpc.UntypedServiceImplementation {
  AlterClientQuotas: grpc.handleUnaryCall<_tidemark_v1_AlterClientQuotasRequestOutput, _tidemark_v1_AlterClientQuotasResponse>;
  
  AlterScramCredentials: grpc.handleUnaryCall<_tidemark_v1_AlterScramCredentialsRequestOutput, _tidemark_v1_AlterScramCredentialsResponse>;
  
  CreateAcls: grpc.handleUnaryCall<_tidemark_v1_CreateAclsRequestOutput, _tidemark_v1_CreateAclsResponse>;
  
  DeleteAcls: grpc.handleUnaryCall<_tidemark_v1_DeleteAclsRequestOutput, _tidemark_v1_DeleteAclsResponse>;
  
  DescribeAcls: grpc.handleUnaryCall<_tidemark_v1_DescribeAclsRequestOutput, _tidemark_v1_DescribeAclsResponse>;
  
  DescribeClientQuotas: grpc.handleUnaryCall<_tidemark_v1_DescribeClientQuotasRequestOutput, _tidemark_v1_DescribeClientQuotasResponse>;
  
  DescribeScramCredentials: grpc.handleUnaryCall<_tidemark_v1_DescribeScramCredentialsRequestOutput, _tidemark_v1_DescribeScramCredentialsResponse>;
  
}

export interface SecurityServiceDefinition extends grpc.ServiceDefinition {
  AlterClientQuotas: MethodDefinition<_tidemark_v1_AlterClientQuotasRequest, _tidemark_v1_AlterClientQuotasResponse, _tidemark_v1_AlterClientQuotasRequestOutput, _tidemark_v1_AlterClientQuotasResponseOutput>
  AlterScramCredentials: MethodDefinition<_tidemark_v1_AlterScramCredentialsRequest, _tidemark_v1_AlterScramCredentialsResponse, _tidemark_v1_AlterScramCredentialsRequestOutput, _tidemark_v1_AlterScramCredentialsResponseOutput>
  CreateAcls: MethodDefinition<_tidemark_v1_CreateAclsRequest, _tidemark_v1_CreateAclsResponse, _tidemark_v1_CreateAclsRequestOutput, _tidemark_v1_CreateAclsResponseOutput>
  DeleteAcls: MethodDefinition<_tidemark_v1_DeleteAclsRequest, _tidemark_v1_DeleteAclsResponse, _tidemark_v1_DeleteAclsRequestOutput, _tidemark_v1_DeleteAclsResponseOutput>
  DescribeAcls: MethodDefinition<_tidemark_v1_DescribeAclsRequest, _tidemark_v1_DescribeAclsResponse, _tidemark_v1_DescribeAclsRequestOutput, _tidemark_v1_DescribeAclsResponseOutput>
  DescribeClientQuotas: MethodDefinition<_tidemark_v1_DescribeClientQuotasRequest, _tidemark_v1_DescribeClientQuotasResponse, _tidemark_v1_DescribeClientQuotasRequestOutput, _tidemark_v1_DescribeClientQuotasResponseOutput>
  DescribeScramCredentials: MethodDefinition<_tidemark_v1_DescribeScramCredentialsRequest, _tidemark_v1_DescribeScramCredentialsResponse, _tidemark_v1_DescribeScramCredentialsRequestOutput, _tidemark_v1_DescribeScramCredentialsResponseOutput>
}
