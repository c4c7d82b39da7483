// Consumer: reads partitions, each in order, from wherever it is told to, up to what is committed: those it is assigned by hand, or
// those its group gives it. A change of leader or a lost connection neither repeats nor skips a record. What is pushed ahead of the
// application is bounded in bytes; the broker pushes on as the application takes. Errors the application must decide about are thrown at
// it, and the partition waits there.
import { TidemarkError } from '@tidemark/core';
import { ApplicationReads } from './application-reads.ts';
import type { PollOptions } from './application-reads.ts';
import { wire } from './client-settings.ts';
import type { ClientOptions, Wiring } from './client-settings.ts';
import type { ConsumerBatch } from './consumer-batch.ts';
import { newConsumerMetrics } from './consumer-metrics.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import { ConsumerPartition } from './consumer-partition.ts';
import type { ConsumerRecord } from './consumer-record.ts';
import type { RecordDeserializers } from './consumer-record.ts';
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
import { checkPosition, lookUpOffsets, positionProblem } from './offset-lookup.ts';
import type { FoundOffset, LookupSpec, OffsetSpec } from './offset-lookup.ts';
import { abortReason } from './pause.ts';
import { RecordReader } from './record-reader.ts';
import { bytesDeserializer } from './serializers.ts';
import type { Deserializer } from './serializers.ts';
import { WholeTopics } from './whole-topics.ts';
import type { AssignAllOptions } from './whole-topics.ts';

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
  readonly #settings: ConsumerSettings;
  readonly #metrics = newConsumerMetrics();
  readonly #calls: LeaderCalls;
  readonly #fetcher: Fetcher;
  readonly #reader: RecordReader<K, V>;
  readonly #reads: ApplicationReads<K, V>;
  readonly #group: ConsumerGroup | undefined;
  readonly #onError: (error: unknown) => void;
  #whole: WholeTopics | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ConsumerOptions<K, V>) {
    this.#settings = consumerSettings(options.config, options.groupId);
    this.#wiring = wire(options);
    this.#onError = options.onError ?? ((): void => undefined);
    const { clock, random, connections, metadata } = this.#wiring;
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
      onNews: () => this.#reads.news(),
      onTruncation: options.onTruncation ?? warnOfTruncation,
    });
    this.#reader = new RecordReader(this.#fetcher, deserializersOf(options));
    this.#reads = new ApplicationReads({
      clock,
      maxPollRecords: this.#settings.maxPollRecords,
      fetcher: this.#fetcher,
      reader: this.#reader,
      group: () => this.#group,
    });
    if (group === undefined) return;
    this.#group = new ConsumerGroup({
      settings: { ...this.#settings, group },
      wiring: this.#wiring,
      fetcher: this.#fetcher,
      reader: this.#reader,
      onEvent: options.onGroupEvent ?? ((): void => undefined),
      onError: this.#onError,
      onNews: () => this.#reads.news(),
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
    const group = this.#requireGroup();
    this.#endWholeTopics();
    group.subscribe(topics, listener);
  }

  /** Gives up everything and leaves the group. */
  async unsubscribe({ timeoutMs = CLOSE_TIMEOUT_MS }: ConsumerCloseOptions = {}): Promise<void> {
    await this.#requireGroup().unsubscribe('the consumer has unsubscribed', timeoutMs);
  }

  /**
   * Commits where to go on: the offsets given, or else all that was handed out so far (and in `run` all that is done). Resolves when
   * the group has them; rejects with `CommitFailed`, e.g. when the partitions have gone to another member meanwhile, and with
   * INVALID_REQUEST for what is no offset.
   */
  async commit(offsets?: readonly OffsetToCommit[], options: CommitOptions = {}): Promise<void> {
    const group = this.#requireGroup();
    for (const { offset, ...at } of offsets ?? []) checkPosition(at, offset);
    await group.commit(offsets, options);
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
    this.#checkAssignable();
    for (const { position, ...at } of assignments) if (position !== undefined) checkPosition(at, position);
    this.#endWholeTopics();
    this.#assign(assignments);
  }

  /**
   * Reads every partition of these topics, by name or, with a pattern, of every topic it matches, and those that come later: for
   * consumers that all read everything. Nothing is shared; where to begin is the application's to say, or `auto.offset.reset`'s, and
   * what comes later is read from its start. Replaces what was assigned before. Resolves with what there is now; rejects when no broker
   * tells in `request.timeout.ms`. With a group it begins where the group is, like `assign`.
   */
  async assignAll(
    wanted: readonly string[] | RegExp,
    options: AssignAllOptions = {},
  ): Promise<readonly TopicPartition[]> {
    this.#checkAssignable();
    this.#endWholeTopics();
    this.#assign([]);
    const whole = new WholeTopics({
      ...options,
      wanted,
      directory: this.#wiring.metadata,
      timeoutMs: this.#settings.requestTimeoutMs,
      add: (at, position) => this.#addOfTopic(at, position),
      remove: (at) => this.#remove(at),
      onError: this.#onError,
    });
    this.#whole = whole;
    await whole.begin();
    return this.assignment;
  }

  /** Goes on from there. Throws INVALID_REQUEST when the partition is not assigned, or there can be no such position. */
  seek(at: TopicPartition, position: OffsetSpec): void {
    const partition = this.#assigned(at);
    checkPosition(at, position);
    this.#fetcher.moveTo(partition, position);
  }

  /** Nothing more of these until `resume`. What was pushed already is kept, as far as it leaves room for others of the same broker. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) {
      const partition = this.#assigned(at);
      this.#reader.putBack(partition);
      partition.paused = true;
      this.#fetcher.makeRoom(partition);
      this.#fetcher.refresh(partition);
    }
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) {
      const partition = this.#assigned(at);
      partition.paused = false;
      this.#fetcher.refresh(partition);
    }
    this.#reads.news();
  }

  /** Offset of the next record the application gets from the partition. Waits until it is known. */
  async position(at: TopicPartition, options: ReadOptions = {}): Promise<number> {
    for (;;) {
      const partition = this.#assigned(at);
      const position = this.#reader.position(partition);
      if (position >= 0) return position;
      if (partition.error !== undefined) throw partition.error;
      if (options.signal?.aborted === true) throw abortReason(options.signal);
      await this.#reads.wait(undefined, options.signal);
      this.#reads.checkOpen();
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
  async offsetsForTime(partitions: readonly TopicPartition[], timestampMs: number): Promise<FoundOffset[]> {
    for (const at of partitions) checkPosition(at, { timestampMs });
    return this.#lookUp(partitions, { timestampMs });
  }

  /** Up to `maxRecords`, as soon as there is one; none after `timeoutMs`. */
  poll(options: PollOptions = {}): Promise<ConsumerRecord<K, V>[]> {
    return this.#reads.poll(options);
  }

  /** Records without end, until `break`, `close()` or the signal. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<K, V>> {
    return this.records();
  }

  records(options: ReadOptions = {}): AsyncIterableIterator<ConsumerRecord<K, V>> {
    return this.#reads.records(options.signal);
  }

  /**
   * Whole batches, the fast way: no object for a record unless asked for. A batch counts as read when it is handed out. Do not
   * mix with poll() and records() on the same partitions.
   */
  batches(options: ReadOptions = {}): AsyncIterableIterator<ConsumerBatch<K, V>> {
    return this.#reads.batches(options.signal);
  }

  /**
   * Hands every record to `eachMessage`, or every batch to `eachBatch`: one after the other within a partition, up to `concurrency`
   * partitions at a time. What is handed out counts as done, and is committed, when the handler has returned. Resolves when the signal
   * says so or the consumer is closed, with what is in hand done; rejects with what a handler throws, whose record comes again.
   */
  run(options: RunOptions<K, V>): Promise<void> {
    return this.#reads.run(options);
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

  #checkAssignable(): void {
    this.#reads.checkOpen();
    if (this.#group?.isSubscribed === true) {
      throw new TidemarkError('INVALID_REQUEST', 'the group assigns what is read; unsubscribe first');
    }
    this.#group?.assignedByHand();
  }

  #assign(assignments: readonly Assignment[]): void {
    const wanted = new Set(assignments.map(({ topic, partition }) => `${topic}-${partition}`));
    for (const partition of [...this.#fetcher.partitions]) {
      if (!wanted.has(partition.name)) this.#fetcher.drop(partition);
    }
    for (const { position, ...at } of assignments) {
      const known = this.#fetcher.partition(at);
      if (known === undefined) this.#add(at, position, false);
      else if (position !== undefined) this.seek(known, position);
    }
  }

  #add(at: TopicPartition, position: OffsetSpec | undefined, goesWithTopic: boolean): ConsumerPartition {
    const partition = new ConsumerPartition(at.topic, at.partition);
    partition.goesWithTopic = goesWithTopic;
    partition.moveTo(position);
    this.#fetcher.add(partition);
    return partition;
  }

  /** Where it begins the application says while nobody waits: it hears of a position that is none when it reads. */
  #addOfTopic(at: TopicPartition, position: OffsetSpec | undefined): void {
    const wrong = position === undefined ? undefined : positionProblem(at, position);
    const partition = this.#add(at, wrong === undefined ? position : undefined, true);
    if (wrong !== undefined) this.#fetcher.fail(partition, wrong);
  }

  /** Answers where it was. */
  #remove(at: TopicPartition): OffsetSpec | undefined {
    const partition = this.#fetcher.partition(at);
    if (partition === undefined) return undefined;
    const position = this.#reader.position(partition);
    this.#fetcher.drop(partition);
    return position < 0 ? partition.wanted : position;
  }

  #endWholeTopics(): void {
    this.#whole?.close();
    this.#whole = undefined;
  }

  #assigned(at: TopicPartition): ConsumerPartition {
    this.#reads.checkOpen();
    const partition = this.#fetcher.partition(at);
    if (partition !== undefined) return partition;
    throw new TidemarkError(
      'INVALID_REQUEST',
      `${at.topic}-${at.partition} is not assigned to this consumer`,
    );
  }

  #lookUp(partitions: readonly TopicPartition[], spec: LookupSpec): Promise<FoundOffset[]> {
    const targets = partitions.map(({ topic, partition }) => ({ topic, partition, spec }));
    return lookUpOffsets(this.#calls, targets, this.#settings.requestTimeoutMs);
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#endWholeTopics();
    await this.#reads.close(timeoutMs);
    await this.#group?.close(timeoutMs);
    this.#fetcher.close();
    this.#wiring.metadata.close();
    this.#wiring.connections.close();
    this.#reads.news();
  }

  #requireGroup(): ConsumerGroup {
    this.#reads.checkOpen();
    if (this.#group !== undefined) return this.#group;
    const text =
      'the consumer is in no group: make it with a groupId, or have it read everything by assignAll';
    throw new TidemarkError('INVALID_GROUP_ID', text);
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
