// What each RPC asks of its caller. Every RPC there is has its line: a node does not start with one that has none, and a test holds
// the table against the descriptors. Kafka's operations on Kafka's resources, as KafkaApis and ControllerApis ask for them.

import { CLUSTER_RESOURCE, type AclOperation, type AclResourceType } from '@tidemark/controller';

/** One thing a request names, and under which names it is answered when it is refused. */
export interface Item {
  readonly type: AclResourceType;
  /** All of them are asked for. None where nothing is named that exists: the handler says so. */
  readonly names: readonly string[];
  readonly operation: AclOperation;
  readonly answer: object;
}

/** By name, by id or by both, as requests name topics: then these may be two topics. */
export type TopicNamesOf = (item: {
  readonly topic?: string;
  readonly name?: string;
  readonly topicId?: string;
}) => readonly string[];

export interface ItemsRule {
  readonly kind: 'items';
  /** The fields of the request and of the answer, one for one. */
  readonly request: string;
  readonly response: string;
  readonly item: (item: never, topicNames: TopicNamesOf) => Item;
  /** Asked as well, of the request as a whole. */
  readonly group?: AclOperation;
  /** Whoever has this on the cluster may do it to all of them. */
  readonly orCluster?: AclOperation;
  /** The answer's items carry no error: the request is refused as a whole when any of its items is. */
  readonly whole?: boolean;
}

export type RpcRule =
  /** Before anybody has said who he is. */
  | { readonly kind: 'open' }
  /** Whoever has said who he is, where the listener wants to know. */
  | { readonly kind: 'known' }
  /** Nodes alone, on the PEER listener. */
  | { readonly kind: 'node' }
  | { readonly kind: 'cluster'; readonly operation: AclOperation }
  /** On the cluster, or the other operation on any topic. */
  | { readonly kind: 'clusterOrTopic'; readonly operation: AclOperation; readonly onTopic: AclOperation }
  | { readonly kind: 'group'; readonly operation: AclOperation }
  | ItemsRule
  /** The answer loses what the caller may not see. */
  | {
      readonly kind: 'hidden';
      readonly response: string;
      readonly type: AclResourceType;
      readonly nameOf: (item: never) => string;
      /** Whoever has this on the cluster may see them all. */
      readonly orCluster?: AclOperation;
    }
  /** The handler asks, as it goes: streams, and requests that name things within things. */
  | { readonly kind: 'handler' };

const onTopics = (
  request: string,
  operation: AclOperation,
  rest: Partial<ItemsRule> = {},
  response = 'results',
): ItemsRule => ({
  kind: 'items',
  request,
  response,
  item: (
    item: { topic?: string; name?: string; topicId?: string; partition?: number },
    topicNames: TopicNamesOf,
  ): Item => ({
    type: 'topic',
    names: topicNames(item),
    operation,
    answer: { topic: item.topic, name: item.name, topicId: item.topicId, partition: item.partition },
  }),
  ...rest,
});

const onGroups = (response: string, operation: AclOperation): ItemsRule => ({
  kind: 'items',
  request: 'groupIds',
  response,
  item: (groupId: string): Item => ({ type: 'group', names: [groupId], operation, answer: { groupId } }),
});

interface ConfigItem {
  readonly type?: string;
  readonly name?: string;
}

const onConfigs = (operation: AclOperation, resourceOf: (item: never) => ConfigItem | null): ItemsRule => ({
  kind: 'items',
  request: 'resources',
  response: 'results',
  item: (item: never): Item => {
    const resource = resourceOf(item);
    return resource?.type === 'CONFIG_RESOURCE_TYPE_TOPIC'
      ? { type: 'topic', names: [resource.name ?? ''], operation, answer: { resource } }
      : { type: 'cluster', names: [CLUSTER_RESOURCE], operation, answer: { resource } };
  },
});

