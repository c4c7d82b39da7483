// `consumer.run`: records or batches to a handler, in order within a partition and several partitions at a time. A partition that is to be
// given up, and a run that is to end, wait for the record in hand and no further: the rest of the batch is handed out again, to whoever
// has the partition then.
import type { RecordCursor } from '@tidemark/record';
import { TidemarkError, invariant } from '@tidemark/core';
import type { ConsumerBatch } from './consumer-batch.ts';
import type { ConsumerRecord } from './consumer-record.ts';
import type { Fetcher } from './fetcher.ts';
import type { ConsumerGroup } from './group/consumer-group.ts';
import { batchCursor } from './record-reader.ts';
import type { ReadBatch, RecordReader } from './record-reader.ts';

export interface RunContext {
  /** Aborted when the partition is to be given up or the run ends: what is still done delays others. */
  readonly signal: AbortSignal;
  /** Everything of the partition below `nextOffset` is done. For `eachBatch` that wants to stop, or be committed, in between. */
  readonly done: (nextOffset: number) => void;
}

export interface RunOptions<K, V> {
  /** Either this ... */
  readonly eachMessage?: (record: ConsumerRecord<K, V>, context: RunContext) => Promise<void> | void;
  /** ... or this. When it returns after the signal was aborted, only what it said to be `done` is. */
  readonly eachBatch?: (batch: ConsumerBatch<K, V>, context: RunContext) => Promise<void> | void;
  /** Partitions that are worked on at a time. Default 1. */
  readonly concurrency?: number | undefined;
  /** Ends the run. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunSource<K, V> {
  readonly reader: RecordReader<K, V>;
  readonly fetcher: Fetcher;
  readonly group: ConsumerGroup | undefined;
  /** Throws what the application has to hear of. */
  readonly check: () => void;
  /** Until there is news. */
  readonly wait: () => Promise<void>;
  readonly onNews: () => void;
}

export class ConsumerRun<K, V> {
  /** Settled when nothing is in hand any more. */
  readonly done: Promise<void>;
  readonly #options: RunOptions<K, V>;
  readonly #source: RunSource<K, V>;
  readonly #tasks = new Set<Promise<void>>();
  readonly #stops = new Set<AbortController>();
  readonly #cursors: RecordCursor[] = [];
  #failure: { readonly error: unknown } | undefined;
  #isStopped = false;

  constructor(options: RunOptions<K, V>, source: RunSource<K, V>) {
    if ((options.eachMessage === undefined) === (options.eachBatch === undefined)) {
      throw new TidemarkError('INVALID_REQUEST', 'run: give eachMessage or eachBatch, one of them');
    }
    const { concurrency = 1 } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new TidemarkError(
        'INVALID_REQUEST',
        `run: concurrency is a whole number from 1 on, not ${concurrency}`,
      );
    }
    this.#options = options;
    this.#source = source;
    this.done = this.#run(concurrency);
  }

  /** Nothing new is begun; resolves when what is in hand is done. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#source.onNews();
    await this.done.catch(() => undefined);
  }

  async #run(concurrency: number): Promise<void> {
    const { check, wait } = this.#source;
    try {
      while (!this.#isOver()) {
        check();
        const begun = this.#tasks.size < concurrency && this.#begin();
        if (!begun) await wait();
      }
    } catch (error) {
      this.#failure ??= { error };
    }
    for (const stop of this.#stops) stop.abort(new Error('the run ends'));
    await Promise.all(this.#tasks);
    if (this.#failure !== undefined && !this.#isStopped) throw this.#failure.error;
  }

  #isOver(): boolean {
    return this.#isStopped || this.#failure !== undefined || this.#options.signal?.aborted === true;
  }

  #begin(): boolean {
    const cursor = this.#cursors.pop() ?? batchCursor();
    const read = this.#source.reader.nextBatch(cursor);
    if (read === undefined) {
      this.#cursors.push(cursor);
      return false;
    }
    read.partition.inProcess = true;
    this.#source.group?.gave(read.partition, read.batch.firstOffset);
    const task = this.#process(read).finally(() => {
      this.#cursors.push(cursor);
      this.#tasks.delete(task);
      this.#source.onNews();
    });
    this.#tasks.add(task);
    return true;
  }

  async #process(read: ReadBatch<K, V>): Promise<void> {
    const { partition, batch } = read;
    const { fetcher, group } = this.#source;
    const stop = new AbortController();
    this.#stops.add(stop);
    partition.interrupt = () => stop.abort(new Error(`${partition.name} is to be given up`));
    let next = batch.firstOffset;
    const context: RunContext = {
      signal: stop.signal,
      done: (nextOffset) => {
        next = Math.max(next, Math.min(nextOffset, batch.lastOffset + 1));
        group?.advanced(partition, next);
      },
    };
    try {
      if (await this.#hand(read, context)) next = batch.lastOffset + 1;
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#stops.delete(stop);
    partition.interrupt = undefined;
    partition.inProcess = false;
    if (partition.generation === read.generation) {
      // What was not done comes first next time; the credit for it has gone back already.
      if (next <= batch.lastOffset) partition.putBack(batch.bytes, next);
      fetcher.refresh(partition);
    }
    group?.handOuts.release(partition);
  }

  /** Answers whether the whole batch is done. */
  async #hand(read: ReadBatch<K, V>, context: RunContext): Promise<boolean> {
    const { partition, batch, generation } = read;
    const { eachBatch, eachMessage } = this.#options;
    if (eachBatch !== undefined) {
      await eachBatch(batch, context);
      return !context.signal.aborted;
    }
    invariant(eachMessage !== undefined, 'a run without a handler');
    for (const record of batch) {
      // The signal, or a seek of the handler itself.
      if (context.signal.aborted || partition.generation !== generation) return false;
      await eachMessage(record, context);
      context.done(record.offset + 1);
    }
    return true;
  }
}
