// Consumer: reads assigned partitions, each in order, from wherever it is told to, up to what is committed. A change of leader or a
// lost connection neither repeats nor skips a record. What is pushed ahead of the application is bounded in bytes; the broker
// pushes on as the application takes. Errors the application must decide about are thrown at it, and the partition waits there.
import { nodeCodecs } from '@tidemark/compression';
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import { RecordCursor } from '@tidemark/record';
import { wire } from './client-settings.ts';
import type { ClientOptions, Wiring } from './client-settings.ts';
import { ConsumerBatch } from './consumer-batch.ts';
import { newConsumerMetrics } from './consumer-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import { ConsumerPartition } from './consumer-partition.ts';
import { ConsumerRecord } from './consumer-record.ts';
import type { RecordDeserializers } from './consumer-record.ts';
import { consumerSettings } from './consumer-settings.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { Fetcher } from './fetcher.ts';
import { LeaderCalls } from './leader-calls.ts';
import type { TopicPartition } from './leader-calls.ts';
import { warnOfTruncation } from './log-truncation.ts';
import type { ResumedTruncation } from './log-truncation.ts';
import { lookUpOffsets } from './offset-lookup.ts';
import type { FoundOffset, LookupSpec, OffsetSpec } from './offset-lookup.ts';
import { bytesDeserializer } from './serializers.ts';
import type { Deserializer } from './serializers.ts';

export interface ConsumerOptions<K = Uint8Array, V = Uint8Array> extends ClientOptions {
  /** Default: bytes as they are. */
  readonly keyDeserializer?: Deserializer<K> | undefined;
  readonly valueDeserializer?: Deserializer<V> | undefined;
  /** Records that were read have been lost by an election, and reading goes on where the log differs. Default: a process warning. */
  readonly onTruncation?: ((truncation: ResumedTruncation) => void) | undefined;
}

export interface Assignment extends TopicPartition {
  /** Where to begin. Absent: as `auto.offset.reset` says. */
  readonly position?: OffsetSpec | undefined;
}

export interface PollOptions {
  /** Default: `max.poll.records`. */
  readonly maxRecords?: number | undefined;
  /** How long to wait for the first record, in ms. Default 0. */
  readonly timeoutMs?: number | undefined;
  /** Rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

export class Consumer<K = Uint8Array, V = Uint8Array> {
  readonly #wiring: Wiring;
  readonly #clock: Clock;
  readonly #settings: ConsumerSettings;
  readonly #metrics = newConsumerMetrics();
  readonly #calls: LeaderCalls;
  readonly #fetcher: Fetcher;
  readonly #deserializers: RecordDeserializers<K, V>;
  readonly #batchCursor: RecordCursor;
  readonly #recordCursor: RecordCursor;
  readonly #waiting = new Set<() => void>();
  /** The batch that poll() and the record iterator are in. */
  #current: { batch: ConsumerBatch<K, V>; partition: ConsumerPartition; generation: number } | undefined;
  #closed = false;

