// Original file: proto/tidemark/v1/log.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DeleteRecordsRequest as _tidemark_v1_DeleteRecordsRequest, DeleteRecordsRequestOutput as _tidemark_v1_DeleteRecordsRequestOutput } from '../../tidemark/v1/DeleteRecordsRequest.ts';
import type { DeleteRecordsResponse as _tidemark_v1_DeleteRecordsResponse, DeleteRecordsResponseOutput as _tidemark_v1_DeleteRecordsResponseOutput } from '../../tidemark/v1/DeleteRecordsResponse.ts';
import type { FetchRequest as _tidemark_v1_FetchRequest, FetchRequestOutput as _tidemark_v1_FetchRequestOutput } from '../../tidemark/v1/FetchRequest.ts';
import type { FetchResponse as _tidemark_v1_FetchResponse, FetchResponseOutput as _tidemark_v1_FetchResponseOutput } from '../../tidemark/v1/FetchResponse.ts';
import type { FetchStreamRequest as _tidemark_v1_FetchStreamRequest, FetchStreamRequestOutput as _tidemark_v1_FetchStreamRequestOutput } from '../../tidemark/v1/FetchStreamRequest.ts';
import type { FetchStreamResponse as _tidemark_v1_FetchStreamResponse, FetchStreamResponseOutput as _tidemark_v1_FetchStreamResponseOutput } from '../../tidemark/v1/FetchStreamResponse.ts';
import type { InitProducerIdRequest as _tidemark_v1_InitProducerIdRequest, InitProducerIdRequestOutput as _tidemark_v1_InitProducerIdRequestOutput } from '../../tidemark/v1/InitProducerIdRequest.ts';
import type { InitProducerIdResponse as _tidemark_v1_InitProducerIdResponse, InitProducerIdResponseOutput as _tidemark_v1_InitProducerIdResponseOutput } from '../../tidemark/v1/InitProducerIdResponse.ts';
import type { ListOffsetsRequest as _tidemark_v1_ListOffsetsRequest, ListOffsetsRequestOutput as _tidemark_v1_ListOffsetsRequestOutput } from '../../tidemark/v1/ListOffsetsRequest.ts';
import type { ListOffsetsResponse as _tidemark_v1_ListOffsetsResponse, ListOffsetsResponseOutput as _tidemark_v1_ListOffsetsResponseOutput } from '../../tidemark/v1/ListOffsetsResponse.ts';
import type { OffsetForLeaderEpochRequest as _tidemark_v1_OffsetForLeaderEpochRequest, OffsetForLeaderEpochRequestOutput as _tidemark_v1_OffsetForLeaderEpochRequestOutput } from '../../tidemark/v1/OffsetForLeaderEpochRequest.ts';
import type { OffsetForLeaderEpochResponse as _tidemark_v1_OffsetForLeaderEpochResponse, OffsetForLeaderEpochResponseOutput as _tidemark_v1_OffsetForLeaderEpochResponseOutput } from '../../tidemark/v1/OffsetForLeaderEpochResponse.ts';
import type { ProduceRequest as _tidemark_v1_ProduceRequest, ProduceRequestOutput as _tidemark_v1_ProduceRequestOutput } from '../../tidemark/v1/ProduceRequest.ts';
import type { ProduceResponse as _tidemark_v1_ProduceResponse, ProduceResponseOutput as _tidemark_v1_ProduceResponseOutput } from '../../tidemark/v1/ProduceResponse.ts';
import type { ProduceStreamRequest as _tidemark_v1_ProduceStreamRequest, ProduceStreamRequestOutput as _tidemark_v1_ProduceStreamRequestOutput } from '../../tidemark/v1/ProduceStreamRequest.ts';
import type { ProduceStreamResponse as _tidemark_v1_ProduceStreamResponse, ProduceStreamResponseOutput as _tidemark_v1_ProduceStreamResponseOutput } from '../../tidemark/v1/ProduceStreamResponse.ts';

