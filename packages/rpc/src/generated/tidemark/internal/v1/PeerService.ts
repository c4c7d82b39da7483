// Original file: proto/tidemark/internal/v1/peer.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { SendRequest as _tidemark_internal_v1_SendRequest, SendRequestOutput as _tidemark_internal_v1_SendRequestOutput } from '../../../tidemark/internal/v1/SendRequest.ts';
import type { SendResponse as _tidemark_internal_v1_SendResponse, SendResponseOutput as _tidemark_internal_v1_SendResponseOutput } from '../../../tidemark/internal/v1/SendResponse.ts';

export interface PeerServiceClient extends grpc.Client {
  Send(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_internal_v1_SendResponseOutput>): grpc.ClientWritableStream<_tidemark_internal_v1_SendRequest>;
  Send(metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_internal_v1_SendResponseOutput>): grpc.ClientWritableStream<_tidemark_internal_v1_SendRequest>;
  Send(options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_internal_v1_SendResponseOutput>): grpc.ClientWritableStream<_tidemark_internal_v1_SendRequest>;
  Send(callback: grpc.requestCallback<_tidemark_internal_v1_SendResponseOutput>): grpc.ClientWritableStream<_tidemark_internal_v1_SendRequest>;
  send(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_internal_v1_SendResponseOutput>): grpc.ClientWritableStream<_tidemark_internal_v1_SendRequest>;
  send(metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_internal_v1_SendResponseOutput>): grpc.ClientWritableStream<_tidemark_internal_v1_SendRequest>;
  send(options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_internal_v1_SendResponseOutput>): grpc.ClientWritableStream<_tidemark_internal_v1_SendRequest>;
  send(callback: grpc.requestCallback<_tidemark_internal_v1_SendResponseOutput>): grpc.ClientWritableStream<_tidemark_internal_v1_SendRequest>;
  
}

export interface PeerServiceHandlers extends grpc.UntypedServiceImplementation {
  Send: grpc.handleClientStreamingCall<_tidemark_internal_v1_SendRequestOutput, _tidemark_internal_v1_SendResponse>;
  
}

export interface PeerServiceDefinition extends grpc.ServiceDefinition {
  Send: MethodDefinition<_tidemark_internal_v1_SendRequest, _tidemark_internal_v1_SendResponse, _tidemark_internal_v1_SendRequestOutput, _tidemark_internal_v1_SendResponseOutput>
}
