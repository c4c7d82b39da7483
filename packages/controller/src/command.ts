// What the controller is asked, and what it answers. A command that concerns several topics is answered for each of them,
// in the order they were asked: one that is refused does not hold up the others.

import type { BrokerEpoch, BrokerId, Failure, TopicId, TopicName } from '@tidemark/core';
import type { Endpoint } from './metadata-record.ts';

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

/** A broker has started. It stays fenced until `unfenceBroker`. */
export interface RegisterBrokerCommand {
  readonly type: 'registerBroker';
  readonly clusterId: string;
  readonly brokerId: BrokerId;
  /** A UUID the process drew at its start; repeating the command with it is harmless. */
  readonly incarnationId: string;
  readonly endpoints: readonly Endpoint[];
  /** Empty when it has none. */
  readonly rack: string;
  /** Whether the incarnation registered before is known to be alive. It then keeps its place. */
  readonly previousIsAlive?: boolean;
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
  | CreateTopicsCommand
  | DeleteTopicsCommand
  | CreatePartitionsCommand
  | AlterConfigsCommand
  | AllocateProducerIdsCommand;

export interface ControllerResponses {
  readonly registerCluster: RegisteredCluster;
  readonly registerBroker: RegisteredBroker;
  readonly fenceBroker: FencedBroker;
  readonly unfenceBroker: FencedBroker;
  readonly createTopics: CreateTopicsResponse;
  readonly deleteTopics: DeleteTopicsResponse;
  readonly createPartitions: CreatePartitionsResponse;
  readonly alterConfigs: AlterConfigsResponse;
  readonly allocateProducerIds: ProducerIdsResponse;
}

export type ResponseTo<C extends ControllerCommand> = ControllerResponses[C['type']];
