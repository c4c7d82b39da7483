// Every RPC of the public API and the handler behind it.

import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  adminService,
  clusterService,
  groupService,
  guardedService,
  healthHandlers,
  quorumService,
  securityService,
  reflectionHandlers,
  serverLogService,
  type HealthRegistry,
  type ServiceRegistration,
} from '@tidemark/rpc';
import { isBrokerContext, type BrokerContext, type NodeContext } from './broker-context.ts';
import { unary, type UnaryHandler } from './grpc-call.ts';
import type { GrpcNetwork } from './grpc-network.ts';
import { createAcls, deleteAcls, describeAcls } from './handlers/acls.ts';
import { alterConfigs } from './handlers/alter-configs.ts';
import { alterClientQuotas, describeClientQuotas } from './handlers/client-quotas.ts';
import { commitOffsets } from './handlers/commit-offsets.ts';
import { createPartitions } from './handlers/create-partitions.ts';
import { createTopics } from './handlers/create-topics.ts';
import { deleteGroups } from './handlers/delete-groups.ts';
import { deleteOffsets } from './handlers/delete-offsets.ts';
import { deleteRecords } from './handlers/delete-records.ts';
import { deleteTopics } from './handlers/delete-topics.ts';
import { addVoter } from './handlers/add-voter.ts';
import { describeCluster } from './handlers/cluster-description.ts';
import { describeGroups } from './handlers/describe-groups.ts';
import { electLeaders } from './handlers/elect-leaders.ts';
import { describeConfigsWhenCurrent } from './handlers/linearizable.ts';
import { listPartitionReassignments } from './handlers/list-partition-reassignments.ts';
import { reassignPartitions } from './handlers/reassign-partitions.ts';
import { removeVoter } from './handlers/remove-voter.ts';
import { alterScramCredentials, describeScramCredentials } from './handlers/scram-credentials.ts';
import { transferLeadership } from './handlers/transfer-leadership.ts';
import { describeConfigs } from './handlers/describe-configs.ts';
import { describeReplicas } from './handlers/describe-replicas.ts';
import { fetchOffsets } from './handlers/fetch-offsets.ts';
import { orForwarded } from './handlers/forwarded-reads.ts';
import { findCoordinator } from './handlers/find-coordinator.ts';
import { groupHeartbeat } from './handlers/group-heartbeat.ts';
import { joinGroup } from './handlers/join-group.ts';
import { leaveGroup } from './handlers/leave-group.ts';
import { listGroups } from './handlers/list-groups.ts';
import { syncGroup } from './handlers/sync-group.ts';
import { fetch } from './handlers/fetch.ts';
import { fetchStream } from './handlers/fetch-stream.ts';
import { getMetadata } from './handlers/get-metadata.ts';
import { initProducerId } from './handlers/init-producer-id.ts';
import { listOffsets } from './handlers/list-offsets.ts';
import { offsetForLeaderEpoch } from './handlers/offset-for-leader-epoch.ts';
import { produce } from './handlers/produce.ts';
import { produceStream } from './handlers/produce-stream.ts';
import { unregisterBroker } from './handlers/unregister-broker.ts';
import { watchMetadata } from './handlers/watch-metadata.ts';

const LOG_SERVICE = 'tidemark.v1.LogService';
const GROUP_SERVICE = 'tidemark.v1.GroupService';
/** What a node that is no broker does not serve. */
const BROKER_SERVICES: ReadonlySet<string> = new Set([GROUP_SERVICE, LOG_SERVICE]);

export const PUBLIC_SERVICES = [
  'tidemark.v1.AdminService',
  'tidemark.v1.ClusterService',
  GROUP_SERVICE,
  LOG_SERVICE,
  'tidemark.v1.QuorumService',
  'tidemark.v1.SecurityService',
] as const;