  constructor(options: ConsumerOptions<K, V>) {
    this.#settings = consumerSettings(options.config);
    this.#wiring = wire(options);
    const { clock, random, connections, metadata } = this.#wiring;
    this.#clock = clock;
    const { requestTimeoutMs, retryBackoff } = this.#settings;
    this.#calls = new LeaderCalls({ connections, metadata, clock, random, requestTimeoutMs, retryBackoff });
    // The default gives what the default types of K and V are.
    const asBytes = bytesDeserializer as Deserializer<unknown>;
    this.#deserializers = {
      key: options.keyDeserializer ?? (asBytes as Deserializer<K>),
      value: options.valueDeserializer ?? (asBytes as Deserializer<V>),
    };
    // The fetcher has checked the CRC before a cursor sees the batch.
    const codecs = nodeCodecs();
    this.#batchCursor = new RecordCursor({ codecs, checkCrcs: false });
    this.#recordCursor = new RecordCursor({ codecs, checkCrcs: false });
    this.#fetcher = new Fetcher({
      settings: this.#settings,
      clock,
      random,
      metadata,
      connections,
      calls: this.#calls,
      metrics: this.#metrics,
      onNews: () => this.#news(),
      onTruncation: options.onTruncation ?? warnOfTruncation,
    });
  }

  /** A snapshot. */
  get metrics(): Readonly<ConsumerMetrics> {
    return { ...this.#metrics };
  }

  get assignment(): readonly TopicPartition[] {
    return [...this.#fetcher.partitions].map(({ topic, partition }) => ({ topic, partition }));
  }

  /** Reads these partitions and no others. Those assigned before go on where they are, unless a position is given. */
  assign(assignments: readonly Assignment[]): void {
    this.#checkOpen();
    const wanted = new Set(assignments.map(({ topic, partition }) => `${topic}-${partition}`));
    for (const partition of [...this.#fetcher.partitions]) {
      if (!wanted.has(partition.name)) this.#fetcher.drop(partition);
    }
    for (const { topic, partition: index, position } of assignments) {
      const known = this.#fetcher.partition({ topic, partition: index });
      if (known === undefined) {
        const partition = new ConsumerPartition(topic, index);
        partition.moveTo(position);
        this.#fetcher.add(partition);
      } else if (position !== undefined) this.seek(known, position);
    }
  }

  /** Goes on from there. Throws INVALID_REQUEST when the partition is not assigned. */
  seek(at: TopicPartition, position: OffsetSpec): void {
    this.#fetcher.moveTo(this.#assigned(at), position);
  }

  /** Nothing more of these until `resume`; what was pushed already is kept. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) {
      const partition = this.#assigned(at);
      this.#putBack(partition);
      partition.paused = true;
      this.#fetcher.refresh(partition);
    }
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) {
      const partition = this.#assigned(at);
      partition.paused = false;
      this.#fetcher.refresh(partition);
    }
    this.#news();
  }

  /** Offset of the next record the application gets from the partition. Waits until it is known. */
  async position(at: TopicPartition, options: ReadOptions = {}): Promise<number> {
    for (;;) {
      const partition = this.#assigned(at);
      if (this.#reading(partition)) return this.#nextOffset();
      if (partition.position >= 0) return partition.position;
      if (partition.error !== undefined) throw partition.error;
      if (options.signal?.aborted === true) throw abortReason(options.signal);
      await this.#wait(undefined, options.signal);
      this.#checkOpen();
    }
  }

  /** Of each partition the first offset it still has. */
  beginningOffsets(partitions: readonly TopicPartition[]): Promise<FoundOffset[]> {
    return this.#lookUp(partitions, 'start');
  }

  /** Of each partition the offset behind the last committed record. */
  endOffsets(partitions: readonly TopicPartition[]): Promise<FoundOffset[]> {
    return this.#lookUp(partitions, 'end');
  }

  /** Of each partition the first record at or after the time; offset -1 when there is none. */
  offsetsForTime(partitions: readonly TopicPartition[], timestampMs: number): Promise<FoundOffset[]> {
    return this.#lookUp(partitions, { timestampMs });
  }

  /** Up to `maxRecords`, as soon as there is one; none after `timeoutMs`. */
  async poll(options: PollOptions = {}): Promise<ConsumerRecord<K, V>[]> {
    const maxRecords = options.maxRecords ?? this.#settings.maxPollRecords;
    const deadlineMs = this.#clock.monotonicMs() + (options.timeoutMs ?? 0);
    for (;;) {
      this.#checkOpen();
      if (options.signal?.aborted === true) throw abortReason(options.signal);
      const records: ConsumerRecord<K, V>[] = [];
      while (records.length < maxRecords) {
        const record = this.#nextOrLater(records.length > 0);
        if (record === undefined) break;
        records.push(record);
      }
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      if (records.length > 0 || leftMs <= 0) return records;
      await this.#wait(leftMs, options.signal);
    }
  }

  /** Records without end, until `break`, `close()` or the signal. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<K, V>> {
    return this.records();
  }

  records(options: ReadOptions = {}): AsyncIterableIterator<ConsumerRecord<K, V>> {
    return this.#iterate(() => this.#next(), options.signal);
  }

  /**
   * Whole batches, the fast way: no object for a record unless asked for. A batch counts as read when it is handed out. Do not
   * mix with poll() and records() on the same partitions.
   */
  batches(options: ReadOptions = {}): AsyncIterableIterator<ConsumerBatch<K, V>> {
    return this.#iterate(() => this.#nextBatch(this.#batchCursor), options.signal);
  }

  /** Ends every iteration and drops the connections. Idempotent. */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#fetcher.close();
    this.#wiring.metadata.close();
    this.#wiring.connections.close();
    this.#news();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assigned(at: TopicPartition): ConsumerPartition {
    this.#checkOpen();
    const partition = this.#fetcher.partition(at);
    if (partition !== undefined) return partition;
    throw new TidemarkError(
      'INVALID_REQUEST',
      `${at.topic}-${at.partition} is not assigned to this consumer`,
    );
  }

  #checkOpen(): void {
    if (this.#closed) throw new TidemarkError('INVALID_REQUEST', 'the consumer is closed');
  }

  #lookUp(partitions: readonly TopicPartition[], spec: LookupSpec): Promise<FoundOffset[]> {
    const targets = partitions.map(({ topic, partition }) => ({ topic, partition, spec }));
    return lookUpOffsets(this.#calls, targets, this.#settings.requestTimeoutMs);
  }

  /** Whether a batch of the partition is being read record by record. A seek ends that. */
  #reading(partition: ConsumerPartition): boolean {
    const current = this.#current;
    return current?.partition === partition && current.generation === partition.generation;
  }

  /** Of the batch being read. */
  #nextOffset(): number {
    const next = this.#recordCursor.nextOffset;
    return Math.max(next, this.#current?.batch.firstOffset ?? next);
  }

  #putBack(partition: ConsumerPartition): void {
    if (!this.#reading(partition)) return;
    partition.putBack(this.#current!.batch.bytes, this.#nextOffset());
    this.#current = undefined;
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
    for (;;) {
      const current = this.#current;
      if (current !== undefined && this.#reading(current.partition)) {
        const { topic, partition } = current.batch;
        if (this.#recordCursor.next()) {
          return new ConsumerRecord(topic, partition, this.#recordCursor, this.#deserializers);
        }
        this.#current = undefined;
        this.#checkWhole(current);
      }
      const batch = this.#nextBatch(this.#recordCursor);
      if (batch === undefined) return undefined;
      const partition = this.#fetcher.partition(batch)!;
      batch.cursor();
      this.#current = { batch, partition, generation: partition.generation };
    }
  }

  /** The CRC was right and still the records are not what they say: the partition waits there. */
  #checkWhole({ batch, partition }: { batch: ConsumerBatch<K, V>; partition: ConsumerPartition }): void {
    try {
      batch.check(this.#recordCursor);
    } catch (error) {
      if (error instanceof TidemarkError) {
        partition.position = Math.max(this.#recordCursor.nextOffset, batch.firstOffset);
        this.#fetcher.fail(partition, error);
      }
      throw error;
    }
  }

  #nextBatch(cursor: RecordCursor): ConsumerBatch<K, V> | undefined {
    const taken = this.#fetcher.take();
    if (taken === undefined) return undefined;
    const { partition, bytes, fromOffset } = taken;
    return new ConsumerBatch(bytes, {
      topic: partition.topic,
      partition: partition.partition,
      highWatermark: partition.highWatermark,
      fromOffset,
      cursor,
      deserializers: this.#deserializers,
    });
  }

  #iterate<T>(next: () => T | undefined, signal: AbortSignal | undefined): AsyncIterableIterator<T> {
    let ended = false;
    const isOver = (): boolean => ended || this.#closed || signal?.aborted === true;
    const waitForNext = async (): Promise<IteratorResult<T>> => {
      while (!isOver()) {
        const value = next();
        if (value !== undefined) return { done: false, value };
        await this.#wait(undefined, signal);
      }
      return { done: true, value: undefined };
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

  #news(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Until there is news, the time is over, or the signal says so; the caller looks which. */
  #wait(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
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
      if (timeoutMs !== undefined) timer = this.#clock.setTimer(Math.ceil(timeoutMs), wake);
    });
  }
}

function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
