// The limits of a coordinator, by the names of Kafka's configs, and the two times it is told.

import type { TimestampMs } from '@tidemark/core';

export interface GroupSettings {
  /** `group.min.session.timeout.ms` */
  readonly minSessionTimeoutMs: number;
  /** `group.max.session.timeout.ms` */
  readonly maxSessionTimeoutMs: number;
  /** `group.initial.rebalance.delay.ms`: what an empty group waits for more members. */
  readonly initialRebalanceDelayMs: number;
  /** `group.max.size` */
  readonly maxSize: number;
  /** `offset.metadata.max.bytes` */
  readonly offsetMetadataMaxBytes: number;
  /** `offsets.retention.minutes`, in milliseconds. */
  readonly offsetsRetentionMs: number;
  /** `offsets.commit.timeout.ms`: after this a sync that waits for its assignment to be committed is told to come again. */
  readonly commitTimeoutMs: number;
  /** A member whose first join waits longer is given up; clients cannot send heartbeats before it is answered. */
  readonly newMemberJoinTimeoutMs: number;
  /** Member ids that were given and not used yet, per group; above it the oldest is forgotten and its owner asks for another. */
  readonly maxPendingMembers: number;
  /** Records in one write of `expireOffsets` and `topicDeleted`, and of `tick`, or a group's more; the rest follows in the next. */
  readonly maxRecordsPerWrite: number;
  /** Rebalances remembered per group. */
  readonly maxRememberedRebalances: number;
}

/** Kafka's defaults, where it has the setting. */
export const defaultGroupSettings: GroupSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 3_000,
  maxSize: 2 ** 31 - 1,
  offsetMetadataMaxBytes: 4_096,
  offsetsRetentionMs: 10_080 * 60_000,
  commitTimeoutMs: 5_000,
  newMemberJoinTimeoutMs: 300_000,
  maxPendingMembers: 1_000,
  maxRecordsPerWrite: 1_000,
  maxRememberedRebalances: 8,
};

export interface GroupTime {
  /** Monotonic, in milliseconds: sessions and time-outs. */
  readonly nowMs: number;
  /** Since the Unix epoch: what is written to the log. */
  readonly timestampMs: TimestampMs;
}
