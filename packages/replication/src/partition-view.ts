// What a replica is told of the world: the partition and the brokers as the metadata has them, its own log, and the settings in
// force. The shapes are parts of the controller's images and of the log, so that those can be handed in as they are.

import type { BrokerEpoch, BrokerId, LeaderEpoch, Offset, PartitionEpoch } from '@tidemark/core';

/** A partition in the metadata; the controller's `PartitionImage` is one. */
export interface PartitionView {
  readonly replicas: readonly BrokerId[];
  readonly isr: readonly BrokerId[];
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  readonly leaderRecoveryState: 'recovered' | 'recovering';
}

/** A registered broker; the controller's `BrokerImage` is one. */
export interface BrokerView {
  readonly epoch: BrokerEpoch;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
}

export type BrokerLookup = (id: BrokerId) => BrokerView | undefined;

export interface LeaderSettings {
  /** `min.insync.replicas`, not above the number of replicas. */
  readonly minInsyncReplicas: number;
  /** `replica.lag.time.max.ms`. */
  readonly replicaLagTimeMaxMs: number;
}

/** The end of an epoch in a log; its epoch is the largest at or below the one asked for. */
export interface EpochEnd {
  readonly epoch: LeaderEpoch;
  readonly endOffset: Offset;
}

/** What a leader looks up in its log. Its own epoch is assigned in it, even before anything is appended. */
export interface LeaderLog {
  readonly logStartOffset: Offset;
  /** Of what is written and can be read. */
  readonly logEndOffset: Offset;
  /** Undefined for an epoch above the latest, and while none is known. */
  endOffsetForEpoch(epoch: LeaderEpoch): EpochEnd | undefined;
  /** The epoch of the batch that holds the offset; undefined when not known. */
  epochAt(offset: Offset): LeaderEpoch | undefined;
}

/** What a follower looks up in its log. */
export interface FollowerLog {
  readonly logStartOffset: Offset;
  /** The offset the next batch must have; what is queued to be written counts. */
  readonly nextOffset: Offset;
  /** Of the newest batch, or newer if one was assigned in which nothing was appended. */
  readonly latestEpoch: LeaderEpoch | undefined;
  endOffsetForEpoch(epoch: LeaderEpoch): EpochEnd | undefined;
  /** The epoch of the batch that holds the offset; undefined when not known. */
  epochAt(offset: Offset): LeaderEpoch | undefined;
}
