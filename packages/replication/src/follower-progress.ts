// One follower as its leader sees it: how far it has got, since when it lags, and whether it may be in sync.
//
// Caught up is judged against an end the leader had before (rule 5): at a mark, set when the follower has last reached one. Judged
// against the present end, no follower of a busy leader would ever be caught up. Kafka takes the end at the previous fetch; here
// several batches can be on their way at once, and an acknowledgement answers a batch sent some acknowledgements ago, so the mark
// stays until it is reached. A lag of half the limit is never taken for one above it, and one above it never escapes.

import type { BrokerEpoch, BrokerId } from '@tidemark/core';
import type { BrokerView } from './partition-view.ts';

const UNKNOWN = -1;

export class FollowerProgress {
  readonly id: BrokerId;
  /** Of the incarnation that was heard last; -1 before the first. */
  brokerEpoch = UNKNOWN;
  /** As the metadata has it; -1 when it has none. */
  registeredEpoch = UNKNOWN;
  /** Neither fenced nor shutting down, says the metadata. */
  isActive = false;
  /** Where it asked to go on, or what it has acknowledged since; -1 when not known. */
  logEndOffset = UNKNOWN;
  /** It holds everything below for good; -1 when not known. */
  acknowledgedOffset = UNKNOWN;
  /** It has nothing below, for good; -1 when not known. */
  logStartOffset = UNKNOWN;
  /** It had everything the leader had at this time; monotonic. */
  #caughtUpMs: number;
  #markOffset: number;
  #markMs: number;

  /** One in sync gets the full time to show that it still is. */
  constructor(id: BrokerId, isInSync: boolean, leaderEndOffset: number, nowMs: number) {
    this.id = id;
    this.#caughtUpMs = isInSync ? nowMs : -Infinity;
    this.#markOffset = leaderEndOffset;
    this.#markMs = nowMs;
  }

  /** The metadata's view of its broker. */
  registered(broker: BrokerView | undefined): void {
    this.registeredEpoch = broker?.epoch ?? UNKNOWN;
    this.isActive = broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
  }

  /** The incarnation that was heard is the registered one, and active: its progress counts for becoming in sync (KIP-903). */
  get isEligible(): boolean {
    return this.isActive && this.brokerEpoch === this.registeredEpoch;
  }

  /** It asked to go on from an offset the leader has found to be right. */
  asked(
    brokerEpoch: BrokerEpoch,
    fetchOffset: number,
    acknowledged: number,
    logStartOffset: number,
    leaderEndOffset: number,
    nowMs: number,
  ): void {
    if (this.brokerEpoch !== UNKNOWN && this.brokerEpoch !== brokerEpoch) {
      // What another incarnation had is nothing to this one.
      this.#caughtUpMs = -Infinity;
      this.#mark(leaderEndOffset, nowMs);
    }
    this.brokerEpoch = brokerEpoch;
    this.logEndOffset = fetchOffset;
    this.logStartOffset = logStartOffset;
    this.acknowledged(Math.min(acknowledged, fetchOffset), leaderEndOffset, nowMs);
  }

  acknowledged(endOffset: number, leaderEndOffset: number, nowMs: number): void {
    this.acknowledgedOffset = endOffset;
    if (endOffset > this.logEndOffset) this.logEndOffset = endOffset;
    if (endOffset >= leaderEndOffset) {
      this.#caughtUpMs = nowMs;
      this.#mark(leaderEndOffset, nowMs);
    } else if (endOffset >= this.#markOffset) {
      this.#caughtUpMs = Math.max(this.#caughtUpMs, this.#markMs);
      this.#mark(leaderEndOffset, nowMs);
    }
  }

  /** One that had everything begins to lag now, however long nothing was appended. */
  leaderAppended(previousEndOffset: number, endOffset: number, nowMs: number): void {
    if (this.acknowledgedOffset < previousEndOffset) return;
    this.#caughtUpMs = nowMs;
    this.#mark(endOffset, nowMs);
  }

  /** The time since when it lacks something; Infinity when it has everything (never), -Infinity when it never had. */
  lagsSinceMs(leaderEndOffset: number): number {
    return this.acknowledgedOffset >= leaderEndOffset ? Infinity : this.#caughtUpMs;
  }

  #mark(offset: number, nowMs: number): void {
    this.#markOffset = offset;
    this.#markMs = nowMs;
  }
}
