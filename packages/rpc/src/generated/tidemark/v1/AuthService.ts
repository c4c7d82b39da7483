// Original file: proto/tidemark/v1/auth.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { FinishAuthenticationRequest as _tidemark_v1_FinishAuthenticationRequest, FinishAuthenticationRequestOutput as _tidemark_v1_FinishAuthenticationRequestOutput } from '../../tidemark/v1/FinishAuthenticationRequest.ts';
import type { FinishAuthenticationResponse as _tidemark_v1_FinishAuthenticationResponse, FinishAuthenticationResponseOutput as _tidemark_v1_FinishAuthenticationResponseOutput } from '../../tidemark/v1/FinishAuthenticationResponse.ts';
import type { StartAuthenticationRequest as _tidemark_v1_StartAuthenticationRequest, StartAuthenticationRequestOutput as _tidemark_v1_StartAuthenticationRequestOutput } from '../../tidemark/v1/StartAuthenticationRequest.ts';
import type { StartAuthenticationResponse as _tidemark_v1_StartAuthenticationResponse, StartAuthenticationResponseOutput as _tidemark_v1_StartAuthenticationResponseOutput } from '../../tidemark/v1/StartAuthenticationResponse.ts';

export interface AuthServiceClient extends grpc.Client {
  FinishAuthentication(argument: _tidemark_v1_FinishAuthenticationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FinishAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  FinishAuthentication(argument: _tidemark_v1_FinishAuthenticationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_FinishAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  FinishAuthentication(argument: _tidemark_v1_FinishAuthenticationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FinishAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  FinishAuthentication(argument: _tidemark_v1_FinishAuthenticationRequest, callback: grpc.requestCallback<_tidemark_v1_FinishAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  finishAuthentication(argument: _tidemark_v1_FinishAuthenticationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FinishAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  finishAuthentication(argument: _tidemark_v1_FinishAuthenticationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_FinishAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  finishAuthentication(argument: _tidemark_v1_FinishAuthenticationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FinishAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  finishAuthentication(argument: _tidemark_v1_FinishAuthenticationRequest, callback: grpc.requestCallback<_tidemark_v1_FinishAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  
  StartAuthentication(argument: _tidemark_v1_StartAuthenticationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_StartAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  StartAuthentication(argument: _tidemark_v1_StartAuthenticationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_StartAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  StartAuthentication(argument: _tidemark_v1_StartAuthenticationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_StartAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  StartAuthentication(argument: _tidemark_v1_StartAuthenticationRequest, callback: grpc.requestCallback<_tidemark_v1_StartAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  startAuthentication(argument: _tidemark_v1_StartAuthenticationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_StartAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  startAuthentication(argument: _tidemark_v1_StartAuthenticationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_StartAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  startAuthentication(argument: _tidemark_v1_StartAuthenticationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_StartAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  startAuthentication(argument: _tidemark_v1_StartAuthenticationRequest, callback: grpc.requestCallback<_tidemark_v1_StartAuthenticationResponseOutput>): grpc.ClientUnaryCall;
  
}

export interface AuthServiceHandlers extends grpc.UntypedServiceImplementation {
  FinishAuthentication: grpc.handleUnaryCall<_tidemark_v1_FinishAuthenticationRequestOutput, _tidemark_v1_FinishAuthenticationResponse>;
  
  StartAuthentication: grpc.handleUnaryCall<_tidemark_v1_StartAuthenticationRequestOutput, _tidemark_v1_StartAuthenticationResponse>;
  
}

export interface AuthServiceDefinition extends grpc.ServiceDefinition {
  FinishAuthentication: MethodDefinition<_tidemark_v1_FinishAuthenticationRequest, _tidemark_v1_FinishAuthenticationResponse, _tidemark_v1_FinishAuthenticationRequestOutput, _tidemark_v1_FinishAuthenticationResponseOutput>
  StartAuthentication: MethodDefinition<_tidemark_v1_StartAuthenticationRequest, _tidemark_v1_StartAuthenticationResponse, _tidemark_v1_StartAuthenticationRequestOutput, _tidemark_v1_StartAuthenticationResponseOutput>
}
