// What the admin client takes and answers: plain objects, `error` a TidemarkError or absent.
import type { TidemarkError } from '@tidemark/core';
import type { FeatureInfo, NodeInfo } from './admin-quorum-types.ts';
import type { BrokerInfo, PartitionInfo } from './cluster-metadata.ts';
import type { TopicPartition } from './leader-calls.ts';

export interface ClusterDescription {
  readonly clusterId: string;
  /** The active controller; -1 when none is known. */
  readonly controllerId: number;
  readonly brokers: readonly BrokerInfo[];
  /** Offset of the metadata log the answer reflects. */
  readonly metadataOffset: number;
  /** Version of the broker that answered. */
  readonly version: string;
  readonly topicCount: number;
  readonly partitionCount: number;
  /** Without a leader. */
  readonly offlinePartitionCount: number;
  /** With fewer in-sync replicas than replicas. */
  readonly underReplicatedPartitionCount: number;
  /** With fewer in-sync replicas than min.insync.replicas. */
  readonly underMinIsrPartitionCount: number;
  /** Brokers and controllers. */
  readonly nodes: readonly NodeInfo[];
  readonly features: readonly FeatureInfo[];
  /** Why the quorum could not be asked; the rest is then what one node knows. */
  readonly stale?: TidemarkError | undefined;
}

export interface PartitionDescription extends PartitionInfo {
  readonly partitionEpoch: number;
  readonly offlineReplicas: readonly number[];
  /** Out of sync, but certain to have everything committed (KIP-966). */
  readonly eligibleLeaderReplicas: readonly number[];
  /** Whoever led last, when nobody is in sync and nobody eligible. */
  readonly lastKnownLeaderReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
  /** The leader was elected uncleanly and has not yet taken the partition in hand. */
  readonly recovering: boolean;
}

export interface TopicDescription {
  readonly name: string;
  readonly topicId: string;
  readonly internal: boolean;
  readonly partitions: readonly PartitionDescription[];
  readonly error?: TidemarkError | undefined;
}

export interface NewTopicSpec {
  readonly name: string;
  /** Absent: the cluster's num.partitions. */
  readonly partitions?: number | undefined;
  /** Absent: the cluster's default.replication.factor. */
  readonly replicationFactor?: number | undefined;
  /** Broker ids by partition, the preferred leader first. Exclusive with the two counts. */
  readonly assignments?: readonly (readonly number[])[] | undefined;
  readonly configs?: Readonly<Record<string, string>> | undefined;
}

export interface CreatedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly error?: TidemarkError | undefined;
}

/** A topic by its name, or by its id. */
export type TopicReference = string | { readonly topicId: string };

export interface DeletedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly error?: TidemarkError | undefined;
}

export interface NewPartitionsSpec {
  readonly name: string;
  /** How many partitions the topic shall have in all. */
  readonly totalCount: number;
  /** Replicas of the new partitions, in order. Absent: the cluster places them. */
  readonly assignments?: readonly (readonly number[])[] | undefined;
}

export interface ItemResult {
  readonly name: string;
  readonly error?: TidemarkError | undefined;
}

export interface ConfigResourceRef {
  readonly type: 'topic' | 'broker';
  /** The topic's name, or the broker id in decimal; empty: the configs of all brokers. */
  readonly name: string;
}

export type ConfigOrigin = 'default' | 'static-broker' | 'dynamic-broker' | 'dynamic-topic' | 'unknown';

export interface ConfigItem {
  readonly name: string;
  /** Empty when sensitive. */
  readonly value: string;
  readonly source: ConfigOrigin;
  readonly readOnly: boolean;
  readonly sensitive: boolean;
  readonly type: string;
  readonly documentation: string;
}

export interface ConfigDescription {
  readonly resource: ConfigResourceRef;
  readonly entries: readonly ConfigItem[];
  readonly error?: TidemarkError | undefined;
}

export interface ConfigAlteration {
  readonly resource: ConfigResourceRef;
  /** Null removes the override. */
  readonly changes: Readonly<Record<string, string | null>>;
}

export interface ConfigAltered {
  readonly resource: ConfigResourceRef;
  readonly error?: TidemarkError | undefined;
}

/** What a leader knows of one follower. */
export interface FollowerInfo {
  readonly brokerId: number;
  /** -1 when not known. */
  readonly logEndOffset: number;
  /** It holds everything below for good; -1 when not known. */
  readonly acknowledgedOffset: number;
  readonly inSync: boolean;
  /** For how long it has lacked something; 0 when it has everything, -1 when it never had. */
  readonly lagMs: number;
}

/** What a replica knows in its role. A refusal is a sentence. */
export type ReplicaStanding =
  | {
      readonly role: 'leader';
      /** Nothing before this leadership was appended at or above it. */
      readonly epochStartOffset: number;
      /** The controller has not been heard for as long as a session: nothing is taken and nothing acknowledged. */
      readonly isolated: boolean;
      readonly followers: readonly FollowerInfo[];
      /** Why acks=all would be refused now. */
      readonly refusal?: string | undefined;
    }
  | {
      readonly role: 'follower';
      /** -1 when there is none. */
      readonly leaderId: number;
      readonly state: 'idle' | 'fetching' | 'truncating' | 'waiting' | 'unknown';
      /** Why it waits. */
      readonly refusal?: string | undefined;
    }
  | { readonly role: 'changing' };

export interface ReplicaInfo extends TopicPartition {
  readonly topicId: string;
  readonly brokerId: number;
  readonly isLeader: boolean;
  readonly inSync: boolean;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  /** In records; 0 for the leader. */
  readonly lag: number;
  readonly sizeBytes: number;
  readonly segmentCount: number;
  /** Everything below it is on disk. */
  readonly flushedOffset: number;
  readonly leaderEpoch: number;
  /** The epochs in the log and where each begins, oldest first. */
  readonly leaderEpochs: readonly { readonly leaderEpoch: number; readonly startOffset: number }[];
  readonly standing: ReplicaStanding;
  readonly error?: TidemarkError | undefined;
}

export interface ReplicasDescription {
  readonly replicas: readonly ReplicaInfo[];
  /** Brokers that did not answer: their replicas are missing above. */
  readonly unreachable: readonly { readonly brokerId: number; readonly error: TidemarkError }[];
}

export interface RecordsToDelete extends TopicPartition {
  /** The first offset to keep; 'end': none is kept. */
  readonly beforeOffset: number | 'end';
}

export interface DeletedRecords extends TopicPartition {
  readonly logStartOffset: number;
}
