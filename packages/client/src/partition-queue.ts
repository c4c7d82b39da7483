// The batches of one partition on their way out, and the one place that keeps their order. Synchronous and without a clock.
//
// Once a batch must be sent again nothing else of the partition goes out until every batch in flight has been answered or its
// connection is gone. Then all that came back goes to the front, in order, and is sent again with the sequences it had. So a
// batch never overtakes an earlier one, and a leader never sees a gap that would close by itself. A sequence that leads nowhere
// (its batch was given up, or the leader lost its state) is left behind by raising the producer epoch of this partition and
// counting from 0 again, which fences whatever is still under way (KIP-360). Not while a batch that was sent may be stored without our
// knowing: under another epoch it would be stored twice. One before it goes out again first; one behind it goes out under the sequence
// it had, and the leader tells by it whether there is a gap.
//
// The window opens with the first batch that is stored under an id and epoch. A leader takes any sequence from a producer that it
// does not know: were two batches under way and the first of them lost, the second would be taken for the beginning, and the
// first, sent again, for a repeat. It would count as stored and be nowhere. So it is again when the topic was deleted and made anew.
import { invariant } from '@tidemark/core';
import { LeaderPause } from './leader-pause.ts';
import type { ProducerBatch } from './producer-batch.ts';

const MAX_EPOCH = 2 ** 15 - 1;
const SEQUENCE_MASK = 2 ** 31 - 1;

/** `baseSequence + count`, wrapping from 2^31 - 1 to 0 as Kafka's DefaultRecordBatch.incrementSequence. */
export function sequenceAfter(baseSequence: number, count: number): number {
  return (baseSequence + count) & SEQUENCE_MASK;
}

