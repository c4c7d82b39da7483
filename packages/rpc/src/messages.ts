// The generated message types, under one roof: `X` as one writes it, `XOutput` as it is decoded.

export type { Acks, AcksOutput } from './generated/tidemark/v1/Acks.ts';
export type {
  AlterConfigsRequest,
  AlterConfigsRequestOutput,
} from './generated/tidemark/v1/AlterConfigsRequest.ts';
export type {
  AlterConfigsResource,
  AlterConfigsResourceOutput,
} from './generated/tidemark/v1/AlterConfigsResource.ts';
export type {
  AlterConfigsResponse,
  AlterConfigsResponseOutput,
} from './generated/tidemark/v1/AlterConfigsResponse.ts';
export type {
  AlterConfigsResult,
  AlterConfigsResultOutput,
} from './generated/tidemark/v1/AlterConfigsResult.ts';
export type { Broker, BrokerOutput } from './generated/tidemark/v1/Broker.ts';
export type { ConfigChange, ConfigChangeOutput } from './generated/tidemark/v1/ConfigChange.ts';
export type { ConfigEntry, ConfigEntryOutput } from './generated/tidemark/v1/ConfigEntry.ts';
export type { ConfigResource, ConfigResourceOutput } from './generated/tidemark/v1/ConfigResource.ts';
export type {
  ConfigResourceType,
  ConfigResourceTypeOutput,
} from './generated/tidemark/v1/ConfigResourceType.ts';
export type { ConfigSource, ConfigSourceOutput } from './generated/tidemark/v1/ConfigSource.ts';
export type {
  CreatePartitionsRequest,
  CreatePartitionsRequestOutput,
} from './generated/tidemark/v1/CreatePartitionsRequest.ts';
export type {
  CreatePartitionsResponse,
  CreatePartitionsResponseOutput,
} from './generated/tidemark/v1/CreatePartitionsResponse.ts';
export type {
  CreatePartitionsResult,
  CreatePartitionsResultOutput,
} from './generated/tidemark/v1/CreatePartitionsResult.ts';
export type {
  CreateTopicResult,
  CreateTopicResultOutput,
} from './generated/tidemark/v1/CreateTopicResult.ts';
export type {
  CreateTopicsRequest,
  CreateTopicsRequestOutput,
} from './generated/tidemark/v1/CreateTopicsRequest.ts';
export type {
  CreateTopicsResponse,
  CreateTopicsResponseOutput,
} from './generated/tidemark/v1/CreateTopicsResponse.ts';
export type {
  DeleteRecordsPartition,
  DeleteRecordsPartitionOutput,
} from './generated/tidemark/v1/DeleteRecordsPartition.ts';
export type {
  DeleteRecordsRequest,
  DeleteRecordsRequestOutput,
} from './generated/tidemark/v1/DeleteRecordsRequest.ts';
export type {
  DeleteRecordsResponse,
  DeleteRecordsResponseOutput,
} from './generated/tidemark/v1/DeleteRecordsResponse.ts';
export type {
  DeleteRecordsResult,
  DeleteRecordsResultOutput,
} from './generated/tidemark/v1/DeleteRecordsResult.ts';
export type { DeleteTopic, DeleteTopicOutput } from './generated/tidemark/v1/DeleteTopic.ts';
export type {
  DeleteTopicResult,
  DeleteTopicResultOutput,
} from './generated/tidemark/v1/DeleteTopicResult.ts';
export type {
  DeleteTopicsRequest,
  DeleteTopicsRequestOutput,
} from './generated/tidemark/v1/DeleteTopicsRequest.ts';
export type {
  DeleteTopicsResponse,
  DeleteTopicsResponseOutput,
} from './generated/tidemark/v1/DeleteTopicsResponse.ts';
export type {
  DescribeClusterRequest,
  DescribeClusterRequestOutput,
} from './generated/tidemark/v1/DescribeClusterRequest.ts';
export type {
  DescribeClusterResponse,
  DescribeClusterResponseOutput,
} from './generated/tidemark/v1/DescribeClusterResponse.ts';
export type {
  DescribeConfigsRequest,
  DescribeConfigsRequestOutput,
} from './generated/tidemark/v1/DescribeConfigsRequest.ts';
export type {
  DescribeConfigsResponse,
  DescribeConfigsResponseOutput,
} from './generated/tidemark/v1/DescribeConfigsResponse.ts';
export type {
  DescribeConfigsResult,
  DescribeConfigsResultOutput,
} from './generated/tidemark/v1/DescribeConfigsResult.ts';
export type {
  DescribeReplicasRequest,
  DescribeReplicasRequestOutput,
} from './generated/tidemark/v1/DescribeReplicasRequest.ts';
export type {
  DescribeReplicasResponse,
  DescribeReplicasResponseOutput,
} from './generated/tidemark/v1/DescribeReplicasResponse.ts';
export type { ErrorDetail, ErrorDetailOutput } from './generated/tidemark/v1/ErrorDetail.ts';
export type { FetchPartition, FetchPartitionOutput } from './generated/tidemark/v1/FetchPartition.ts';
export type {
  FetchPartitionResult,
  FetchPartitionResultOutput,
} from './generated/tidemark/v1/FetchPartitionResult.ts';
export type { FetchRequest, FetchRequestOutput } from './generated/tidemark/v1/FetchRequest.ts';
export type { FetchResponse, FetchResponseOutput } from './generated/tidemark/v1/FetchResponse.ts';
export type {
  FetchStreamRequest,
  FetchStreamRequestOutput,
} from './generated/tidemark/v1/FetchStreamRequest.ts';
export type {
  FetchStreamResponse,
  FetchStreamResponseOutput,
} from './generated/tidemark/v1/FetchStreamResponse.ts';
export type { FetchedRecord, FetchedRecordOutput } from './generated/tidemark/v1/FetchedRecord.ts';
export type {
  GetMetadataRequest,
  GetMetadataRequestOutput,
} from './generated/tidemark/v1/GetMetadataRequest.ts';
export type {
  GetMetadataResponse,
  GetMetadataResponseOutput,
} from './generated/tidemark/v1/GetMetadataResponse.ts';
export type { Header, HeaderOutput } from './generated/tidemark/v1/Header.ts';
export type {
  InitProducerIdRequest,
  InitProducerIdRequestOutput,
} from './generated/tidemark/v1/InitProducerIdRequest.ts';
export type {
  InitProducerIdResponse,
  InitProducerIdResponseOutput,
} from './generated/tidemark/v1/InitProducerIdResponse.ts';
export type { LeaderHint, LeaderHintOutput } from './generated/tidemark/v1/LeaderHint.ts';
export type {
  ListOffsetsPartition,
  ListOffsetsPartitionOutput,
} from './generated/tidemark/v1/ListOffsetsPartition.ts';
export type {
  ListOffsetsRequest,
  ListOffsetsRequestOutput,
} from './generated/tidemark/v1/ListOffsetsRequest.ts';
export type {
  ListOffsetsResponse,
  ListOffsetsResponseOutput,
} from './generated/tidemark/v1/ListOffsetsResponse.ts';
export type {
  ListOffsetsResult,
  ListOffsetsResultOutput,
} from './generated/tidemark/v1/ListOffsetsResult.ts';
export type { NewPartitions, NewPartitionsOutput } from './generated/tidemark/v1/NewPartitions.ts';
export type { NewTopic, NewTopicOutput } from './generated/tidemark/v1/NewTopic.ts';
export type {
  OffsetForLeaderEpochPartition,
  OffsetForLeaderEpochPartitionOutput,
} from './generated/tidemark/v1/OffsetForLeaderEpochPartition.ts';
export type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochRequestOutput,
} from './generated/tidemark/v1/OffsetForLeaderEpochRequest.ts';
export type {
  OffsetForLeaderEpochResponse,
  OffsetForLeaderEpochResponseOutput,
} from './generated/tidemark/v1/OffsetForLeaderEpochResponse.ts';
export type {
  OffsetForLeaderEpochResult,
  OffsetForLeaderEpochResultOutput,
} from './generated/tidemark/v1/OffsetForLeaderEpochResult.ts';
export type {
  PartitionMetadata,
  PartitionMetadataOutput,
} from './generated/tidemark/v1/PartitionMetadata.ts';
export type { PartitionRef, PartitionRefOutput } from './generated/tidemark/v1/PartitionRef.ts';
export type { PlainRecord, PlainRecordOutput } from './generated/tidemark/v1/PlainRecord.ts';
export type { ProducePartition, ProducePartitionOutput } from './generated/tidemark/v1/ProducePartition.ts';
export type {
  ProducePartitionResult,
  ProducePartitionResultOutput,
} from './generated/tidemark/v1/ProducePartitionResult.ts';
export type { ProduceRequest, ProduceRequestOutput } from './generated/tidemark/v1/ProduceRequest.ts';
export type { ProduceResponse, ProduceResponseOutput } from './generated/tidemark/v1/ProduceResponse.ts';
export type {
  ProduceStreamRequest,
  ProduceStreamRequestOutput,
} from './generated/tidemark/v1/ProduceStreamRequest.ts';
export type {
  ProduceStreamResponse,
  ProduceStreamResponseOutput,
} from './generated/tidemark/v1/ProduceStreamResponse.ts';
export type {
  ReplicaAssignment,
  ReplicaAssignmentOutput,
} from './generated/tidemark/v1/ReplicaAssignment.ts';
export type { FollowerProgress, FollowerProgressOutput } from './generated/tidemark/v1/FollowerProgress.ts';
export type { FollowerStanding, FollowerStandingOutput } from './generated/tidemark/v1/FollowerStanding.ts';
export type { FollowingState, FollowingStateOutput } from './generated/tidemark/v1/FollowingState.ts';
export type { LeaderStanding, LeaderStandingOutput } from './generated/tidemark/v1/LeaderStanding.ts';
export type {
  ReplicaDescription,
  ReplicaDescriptionOutput,
} from './generated/tidemark/v1/ReplicaDescription.ts';
export type { TopicMetadata, TopicMetadataOutput } from './generated/tidemark/v1/TopicMetadata.ts';
export type { TopicRef, TopicRefOutput } from './generated/tidemark/v1/TopicRef.ts';
export type {
  WatchMetadataRequest,
  WatchMetadataRequestOutput,
} from './generated/tidemark/v1/WatchMetadataRequest.ts';
export type {
  WatchMetadataResponse,
  WatchMetadataResponseOutput,
} from './generated/tidemark/v1/WatchMetadataResponse.ts';
export type { SendRequest, SendRequestOutput } from './generated/tidemark/internal/v1/SendRequest.ts';
export type { SendResponse, SendResponseOutput } from './generated/tidemark/internal/v1/SendResponse.ts';
export type { LogServiceClient, LogServiceHandlers } from './generated/tidemark/v1/LogService.ts';
export type { ClusterServiceClient, ClusterServiceHandlers } from './generated/tidemark/v1/ClusterService.ts';
export type { AdminServiceClient, AdminServiceHandlers } from './generated/tidemark/v1/AdminService.ts';
export type {
  ServerReflectionRequest,
  ServerReflectionRequestOutput,
} from './generated/grpc/reflection/v1/ServerReflectionRequest.ts';
export type {
  ServerReflectionResponse,
  ServerReflectionResponseOutput,
} from './generated/grpc/reflection/v1/ServerReflectionResponse.ts';
export type { HealthCheckResponseOutput } from './generated/grpc/health/v1/HealthCheckResponse.ts';
