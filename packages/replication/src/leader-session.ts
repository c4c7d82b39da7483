// The leader's half of a fetch session with one follower broker, for all partitions that broker follows here. It says which
// partition to read next, in turns, as long as the follower has granted bytes, and collects batches, high watermarks and log starts
// into messages as they move.
//
// Contract: work is for partitions with something to send, never for all. A partition gets one read a turn, however much it has; a
// read returns at least one batch, so what is granted may be passed by what is under way then, and by no more.

import type { BrokerEpoch, LeaderEpoch, Offset } from '@tidemark/core';
import {
  compareSessions,
  MAX_MESSAGE_ENTRIES,
  type FollowerMessage,
  type LeaderMessage,
  type ResetMessage,
  type SessionId,
  type SlotAnswer,
  type SlotEnd,
  type Subscription,
} from './session-message.ts';

export interface LeaderSessionOptions {
  /** Most bytes of one read, unless a single batch is larger (`replica.fetch.max.bytes`). */
  readonly maxReadBytes: number;
  /** A message is closed when it holds so many bytes of batches (`replica.fetch.response.max.bytes`). */
  readonly maxMessageBytes: number;
  /** How long nothing is said before something empty is. */
  readonly keepAliveMs: number;
  /** How long nothing is heard before the session is given up. */
  readonly timeoutMs: number;
  /** A high watermark waits so long for batches to go along with. Nobody waits for it. */
  readonly progressDelayMs: number;
}

/** What a partition has for its followers. */
export interface Standing {
  /** Of what is written and can be read. */
  readonly logEndOffset: Offset;
  readonly highWatermark: Offset;
  readonly logStartOffset: Offset;
}

export interface LeaderReceived<P> {
  /** To be sent back, in place of anything else. */
  readonly reset: ResetMessage | undefined;
  /** The follower follows these here no more. First of all. */
  readonly ended: readonly P[];
  readonly acknowledged: readonly {
    readonly partition: P;
    readonly brokerEpoch: BrokerEpoch;
    readonly leaderEpoch: LeaderEpoch;
    readonly endOffset: Offset;
  }[];
  readonly logStarts: readonly {
    readonly partition: P;
    readonly brokerEpoch: BrokerEpoch;
    readonly leaderEpoch: LeaderEpoch;
    readonly logStartOffset: Offset;
  }[];
  /** To be judged after that, each with `accept` or `refuse`, in this order. */
  readonly subscriptions: readonly Subscription[];
}

/** What to read: from `offset`, up to the log's end. */
export interface ReadOrder<P> {
  readonly partition: P;
  readonly slot: number;
  readonly offset: Offset;
  /** At least one batch, whatever its size. */
  readonly maxBytes: number;
}

interface Slot<P> {
  readonly number: number;
  readonly partition: P;
  readonly leaderEpoch: LeaderEpoch;
  nextOffset: Offset;
  standing: Standing;
  /** What the follower has been told. */
  toldHighWatermark: number;
  toldLogStart: number;
  state: 'resting' | 'waiting' | 'reading';
}

interface Session<P> {
  readonly id: SessionId;
  readonly slots: Map<number, Slot<P>>;
  /** Have something to read, in the order of their turns. */
  readonly waiting: Set<Slot<P>>;
  /** Have something to tell besides batches. */
  readonly moved: Set<Slot<P>>;
  readonly outbox: { readonly slot: number; readonly answer: SlotAnswer }[];
  expected: number;
  sequence: number;
  creditBytes: number;
  sentBytes: number;
  /** Of reads under way. */
  reservedBytes: number;
  lastSentMs: number;
  lastHeardMs: number;
  /** Since when something of `moved` was seen to wait; undefined: nothing was. */
  movedSinceMs: number | undefined;
}

const NOTHING = { reset: undefined, subscriptions: [], acknowledged: [], logStarts: [], ended: [] } as const;

