// How the application gets its records: `poll`, iterations and `run`. Contract: each comes back when there is something, when the time or
// the signal says so, or when the consumer is closed; to come for more is to be done with what was given before, which the group is
// told. While `run` reads nobody else does.
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import type { ConsumerBatch } from './consumer-batch.ts';
import type { ConsumerRecord } from './consumer-record.ts';
import { ConsumerRun } from './consumer-run.ts';
import type { RunOptions } from './consumer-run.ts';
import type { Fetcher } from './fetcher.ts';
import type { ConsumerGroup } from './group/consumer-group.ts';
import { abortReason } from './pause.ts';
import type { RecordReader } from './record-reader.ts';

export interface PollOptions {
  /** Default: `max.poll.records`. */
  readonly maxRecords?: number | undefined;
  /** How long to wait for the first record, in ms. Default 0. */
  readonly timeoutMs?: number | undefined;
  /** Rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ApplicationReadsOptions<K, V> {
  readonly clock: Clock;
  readonly maxPollRecords: number;
  readonly fetcher: Fetcher;
  readonly reader: RecordReader<K, V>;
  readonly group: () => ConsumerGroup | undefined;
}

export class ApplicationReads<K, V> {
  readonly #options: ApplicationReadsOptions<K, V>;
  readonly #waiting = new Set<() => void>();
  #run: ConsumerRun<K, V> | undefined;
  #isClosed = false;

  constructor(options: ApplicationReadsOptions<K, V>) {
    this.#options = options;
  }

  get #group(): ConsumerGroup | undefined {
    return this.#options.group();
  }

  checkOpen(): void {
    if (this.#isClosed) throw new TidemarkError('INVALID_REQUEST', 'the consumer is closed');
  }

  /** Whoever waits looks again. */
  news(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Nothing more is handed out; resolves when `run` has nothing in hand any more, or after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    this.news();
    if (this.#run === undefined) return;
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => {
      timer = this.#options.clock.setTimer(timeoutMs, resolve);
    });
    await Promise.race([this.#run.stop(), over]);
    timer?.cancel();
  }

  async poll(options: PollOptions): Promise<ConsumerRecord<K, V>[]> {
    const { clock, maxPollRecords } = this.#options;
    const maxRecords = options.maxRecords ?? maxPollRecords;
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? 0);
    this.#enter();
    try {
      for (;;) {
        this.#check();
        if (options.signal?.aborted === true) throw abortReason(options.signal);
        const records: ConsumerRecord<K, V>[] = [];
        while (records.length < maxRecords) {
          const record = this.#nextOrLater(records.length > 0);
          if (record === undefined) break;
          records.push(record);
        }
        const leftMs = deadlineMs - clock.monotonicMs();
        if (records.length > 0 || leftMs <= 0) return records;
        await this.wait(leftMs, options.signal);
      }
    } finally {
      this.#group?.leave();
    }
  }

  records(signal: AbortSignal | undefined): AsyncIterableIterator<ConsumerRecord<K, V>> {
    return this.#iterate(() => this.#next(), signal);
  }

  batches(signal: AbortSignal | undefined): AsyncIterableIterator<ConsumerBatch<K, V>> {
    return this.#iterate(() => this.#nextBatch(), signal);
  }

  async run(options: RunOptions<K, V>): Promise<void> {
    this.checkOpen();
    if (this.#run !== undefined) throw new TidemarkError('INVALID_REQUEST', 'the consumer runs already');
    const { reader, fetcher } = this.#options;
    const run = new ConsumerRun(options, {
      reader,
      fetcher,
      group: this.#group,
      check: () => this.#check(),
      wait: () => this.wait(undefined, options.signal),
      onNews: () => this.news(),
    });
    this.#run = run;
    this.#group?.enter();
    try {
      await run.done;
    } finally {
      this.#run = undefined;
      this.#group?.leave();
    }
  }

  /** Until there is news, the time is over, or the signal says so; the caller looks which. */
  wait(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const wake = (): void => {
        timer?.cancel();
        signal?.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener('abort', wake);
      if (timeoutMs !== undefined) timer = this.#options.clock.setTimer(Math.ceil(timeoutMs), wake);
    });
  }

  /** Whether there may be more for the application, which has come for it. */
  #check(): void {
    this.checkOpen();
    this.#group?.check();
  }

  #enter(): void {
    this.checkOpen();
    if (this.#run !== undefined) throw new TidemarkError('INVALID_REQUEST', 'run() reads from this consumer');
    this.#group?.enter();
  }

  /** With records in hand an error is left for the next call: it is the partition's, and stays. */
  #nextOrLater(inHand: boolean): ConsumerRecord<K, V> | undefined {
    try {
      return this.#next();
    } catch (error) {
      if (inHand && error instanceof TidemarkError) return undefined;
      throw error;
    }
  }

  #next(): ConsumerRecord<K, V> | undefined {
    const { reader } = this.#options;
    const record = reader.next();
    if (record !== undefined) this.#group?.gave(reader.partition!, record.offset);
    return record;
  }

  #nextBatch(): ConsumerBatch<K, V> | undefined {
    const read = this.#options.reader.nextBatch();
    if (read === undefined) return undefined;
    this.#group?.gave(read.partition, read.batch.firstOffset);
    return read.batch;
  }

  #iterate<T>(next: () => T | undefined, signal: AbortSignal | undefined): AsyncIterableIterator<T> {
    let ended = false;
    const isOver = (): boolean => ended || this.#isClosed || signal?.aborted === true;
    const waitForNext = async (): Promise<IteratorResult<T>> => {
      if (isOver()) return { done: true, value: undefined };
      this.#enter();
      try {
        while (!isOver()) {
          this.#group?.check();
          const value = next();
          if (value !== undefined) return { done: false, value };
          await this.wait(undefined, signal);
        }
        return { done: true, value: undefined };
      } finally {
        this.#group?.leave();
      }
    };
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: waitForNext,
      return: () => {
        ended = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}
