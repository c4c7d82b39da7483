// How a leader judges where a follower wants to go on (rules 1 and 2; KIP-101, KIP-279, KIP-595; Kafka's Partition.readRecords).
//
// The follower's last epoch is looked up in the leader's history. When that epoch ended here before the follower's position, or was
// never here, their histories diverge, and the answer names the largest epoch not above it and where that ended.

import {
  failure,
  type BrokerEpoch,
  type BrokerId,
  type Failure,
  type LeaderEpoch,
  type Offset,
} from '@tidemark/core';
import type { LeaderLog } from './partition-view.ts';

/** Where a follower is. */
export interface FetchPosition {
  /** The end of its log. */
  readonly fetchOffset: Offset;
  /** Of the last batch in its log; -1 when it has none. */
  readonly lastFetchedEpoch: LeaderEpoch | -1;
}

/** A follower asks to go on from its position, and says what it is. */
export interface FetchAsk extends FetchPosition {
  readonly broker: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
  /** The leader epoch it believes in. */
  readonly leaderEpoch: LeaderEpoch;
  /** It holds everything below for good; at most `fetchOffset`. */
  readonly acknowledgeableEnd: Offset;
  /** It has nothing below, for good. */
  readonly logStartOffset: Offset;
}

export interface Diverging {
  readonly type: 'diverging';
  /** The largest epoch of the leader's that is not above the follower's last. */
  readonly epoch: LeaderEpoch;
  /** Where that epoch ends in the leader's log. */
  readonly endOffset: Offset;
}

export interface OutOfRange {
  readonly type: 'outOfRange';
  readonly logStartOffset: Offset;
  readonly logEndOffset: Offset;
}

/** FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, STALE_BROKER_EPOCH, NOT_LEADER_OR_FOLLOWER (no replica of this partition). */
export interface Refused {
  readonly type: 'refused';
  readonly failure: Failure;
}

export type FetchDecision = { readonly type: 'accepted' } | Diverging | OutOfRange | Refused;

const ACCEPTED: FetchDecision = { type: 'accepted' };

/** The client's or follower's belief against the leader's own epoch (rule 3, KIP-320). */
export function checkLeaderEpoch(claimed: LeaderEpoch, own: LeaderEpoch): Failure | undefined {
  if (claimed < own)
    return failure('FENCED_LEADER_EPOCH', `Leader epoch ${claimed} is over; this is ${own}.`);
  if (claimed > own) {
    return failure(
      'UNKNOWN_LEADER_EPOCH',
      `This broker leads in epoch ${own} and knows nothing of ${claimed} yet.`,
    );
  }
  return undefined;
}

/** Whether the follower can go on from its position. */
export function decidePosition(
  { fetchOffset, lastFetchedEpoch }: FetchPosition,
  log: LeaderLog,
): FetchDecision {
  const { logStartOffset, logEndOffset } = log;
  // Whatever its history: what would join it to this log is gone.
  if (fetchOffset < logStartOffset) return { type: 'outOfRange', logStartOffset, logEndOffset };
  if (lastFetchedEpoch < 0) {
    return fetchOffset > logEndOffset ? { type: 'outOfRange', logStartOffset, logEndOffset } : ACCEPTED;
  }
  const known = log.endOffsetForEpoch(lastFetchedEpoch as LeaderEpoch);
  if (known === undefined) {
    // A follower that believes in this epoch has nothing of a later one. If it has, its log must not be touched at a guess.
    const message = `The follower has batches of epoch ${lastFetchedEpoch}, which this leader has never heard of.`;
    return { type: 'refused', failure: failure('UNKNOWN_LEADER_EPOCH', message) };
  }
  const { epoch, endOffset } = known;
  if (epoch < lastFetchedEpoch || endOffset < fetchOffset) return { type: 'diverging', epoch, endOffset };
  // What was here where its log ends is gone, with the epoch: it may have what was never committed. Nobody needs either.
  const first = log.epochAt(logStartOffset) ?? -1;
  return fetchOffset === logStartOffset && lastFetchedEpoch < first
    ? { type: 'outOfRange', logStartOffset, logEndOffset }
    : ACCEPTED;
}
