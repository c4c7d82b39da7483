// The follower's end of the session with one leader broker: says what is followed and what is held, hands the answers to the
// replicas. Contract: everything that happens in one turn of the event loop goes out together; with nothing to follow it is silent.

import type { BrokerEpoch, Offset, Timer } from '@tidemark/core';
import {
  encodeSessionMessage,
  FollowerSession,
  type LeaderMessage,
  type ResetMessage,
  type WantedSubscription,
} from '@tidemark/replication';
import { SILENT_KEEP_ALIVES, type EndOptions } from './leader-end.ts';
import type { FollowingReplica } from './following-replica.ts';

export interface FollowerEndOptions extends EndOptions {
  /** Of this incarnation. */
  readonly brokerEpoch: BrokerEpoch;
}

/** Two messages are no closer together than this. */
const PACE_MS = 1;

export class FollowerEnd {
  readonly #options: FollowerEndOptions;
  readonly #session: FollowerSession<FollowingReplica>;
  readonly #followed = new Set<FollowingReplica>();
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  #lastSentMs = -Infinity;
  #isFlushing = false;
  #isClosed = false;

  constructor(options: FollowerEndOptions) {
    this.#options = options;
    const { windowBytes, keepAliveMs } = options.settings;
    this.#session = new FollowerSession({
      brokerEpoch: options.brokerEpoch,
      windowBytes,
      keepAliveMs,
      timeoutMs: keepAliveMs * SILENT_KEEP_ALIVES,
      nowMs: this.#now,
    });
  }

  subscribe(replica: FollowingReplica, wanted: WantedSubscription): void {
    // After a silence of its own the session may be lost without anybody having noticed.
    if (this.#followed.size === 0) this.#look();
    this.#followed.add(replica);
    this.#session.subscribe(replica, wanted);
    this.#wake();
  }

  unsubscribe(replica: FollowingReplica): void {
    this.#followed.delete(replica);
    this.#session.unsubscribe(replica);
    this.#wake();
  }

  acknowledged(replica: FollowingReplica, endOffset: Offset): void {
    this.#session.acknowledged(replica, endOffset);
    this.#wake();
  }

  /** So many received bytes are appended, or thrown away. */
  consumed(bytes: number): void {
    this.#session.consumed(bytes);
    this.#wake();
  }

  receive(message: LeaderMessage | ResetMessage): void {
    if (this.#isClosed) return;
    const { answers, lost } = this.#session.receive(message, this.#now);
    for (const { partition: replica, asked, answer } of answers) {
      if (answer.type === 'batches') {
        const { length } = answer.bytes;
        replica.received(asked, answer, () => this.consumed(length));
      } else replica.answered(asked, answer);
    }
    this.#askAgain(lost);
    this.#wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.timer.cancel();
  }

  #look(): void {
    this.#askAgain(this.#session.tick(this.#now));
  }

  #askAgain(lost: readonly FollowingReplica[]): void {
    for (const replica of lost) replica.askAgain();
  }

  #wake(): void {
    if (this.#isFlushing || this.#isClosed) return;
    this.#isFlushing = true;
    const sinceMs = this.#now - this.#lastSentMs;
    if (sinceMs < PACE_MS) {
      // Other partitions of this leader are being written too: what they come to goes along.
      this.#options.clock.setTimer(PACE_MS, () => {
        this.#isFlushing = false;
        this.#flush();
      });
      return;
    }
    void Promise.resolve().then(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isClosed) return;
    for (;;) {
      const message = this.#session.takeMessage(this.#now);
      if (message === undefined) break;
      this.#lastSentMs = this.#now;
      // What is lost on the way the leader notices by the next message.
      this.#options.send(encodeSessionMessage(message, 1));
    }
    this.#arm();
  }

  /** The timer is left where it is when it comes early: it looks again then. */
  #arm(): void {
    if (this.#followed.size === 0 || this.#isClosed) return;
    const atMs = this.#session.nextDeadlineMs;
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.timer.cancel();
    const delayMs = Math.max(1, Math.ceil(atMs - this.#now));
    const timer = this.#options.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      if (this.#followed.size === 0) return;
      this.#look();
      this.#flush();
    });
    this.#timer = { atMs, timer };
  }

  get #now(): number {
    return this.#options.clock.monotonicMs();
  }
}
