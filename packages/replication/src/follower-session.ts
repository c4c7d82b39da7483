// The follower's half of a fetch session with one leader broker, for all partitions it follows there. It collects what has changed
// into messages, hands out the answers by partition, and opens a new session when the leader has lost the old one, a message is
// missing, or nothing is heard for too long.
//
// Contract: work is for what has changed, never for all partitions, except once when a session is lost. Of the batches the leader
// may send, at most `windowBytes` plus one read of the leader's wait here to be appended.

import type { BrokerEpoch, Offset } from '@tidemark/core';
import type { AskedPosition } from './partition-follower.ts';
import {
  MAX_MESSAGE_ENTRIES,
  type FollowerMessage,
  type LeaderMessage,
  type ResetMessage,
  type SessionId,
  type SlotAnswer,
  type Subscription,
} from './session-message.ts';

export interface FollowerSessionOptions {
  /** Of this incarnation. */
  readonly brokerEpoch: BrokerEpoch;
  /** Bytes of batches that may be on their way or wait to be appended. */
  readonly windowBytes: number;
  /** How long nothing is said before something empty is. */
  readonly keepAliveMs: number;
  /** How long nothing is heard before the session is opened anew; several times `keepAliveMs`. */
  readonly timeoutMs: number;
  readonly nowMs: number;
}

/** What a partition is to be followed from. */
export interface WantedSubscription extends Omit<Subscription, 'slot' | keyof AskedPosition> {
  readonly position: AskedPosition;
}

/** An answer of the leader's, and what it answers. */
export interface PartitionAnswer<P> {
  readonly partition: P;
  readonly asked: AskedPosition;
  readonly answer: SlotAnswer;
}

export interface FollowerReceived<P> {
  readonly answers: readonly PartitionAnswer<P>[];
  /** The session is a new one: these have to be subscribed again, from where they are now. */
  readonly lost: readonly P[];
}

interface Slot<P> {
  readonly partition: P;
  readonly asked: AskedPosition;
  readonly subscription: Subscription;
  isSent: boolean;
  /** The newest, told or not. */
  acknowledged: Offset;
  logStart: Offset;
}

/** The part of the window that may be free without the leader being told. */
const CREDIT_SLACK = 1 / 4;

export class FollowerSession<P> {
  readonly #options: FollowerSessionOptions;
  #number = 1;
  #nextSlot = 1;
  #sequence = 0;
  #expected = 0;
  readonly #slots = new Map<number, Slot<P>>();
  readonly #byPartition = new Map<P, Slot<P>>();
  /** What has not been told yet. */
  #fresh = new Set<Slot<P>>();
  #acknowledged = new Set<Slot<P>>();
  #logStarts = new Set<Slot<P>>();
  #gone: number[] = [];
  /** Of batches, in this session. */
  #receivedBytes = 0;
  /** Received and not consumed, in whichever session. */
  #waitingBytes = 0;
  #toldCredit = 0;
  #lastSentMs = -Infinity;
  #lastHeardMs: number;

  constructor(options: FollowerSessionOptions) {
    this.#options = options;
    this.#lastHeardMs = options.nowMs;
  }

