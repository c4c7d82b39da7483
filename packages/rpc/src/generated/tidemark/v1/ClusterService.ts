// Original file: proto/tidemark/v1/cluster.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DescribeClusterHealthRequest as _tidemark_v1_DescribeClusterHealthRequest, DescribeClusterHealthRequestOutput as _tidemark_v1_DescribeClusterHealthRequestOutput } from '../../tidemark/v1/DescribeClusterHealthRequest.ts';
import type { DescribeClusterHealthResponse as _tidemark_v1_DescribeClusterHealthResponse, DescribeClusterHealthResponseOutput as _tidemark_v1_DescribeClusterHealthResponseOutput } from '../../tidemark/v1/DescribeClusterHealthResponse.ts';
import type { DescribeClusterRequest as _tidemark_v1_DescribeClusterRequest, DescribeClusterRequestOutput as _tidemark_v1_DescribeClusterRequestOutput } from '../../tidemark/v1/DescribeClusterRequest.ts';
import type { DescribeClusterResponse as _tidemark_v1_DescribeClusterResponse, DescribeClusterResponseOutput as _tidemark_v1_DescribeClusterResponseOutput } from '../../tidemark/v1/DescribeClusterResponse.ts';
import type { GetMetadataRequest as _tidemark_v1_GetMetadataRequest, GetMetadataRequestOutput as _tidemark_v1_GetMetadataRequestOutput } from '../../tidemark/v1/GetMetadataRequest.ts';
import type { GetMetadataResponse as _tidemark_v1_GetMetadataResponse, GetMetadataResponseOutput as _tidemark_v1_GetMetadataResponseOutput } from '../../tidemark/v1/GetMetadataResponse.ts';
import type { WatchMetadataRequest as _tidemark_v1_WatchMetadataRequest, WatchMetadataRequestOutput as _tidemark_v1_WatchMetadataRequestOutput } from '../../tidemark/v1/WatchMetadataRequest.ts';
import type { WatchMetadataResponse as _tidemark_v1_WatchMetadataResponse, WatchMetadataResponseOutput as _tidemark_v1_WatchMetadataResponseOutput } from '../../tidemark/v1/WatchMetadataResponse.ts';

export interface ClusterServiceClient extends grpc.Client {
  DescribeCluster(argument: _tidemark_v1_DescribeClusterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterResponseOutput>): grpc.ClientUnaryCall;
  DescribeCluster(argument: _tidemark_v1_DescribeClusterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterResponseOutput>): grpc.ClientUnaryCall;
  DescribeCluster(argument: _tidemark_v1_DescribeClusterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterResponseOutput>): grpc.ClientUnaryCall;
  DescribeCluster(argument: _tidemark_v1_DescribeClusterRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterResponseOutput>): grpc.ClientUnaryCall;
  describeCluster(argument: _tidemark_v1_DescribeClusterRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterResponseOutput>): grpc.ClientUnaryCall;
  describeCluster(argument: _tidemark_v1_DescribeClusterRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterResponseOutput>): grpc.ClientUnaryCall;
  describeCluster(argument: _tidemark_v1_DescribeClusterRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterResponseOutput>): grpc.ClientUnaryCall;
  describeCluster(argument: _tidemark_v1_DescribeClusterRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterResponseOutput>): grpc.ClientUnaryCall;
  
  DescribeClusterHealth(argument: _tidemark_v1_DescribeClusterHealthRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterHealthResponseOutput>): grpc.ClientUnaryCall;
  DescribeClusterHealth(argument: _tidemark_v1_DescribeClusterHealthRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterHealthResponseOutput>): grpc.ClientUnaryCall;
  DescribeClusterHealth(argument: _tidemark_v1_DescribeClusterHealthRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterHealthResponseOutput>): grpc.ClientUnaryCall;
  DescribeClusterHealth(argument: _tidemark_v1_DescribeClusterHealthRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterHealthResponseOutput>): grpc.ClientUnaryCall;
  describeClusterHealth(argument: _tidemark_v1_DescribeClusterHealthRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterHealthResponseOutput>): grpc.ClientUnaryCall;
  describeClusterHealth(argument: _tidemark_v1_DescribeClusterHealthRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterHealthResponseOutput>): grpc.ClientUnaryCall;
  describeClusterHealth(argument: _tidemark_v1_DescribeClusterHealthRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterHealthResponseOutput>): grpc.ClientUnaryCall;
  describeClusterHealth(argument: _tidemark_v1_DescribeClusterHealthRequest, callback: grpc.requestCallback<_tidemark_v1_DescribeClusterHealthResponseOutput>): grpc.ClientUnaryCall;
  