export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** Takes records; undefined when the next record starts a new batch. */
  open: ProducerBatch | undefined;
  /**
   * The open batch has waited for `linger.ms` while others waited before it. It goes when its turn comes and takes records until then:
   * what piles up while a leader is gone becomes full batches, not one for each linger (Kafka's RecordAccumulator).
   */
  isDue = false;
  /** The broker the batches in flight were sent to. */
  leaderId = -1;
  /** Nothing is sent before it is over. */
  readonly pause = new LeaderPause();
  /** Attempts that failed since the last success. */
  failures = 0;
  #closed: ProducerBatch[] = [];
  #inFlight: ProducerBatch[] = [];
  #returned: ProducerBatch[] = [];
  #producerId = -1;
  #producerEpoch = -1;
  #nextSequence = 0;
  /** From the batch of this ordinal on the sequences lead nowhere; undefined: all of them do. */
  #resetFrom: number | undefined;
  /** Whether a leader knows the present id and epoch. */
  #isKnown = false;
  #refusedProducerId = -1;
  /** What is in flight went to another topic than what is next. */
  #isElsewhere = false;
  /** Of the topic that batches go to; empty until one has gone. */
  #topicId = '';

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** Batches that can be handed out now or later, an open one only if it is due. */
  get waiting(): number {
    return this.#closed.length + this.#returned.length + (this.isDue ? 1 : 0);
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  get isIdle(): boolean {
    return this.open === undefined && this.waiting + this.inFlight === 0;
  }

  /** The next batch to send, or undefined while there is none or order forbids it. */
  get next(): ProducerBatch | undefined {
    if (this.#returned.length > 0) return undefined;
    const isOpening = this.#producerId >= 0 && !this.#isKnown;
    const isResetting = this.#resetFrom !== undefined;
    if ((isResetting || this.#isElsewhere || isOpening) && this.#inFlight.length > 0) return undefined;
    return this.#closed[0] ?? (this.isDue ? this.open : undefined);
  }

  /** Batches go to this topic from now on. In another one than before no leader knows the producer. */
  goesTo(topicId: string): void {
    if (topicId === this.#topicId) return;
    if (this.#topicId !== '') this.#isElsewhere = true;
    this.#topicId = topicId;
    this.#settleDown();
  }

  /** Ends the open batch; it waits to be sent. */
  closeOpen(): void {
    if (this.open === undefined) return;
    this.#closed.push(this.open);
    this.#noneOpen();
  }

  /** Takes `next`, which counts as in flight from here on. `idempotent` is the id to use; undefined without idempotence. */
  take(idempotent: { readonly producerId: number; readonly producerEpoch: number } | undefined): {
    batch: ProducerBatch;
    identity: { producerId: number; producerEpoch: number; baseSequence: number };
  } {
    const batch = this.next;
    invariant(batch !== undefined, 'take follows next');
    if (batch === this.open) this.#noneOpen();
    else this.#closed.shift();
    this.#inFlight.push(batch);
    batch.attempts += 1;
    if (idempotent === undefined) {
      return { batch, identity: { producerId: -1, producerEpoch: -1, baseSequence: -1 } };
    }
    this.#adopt(idempotent);
    if (batch.identity !== undefined) return { batch, identity: batch.identity };
    const baseSequence = this.#nextSequence;
    this.#nextSequence = sequenceAfter(baseSequence, batch.recordCount);
    return {
      batch,
      identity: { producerId: this.#producerId, producerEpoch: this.#producerEpoch, baseSequence },
    };
  }

  /** The leader has the batch. */
  stored(batch: ProducerBatch): void {
    this.#isKnown = true;
    this.#land(batch);
    this.#settleDown();
  }

  /** The batch is given up. */
  discard(batch: ProducerBatch): void {
    this.#land(batch);
    this.#settleDown();
  }

  /** These go out in its place once nothing is in flight. */
  replace(batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    this.#land(batch);
    this.#returned.push(...parts);
    this.#settleDown();
  }

  /** The batch goes out again once nothing is in flight. */
  giveBack(batch: ProducerBatch): void {
    this.#land(batch);
    this.#returned.push(batch);
    this.#settleDown();
  }

  /** Whether every batch sent before this one has been stored: then a gap in front of it is real. */
  isFirstUnsettled(batch: ProducerBatch): boolean {
    return ![...this.#inFlight, ...this.#returned].some((other) => other.ordinal < batch.ordinal);
  }

  /**
   * From this batch on the sequences in use lead nowhere: start anew under a raised epoch once nothing is in flight, and what was sent
   * before it is settled. True if that is news.
   */
  resetSequence({ ordinal }: ProducerBatch): boolean {
    return this.#resetFromOrdinal(ordinal);
  }

  /**
   * The batch is given up, and whether it is stored is not known, nor is it of those sent behind it: under a new epoch they would be
   * stored twice. They are sent as they were, and where the leader finds a gap in front of them the sequence is reset. Where there are
   * none its sequence may be missing for ever.
   */
  giveUpSequence(given: ProducerBatch): boolean {
    const { ordinal } = given;
    const wereSentBehind = [...this.#inFlight, ...this.#returned, ...this.#closed].some(
      (batch) => batch.ordinal > ordinal && batch.identity !== undefined,
    );
    return wereSentBehind ? false : this.resetSequence(given);
  }

  /** The producer id itself is refused: the next `take` must bring another one. */
  forgetProducerId(): boolean {
    this.#producerEpoch = MAX_EPOCH;
    return this.#resetFromOrdinal(-Infinity);
  }

  /** Whether this id is used up for the partition, so that `take` needs another one. */
  refuses(producerId: number): boolean {
    return this.#producerId < 0 && producerId === this.#refusedProducerId;
  }

  /** Takes out what is not in flight and was made at or before `createdAtMs`. */
  expire(createdAtMs: number): ProducerBatch[] {
    const isOld = (batch: ProducerBatch): boolean => batch.createdAtMs <= createdAtMs;
    const expired = [...this.#returned, ...this.#closed].filter(isOld);
    if (this.open !== undefined && isOld(this.open)) {
      expired.push(this.open);
      this.#noneOpen();
    }
    this.#returned = this.#returned.filter((batch) => !isOld(batch));
    this.#closed = this.#closed.filter((batch) => !isOld(batch));
    const sent = expired.filter((batch) => batch.identity !== undefined);
    const [last] = sent.sort((a, b) => b.ordinal - a.ordinal);
    if (last !== undefined) this.giveUpSequence(last);
    this.#settleDown();
    return expired;
  }

  /** Takes out everything, what is in flight included. The queue is of no use afterwards. */
  takeAll(): ProducerBatch[] {
    const all = [...this.#inFlight, ...this.#returned, ...this.#closed];
    if (this.open !== undefined) all.push(this.open);
    this.#noneOpen();
    this.#inFlight = [];
    this.#returned = [];
    this.#closed = [];
    return all;
  }

  /** Those in flight that were made at or before `createdAtMs`; they stay until their answer comes. */
  overdue(createdAtMs: number): ProducerBatch[] {
    return this.#inFlight.filter((batch) => batch.createdAtMs <= createdAtMs && !batch.settled);
  }

  /** When the oldest batch that is not settled was made; undefined when there is none. */
  get oldestMs(): number | undefined {
    let oldest: number | undefined;
    for (const batch of [...this.#inFlight, ...this.#returned, ...this.#closed]) {
      if (!batch.settled && (oldest === undefined || batch.createdAtMs < oldest)) oldest = batch.createdAtMs;
    }
    if (this.open !== undefined && (oldest === undefined || this.open.createdAtMs < oldest)) {
      oldest = this.open.createdAtMs;
    }
    return oldest;
  }

  #resetFromOrdinal(ordinal: number): boolean {
    if (this.#producerId < 0) return false;
    const isNews = this.#resetFrom === undefined;
    this.#resetFrom = Math.min(this.#resetFrom ?? Infinity, ordinal);
    this.#settleDown();
    return isNews;
  }

  #noneOpen(): void {
    this.open = undefined;
    this.isDue = false;
  }

  #land(batch: ProducerBatch): void {
    const at = this.#inFlight.indexOf(batch);
    invariant(at >= 0, 'an answered batch was in flight', { topic: this.topic, partition: this.partition });
    this.#inFlight.splice(at, 1);
  }

  #settleDown(): void {
    if (this.#inFlight.length > 0) return;
    if (this.#returned.length > 0) {
      this.#returned.sort((a, b) => a.ordinal - b.ordinal);
      this.#closed.unshift(...this.#returned);
      this.#returned = [];
    }
    if (this.#isElsewhere) this.#isKnown = false;
    this.#isElsewhere = false;
    const from = this.#resetFrom;
    if (from === undefined) return;
    if (this.#closed.some((batch) => batch.identity !== undefined && batch.ordinal < from)) return;
    this.#resetFrom = undefined;
    this.#isKnown = false;
    this.#nextSequence = 0;
    if (this.#producerEpoch < MAX_EPOCH) {
      this.#producerEpoch += 1;
    } else {
      this.#refusedProducerId = this.#producerId;
      this.#producerId = -1;
    }
    for (const batch of this.#closed) batch.forgetIdentity();
  }

  #adopt(idempotent: { readonly producerId: number; readonly producerEpoch: number }): void {
    if (this.#producerId >= 0) return;
    this.#producerId = idempotent.producerId;
    this.#producerEpoch = idempotent.producerEpoch;
    this.#isKnown = false;
    this.#nextSequence = 0;
  }
}