  get id(): SessionId {
    return { brokerEpoch: this.#options.brokerEpoch, number: this.#number };
  }

  /** Goes on from this position, in place of whatever the partition had before. */
  subscribe(partition: P, { position, ...where }: WantedSubscription): void {
    this.unsubscribe(partition);
    const { fetchOffset, lastFetchedEpoch, leaderEpoch } = position;
    const subscription = { ...where, leaderEpoch, fetchOffset, lastFetchedEpoch, slot: this.#nextSlot++ };
    const { acknowledgeableEnd: acknowledged, logStartOffset: logStart } = where;
    const slot = { partition, asked: position, subscription, isSent: false, acknowledged, logStart };
    this.#slots.set(subscription.slot, slot);
    this.#byPartition.set(partition, slot);
    this.#fresh.add(slot);
  }

  unsubscribe(partition: P): void {
    const slot = this.#byPartition.get(partition);
    if (slot === undefined) return;
    this.#drop(slot);
    if (slot.isSent) this.#gone.push(slot.subscription.slot);
  }

  /** The partition's replica holds everything below `endOffset` for good. */
  acknowledged(partition: P, endOffset: Offset): void {
    const slot = this.#byPartition.get(partition);
    if (slot === undefined || endOffset <= slot.acknowledged) return;
    slot.acknowledged = endOffset;
    if (slot.isSent) this.#acknowledged.add(slot);
  }

  /** The partition's replica has nothing below any more, for good. */
  logStartMoved(partition: P, logStartOffset: Offset): void {
    const slot = this.#byPartition.get(partition);
    if (slot === undefined || logStartOffset <= slot.logStart) return;
    slot.logStart = logStartOffset;
    if (slot.isSent) this.#logStarts.add(slot);
  }

  /** So many bytes of received batches are appended, or thrown away: the leader may send as many more. */
  consumed(bytes: number): void {
    this.#waitingBytes -= bytes;
  }

  receive(message: LeaderMessage | ResetMessage, nowMs: number): FollowerReceived<P> {
    const { session } = message;
    const isMine = session.brokerEpoch === this.#options.brokerEpoch && session.number === this.#number;
    if (!isMine) return { answers: [], lost: [] };
    if (message.type === 'reset') return { answers: [], lost: this.#restart(nowMs) };
    if (message.sequence < this.#expected) return { answers: [], lost: [] };
    if (message.sequence > this.#expected) return { answers: [], lost: this.#restart(nowMs) };
    this.#expected += 1;
    this.#lastHeardMs = nowMs;
    const answers: PartitionAnswer<P>[] = [];
    for (const { slot: number, answer } of message.answers) {
      const slot = this.#slots.get(number);
      if (answer.type === 'batches') this.#receivedBytes += answer.bytes.length;
      if (slot === undefined) continue;
      if (answer.type === 'batches') this.#waitingBytes += answer.bytes.length;
      else if (answer.type !== 'progress') this.#drop(slot);
      const { partition, asked } = slot;
      answers.push({ partition, asked, answer });
    }
    return { answers, lost: [] };
  }

  /** Opens a new session when the leader has been silent for too long; answers what has to be subscribed again. */
  tick(nowMs: number): readonly P[] {
    return nowMs - this.#lastHeardMs < this.#options.timeoutMs ? [] : this.#restart(nowMs);
  }

  /** When `tick` or `takeMessage` has something to do because of the time. */
  get nextDeadlineMs(): number {
    const { keepAliveMs, timeoutMs } = this.#options;
    return Math.min(this.#lastSentMs + keepAliveMs, this.#lastHeardMs + timeoutMs);
  }

  /** Whether `takeMessage` answers with one. */
  hasMessage(nowMs: number): boolean {
    const untold = this.#fresh.size + this.#acknowledged.size + this.#logStarts.size + this.#gone.length;
    if (untold > 0) return true;
    const { windowBytes, keepAliveMs } = this.#options;
    if (this.#credit() - this.#toldCredit >= windowBytes * CREDIT_SLACK) return true;
    return nowMs - this.#lastSentMs >= keepAliveMs;
  }

  /** What there is to say; undefined when that is nothing. To be called until it is, and each message sent in order. */
  takeMessage(nowMs: number): FollowerMessage | undefined {
    if (!this.hasMessage(nowMs)) return undefined;
    const credit = this.#credit();
    this.#lastSentMs = nowMs;
    this.#toldCredit = credit;
    return {
      type: 'follower',
      session: this.id,
      sequence: this.#sequence++,
      creditBytes: credit,
      unsubscribed: this.#gone.splice(0, MAX_MESSAGE_ENTRIES),
      subscribed: take(this.#fresh, (slot) => {
        slot.isSent = true;
        return { ...slot.subscription, acknowledgeableEnd: slot.acknowledged, logStartOffset: slot.logStart };
      }),
      acknowledged: take(this.#acknowledged, ({ subscription: { slot }, acknowledged: endOffset }) => ({
        slot,
        endOffset,
      })),
      logStarts: take(this.#logStarts, ({ subscription: { slot }, logStart: logStartOffset }) => ({
        slot,
        logStartOffset,
      })),
    };
  }

  #credit(): number {
    return this.#receivedBytes + Math.max(0, this.#options.windowBytes - this.#waitingBytes);
  }

  #drop(slot: Slot<P>): void {
    this.#slots.delete(slot.subscription.slot);
    this.#byPartition.delete(slot.partition);
    this.#fresh.delete(slot);
    this.#acknowledged.delete(slot);
    this.#logStarts.delete(slot);
  }

  #restart(nowMs: number): readonly P[] {
    const lost = [...this.#byPartition.keys()];
    this.#number += 1;
    this.#sequence = 0;
    this.#expected = 0;
    this.#slots.clear();
    this.#byPartition.clear();
    this.#fresh.clear();
    this.#acknowledged.clear();
    this.#logStarts.clear();
    this.#gone = [];
    this.#receivedBytes = 0;
    this.#toldCredit = 0;
    // The new session is announced at once, even with nothing to follow.
    this.#lastSentMs = -Infinity;
    this.#lastHeardMs = nowMs;
    return lost;
  }
}

function take<S, T>(slots: Set<S>, map: (slot: S) => T): readonly T[] {
  const taken: T[] = [];
  for (const slot of slots) {
    if (taken.length >= MAX_MESSAGE_ENTRIES) break;
    slots.delete(slot);
    taken.push(map(slot));
  }
  return taken;
}