export interface LogServiceClient extends grpc.Client {
  DeleteRecords(argument: _tidemark_v1_DeleteRecordsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteRecordsResponseOutput>): grpc.ClientUnaryCall;
  DeleteRecords(argument: _tidemark_v1_DeleteRecordsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteRecordsResponseOutput>): grpc.ClientUnaryCall;
  DeleteRecords(argument: _tidemark_v1_DeleteRecordsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteRecordsResponseOutput>): grpc.ClientUnaryCall;
  DeleteRecords(argument: _tidemark_v1_DeleteRecordsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteRecordsResponseOutput>): grpc.ClientUnaryCall;
  deleteRecords(argument: _tidemark_v1_DeleteRecordsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteRecordsResponseOutput>): grpc.ClientUnaryCall;
  deleteRecords(argument: _tidemark_v1_DeleteRecordsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DeleteRecordsResponseOutput>): grpc.ClientUnaryCall;
  deleteRecords(argument: _tidemark_v1_DeleteRecordsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DeleteRecordsResponseOutput>): grpc.ClientUnaryCall;
  deleteRecords(argument: _tidemark_v1_DeleteRecordsRequest, callback: grpc.requestCallback<_tidemark_v1_DeleteRecordsResponseOutput>): grpc.ClientUnaryCall;
  
  Fetch(argument: _tidemark_v1_FetchRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FetchResponseOutput>): grpc.ClientUnaryCall;
  Fetch(argument: _tidemark_v1_FetchRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_FetchResponseOutput>): grpc.ClientUnaryCall;
  Fetch(argument: _tidemark_v1_FetchRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FetchResponseOutput>): grpc.ClientUnaryCall;
  Fetch(argument: _tidemark_v1_FetchRequest, callback: grpc.requestCallback<_tidemark_v1_FetchResponseOutput>): grpc.ClientUnaryCall;
  fetch(argument: _tidemark_v1_FetchRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FetchResponseOutput>): grpc.ClientUnaryCall;
  fetch(argument: _tidemark_v1_FetchRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_FetchResponseOutput>): grpc.ClientUnaryCall;
  fetch(argument: _tidemark_v1_FetchRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_FetchResponseOutput>): grpc.ClientUnaryCall;
  fetch(argument: _tidemark_v1_FetchRequest, callback: grpc.requestCallback<_tidemark_v1_FetchResponseOutput>): grpc.ClientUnaryCall;
  
  FetchStream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tidemark_v1_FetchStreamRequest, _tidemark_v1_FetchStreamResponseOutput>;
  FetchStream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tidemark_v1_FetchStreamRequest, _tidemark_v1_FetchStreamResponseOutput>;
  fetchStream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tidemark_v1_FetchStreamRequest, _tidemark_v1_FetchStreamResponseOutput>;
  fetchStream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tidemark_v1_FetchStreamRequest, _tidemark_v1_FetchStreamResponseOutput>;
  
  InitProducerId(argument: _tidemark_v1_InitProducerIdRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_InitProducerIdResponseOutput>): grpc.ClientUnaryCall;
  InitProducerId(argument: _tidemark_v1_InitProducerIdRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_InitProducerIdResponseOutput>): grpc.ClientUnaryCall;
  InitProducerId(argument: _tidemark_v1_InitProducerIdRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_InitProducerIdResponseOutput>): grpc.ClientUnaryCall;
  InitProducerId(argument: _tidemark_v1_InitProducerIdRequest, callback: grpc.requestCallback<_tidemark_v1_InitProducerIdResponseOutput>): grpc.ClientUnaryCall;
  initProducerId(argument: _tidemark_v1_InitProducerIdRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_InitProducerIdResponseOutput>): grpc.ClientUnaryCall;
  initProducerId(argument: _tidemark_v1_InitProducerIdRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_InitProducerIdResponseOutput>): grpc.ClientUnaryCall;
  initProducerId(argument: _tidemark_v1_InitProducerIdRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_InitProducerIdResponseOutput>): grpc.ClientUnaryCall;
  initProducerId(argument: _tidemark_v1_InitProducerIdRequest, callback: grpc.requestCallback<_tidemark_v1_InitProducerIdResponseOutput>): grpc.ClientUnaryCall;
  
