// Consumer: reads partitions, each in order, from wherever it is told to, up to what is committed: those it is assigned by hand, or
// those its group gives it. A change of leader or a lost connection neither repeats nor skips a record. What is pushed ahead of the
// application is bounded in bytes; the broker pushes on as the application takes. Errors the application must decide about are thrown at
// it, and the partition waits there.
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import { wire } from './client-settings.ts';
import type { ClientOptions, Wiring } from './client-settings.ts';
import type { ConsumerBatch } from './consumer-batch.ts';
import { newConsumerMetrics } from './consumer-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import { ConsumerPartition } from './consumer-partition.ts';
import type { ConsumerRecord } from './consumer-record.ts';
import type { RecordDeserializers } from './consumer-record.ts';
import { ConsumerRun } from './consumer-run.ts';
import type { RunOptions } from './consumer-run.ts';
import { consumerSettings } from './consumer-settings.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { Fetcher } from './fetcher.ts';
import type { CommittedOffset } from './group/committed-offsets.ts';
import { ConsumerGroup } from './group/consumer-group.ts';
import type { GroupEventListener } from './group/group-events.ts';
import type { CommitOptions, OffsetToCommit } from './group/offset-commits.ts';
import type { RebalanceListener } from './group/rebalance-listener.ts';
import { LeaderCalls } from './leader-calls.ts';
import type { TopicPartition } from './leader-calls.ts';
import { warnOfTruncation } from './log-truncation.ts';
import type { ResumedTruncation } from './log-truncation.ts';
import { lookUpOffsets } from './offset-lookup.ts';
import type { FoundOffset, LookupSpec, OffsetSpec } from './offset-lookup.ts';
import { abortReason } from './pause.ts';
import { RecordReader } from './record-reader.ts';
import { bytesDeserializer } from './serializers.ts';
import type { Deserializer } from './serializers.ts';

