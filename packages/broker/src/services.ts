// Every RPC of the public API and the handler behind it.

import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  adminService,
  clusterService,
  guardedService,
  healthHandlers,
  reflectionHandlers,
  serverLogService,
  type HealthRegistry,
  type ServiceRegistration,
} from '@tidemark/rpc';
import type { BrokerContext } from './broker-context.ts';
import { unary, type UnaryHandler } from './grpc-call.ts';
import type { GrpcNetwork } from './grpc-network.ts';
import { alterConfigs } from './handlers/alter-configs.ts';
import { createPartitions } from './handlers/create-partitions.ts';
import { createTopics } from './handlers/create-topics.ts';
import { deleteRecords } from './handlers/delete-records.ts';
import { deleteTopics } from './handlers/delete-topics.ts';
import { describeCluster } from './handlers/describe-cluster.ts';
import { describeConfigs } from './handlers/describe-configs.ts';
import { describeReplicas } from './handlers/describe-replicas.ts';
import { fetch } from './handlers/fetch.ts';
import { fetchStream } from './handlers/fetch-stream.ts';
import { getMetadata } from './handlers/get-metadata.ts';
import { initProducerId } from './handlers/init-producer-id.ts';
import { listOffsets } from './handlers/list-offsets.ts';
import { offsetForLeaderEpoch } from './handlers/offset-for-leader-epoch.ts';
import { produce } from './handlers/produce.ts';
import { produceStream } from './handlers/produce-stream.ts';
import { watchMetadata } from './handlers/watch-metadata.ts';

export const PUBLIC_SERVICES = [
  'tidemark.v1.AdminService',
  'tidemark.v1.ClusterService',
  'tidemark.v1.LogService',
] as const;

/** What a client listener serves. */
export function clientServices(
  context: BrokerContext,
  health: HealthRegistry,
): readonly ServiceRegistration[] {
  // The names are checked against the definitions: grpc-js refuses to serve a method without a handler.
  const call = <I, O>(name: string, handler: UnaryHandler<I, O>) => unary(context, name, handler);
  const log = {
    Produce: call('Produce', produce),
    ProduceStream: produceStream(context),
    Fetch: call('Fetch', fetch),
    FetchStream: fetchStream(context),
    ListOffsets: call('ListOffsets', listOffsets),
    OffsetForLeaderEpoch: call('OffsetForLeaderEpoch', offsetForLeaderEpoch),
    DeleteRecords: call('DeleteRecords', deleteRecords),
    InitProducerId: call('InitProducerId', initProducerId),
  } as UntypedServiceImplementation;
  const cluster = {
    GetMetadata: call('GetMetadata', getMetadata),
    DescribeCluster: call('DescribeCluster', describeCluster),
    WatchMetadata: watchMetadata(context),
  } as UntypedServiceImplementation;
  const admin = {
    CreateTopics: call('CreateTopics', createTopics),
    DeleteTopics: call('DeleteTopics', deleteTopics),
    CreatePartitions: call('CreatePartitions', createPartitions),
    DescribeConfigs: call('DescribeConfigs', describeConfigs),
    AlterConfigs: call('AlterConfigs', alterConfigs),
    DescribeReplicas: call('DescribeReplicas', describeReplicas),
  } as UntypedServiceImplementation;
  return [
    [serverLogService(), log],
    [guardedService(clusterService), cluster],
    [guardedService(adminService), admin],
    healthHandlers(health),
    ...reflectionHandlers(() => [
      ...PUBLIC_SERVICES,
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
    ]),
  ];
}

/** What a peer listener serves to other nodes. */
export function peerServices(network: GrpcNetwork, health: HealthRegistry): readonly ServiceRegistration[] {
  return [
    network.service(),
    healthHandlers(health),
    ...reflectionHandlers(() => [
      'tidemark.internal.v1.PeerService',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
    ]),
  ];
}