  ListOffsets(argument: _tidemark_v1_ListOffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListOffsetsResponseOutput>): grpc.ClientUnaryCall;
  ListOffsets(argument: _tidemark_v1_ListOffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ListOffsetsResponseOutput>): grpc.ClientUnaryCall;
  ListOffsets(argument: _tidemark_v1_ListOffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListOffsetsResponseOutput>): grpc.ClientUnaryCall;
  ListOffsets(argument: _tidemark_v1_ListOffsetsRequest, callback: grpc.requestCallback<_tidemark_v1_ListOffsetsResponseOutput>): grpc.ClientUnaryCall;
  listOffsets(argument: _tidemark_v1_ListOffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListOffsetsResponseOutput>): grpc.ClientUnaryCall;
  listOffsets(argument: _tidemark_v1_ListOffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ListOffsetsResponseOutput>): grpc.ClientUnaryCall;
  listOffsets(argument: _tidemark_v1_ListOffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ListOffsetsResponseOutput>): grpc.ClientUnaryCall;
  listOffsets(argument: _tidemark_v1_ListOffsetsRequest, callback: grpc.requestCallback<_tidemark_v1_ListOffsetsResponseOutput>): grpc.ClientUnaryCall;
  
  OffsetForLeaderEpoch(argument: _tidemark_v1_OffsetForLeaderEpochRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_OffsetForLeaderEpochResponseOutput>): grpc.ClientUnaryCall;
  OffsetForLeaderEpoch(argument: _tidemark_v1_OffsetForLeaderEpochRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_OffsetForLeaderEpochResponseOutput>): grpc.ClientUnaryCall;
  OffsetForLeaderEpoch(argument: _tidemark_v1_OffsetForLeaderEpochRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_OffsetForLeaderEpochResponseOutput>): grpc.ClientUnaryCall;
  OffsetForLeaderEpoch(argument: _tidemark_v1_OffsetForLeaderEpochRequest, callback: grpc.requestCallback<_tidemark_v1_OffsetForLeaderEpochResponseOutput>): grpc.ClientUnaryCall;
  offsetForLeaderEpoch(argument: _tidemark_v1_OffsetForLeaderEpochRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_OffsetForLeaderEpochResponseOutput>): grpc.ClientUnaryCall;
  offsetForLeaderEpoch(argument: _tidemark_v1_OffsetForLeaderEpochRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_OffsetForLeaderEpochResponseOutput>): grpc.ClientUnaryCall;
  offsetForLeaderEpoch(argument: _tidemark_v1_OffsetForLeaderEpochRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_OffsetForLeaderEpochResponseOutput>): grpc.ClientUnaryCall;
  offsetForLeaderEpoch(argument: _tidemark_v1_OffsetForLeaderEpochRequest, callback: grpc.requestCallback<_tidemark_v1_OffsetForLeaderEpochResponseOutput>): grpc.ClientUnaryCall;
  
  Produce(argument: _tidemark_v1_ProduceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ProduceResponseOutput>): grpc.ClientUnaryCall;
  Produce(argument: _tidemark_v1_ProduceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ProduceResponseOutput>): grpc.ClientUnaryCall;
  Produce(argument: _tidemark_v1_ProduceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ProduceResponseOutput>): grpc.ClientUnaryCall;
  Produce(argument: _tidemark_v1_ProduceRequest, callback: grpc.requestCallback<_tidemark_v1_ProduceResponseOutput>): grpc.ClientUnaryCall;
  produce(argument: _tidemark_v1_ProduceRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ProduceResponseOutput>): grpc.ClientUnaryCall;
  produce(argument: _tidemark_v1_ProduceRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_ProduceResponseOutput>): grpc.ClientUnaryCall;
  produce(argument: _tidemark_v1_ProduceRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_ProduceResponseOutput>): grpc.ClientUnaryCall;
  produce(argument: _tidemark_v1_ProduceRequest, callback: grpc.requestCallback<_tidemark_v1_ProduceResponseOutput>): grpc.ClientUnaryCall;
  