export class LeaderSession<P> {
  readonly #options: LeaderSessionOptions;
  #session: Session<P> | undefined;
  readonly #byPartition = new Map<P, Slot<P>>();
  readonly #orders = new Map<ReadOrder<P>, Session<P>>();

  constructor(options: LeaderSessionOptions) {
    this.#options = options;
  }

  /** Undefined when there is none. */
  get id(): SessionId | undefined {
    return this.#session?.id;
  }

  receive(message: FollowerMessage, nowMs: number): LeaderReceived<P> {
    const age = this.#session === undefined ? 1 : compareSessions(message.session, this.#session.id);
    if (age < 0) return NOTHING;
    let ended: readonly P[] = [];
    if (age > 0) {
      if (message.sequence !== 0) return { ...NOTHING, reset: { type: 'reset', session: message.session } };
      ended = this.close();
      this.#session = newSession(message.session, nowMs);
    }
    const session = this.#session!;
    if (message.sequence < session.expected) return NOTHING;
    if (message.sequence > session.expected) {
      return { ...NOTHING, reset: { type: 'reset', session: session.id }, ended: this.close() };
    }
    session.expected += 1;
    session.lastHeardMs = nowMs;
    session.creditBytes = Math.max(session.creditBytes, message.creditBytes);
    return { ...this.#news(session, message), reset: undefined, ...(age > 0 ? { ended } : {}) };
  }

  /** The subscription's position is right: the partition is sent from there on. */
  accept({ slot: number, fetchOffset, leaderEpoch }: Subscription, partition: P, standing: Standing): void {
    const session = this.#session;
    if (session === undefined) return;
    const before = this.#byPartition.get(partition);
    if (before !== undefined) this.#drop(before);
    const told = { toldHighWatermark: -1, toldLogStart: -1 };
    const slot: Slot<P> = {
      number,
      partition,
      leaderEpoch,
      nextOffset: fetchOffset,
      standing,
      ...told,
      state: 'resting',
    };
    session.slots.set(number, slot);
    this.#byPartition.set(partition, slot);
    // Also when there is nothing to read: it tells the follower that its position was right.
    session.moved.add(slot);
    this.#queue(session, slot);
  }

  /** The subscription is not, or no longer, served. */
  refuse({ slot: number }: Pick<Subscription, 'slot'>, answer: SlotEnd): void {
    const session = this.#session;
    if (session === undefined) return;
    const slot = session.slots.get(number);
    if (slot !== undefined) this.#drop(slot);
    session.outbox.push({ slot: number, answer });
  }

  /** The partition is not led here any more, or in another epoch. */
  end(partition: P, answer: SlotEnd): void {
    const slot = this.#byPartition.get(partition);
    if (slot !== undefined) this.refuse({ slot: slot.number }, answer);
  }

  /** The partition has more to read, or to tell. */
  advanced(partition: P, standing: Standing): void {
    const slot = this.#byPartition.get(partition);
    const session = this.#session;
    if (slot === undefined || session === undefined) return;
    slot.standing = standing;
    const isStarted = standing.logStartOffset > slot.toldLogStart;
    if (isStarted || standing.highWatermark > slot.toldHighWatermark) session.moved.add(slot);
    // Who has deleted records waits until the followers have.
    if (isStarted) session.movedSinceMs = -Infinity;
    this.#queue(session, slot);
  }

  /**
   * The next read to make, if there is one and the follower takes more. Several may be under way, of a partition one. A partition
   * for which `mayRead` does not hold keeps its turn.
   */
  nextRead(mayRead: (partition: P) => boolean = always): ReadOrder<P> | undefined {
    const session = this.#session;
    if (session === undefined) return undefined;
    const freeBytes = session.creditBytes - session.sentBytes - session.reservedBytes;
    if (freeBytes <= 0) return undefined;
    const slot = firstOf(session.waiting, mayRead);
    if (slot === undefined) return undefined;
    session.waiting.delete(slot);
    slot.state = 'reading';
    const { partition, number, nextOffset: offset } = slot;
    const order = {
      partition,
      slot: number,
      offset,
      maxBytes: Math.min(this.#options.maxReadBytes, freeBytes),
    };
    session.reservedBytes += order.maxBytes;
    this.#orders.set(order, session);
    return order;
  }

  /** Whole batches from the order's offset to `endOffset`. None, when they are gone for the moment: it is tried when there are more. */
  readDone(order: ReadOrder<P>, bytes: Uint8Array, endOffset: Offset): void {
    const found = this.#finish(order);
    if (found === undefined) return;
    const { session, slot } = found;
    slot.state = 'resting';
    if (bytes.length === 0) return;
    const { highWatermark, logStartOffset } = slot.standing;
    session.outbox.push({
      slot: slot.number,
      answer: { type: 'batches', baseOffset: order.offset, highWatermark, logStartOffset, bytes },
    });
    session.sentBytes += bytes.length;
    slot.nextOffset = endOffset;
    this.#told(session, slot);
    this.#queue(session, slot);
  }

  /**
   * OFFSET_OUT_OF_RANGE, and whatever else makes the follower ask again. Answers whether its slot ends with it; one that is gone
   * already says nothing of the slot the follower may have for the partition now.
   */
  readFailed(order: ReadOrder<P>, answer: SlotEnd): boolean {
    if (this.#finish(order) === undefined) return false;
    this.refuse({ slot: order.slot }, answer);
    return true;
  }

  /** Something waits to be read or told. */
  get hasNews(): boolean {
    const session = this.#session;
    return session !== undefined && session.waiting.size + session.moved.size + session.outbox.length > 0;
  }

  /** What there is to say; undefined when that is nothing. To be called until it is, and each message sent in order. */
  takeMessage(nowMs: number): LeaderMessage | undefined {
    const session = this.#session;
    if (session === undefined) return undefined;
    const isKeepAliveDue = nowMs - session.lastSentMs >= this.#options.keepAliveMs;
    if (session.outbox.length === 0 && !isKeepAliveDue && !this.#isProgressDue(session, nowMs))
      return undefined;
    const answers = this.#takeAnswers(session);
    if (session.moved.size === 0) session.movedSinceMs = undefined;
    session.lastSentMs = nowMs;
    return { type: 'leader', session: session.id, sequence: session.sequence++, answers };
  }

  /** Gives up a session that has been silent for too long; answers what is not followed any more. */
  tick(nowMs: number): readonly P[] {
    const session = this.#session;
    if (session === undefined || nowMs - session.lastHeardMs < this.#options.timeoutMs) return [];
    return this.close();
  }

  /** When `tick` or `takeMessage` has something to do because of the time; Infinity without a session. */
  get nextDeadlineMs(): number {
    if (this.#session === undefined) return Infinity;
    const { keepAliveMs, timeoutMs, progressDelayMs } = this.#options;
    const { lastSentMs, lastHeardMs, movedSinceMs } = this.#session;
    const progressMs = movedSinceMs === undefined ? Infinity : movedSinceMs + progressDelayMs;
    return Math.min(lastSentMs + keepAliveMs, lastHeardMs + timeoutMs, progressMs);
  }

  /** Ends the session; answers what is not followed any more. */
  close(): readonly P[] {
    const ended = [...this.#byPartition.keys()];
    this.#byPartition.clear();
    this.#session = undefined;
    return ended;
  }

  #news(
    session: Session<P>,
    { unsubscribed, subscribed, acknowledged, logStarts }: FollowerMessage,
  ): Omit<LeaderReceived<P>, 'reset'> {
    const ended: P[] = [];
    for (const number of unsubscribed) {
      const slot = session.slots.get(number);
      if (slot === undefined) continue;
      this.#drop(slot);
      ended.push(slot.partition);
    }
    const { brokerEpoch } = session.id;
    const news: { partition: P; brokerEpoch: BrokerEpoch; leaderEpoch: LeaderEpoch; endOffset: Offset }[] =
      [];
    for (const { slot: number, endOffset } of acknowledged) {
      const slot = session.slots.get(number);
      // Nobody holds what has not been sent.
      if (slot === undefined || endOffset > slot.nextOffset) continue;
      news.push({ partition: slot.partition, brokerEpoch, leaderEpoch: slot.leaderEpoch, endOffset });
    }
    const started = logStarts.flatMap(({ slot: number, logStartOffset }) => {
      const slot = session.slots.get(number);
      if (slot === undefined) return [];
      return [{ partition: slot.partition, brokerEpoch, leaderEpoch: slot.leaderEpoch, logStartOffset }];
    });
    return { subscriptions: subscribed, acknowledged: news, logStarts: started, ended };
  }

  #isProgressDue(session: Session<P>, nowMs: number): boolean {
    if (session.moved.size === 0) return false;
    session.movedSinceMs ??= nowMs;
    return nowMs - session.movedSinceMs >= this.#options.progressDelayMs;
  }

  #takeAnswers(session: Session<P>): LeaderMessage['answers'] {
    let bytes = 0;
    let length = 0;
    for (const { answer } of session.outbox) {
      if (bytes >= this.#options.maxMessageBytes || length >= MAX_MESSAGE_ENTRIES) break;
      if (answer.type === 'batches') bytes += answer.bytes.length;
      length += 1;
    }
    const answers = session.outbox.splice(0, length);
    for (const slot of session.moved) {
      if (answers.length >= MAX_MESSAGE_ENTRIES) break;
      const { highWatermark, logStartOffset } = slot.standing;
      answers.push({ slot: slot.number, answer: { type: 'progress', highWatermark, logStartOffset } });
      this.#told(session, slot);
    }
    return answers;
  }

  #told(session: Session<P>, slot: Slot<P>): void {
    slot.toldHighWatermark = slot.standing.highWatermark;
    slot.toldLogStart = slot.standing.logStartOffset;
    session.moved.delete(slot);
  }

  #queue(session: Session<P>, slot: Slot<P>): void {
    if (slot.state !== 'resting' || slot.nextOffset >= slot.standing.logEndOffset) return;
    slot.state = 'waiting';
    session.waiting.add(slot);
  }

  /** The read's slot, unless it has ended meanwhile. */
  #finish(order: ReadOrder<P>): { readonly session: Session<P>; readonly slot: Slot<P> } | undefined {
    const session = this.#orders.get(order);
    this.#orders.delete(order);
    if (session === undefined) return undefined;
    session.reservedBytes -= order.maxBytes;
    const slot = session === this.#session ? session.slots.get(order.slot) : undefined;
    return slot === undefined ? undefined : { session, slot };
  }

  #drop(slot: Slot<P>): void {
    const session = this.#session!;
    session.slots.delete(slot.number);
    session.waiting.delete(slot);
    session.moved.delete(slot);
    if (session.moved.size === 0) session.movedSinceMs = undefined;
    if (this.#byPartition.get(slot.partition) === slot) this.#byPartition.delete(slot.partition);
  }
}

const always = (): boolean => true;

function firstOf<P>(slots: Iterable<Slot<P>>, mayRead: (partition: P) => boolean): Slot<P> | undefined {
  for (const slot of slots) if (mayRead(slot.partition)) return slot;
  return undefined;
}

function newSession<P>(id: SessionId, nowMs: number): Session<P> {
  return {
    id,
    slots: new Map(),
    waiting: new Set(),
    moved: new Set(),
    outbox: [],
    expected: 0,
    sequence: 0,
    creditBytes: 0,
    sentBytes: 0,
    reservedBytes: 0,
    // The first thing said is that the session is there.
    lastSentMs: -Infinity,
    lastHeardMs: nowMs,
    movedSinceMs: undefined,
  };
}
