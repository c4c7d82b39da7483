// The leader's end of the session with one follower broker: judges what the follower asks for, reads what it may have, sends what
// there is to say. Contract: everything that happens in one turn of the event loop goes out together; what the follower asks for
// before this broker has heard that it leads waits here, and is judged when it has.

import {
  failure,
  isFailure,
  TidemarkError,
  type BrokerId,
  type Failure,
  type PartitionIndex,
  type TopicId,
} from '@tidemark/core';
import type { ReadResult } from '@tidemark/log';
import {
  encodeSessionMessage,
  LeaderSession,
  type FollowerMessage,
  type ReadOrder,
  type SessionMessage,
  type SlotEnd,
  type Standing,
  type Subscription,
} from '@tidemark/replication';
import { DeadlineTimer, type DeadlineClock } from './deadline-timer.ts';
import type { LeadingReplica } from './leading-replica.ts';
import type { ReplicationSettings } from './replica-context.ts';
import type { ReplicationQuota } from './replication-quota.ts';

/** A replica, why there is none, or 'early': it may lead soon, as soon as the metadata has arrived here. */
export type LeaderLookup = (
  topicId: TopicId,
  partition: PartitionIndex,
  leaderEpoch: number,
) => LeadingReplica | Failure | 'early';

export interface EndOptions {
  readonly peer: BrokerId;
  readonly settings: ReplicationSettings;
  readonly clock: DeadlineClock;
  /** Answers false when the message was dropped. */
  readonly send: (message: Uint8Array) => boolean;
  readonly onError: (cause: unknown, doing: string) => void;
}

export interface LeaderEndOptions extends EndOptions {
  readonly find: LeaderLookup;
  /** Of what goes to throttled followers. */
  readonly quota: ReplicationQuota;
}

/**
 * What has been sent is waited for so long, until the follower acknowledges some of it, before more is: what is appended meanwhile
 * goes along in one message, is written there in one write and synced once.
 */
const HOLD_MS = 5;
/**
 * A high watermark without batches waits so long for some. Nobody waits for it: clients read from the leader, and a new leader
 * learns it from those that follow it.
 */
const PROGRESS_DELAY_MS = 50;

/** Silence of so many keep-alives ends a session. */
export const SILENT_KEEP_ALIVES = 4;

export class LeaderEnd {
  readonly #options: LeaderEndOptions;
  readonly #session: LeaderSession<LeadingReplica>;
  /** Asked for before this broker knows that it leads, by slot. */
  readonly #early = new Map<number, Subscription>();
  readonly #timer: DeadlineTimer;
  /** Batches are on their way, and nothing is sent before this unless the follower acknowledges some. */
  #heldUntilMs = -Infinity;
  /** Something waits for the quota until then. */
  #throttledUntilMs = -Infinity;
  #isFlushing = false;
  #isClosed = false;

