// A story told to one partition's log: appends of one or several batches, of idempotent producers with their retries, flushes,
// rolls, cuts, deletions, retention, checkpoints, clean restarts. The seed chooses the steps; the model notes what the log
// answered and promised. Steps overlap as they do in a broker: most are not waited for before the next one begins.

import { invariant, TidemarkError, type LeaderEpoch, type Offset } from '@tidemark/core';
import { type SimClock } from '../sim-clock.ts';
import { type SimPrng } from '../sim-prng.ts';
import { LogModel, type ModelBatch } from './log-model.ts';
import { asRequest, StoryBatches, type ProducerStamp, type StoryBatch } from './story-batches.ts';
import { type StoryLog } from './story-log.ts';

export type StoryStep = (typeof weightedSteps)[number][0];

const weightedSteps = [
  ['append', 40],
  ['append several', 12],
  ['append idempotent', 22],
  ['repeat', 8],
  ['flush', 7],
  ['truncate', 4],
  ['restart elsewhere', 1],
  ['delete records', 4],
  ['retention', 5],
  ['checkpoint', 6],
  ['reopen', 3],
  ['new epoch', 4],
  ['wait', 4],
] as const;
const totalWeight = weightedSteps.reduce((sum, [, weight]) => sum + weight, 0);

const PRODUCERS = 3;
const WAIT_MS = 1_500;

export class LogStory {
  readonly model = new LogModel();
  /** How often each step was told. */
  readonly told = new Map<StoryStep, number>();
  readonly #log: StoryLog;
  readonly #clock: SimClock;
  readonly #prng: SimPrng;
  readonly #batches: StoryBatches;
  #underWay: Promise<unknown>[] = [];
  #epoch = 1;
  #nextProducerId = 1_000;
  readonly #producers: number[] = [];
  #interrupted = false;

  constructor(log: StoryLog, clock: SimClock, prng: SimPrng) {
    this.#log = log;
    this.#clock = clock;
    this.#prng = prng;
    this.#batches = new StoryBatches(prng.fork('batches'));
    for (let producer = 0; producer < PRODUCERS; producer++) this.#producers.push(this.#nextProducerId++);
  }

  get producerIds(): readonly number[] {
    return this.#producers;
  }

