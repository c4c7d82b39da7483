// What the controller is asked, and what it answers. A command that concerns several topics is answered for each of them,
// in the order they were asked: one that is refused does not hold up the others.

import type {
  BrokerEpoch,
  BrokerId,
  Failure,
  LeaderEpoch,
  Offset,
  PartitionEpoch,
  PartitionIndex,
  TopicId,
  TopicName,
} from '@tidemark/core';
import type { AccessCommand, AccessResponses } from './access-commands.ts';
import type { Endpoint, LeaderId, LeaderRecoveryState } from './metadata-record.ts';

/** The first command of a cluster's life. Repeating it is harmless. */
export interface RegisterClusterCommand {
  readonly type: 'registerCluster';
  readonly clusterId: string;
}

export interface RegisteredCluster {
  readonly clusterId: string;
  /** The level of `metadata.version` in force. */
  readonly metadataVersion: number;
}

/**
 * A broker has started. It stays fenced until a heartbeat shows that it has applied its own registration. Refused with
 * DUPLICATE_BROKER_REGISTRATION while another incarnation lives.
 */
export interface RegisterBrokerCommand {
  readonly type: 'registerBroker';
  readonly clusterId: string;
  readonly brokerId: BrokerId;
  /** A UUID the process drew at its start; repeating the command with it is harmless. */
  readonly incarnationId: string;
  readonly endpoints: readonly Endpoint[];
  /** Empty when it has none. */
  readonly rack: string;
  /** A UUID of its log folder. */
  readonly directoryId: string;
  /**
   * From the marker of a clean shutdown; -1 without one. Unless it is the epoch registered, the broker may have lost what was not
   * synced, and leaves the ISR and ELR where that had counted as held.
   */
  readonly previousBrokerEpoch: BrokerEpoch | -1;
  /** `flush.policy` of its own file: what it counts as held where nothing was set at run time. */
  readonly flushPolicy: 'ack' | 'os';
}

export interface RegisteredBroker {
  readonly brokerEpoch: BrokerEpoch;
}

/** Lets a broker lead and join in-sync replicas, or takes both from it. */
export interface FenceBrokerCommand {
  readonly type: 'fenceBroker' | 'unfenceBroker';
  readonly brokerId: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
}

export interface FencedBroker {
  readonly fenced: boolean;
}

/**
 * Takes a broker that is gone for good out of the cluster's list, and its own run-time configuration with it. INVALID_REQUEST while it
 * is alive or has replicas, BROKER_ID_NOT_REGISTERED when there is none.
 */
export interface UnregisterBrokerCommand {
  readonly type: 'unregisterBroker';
  readonly brokerId: BrokerId;
}

export interface UnregisteredBroker {
  readonly brokerId: BrokerId;
}

/** From a broker, every broker.heartbeat.interval.ms. Fails with STALE_BROKER_EPOCH or BROKER_ID_NOT_REGISTERED. */
export interface HeartbeatCommand {
  readonly type: 'heartbeat';
  readonly brokerId: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
  /** It is not ready, and wants to be or stay fenced. */
  readonly wantFence: boolean;
  /** Its process wants to end: take from it what it leads. */
  readonly wantShutDown: boolean;
  /** It has applied all metadata below this offset. */
  readonly appliedOffset: Offset;
}

export interface HeartbeatResponse {
  readonly fenced: boolean;
  /** It has applied its own registration. */
  readonly caughtUp: boolean;
  readonly inControlledShutdown: boolean;
  /** It leads nothing, and every live broker knows: the process may end. */
  readonly shouldShutDown: boolean;
}

/** The active controller's own: what broker changes still have to do to partitions, a bounded number at a time. */
export interface SettlePartitionsCommand {
  readonly type: 'settlePartitions';
}

export interface SettledPartitions {
  /** How many partitions changed. */
  readonly changed: number;
}

/** A leader proposes in-sync replicas for partitions it leads (KIP-497, KIP-841, KIP-903). */
export interface AlterPartitionCommand {
  readonly type: 'alterPartition';
  /** The leader. */
  readonly brokerId: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
  readonly partitions: readonly AlterPartition[];
}

export interface AlterPartition {
  readonly topicId: TopicId;
  readonly partition: PartitionIndex;
  /** The two the leader knows: it is a compare and set. */
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  /** With the epochs of the incarnations that caught up. */
  readonly newIsr: readonly IsrMember[];
}

export interface IsrMember {
  readonly brokerId: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
}