export interface ConsumerOptions<K = Uint8Array, V = Uint8Array> extends ClientOptions {
  /** Default: bytes as they are. */
  readonly keyDeserializer?: Deserializer<K> | undefined;
  readonly valueDeserializer?: Deserializer<V> | undefined;
  /** Records that were read have been lost by an election, and reading goes on where the log differs. Default: a process warning. */
  readonly onTruncation?: ((truncation: ResumedTruncation) => void) | undefined;
  /** The same as `group.id` in `config`. */
  readonly groupId?: string | undefined;
  /** What goes wrong while nobody waits for it, e.g. an automatic commit. Default: nobody hears of it. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** What happens to the consumer as a member of its group. */
  readonly onGroupEvent?: GroupEventListener | undefined;
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

export interface ConsumerCloseOptions {
  /** For the last commit, the callbacks and leaving the group together; default 30 s. */
  readonly timeoutMs?: number | undefined;
}

export interface ReadOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

const CLOSE_TIMEOUT_MS = 30_000;

export class Consumer<K = Uint8Array, V = Uint8Array> {
  readonly #wiring: Wiring;
  readonly #clock: Clock;
  readonly #settings: ConsumerSettings;
  readonly #metrics = newConsumerMetrics();
  readonly #calls: LeaderCalls;
  readonly #fetcher: Fetcher;
  readonly #reader: RecordReader<K, V>;
  readonly #group: ConsumerGroup | undefined;
  readonly #waiting = new Set<() => void>();
  #run: ConsumerRun<K, V> | undefined;
  readonly #onError: (error: unknown) => void;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(options: ConsumerOptions<K, V>) {
    this.#settings = consumerSettings(options.config, options.groupId);
    this.#wiring = wire(options);
    this.#onError = options.onError ?? ((): void => undefined);
    const { clock, random, connections, metadata } = this.#wiring;
    this.#clock = clock;
    const { requestTimeoutMs, retryBackoff, group } = this.#settings;
    this.#calls = new LeaderCalls({ connections, metadata, clock, random, requestTimeoutMs, retryBackoff });
    this.#fetcher = new Fetcher({
      settings: this.#settings,
      clock,
      random,
      metadata,
      connections,
      calls: this.#calls,
      metrics: this.#metrics,
      committed: group === undefined ? undefined : (at) => this.#group!.find(at),
      onNews: () => this.#news(),
      onTruncation: options.onTruncation ?? warnOfTruncation,
    });
    this.#reader = new RecordReader(this.#fetcher, deserializersOf(options));
    if (group === undefined) return;
    this.#group = new ConsumerGroup({
      settings: { ...this.#settings, group },
      wiring: this.#wiring,
      fetcher: this.#fetcher,
      reader: this.#reader,
      onEvent: options.onGroupEvent ?? ((): void => undefined),
      onError: this.#onError,
      onNews: () => this.#news(),
    });
  }

  /** A snapshot. */
  get metrics(): Readonly<ConsumerMetrics> {
    return { ...this.#metrics };
  }

  get assignment(): readonly TopicPartition[] {
    return [...this.#fetcher.partitions].map(({ topic, partition }) => ({ topic, partition }));
  }

  /**
   * Takes part in the consumer's group: its members share the partitions of what they subscribe to, by name or, with a pattern, of
   * every topic it matches, also of those to come. Replaces what was subscribed to before.
   */
  subscribe(topics: readonly string[] | RegExp, listener: RebalanceListener = {}): void {
    this.#requireGroup().subscribe(topics, listener);
  }

  /** Gives up everything and leaves the group. */
  async unsubscribe({ timeoutMs = CLOSE_TIMEOUT_MS }: ConsumerCloseOptions = {}): Promise<void> {
    await this.#requireGroup().unsubscribe('the consumer has unsubscribed', timeoutMs);
  }

  /**
   * Commits where to go on: the offsets given, or else all that was handed out so far (and in `run` all that is done). Resolves when
   * the group has them; rejects with `CommitFailed`, e.g. when the partitions have gone to another member meanwhile.
   */
  async commit(offsets?: readonly OffsetToCommit[], options: CommitOptions = {}): Promise<void> {
    await this.#requireGroup().commit(offsets, options);
  }

  /** The same without waiting; commits take effect in the order of the calls. A failure goes to `onError`. */
  commitSoon(offsets?: readonly OffsetToCommit[]): void {
    this.commit(offsets).catch(this.#onError);
  }

  /** Where the group is, in the order asked; undefined: it has committed nothing there. */
  committed(partitions: readonly TopicPartition[]): Promise<(CommittedOffset | undefined)[]> {
    return this.#requireGroup().committed(partitions);
  }

  /**
   * Reads these partitions and no others. Those assigned before go on where they are, unless a position is given. A consumer with a
   * group begins where the group is, and commits for it without being a member: nobody else should.
   */
  assign(assignments: readonly Assignment[]): void {
    this.#checkOpen();
    if (this.#group?.isSubscribed === true) {
      throw new TidemarkError('INVALID_REQUEST', 'the group assigns what is read; unsubscribe first');
    }
    this.#group?.assignedByHand();
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
      this.#reader.putBack(partition);
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
      const position = this.#reader.position(partition);
      if (position >= 0) return position;
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
        const leftMs = deadlineMs - this.#clock.monotonicMs();
        if (records.length > 0 || leftMs <= 0) return records;
        await this.#wait(leftMs, options.signal);
      }
    } finally {
      this.#group?.leave();
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
    return this.#iterate(() => this.#nextBatch(), options.signal);
  }

  /**
   * Hands every record to `eachMessage`, or every batch to `eachBatch`: one after the other within a partition, up to `concurrency`
   * partitions at a time. What is handed out counts as done, and is committed, when the handler has returned. Resolves when the signal
   * says so or the consumer is closed, with what is in hand done; rejects with what a handler throws, whose record comes again.
   */
  async run(options: RunOptions<K, V>): Promise<void> {
    this.#checkOpen();
    if (this.#run !== undefined) throw new TidemarkError('INVALID_REQUEST', 'the consumer runs already');
    const run = new ConsumerRun(options, {
      reader: this.#reader,
      fetcher: this.#fetcher,
      group: this.#group,
      check: () => this.#check(),
      wait: () => this.#wait(undefined, options.signal),
      onNews: () => this.#news(),
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

  /**
   * Commits what the application is done with, gives up what the group gave it, leaves the group, ends every iteration and drops the
   * connections. What the application has in its hands is not committed: `commit()` before does that. Idempotent.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: ConsumerCloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
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

  async #close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    this.#news();
    if (this.#run !== undefined) await this.#noLongerThan(timeoutMs, this.#run.stop());
    await this.#group?.close(timeoutMs);
    this.#fetcher.close();
    this.#wiring.metadata.close();
    this.#wiring.connections.close();
    this.#news();
  }

  async #noLongerThan(timeoutMs: number, promise: Promise<void>): Promise<void> {
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => (timer = this.#clock.setTimer(timeoutMs, resolve)));
    await Promise.race([promise, over]);
    timer?.cancel();
  }

  #requireGroup(): ConsumerGroup {
    this.#checkOpen();
    if (this.#group !== undefined) return this.#group;
    throw new TidemarkError('INVALID_GROUP_ID', 'the consumer is in no group: make it with a groupId');
  }

  /** Whether there may be more for the application, which has come for it. */
  #check(): void {
    this.#checkOpen();
    this.#group?.check();
  }

  #enter(): void {
    this.#checkOpen();
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
    const record = this.#reader.next();
    if (record !== undefined) this.#group?.gave(this.#reader.partition!, record.offset);
    return record;
  }

  #nextBatch(): ConsumerBatch<K, V> | undefined {
    const read = this.#reader.nextBatch();
    if (read === undefined) return undefined;
    this.#group?.gave(read.partition, read.batch.firstOffset);
    return read.batch;
  }

  #iterate<T>(next: () => T | undefined, signal: AbortSignal | undefined): AsyncIterableIterator<T> {
    let ended = false;
    const isOver = (): boolean => ended || this.#closed || signal?.aborted === true;
    const waitForNext = async (): Promise<IteratorResult<T>> => {
      if (isOver()) return { done: true, value: undefined };
      this.#enter();
      try {
        while (!isOver()) {
          this.#group?.check();
          const value = next();
          if (value !== undefined) return { done: false, value };
          await this.#wait(undefined, signal);
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

/** The default gives what the default types of K and V are. */
function deserializersOf<K, V>(options: ConsumerOptions<K, V>): RecordDeserializers<K, V> {
  const asBytes = bytesDeserializer as Deserializer<unknown>;
  return {
    key: options.keyDeserializer ?? (asBytes as Deserializer<K>),
    value: options.valueDeserializer ?? (asBytes as Deserializer<V>),
  };
}