  /** A cut or a restart was begun and failed: nobody knows where the log ends until it is recovered. */
  get isInterrupted(): boolean {
    return this.#interrupted;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Takes in what the log promises at this moment. Called at every boundary, so that no promise goes unnoticed. */
  listen(): void {
    const { log } = this.#log;
    if (log === undefined) return;
    this.model.claimed(log.flushedOffset);
    if (this.#log.flushPolicy === 'ack') this.model.claimed(log.acknowledgeableEndOffset);
    this.model.startMoving(log.logStartOffset);
  }

  /** Begins one step and lets a little time pass. */
  async step(): Promise<StoryStep> {
    let drawn = this.#prng.below(totalWeight);
    const step = weightedSteps.find(([, weight]) => (drawn -= weight) < 0)![0];
    this.told.set(step, (this.told.get(step) ?? 0) + 1);
    await this.#begin(step);
    await this.#clock.advance(this.#prng.below(4) * 0.4);
    return step;
  }

  /** Until nothing that was begun is under way. */
  async quiet(): Promise<void> {
    const underWay = this.#underWay;
    this.#underWay = [];
    const outcomes = await this.#clock.settle(Promise.allSettled(underWay));
    this.listen();
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  async #begin(step: StoryStep): Promise<void> {
    const prng = this.#prng;
    switch (step) {
      case 'append':
        this.#append([this.#batch()]);
        return;
      case 'append several':
        this.#append(Array.from({ length: 2 + prng.below(4) }, () => this.#batch()));
        return;
      case 'append idempotent':
        this.#appendIdempotent();
        return;
      case 'repeat':
        this.#repeat();
        return;
      case 'flush':
        return this.#sometimesAwaited(this.#flush());
      case 'truncate':
        return this.#uninterrupted(() => this.#truncate());
      case 'restart elsewhere':
        return this.#uninterrupted(() => this.#restart());
      case 'delete records':
        return this.#sometimesAwaited(this.#deleteRecords());
      case 'retention':
        return this.#sometimesAwaited(this.#log.runRetention(this.#clock.wallMs()));
      case 'checkpoint':
        return this.#sometimesAwaited(this.#log.checkpoint());
      case 'reopen':
        return this.#uninterrupted(() => this.#reopen());
      case 'new epoch':
        this.#epoch++;
        return;
      case 'wait':
        return this.#clock.advance(WAIT_MS);
    }
  }

  #batch(stamp?: ProducerStamp): StoryBatch {
    return this.#batches.make(this.#clock.wallMs(), stamp);
  }

  #append(batches: readonly StoryBatch[]): void {
    const { log } = this.#log;
    const request = asRequest(batches);
    const result = log!.append(request.bytes, request.batches, {
      leaderEpoch: this.#epoch as LeaderEpoch,
      origin: 'leader',
    });
    if (!result.ok) throw TidemarkError.from(result);
    invariant(!result.duplicate, 'a batch that was never sent is no retry', { result });
    let offset = result.baseOffset as number;
    for (const [at, batch] of batches.entries()) {
      const from = request.batches[at]!.at;
      this.model.appended(batch, offset, request.bytes.slice(from, from + batch.bytes.length));
      offset += batch.recordCount;
    }
    invariant(offset === result.lastOffset + 1, 'the log counts the records', { result, offset });
    const { baseOffset } = result;
    this.#begun(
      result.written.catch((error: unknown) => {
        this.model.rolledBack(baseOffset);
        throw error;
      }),
    );
  }

  /** Something that goes on while the next steps begin. `quiet` finds out how it ended. */
  #begun(work: Promise<unknown>): void {
    work.catch(() => undefined);
    this.#underWay.push(work);
  }

  #appendIdempotent(): void {
    const producer = this.#prng.below(PRODUCERS);
    const producerId = this.#producers[producer]!;
    const last = this.model.lastOf(producerId, 1)[0];
    const baseSequence = last === undefined ? 0 : last.baseSequence + last.recordCount;
    this.#append([this.#batch({ producerId, producerEpoch: 0, baseSequence })]);
  }

  /** A retry of one of the last five batches of a producer: answered with the first append's offsets, and not appended. */
  #repeat(): void {
    const producerId = this.#producers[this.#prng.below(PRODUCERS)]!;
    const known = this.model.lastOf(producerId, this.model.hasRolledBack ? 1 : 5);
    const batch = known[this.#prng.below(Math.max(1, known.length))];
    const { log } = this.#log;
    if (batch === undefined || batch.baseOffset < log!.logStartOffset) return;
    this.#expectDuplicate(batch);
  }

  #expectDuplicate(batch: ModelBatch): void {
    const request = asRequest([batch]);
    const result = this.#log.log!.append(request.bytes, request.batches, {
      leaderEpoch: this.#epoch as LeaderEpoch,
      origin: 'leader',
    });
    if (!result.ok && result.error === 'KAFKA_STORAGE_ERROR') throw TidemarkError.from(result);
    invariant(
      result.ok && result.duplicate && (result.baseOffset as number) === batch.baseOffset,
      'the log recognises a retry',
      { result, baseOffset: batch.baseOffset },
    );
    this.#begun(result.written);
  }

  async #flush(): Promise<void> {
    const { log } = this.#log;
    const endOffset = log!.nextOffset;
    await log!.flush();
    this.model.claimed(endOffset);
  }

  async #truncate(): Promise<void> {
    await this.quiet();
    const log = this.#log.log!;
    const [start, end] = [log.logStartOffset as number, log.logEndOffset as number];
    if (end === start) return;
    const back = Math.min(end - start, 1 + this.#prng.below(this.#prng.chance(4) ? 200 : 12));
    const offset = Math.max(start, end - back);
    const cut = this.model.truncating(offset);
    await this.#clock.settle(log.truncateTo(offset as Offset));
    const expectedEnd = Math.max(cut, start);
    invariant((log.logEndOffset as number) === expectedEnd, 'a cut is at a batch boundary', { cut, offset });
    this.model.truncated(log.logEndOffset);
    // A producer whose every batch is gone may be unknown now, or remembered: it goes on as a new one.
    for (const [at, producerId] of this.#producers.entries()) {
      if (this.model.lastOf(producerId, 1).length === 0) this.#producers[at] = this.#nextProducerId++;
    }
  }

  async #restart(): Promise<void> {
    await this.quiet();
    const log = this.#log.log!;
    const offset = log.logEndOffset + 1 + this.#prng.below(100);
    this.model.restarting(offset);
    await this.#clock.settle(log.truncateFullyAndStartAt(offset as Offset));
    this.model.restarted(offset);
    for (const at of this.#producers.keys()) this.#producers[at] = this.#nextProducerId++;
  }

  async #deleteRecords(): Promise<void> {
    const log = this.#log.log!;
    const [start, end] = [log.logStartOffset as number, log.flushedOffset as number];
    if (end <= start) return;
    const offset = start + 1 + this.#prng.below(Math.min(end - start, 60));
    this.model.startMoving(offset);
    await log.deleteRecordsBefore(offset as Offset);
    this.model.startMoved(offset);
  }

  async #reopen(): Promise<void> {
    await this.quiet();
    const log = this.#log.log!;
    const [start, end] = [log.logStartOffset, log.logEndOffset];
    await this.#clock.settle(this.#log.close());
    this.#log.checkOnline();
    this.model.claimed(end);
    await this.#clock.settle(this.#log.open());
    const again = this.#log.log!;
    invariant(
      again.logStartOffset === start && again.logEndOffset === end,
      'a clean restart changes nothing',
      {
        start,
        end,
        startAfter: again.logStartOffset,
        endAfter: again.logEndOffset,
      },
    );
  }

  async #uninterrupted(work: () => Promise<void>): Promise<void> {
    await this.quiet();
    this.#interrupted = true;
    this.#log.checkOnline();
    await work();
    this.#log.checkOnline();
    this.#interrupted = false;
  }

  async #sometimesAwaited(work: Promise<unknown>): Promise<void> {
    this.#begun(work);
    if (this.#prng.chance(2)) await this.quiet();
  }
}