/** Where a partition stands after the change. */
export interface AlteredPartition {
  readonly ok: true;
  readonly topicId: TopicId;
  readonly partition: PartitionIndex;
  readonly leader: LeaderId;
  readonly leaderEpoch: LeaderEpoch;
  readonly isr: readonly BrokerId[];
  readonly partitionEpoch: PartitionEpoch;
  readonly leaderRecoveryState: LeaderRecoveryState;
}

/**
 * FENCED_LEADER_EPOCH, INVALID_UPDATE_VERSION: look at the metadata and propose again. NOT_CONTROLLER: the proposer knows more
 * than this controller. INELIGIBLE_REPLICA, INVALID_REQUEST, NEW_LEADER_ELECTED, UNKNOWN_TOPIC_ID, UNKNOWN_TOPIC_OR_PARTITION.
 */
export interface FailedPartition extends Failure {
  readonly topicId: TopicId;
  readonly partition: PartitionIndex;
}

export interface AlterPartitionResponse {
  readonly partitions: readonly (AlteredPartition | FailedPartition)[];
}

/**
 * A broker has replicas whose logs it cannot open (KIP-589's AlterReplicaState). They leave the in-sync and the eligible replicas, and
 * lead no more, where another replica may lead without loss; elsewhere everything stays. They come back as any replica does: opened,
 * and caught up with the leader.
 */
export interface ReportOfflineReplicasCommand {
  readonly type: 'reportOfflineReplicas';
  readonly brokerId: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
  /** What is gone meanwhile, or has no replica on the broker, is passed over. */
  readonly partitions: readonly OfflineReplica[];
}

export interface OfflineReplica {
  readonly topicId: TopicId;
  readonly partition: PartitionIndex;
}

export interface ReportedOfflineReplicas {
  /** How many partitions changed. */
  readonly changed: number;
}

export interface TopicPartitionName {
  readonly topic: string;
  readonly partition: number;
}

/** KIP-460. */
export interface ElectLeadersCommand {
  readonly type: 'electLeaders';
  /** `preferred`: the first replica, if it is in sync. `unclean`: any replica, for partitions without a leader. */
  readonly election: 'preferred' | 'unclean';
  /** Undefined: all partitions; those that need no election are then left out of the answer. */
  readonly partitions?: readonly TopicPartitionName[] | undefined;
}

/** ELECTION_NOT_NEEDED, PREFERRED_LEADER_NOT_AVAILABLE, ELIGIBLE_LEADERS_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION. */
export type TopicPartitionResult = TopicPartitionName & ({ readonly ok: true } | Failure);

export interface ElectLeadersResponse {
  readonly partitions: readonly TopicPartitionResult[];
}

/** The active controller's own: gives preferred leaders back what others lead for them, where too much is (KIP-460's sibling). */
export interface BalanceLeadersCommand {
  readonly type: 'balanceLeaders';
}

export interface BalancedLeaders {
  readonly changed: number;
}

/** KIP-455. */
export interface ReassignPartitionsCommand {
  readonly type: 'reassignPartitions';
  readonly partitions: readonly PartitionReassignment[];
  /** Whether a partition may get more or fewer replicas than it has (KIP-860). */
  readonly allowReplicationFactorChange: boolean;
}

export interface PartitionReassignment extends TopicPartitionName {
  /** The preferred leader first; undefined cancels the reassignment under way. */
  readonly replicas?: readonly number[] | undefined;
}

/** NO_REASSIGNMENT_IN_PROGRESS, INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR, UNKNOWN_TOPIC_OR_PARTITION. */
export interface ReassignPartitionsResponse {
  readonly partitions: readonly TopicPartitionResult[];
}

export interface ReplicaAssignment {
  readonly partition: number;
  /** Broker ids, the preferred leader first. */
  readonly replicas: readonly number[];
}

export interface NewTopic {
  readonly name: string;
  /** 0: `num.partitions`. */
  readonly partitionCount: number;
  /** 0: `default.replication.factor`. */
  readonly replicationFactor: number;
  /** Where each partition goes; empty: the controller places them. Exclusive with the two counts. */
  readonly assignments: readonly ReplicaAssignment[];
  readonly configs: ReadonlyMap<string, string>;
  /**
   * Drawn by who passes the command on, so that it can be repeated when its outcome is not known: a topic of this name and id is
   * the one that was asked for. Absent: the controller draws it.
   */
  readonly topicId?: TopicId | undefined;
}