const cluster = (operation: AclOperation): RpcRule => ({ kind: 'cluster', operation });
const group = (operation: AclOperation): RpcRule => ({ kind: 'group', operation });
const open: RpcRule = { kind: 'open' };
const known: RpcRule = { kind: 'known' };
const handler: RpcRule = { kind: 'handler' };

const services: Readonly<Record<string, Readonly<Record<string, RpcRule>>>> = {
  'tidemark.v1.LogService': {
    Produce: handler,
    ProduceStream: handler,
    Fetch: handler,
    FetchStream: handler,
    ListOffsets: onTopics('partitions', 'describe'),
    OffsetForLeaderEpoch: onTopics('partitions', 'describe'),
    DeleteRecords: onTopics('partitions', 'delete'),
    InitProducerId: { kind: 'clusterOrTopic', operation: 'idempotent-write', onTopic: 'write' },
  },
  'tidemark.v1.ClusterService': {
    GetMetadata: handler,
    DescribeCluster: known,
    DescribeClusterHealth: cluster('describe'),
    WatchMetadata: handler,
  },
  'tidemark.v1.AdminService': {
    CreateTopics: onTopics('topics', 'create', { orCluster: 'create' }),
    DeleteTopics: onTopics('topics', 'delete'),
    CreatePartitions: onTopics('topics', 'alter'),
    DescribeConfigs: onConfigs('describe-configs', (resource: ConfigItem | null) => resource),
    AlterConfigs: onConfigs('alter-configs', (item: { resource: ConfigItem | null }) => item.resource),
    DescribeReplicas: {
      kind: 'hidden',
      response: 'replicas',
      type: 'topic',
      nameOf: (replica: { topic: string }) => replica.topic,
    },
    ElectLeaders: cluster('alter'),
    ReassignPartitions: cluster('alter'),
    ListPartitionReassignments: cluster('describe'),
    UnregisterBroker: cluster('alter'),
  },
  'tidemark.v1.QuorumService': {
    DescribeQuorum: cluster('describe'),
    AddVoter: cluster('alter'),
    RemoveVoter: cluster('alter'),
    TransferLeadership: cluster('alter'),
  },
  'tidemark.v1.GroupService': {
    FindCoordinator: onGroups('coordinators', 'describe'),
    JoinGroup: group('read'),
    SyncGroup: group('read'),
    Heartbeat: group('read'),
    LeaveGroup: group('read'),
    CommitOffsets: onTopics('offsets', 'read', { group: 'read' }),
    FetchOffsets: onTopics('partitions', 'describe', { group: 'describe', whole: true }, 'offsets'),
    DeleteOffsets: onTopics('partitions', 'read', { group: 'delete' }),
    ListGroups: {
      kind: 'hidden',
      response: 'groups',
      type: 'group',
      nameOf: (listed: { groupId: string }) => listed.groupId,
      orCluster: 'describe',
    },
    DescribeGroups: onGroups('groups', 'describe'),
    DeleteGroups: onGroups('results', 'delete'),
  },
  'tidemark.v1.SecurityService': {
    AlterScramCredentials: cluster('alter'),
    DescribeScramCredentials: cluster('describe'),
    CreateAcls: cluster('alter'),
    DeleteAcls: cluster('alter'),
    DescribeAcls: cluster('describe'),
    AlterClientQuotas: cluster('alter-configs'),
    DescribeClientQuotas: cluster('describe-configs'),
  },
  'tidemark.v1.AuthService': { StartAuthentication: open, FinishAuthentication: open },
  'tidemark.internal.v1.PeerService': { Send: { kind: 'node' } },
  'grpc.health.v1.Health': { Check: open, Watch: open },
  'grpc.reflection.v1.ServerReflection': { ServerReflectionInfo: known },
  'grpc.reflection.v1alpha.ServerReflection': { ServerReflectionInfo: known },
};

/** By `/package.Service/Method`. */
export const rpcRules: ReadonlyMap<string, RpcRule> = new Map(
  Object.entries(services).flatMap(([service, methods]) =>
    Object.entries(methods).map(([method, rule]) => [`/${service}/${method}`, rule] as const),
  ),
);