  ProduceStream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tidemark_v1_ProduceStreamRequest, _tidemark_v1_ProduceStreamResponseOutput>;
  ProduceStream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tidemark_v1_ProduceStreamRequest, _tidemark_v1_ProduceStreamResponseOutput>;
  produceStream(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_tidemark_v1_ProduceStreamRequest, _tidemark_v1_ProduceStreamResponseOutput>;
  produceStream(options?: grpc.CallOptions): grpc.ClientDuplexStream<_tidemark_v1_ProduceStreamRequest, _tidemark_v1_ProduceStreamResponseOutput>;
  
}

export interface LogServiceHandlers extends grpc.UntypedServiceImplementation {
  DeleteRecords: grpc.handleUnaryCall<_tidemark_v1_DeleteRecordsRequestOutput, _tidemark_v1_DeleteRecordsResponse>;
  
  Fetch: grpc.handleUnaryCall<_tidemark_v1_FetchRequestOutput, _tidemark_v1_FetchResponse>;
  
  FetchStream: grpc.handleBidiStreamingCall<_tidemark_v1_FetchStreamRequestOutput, _tidemark_v1_FetchStreamResponse>;
  
  InitProducerId: grpc.handleUnaryCall<_tidemark_v1_InitProducerIdRequestOutput, _tidemark_v1_InitProducerIdResponse>;
  
  ListOffsets: grpc.handleUnaryCall<_tidemark_v1_ListOffsetsRequestOutput, _tidemark_v1_ListOffsetsResponse>;
  
  OffsetForLeaderEpoch: grpc.handleUnaryCall<_tidemark_v1_OffsetForLeaderEpochRequestOutput, _tidemark_v1_OffsetForLeaderEpochResponse>;
  
  Produce: grpc.handleUnaryCall<_tidemark_v1_ProduceRequestOutput, _tidemark_v1_ProduceResponse>;
  
  ProduceStream: grpc.handleBidiStreamingCall<_tidemark_v1_ProduceStreamRequestOutput, _tidemark_v1_ProduceStreamResponse>;
  
}

export interface LogServiceDefinition extends grpc.ServiceDefinition {
  DeleteRecords: MethodDefinition<_tidemark_v1_DeleteRecordsRequest, _tidemark_v1_DeleteRecordsResponse, _tidemark_v1_DeleteRecordsRequestOutput, _tidemark_v1_DeleteRecordsResponseOutput>
  Fetch: MethodDefinition<_tidemark_v1_FetchRequest, _tidemark_v1_FetchResponse, _tidemark_v1_FetchRequestOutput, _tidemark_v1_FetchResponseOutput>
  FetchStream: MethodDefinition<_tidemark_v1_FetchStreamRequest, _tidemark_v1_FetchStreamResponse, _tidemark_v1_FetchStreamRequestOutput, _tidemark_v1_FetchStreamResponseOutput>
  InitProducerId: MethodDefinition<_tidemark_v1_InitProducerIdRequest, _tidemark_v1_InitProducerIdResponse, _tidemark_v1_InitProducerIdRequestOutput, _tidemark_v1_InitProducerIdResponseOutput>
  ListOffsets: MethodDefinition<_tidemark_v1_ListOffsetsRequest, _tidemark_v1_ListOffsetsResponse, _tidemark_v1_ListOffsetsRequestOutput, _tidemark_v1_ListOffsetsResponseOutput>
  OffsetForLeaderEpoch: MethodDefinition<_tidemark_v1_OffsetForLeaderEpochRequest, _tidemark_v1_OffsetForLeaderEpochResponse, _tidemark_v1_OffsetForLeaderEpochRequestOutput, _tidemark_v1_OffsetForLeaderEpochResponseOutput>
  Produce: MethodDefinition<_tidemark_v1_ProduceRequest, _tidemark_v1_ProduceResponse, _tidemark_v1_ProduceRequestOutput, _tidemark_v1_ProduceResponseOutput>
  ProduceStream: MethodDefinition<_tidemark_v1_ProduceStreamRequest, _tidemark_v1_ProduceStreamResponse, _tidemark_v1_ProduceStreamRequestOutput, _tidemark_v1_ProduceStreamResponseOutput>
}
