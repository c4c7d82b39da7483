// What the replica manager is asked and what it answers, in the house's own terms. The edges translate to and from these.

import type {
  BrokerId,
  Failure,
  LeaderEpoch,
  Offset,
  PartitionIndex,
  TimestampMs,
  TopicId,
  TopicName,
} from '@tidemark/core';
import type { LeaderHint } from './partition.ts';
import type { ProduceTrace } from './replica-observer.ts';

/** A partition by topic name, by topic id, or by both, which then must agree. */
export interface PartitionAddress {
  readonly topic: TopicName | undefined;
  readonly topicId: TopicId | undefined;
  readonly partition: PartitionIndex;
}

/** The partition that was meant, as far as it is known; a failure carries it too. */
export interface Named {
  readonly topic: TopicName | undefined;
  readonly topicId: TopicId | undefined;
  readonly partition: PartitionIndex;
}

export type AcksLevel = 'none' | 'leader' | 'all';

export interface ProducePartition {
  readonly address: PartitionAddress;
  readonly currentLeaderEpoch: LeaderEpoch | undefined;
  /** Whole batches back to back. They are rewritten in place and belong to the log from here on. */
  readonly bytes: Uint8Array;
}

export interface ProduceRequest {
  readonly acks: AcksLevel;
  /** How long the acknowledgement may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly partitions: readonly ProducePartition[];
  /** Nobody traces it if absent. */
  readonly trace?: ProduceTrace | undefined;
}

/** What an append came to. */
export interface Receipt {
  readonly baseOffset: Offset;
  /** -1 when the records carry their producers' times. */
  readonly logAppendTimeMs: TimestampMs;
  readonly logStartOffset: Offset;
  readonly leaderEpoch: LeaderEpoch;
  readonly inSyncReplicas: readonly BrokerId[];
  readonly onDisk: boolean;
  readonly duplicate: boolean;
}

export interface ProduceOutcome extends Named {
  readonly failure?: Failure;
  readonly leaderHint?: LeaderHint;
  readonly receipt?: Receipt;
}

export interface FetchPartition {
  readonly address: PartitionAddress;
  readonly currentLeaderEpoch: LeaderEpoch | undefined;
  readonly fetchOffset: Offset;
  readonly maxBytes: number;
}

export interface FetchRequest {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly partitions: readonly FetchPartition[];
}

export interface FetchOutcome extends Named {
  readonly failure?: Failure;
  readonly leaderHint?: LeaderHint;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly leaderEpoch: number;
  /** Whole batches back to back, as stored. The first may begin before the offset asked for. */
  readonly parts: readonly Uint8Array[];
  readonly sizeBytes: number;
  /** Where the next fetch goes on. */
  readonly nextOffset: Offset;
}

export interface FetchAnswer {
  readonly outcomes: readonly FetchOutcome[];
  /** Above 0 when the fetch could not be let wait: the client should hold back so long, in milliseconds. */
  readonly throttleMs: number;
}

/** Milliseconds since the Unix epoch, or one end of the partition. */
export type OffsetQuery =
  { readonly kind: 'timestamp'; readonly timestampMs: TimestampMs } | { readonly kind: OffsetEnd };
export type OffsetEnd = 'start' | 'end' | 'max-timestamp';

export interface ListOffsetsPartition {
  readonly address: PartitionAddress;
  readonly currentLeaderEpoch: LeaderEpoch | undefined;
  readonly query: OffsetQuery;
}

export interface ListOffsetsOutcome extends Named {
  readonly failure?: Failure;
  /** -1 when no record is at or after the timestamp. */
  readonly offset: number;
  readonly timestampMs: TimestampMs;
  readonly leaderEpoch: number;
}

export interface EpochEndPartition {
  readonly address: PartitionAddress;
  readonly currentLeaderEpoch: LeaderEpoch | undefined;
  readonly leaderEpoch: LeaderEpoch;
}

export interface EpochEndOutcome extends Named {
  readonly failure?: Failure;
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

export interface DeleteRecordsPartition {
  readonly address: PartitionAddress;
  /** The new log start; `undefined` means the high watermark. */
  readonly beforeOffset: Offset | undefined;
}

export interface DeleteRecordsOutcome extends Named {
  readonly failure?: Failure;
  readonly logStartOffset: number;
}

/** What a leader knows of one of its followers. */
export interface FollowerDescription {
  readonly broker: BrokerId;
  /** -1 when not known. */
  readonly logEndOffset: number;
  /** It holds everything below for good; -1 when not known. */
  readonly acknowledgedOffset: number;
  readonly isInSync: boolean;
  /** 0 when it has everything; Infinity when it never had. */
  readonly lagMs: number;
}

export interface LeaderDescription {
  readonly role: 'leader';
  /** Nothing before this leadership was appended above it. */
  readonly epochStartOffset: Offset;
  /** The controller has not been heard for as long as a session: nothing is taken and nothing acknowledged. */
  readonly isIsolated: boolean;
  readonly followers: readonly FollowerDescription[];
  /** Why acks=all would be refused now. */
  readonly refusal: Failure | undefined;
}

export interface FollowingDescription {
  readonly role: 'follower';
  readonly leader: BrokerId | -1;
  readonly state: 'idle' | 'fetching' | 'truncating' | 'waiting';
  /** Why it waits, as the leader or the log said it. */
  readonly refusal: Failure | undefined;
}

/** The partition is between two roles: its log comes to rest first. */
export interface ChangingDescription {
  readonly role: 'changing';
}

export interface ReplicaDescription {
  readonly topic: TopicName;
  readonly topicId: TopicId;
  readonly partition: PartitionIndex;
  readonly isLeader: boolean;
  readonly inSync: boolean;
  readonly leaderEpoch: LeaderEpoch;
  /** The epochs in the log and where each begins, oldest first. */
  readonly leaderEpochs: readonly { readonly epoch: number; readonly startOffset: number }[];
  readonly standing: LeaderDescription | FollowingDescription | ChangingDescription;
  readonly logStartOffset: Offset;
  readonly highWatermark: Offset;
  readonly logEndOffset: Offset;
  readonly flushedOffset: Offset;
  readonly sizeBytes: number;
  readonly segmentCount: number;
}