  GetMetadata(argument: _tidemark_v1_GetMetadataRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_GetMetadataResponseOutput>): grpc.ClientUnaryCall;
  GetMetadata(argument: _tidemark_v1_GetMetadataRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_GetMetadataResponseOutput>): grpc.ClientUnaryCall;
  GetMetadata(argument: _tidemark_v1_GetMetadataRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_GetMetadataResponseOutput>): grpc.ClientUnaryCall;
  GetMetadata(argument: _tidemark_v1_GetMetadataRequest, callback: grpc.requestCallback<_tidemark_v1_GetMetadataResponseOutput>): grpc.ClientUnaryCall;
  getMetadata(argument: _tidemark_v1_GetMetadataRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_GetMetadataResponseOutput>): grpc.ClientUnaryCall;
  getMetadata(argument: _tidemark_v1_GetMetadataRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_tidemark_v1_GetMetadataResponseOutput>): grpc.ClientUnaryCall;
  getMetadata(argument: _tidemark_v1_GetMetadataRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_tidemark_v1_GetMetadataResponseOutput>): grpc.ClientUnaryCall;
  getMetadata(argument: _tidemark_v1_GetMetadataRequest, callback: grpc.requestCallback<_tidemark_v1_GetMetadataResponseOutput>): grpc.ClientUnaryCall;
  
  WatchMetadata(argument: _tidemark_v1_WatchMetadataRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tidemark_v1_WatchMetadataResponseOutput>;
  WatchMetadata(argument: _tidemark_v1_WatchMetadataRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_tidemark_v1_WatchMetadataResponseOutput>;
  watchMetadata(argument: _tidemark_v1_WatchMetadataRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_tidemark_v1_WatchMetadataResponseOutput>;
  watchMetadata(argument: _tidemark_v1_WatchMetadataRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_tidemark_v1_WatchMetadataResponseOutput>;
  
}

export interface ClusterServiceHandlers extends grpc.UntypedServiceImplementation {
  DescribeCluster: grpc.handleUnaryCall<_tidemark_v1_DescribeClusterRequestOutput, _tidemark_v1_DescribeClusterResponse>;
  
  DescribeClusterHealth: grpc.handleUnaryCall<_tidemark_v1_DescribeClusterHealthRequestOutput, _tidemark_v1_DescribeClusterHealthResponse>;
  
  GetMetadata: grpc.handleUnaryCall<_tidemark_v1_GetMetadataRequestOutput, _tidemark_v1_GetMetadataResponse>;
  
  WatchMetadata: grpc.handleServerStreamingCall<_tidemark_v1_WatchMetadataRequestOutput, _tidemark_v1_WatchMetadataResponse>;
  
}

export interface ClusterServiceDefinition extends grpc.ServiceDefinition {
  DescribeCluster: MethodDefinition<_tidemark_v1_DescribeClusterRequest, _tidemark_v1_DescribeClusterResponse, _tidemark_v1_DescribeClusterRequestOutput, _tidemark_v1_DescribeClusterResponseOutput>
  DescribeClusterHealth: MethodDefinition<_tidemark_v1_DescribeClusterHealthRequest, _tidemark_v1_DescribeClusterHealthResponse, _tidemark_v1_DescribeClusterHealthRequestOutput, _tidemark_v1_DescribeClusterHealthResponseOutput>
  GetMetadata: MethodDefinition<_tidemark_v1_GetMetadataRequest, _tidemark_v1_GetMetadataResponse, _tidemark_v1_GetMetadataRequestOutput, _tidemark_v1_GetMetadataResponseOutput>
  WatchMetadata: MethodDefinition<_tidemark_v1_WatchMetadataRequest, _tidemark_v1_WatchMetadataResponse, _tidemark_v1_WatchMetadataRequestOutput, _tidemark_v1_WatchMetadataResponseOutput>
}