export interface CreateTopicsCommand {
  readonly type: 'createTopics';
  readonly topics: readonly NewTopic[];
  /** Check everything, change nothing. */
  readonly validateOnly: boolean;
}

export interface CreatedTopic {
  readonly ok: true;
  readonly name: string;
  /** Undefined when the topic was only validated: the id is drawn when it is created. */
  readonly topicId: TopicId | undefined;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

export interface FailedTopic extends Failure {
  readonly name: string;
}

export interface CreateTopicsResponse {
  readonly topics: readonly (CreatedTopic | FailedTopic)[];
}

/** By name or by id; both, and they must belong together. */
export interface DeleteTopic {
  readonly name?: string | undefined;
  readonly topicId?: TopicId | undefined;
}

export interface DeleteTopicsCommand {
  readonly type: 'deleteTopics';
  readonly topics: readonly DeleteTopic[];
}

export type DeleteTopicResult =
  { readonly ok: true; readonly name: TopicName; readonly topicId: TopicId } | (Failure & DeleteTopic);

export interface DeleteTopicsResponse {
  readonly topics: readonly DeleteTopicResult[];
}

export interface NewPartitions {
  readonly name: string;
  /** How many partitions the topic shall have in all. */
  readonly totalCount: number;
  /** Replicas of the new partitions; empty: the controller places them. */
  readonly assignments: readonly ReplicaAssignment[];
}

export interface CreatePartitionsCommand {
  readonly type: 'createPartitions';
  readonly topics: readonly NewPartitions[];
  readonly validateOnly: boolean;
}

export type CreatePartitionsResult = { readonly ok: true; readonly name: string } | FailedTopic;

export interface CreatePartitionsResponse {
  readonly topics: readonly CreatePartitionsResult[];
}

/** A topic's name, or a broker id in decimal; an empty broker name means all brokers. */
export interface ConfigResource {
  readonly type: 'topic' | 'broker';
  readonly name: string;
}

export interface AlterConfigsCommand {
  readonly type: 'alterConfigs';
  readonly resources: readonly {
    readonly resource: ConfigResource;
    /** `value` undefined removes the override. What is not named stays. */
    readonly changes: readonly { readonly name: string; readonly value: string | undefined }[];
  }[];
  readonly validateOnly: boolean;
}

export type AlterConfigsResult =
  | { readonly ok: true; readonly resource: ConfigResource }
  | (Failure & { readonly resource: ConfigResource });

export interface AlterConfigsResponse {
  readonly resources: readonly AlterConfigsResult[];
}

/** A broker asks for producer ids to hand out. */
export interface AllocateProducerIdsCommand {
  readonly type: 'allocateProducerIds';
  readonly brokerId: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
}

export interface ProducerIdsResponse {
  readonly firstProducerId: number;
  readonly length: number;
}

export type ControllerCommand =
  | RegisterClusterCommand
  | RegisterBrokerCommand
  | FenceBrokerCommand
  | UnregisterBrokerCommand
  | HeartbeatCommand
  | SettlePartitionsCommand
  | AlterPartitionCommand
  | ReportOfflineReplicasCommand
  | ElectLeadersCommand
  | BalanceLeadersCommand
  | ReassignPartitionsCommand
  | CreateTopicsCommand
  | DeleteTopicsCommand
  | CreatePartitionsCommand
  | AlterConfigsCommand
  | AllocateProducerIdsCommand
  | AccessCommand;

export interface ControllerResponses extends AccessResponses {
  readonly registerCluster: RegisteredCluster;
  readonly registerBroker: RegisteredBroker;
  readonly fenceBroker: FencedBroker;
  readonly unfenceBroker: FencedBroker;
  readonly unregisterBroker: UnregisteredBroker;
  readonly heartbeat: HeartbeatResponse;
  readonly settlePartitions: SettledPartitions;
  readonly alterPartition: AlterPartitionResponse;
  readonly reportOfflineReplicas: ReportedOfflineReplicas;
  readonly electLeaders: ElectLeadersResponse;
  readonly balanceLeaders: BalancedLeaders;
  readonly reassignPartitions: ReassignPartitionsResponse;
  readonly createTopics: CreateTopicsResponse;
  readonly deleteTopics: DeleteTopicsResponse;
  readonly createPartitions: CreatePartitionsResponse;
  readonly alterConfigs: AlterConfigsResponse;
  readonly allocateProducerIds: ProducerIdsResponse;
}

export type ResponseTo<C extends ControllerCommand> = ControllerResponses[C['type']];