/** What a client listener serves; on a node that is no broker, everything but the log and the groups that are kept in it. */
export function clientServices(context: NodeContext, health: HealthRegistry): readonly ServiceRegistration[] {
  const served = servicesIn(context);
  return [
    ...(isBrokerContext(context) ? [logServiceOf(context), groupServiceOf(context)] : []),
    clusterServiceOf(context),
    adminServiceOf(context),
    quorumServiceOf(context),
    securityServiceOf(context),
    healthHandlers(health),
    ...reflectionHandlers(() => [...served, 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection']),
  ];
}

/** The public services of a node, by its role. */
export function servicesIn(context: Pick<NodeContext, 'replicas'>): readonly string[] {
  return PUBLIC_SERVICES.filter((name) => context.replicas !== undefined || !BROKER_SERVICES.has(name));
}

// The names are checked against the definitions: grpc-js refuses to serve a method without a handler.

function logServiceOf(context: BrokerContext): ServiceRegistration {
  const call = <I, O>(name: string, handler: UnaryHandler<BrokerContext, I, O>) =>
    unary(context, name, handler);
  const handlers = {
    Produce: call('Produce', produce),
    ProduceStream: produceStream(context),
    Fetch: call('Fetch', fetch),
    FetchStream: fetchStream(context),
    ListOffsets: call('ListOffsets', listOffsets),
    OffsetForLeaderEpoch: call('OffsetForLeaderEpoch', offsetForLeaderEpoch),
    DeleteRecords: call('DeleteRecords', deleteRecords),
    InitProducerId: call('InitProducerId', initProducerId),
  } as UntypedServiceImplementation;
  return [serverLogService(), handlers];
}

function groupServiceOf(context: BrokerContext): ServiceRegistration {
  const call = <I, O>(name: string, handler: UnaryHandler<BrokerContext, I, O>) =>
    unary(context, name, handler);
  const handlers = {
    FindCoordinator: call('FindCoordinator', findCoordinator),
    JoinGroup: call('JoinGroup', joinGroup),
    SyncGroup: call('SyncGroup', syncGroup),
    Heartbeat: call('Heartbeat', groupHeartbeat),
    LeaveGroup: call('LeaveGroup', leaveGroup),
    CommitOffsets: call('CommitOffsets', commitOffsets),
    FetchOffsets: call('FetchOffsets', fetchOffsets),
    DeleteOffsets: call('DeleteOffsets', deleteOffsets),
    ListGroups: call('ListGroups', listGroups),
    DescribeGroups: call('DescribeGroups', describeGroups),
    DeleteGroups: call('DeleteGroups', deleteGroups),
  } as UntypedServiceImplementation;
  return [guardedService(groupService), handlers];
}

function clusterServiceOf(context: NodeContext): ServiceRegistration {
  const call = <I, O>(name: string, handler: UnaryHandler<NodeContext, I, O>) =>
    unary(context, name, handler);
  const handlers = {
    GetMetadata: call('GetMetadata', getMetadata),
    DescribeCluster: call('DescribeCluster', describeCluster),
    DescribeClusterHealth: call('DescribeClusterHealth', orForwarded('DescribeClusterHealth')),
    WatchMetadata: watchMetadata(context),
  } as UntypedServiceImplementation;
  return [guardedService(clusterService), handlers];
}

function adminServiceOf(context: NodeContext): ServiceRegistration {
  const call = <I, O>(name: string, handler: UnaryHandler<NodeContext, I, O>) =>
    unary(context, name, handler);
  const handlers = {
    CreateTopics: call('CreateTopics', createTopics),
    DeleteTopics: call('DeleteTopics', deleteTopics),
    CreatePartitions: call('CreatePartitions', createPartitions),
    DescribeConfigs: call('DescribeConfigs', describeConfigsWhenCurrent(describeConfigs)),
    AlterConfigs: call('AlterConfigs', alterConfigs),
    DescribeReplicas: call('DescribeReplicas', describeReplicas),
    ElectLeaders: call('ElectLeaders', electLeaders),
    ReassignPartitions: call('ReassignPartitions', reassignPartitions),
    ListPartitionReassignments: call('ListPartitionReassignments', listPartitionReassignments),
    UnregisterBroker: call('UnregisterBroker', unregisterBroker),
  } as UntypedServiceImplementation;
  return [guardedService(adminService), handlers];
}

function quorumServiceOf(context: NodeContext): ServiceRegistration {
  const call = <I, O>(name: string, handler: UnaryHandler<NodeContext, I, O>) =>
    unary(context, name, handler);
  const handlers = {
    DescribeQuorum: call('DescribeQuorum', orForwarded('DescribeQuorum')),
    AddVoter: call('AddVoter', addVoter),
    RemoveVoter: call('RemoveVoter', removeVoter),
    TransferLeadership: call('TransferLeadership', transferLeadership),
  } as UntypedServiceImplementation;
  return [guardedService(quorumService), handlers];
}

function securityServiceOf(context: NodeContext): ServiceRegistration {
  const call = <I, O>(name: string, handler: UnaryHandler<NodeContext, I, O>) =>
    unary(context, name, handler);
  const handlers = {
    AlterScramCredentials: call('AlterScramCredentials', alterScramCredentials),
    DescribeScramCredentials: call('DescribeScramCredentials', describeScramCredentials),
    CreateAcls: call('CreateAcls', createAcls),
    DeleteAcls: call('DeleteAcls', deleteAcls),
    DescribeAcls: call('DescribeAcls', describeAcls),
    AlterClientQuotas: call('AlterClientQuotas', alterClientQuotas),
    DescribeClientQuotas: call('DescribeClientQuotas', describeClientQuotas),
  } as UntypedServiceImplementation;
  return [guardedService(securityService), handlers];
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
