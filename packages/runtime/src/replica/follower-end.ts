// The follower's end of the session with one leader broker: says what is followed and what is held, hands the answers to the
// replicas. Contract: everything that happens in one turn of the event loop goes out together; with nothing to follow it is silent.

import type { BrokerEpoch, Offset } from '@tidemark/core';
import {
  encodeSessionMessage,
  FollowerSession,
  type LeaderMessage,
  type ResetMessage,
  type WantedSubscription,
} from '@tidemark/replication';
import { DeadlineTimer } from './deadline-timer.ts';
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
  readonly #timer: DeadlineTimer;
  #lastSentMs = -Infinity;
  #isFlushing = false;
  #isClosed = false;

  constructor(options: FollowerEndOptions) {
    this.#options = options;
    this.#timer = new DeadlineTimer(options.clock, () => this.#due());
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

  logStartMoved(replica: FollowingReplica, logStartOffset: Offset): void {
    this.#session.logStartMoved(replica, logStartOffset);
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
    this.#timer.cancel();
  }

  #look(): void {
    this.#askAgain(this.#session.tick(this.#now));
  }

  #askAgain(lost: readonly FollowingReplica[]): void {
    for (const replica of lost) replica.askAgain();
  }

  #wake(): void {
    if (this.#isFlushing || this.#isClosed) return;
    const nowMs = this.#now;
    if (!this.#session.hasMessage(nowMs)) return;
    if (nowMs - this.#lastSentMs < PACE_MS) {
      // Other partitions of this leader are being written too: what they come to goes along.
      this.#timer.setAt(nowMs + PACE_MS);
      return;
    }
    this.#isFlushing = true;
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

  #arm(): void {
    if (this.#followed.size > 0 && !this.#isClosed) this.#timer.setAt(this.#session.nextDeadlineMs);
  }

  #due(): void {
    if (this.#followed.size > 0) this.#look();
    this.#flush();
  }

  get #now(): number {
    return this.#options.clock.monotonicMs();
  }
}
