// The records of the metadata log: everything the cluster agrees on is the replay of these, in order. A record says what
// has been decided, never what was asked, so that replaying it cannot fail and needs no clock, no random number and no
// configuration.

import type {
  BrokerEpoch,
  BrokerId,
  LeaderEpoch,
  PartitionEpoch,
  PartitionIndex,
  ProducerId,
  TopicId,
  TopicName,
} from '@tidemark/core';
import type { AccessRecord } from './access-records.ts';

/** In the place of a leader's id: the partition has none. */
export const NO_LEADER = -1;
export type LeaderId = BrokerId | typeof NO_LEADER;

/** Where a node can be reached, by the name of one of its listeners. */
export interface Endpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface ClusterRecord {
  readonly type: 'cluster';
  readonly clusterId: string;
}

/** From here on records and rules up to `level` of the feature may be used. */
export interface FeatureLevelRecord {
  readonly type: 'featureLevel';
  readonly feature: string;
  readonly level: number;
}

/** A new incarnation of a broker. It replaces the one before. */
export interface RegisterBrokerRecord {
  readonly type: 'registerBroker';
  readonly brokerId: BrokerId;
  /** The offset of this very record; one per incarnation, ever rising. */
  readonly brokerEpoch: BrokerEpoch;
  /** A UUID the process drew at its start, in the text form of a topic id. */
  readonly incarnationId: string;
  readonly endpoints: readonly Endpoint[];
  /** Empty when the broker has none. */
  readonly rack: string;
  readonly fenced: boolean;
  /** A UUID of the broker's log folder; empty in records of versions that did not know it. */
  readonly directoryId: string;
}

/** What is undefined stays. A broker in controlled shutdown stays so until its next incarnation registers. */
export interface BrokerChangeRecord {
  readonly type: 'brokerChange';
  readonly brokerId: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
  readonly fenced?: boolean | undefined;
  readonly inControlledShutdown?: true | undefined;
}

/** The broker is none any more. No partition has it among its replicas. */
export interface UnregisterBrokerRecord {
  readonly type: 'unregisterBroker';
  readonly brokerId: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
}

export interface TopicRecord {
  readonly type: 'topic';
  readonly topicId: TopicId;
  readonly name: TopicName;
}

/** Removes the topic, its partitions and its configs. */
export interface RemoveTopicRecord {
  readonly type: 'removeTopic';
  readonly topicId: TopicId;
}

/** A new partition. The partitions of a topic come in the order of their indexes, without a gap. */
export interface PartitionRecord {
  readonly type: 'partition';
  readonly topicId: TopicId;
  readonly partition: PartitionIndex;
  /** The preferred leader first. */
  readonly replicas: readonly BrokerId[];
  readonly isr: readonly BrokerId[];
  readonly leader: LeaderId;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
}

/**
 * Whether the leader was elected from replicas that surely had every committed record (`recovered`), or uncleanly and has not
 * changed the in-sync replicas since (KIP-704).
 */
export type LeaderRecoveryState = 'recovered' | 'recovering';

/**
 * A change to a partition. What is undefined stays. Replaying it raises the partition epoch by one, and the leader epoch by
 * one when `leader` is present, even if it names the leader of before (as Kafka's PartitionChangeRecord).
 */
export interface PartitionChangeRecord {
  readonly type: 'partitionChange';
  readonly topicId: TopicId;
  readonly partition: PartitionIndex;
  readonly replicas?: readonly BrokerId[] | undefined;
  readonly isr?: readonly BrokerId[] | undefined;
  readonly leader?: LeaderId | undefined;
  /** Eligible leader replicas (KIP-966): left the ISR when it fell below min.insync.replicas, hence have all committed records. */
  readonly elr?: readonly BrokerId[] | undefined;
  /** The last leader, from when the ISR became empty until there is a leader again; else empty. */
  readonly lastKnownElr?: readonly BrokerId[] | undefined;
  readonly leaderRecoveryState?: LeaderRecoveryState | undefined;
  /** Of the reassignment under way (KIP-455); both empty: none is. */
  readonly addingReplicas?: readonly BrokerId[] | undefined;
  readonly removingReplicas?: readonly BrokerId[] | undefined;
}

/** `value` null removes the override. */
export interface TopicConfigRecord {
  readonly type: 'topicConfig';
  readonly topicId: TopicId;
  readonly name: string;
  readonly value: string | null;
}

/** `brokerId` null: of all brokers. */
export interface BrokerConfigRecord {
  readonly type: 'brokerConfig';
  readonly brokerId: BrokerId | null;
  readonly name: string;
  readonly value: string | null;
}

/** All ids below `nextProducerId` have been given to brokers. */
export interface ProducerIdsRecord {
  readonly type: 'producerIds';
  readonly brokerId: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
  readonly nextProducerId: ProducerId;
}

export type MetadataRecord =
  | ClusterRecord
  | FeatureLevelRecord
  | RegisterBrokerRecord
  | BrokerChangeRecord
  | UnregisterBrokerRecord
  | TopicRecord
  | RemoveTopicRecord
  | PartitionRecord
  | PartitionChangeRecord
  | TopicConfigRecord
  | BrokerConfigRecord
  | ProducerIdsRecord
  | AccessRecord;

export type MetadataRecordType = MetadataRecord['type'];

/** The feature that says which metadata records may be written. */
export const METADATA_VERSION = 'metadata.version';
/** The highest level of `METADATA_VERSION` this version reads and writes. */
export const METADATA_VERSION_LEVEL = 1;