  constructor(options: LeaderEndOptions) {
    this.#options = options;
    this.#timer = new DeadlineTimer(options.clock, () => this.#due());
    const { fetchMaxBytes, responseMaxBytes, keepAliveMs } = options.settings;
    this.#session = new LeaderSession({
      maxReadBytes: fetchMaxBytes,
      maxMessageBytes: responseMaxBytes,
      keepAliveMs,
      timeoutMs: keepAliveMs * SILENT_KEEP_ALIVES,
      progressDelayMs: Math.min(PROGRESS_DELAY_MS, keepAliveMs),
    });
  }

  receive(message: FollowerMessage): void {
    if (this.#isClosed) return;
    if (message.acknowledged.length > 0 || message.subscribed.length > 0) this.#heldUntilMs = -Infinity;
    const before = this.#session.id;
    const received = this.#session.receive(message, this.#now);
    const { id } = this.#session;
    if (id?.number !== before?.number || id?.brokerEpoch !== before?.brokerEpoch) this.#early.clear();
    if (received.reset !== undefined) this.#send(received.reset);
    for (const replica of received.ended) replica.notServedBy(this);
    for (const slot of message.unsubscribed) this.#early.delete(slot);
    for (const { partition: replica, brokerEpoch, leaderEpoch, endOffset } of received.acknowledged) {
      const { peer: broker } = this.#options;
      replica.followerAcknowledged({ broker, brokerEpoch, leaderEpoch, endOffset });
    }
    for (const { partition: replica, brokerEpoch, leaderEpoch, logStartOffset } of received.logStarts) {
      replica.followerLogStartMoved({ broker: this.#options.peer, brokerEpoch, leaderEpoch, logStartOffset });
    }
    if (this.#early.size > 0) this.#acknowledgeEarly(message);
    for (const subscription of received.subscriptions) this.#judge(subscription);
    this.wake();
  }

  /** This broker may lead what it did not before. */
  rolesChanged(): void {
    if (this.#early.size === 0) return;
    for (const subscription of [...this.#early.values()]) {
      this.#early.delete(subscription.slot);
      this.#judge(subscription);
    }
    this.wake();
  }

  advanced(replica: LeadingReplica, standing: Standing): void {
    this.#session.advanced(replica, standing);
    this.wake();
  }

  /** It leads no more. */
  ended(replica: LeadingReplica, why: Failure): void {
    this.#session.end(replica, { type: 'refused', failure: why });
    this.wake();
  }

  /** There may be something to send. */
  wake(): void {
    if (this.#isFlushing || this.#isClosed) return;
    this.#isFlushing = true;
    void Promise.resolve().then(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer.cancel();
    this.#end();
  }

  #judge(subscription: Subscription): void {
    const { topicId, partition, leaderEpoch, fetchOffset, lastFetchedEpoch } = subscription;
    const replica = this.#options.find(topicId, partition, leaderEpoch);
    if (replica === 'early') {
      this.#early.set(subscription.slot, subscription);
      return;
    }
    if (isFailure(replica)) {
      this.#session.refuse(subscription, { type: 'refused', failure: replica });
      return;
    }
    const decision = replica.followerAsked({
      broker: this.#options.peer,
      brokerEpoch: this.#session.id!.brokerEpoch,
      leaderEpoch,
      fetchOffset,
      lastFetchedEpoch,
      acknowledgeableEnd: subscription.acknowledgeableEnd,
      logStartOffset: subscription.logStartOffset,
    });
    if (decision.type === 'accepted') {
      this.#session.accept(subscription, replica, replica.standing);
      replica.servedBy(this);
    } else this.#session.refuse(subscription, decision);
  }

  /** What a follower acknowledges or deletes before its position is judged counts with the position. */
  #acknowledgeEarly({ acknowledged, logStarts }: FollowerMessage): void {
    for (const { slot, endOffset } of acknowledged) {
      const early = this.#early.get(slot);
      if (early === undefined || endOffset > early.fetchOffset) continue;
      this.#early.set(slot, { ...early, acknowledgeableEnd: endOffset });
    }
    for (const { slot, logStartOffset } of logStarts) {
      const early = this.#early.get(slot);
      if (early !== undefined) this.#early.set(slot, { ...early, logStartOffset });
    }
  }

  #flush(): void {
    if (this.#isClosed) return;
    if (this.#now < this.#heldUntilMs) {
      this.#arm();
      return;
    }
    for (;;) {
      const order = this.#session.nextRead((replica) => this.#mayRead(replica));
      if (order === undefined) break;
      this.#read(order);
    }
    this.#sendMessages();
    this.#arm();
  }

  /** Above its quota a throttled replica waits for its turn, and this end looks again when there is one. */
  #mayRead(replica: LeadingReplica): boolean {
    const { quota, peer } = this.#options;
    if (!quota.isLimited || !replica.isThrottledFor(peer)) return true;
    const waitMs = quota.waitMs(this.#now);
    if (waitMs === 0) return true;
    this.#throttledUntilMs = this.#now + waitMs;
    return false;
  }

  #sendMessages(): void {
    for (;;) {
      const message = this.#session.takeMessage(this.#now);
      if (message === undefined) return;
      // What cannot be sent now is lost, and the follower will find a message missing: begin anew at once.
      if (this.#send(message)) {
        if (message.answers.some(({ answer }) => answer.type === 'batches')) {
          this.#heldUntilMs = this.#now + HOLD_MS;
        }
        continue;
      }
      this.#end();
      return;
    }
  }

  #read(order: ReadOrder<LeadingReplica>): void {
    const read = order.partition.read(order.offset, order.maxBytes);
    if (!(read instanceof Promise)) {
      this.#readDone(order, read);
      return;
    }
    read.then(
      (result) => {
        this.#readDone(order, result);
        this.wake();
      },
      (cause: unknown) => {
        if (!(cause instanceof TidemarkError)) this.#options.onError(cause, 'reading for a follower');
        this.#readDone(order, failure('KAFKA_STORAGE_ERROR', String(cause)));
        this.wake();
      },
    );
  }

  #readDone(order: ReadOrder<LeadingReplica>, result: ReadResult): void {
    if (result.ok) {
      const { quota, peer } = this.#options;
      if (quota.isLimited && order.partition.isThrottledFor(peer)) quota.take(result.sizeBytes, this.#now);
      this.#session.readDone(order, joined(result.parts, result.sizeBytes), result.nextOffset);
      return;
    }
    const { partition: replica } = order;
    if (result.error === 'OFFSET_OUT_OF_RANGE') {
      const { logStartOffset, logEndOffset } = replica;
      this.#readFailed(order, { type: 'outOfRange', logStartOffset, logEndOffset });
      return;
    }
    // Damaged records are never handed on.
    this.#options.onError(
      TidemarkError.from(result),
      `reading for the follower on broker ${this.#options.peer}`,
    );
    this.#readFailed(order, { type: 'refused', failure: result });
  }

  #readFailed(order: ReadOrder<LeadingReplica>, answer: SlotEnd): void {
    if (this.#session.readFailed(order, answer)) order.partition.notServedBy(this);
  }

  #end(): void {
    for (const replica of this.#session.close()) replica.notServedBy(this);
    this.#early.clear();
  }

  #send(message: SessionMessage): boolean {
    return this.#options.send(encodeSessionMessage(message, 1));
  }

  #arm(): void {
    if (this.#isClosed) return;
    const isHeld = this.#now < this.#heldUntilMs;
    const isThrottled = this.#now < this.#throttledUntilMs;
    const dueMs = Math.min(this.#session.nextDeadlineMs, isThrottled ? this.#throttledUntilMs : Infinity);
    // The acknowledgement comes first as a rule: while nothing waits for it there is nothing to wake up for.
    const wakeMs = this.#session.hasNews ? this.#heldUntilMs : Math.max(this.#heldUntilMs, dueMs);
    this.#timer.setAt(isHeld ? wakeMs : dueMs);
  }

  #due(): void {
    for (const replica of this.#session.tick(this.#now)) replica.notServedBy(this);
    if (this.#session.id === undefined) this.#early.clear();
    this.#flush();
  }

  get #now(): number {
    return this.#options.clock.monotonicMs();
  }
}

function joined(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
