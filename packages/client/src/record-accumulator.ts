// Records on their way into batches: chosen partition, open batch, memory. A record is encoded when it is added, straight into its
// batch; nothing is kept of it but its callback, if it has one. The memory of all batches that are not settled is bounded by
// buffer.memory; records beyond it, and those of topics not yet known, wait in line up to max.block.ms, in at most another
// buffer.memory of bytes; what comes on top fails at once. Order within a partition is the order of the calls, always.
import { TidemarkError, invariant } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import { BATCH_HEADER_BYTES, BatchBuilder } from '@tidemark/record';
import type { RecordHeader } from '@tidemark/record';
import type { ClusterMetadata, TopicInfo } from './cluster-metadata.ts';
import { PartitionQueue } from './partition-queue.ts';
import { StickyPartition, availablePartitions, checkedPartition, partitionForKey } from './partitioner.ts';
import type { Partitioner, PartitionerInput } from './partitioner.ts';
import { ProducerBatch } from './producer-batch.ts';
import type { BatchPlace } from './producer-batch.ts';
import type { ProducerMetrics } from './producer-metrics.ts';
import type { ProducerSettings } from './producer-settings.ts';
import type { DeliveryCallback } from './receipt.ts';
import { WaitingCohorts } from './waiting-cohorts.ts';
import { WaitingLine } from './waiting-line.ts';
import type { WaitingRecord } from './waiting-line.ts';

export interface AccumulatorOptions {
  readonly settings: ProducerSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metadata: ClusterMetadata;
  readonly partitioner: Partitioner | undefined;
  readonly metrics: ProducerMetrics;
  /** The broker has taken nothing for partitioner.availability.timeout.ms. */
  readonly isUnavailable: (brokerId: number) => boolean;
  /** The queue has a batch that may be sent. */
  readonly onReady: (queue: PartitionQueue) => void;
  /** Nothing waits for memory or metadata any more. */
  readonly onNothingWaits: () => void;
  /** A record that never made it into a batch. */
  readonly onRefused: (callback: DeliveryCallback | undefined, error: TidemarkError) => void;
}

interface TopicState {
  readonly name: string;
  readonly queues: PartitionQueue[];
  readonly sticky: StickyPartition;
  /** Whether the sticky partition has had a batch since it was chosen. */
  stickyUsed: boolean;
  info: TopicInfo | undefined;
  available: readonly number[];
  /** Records that came before the topic was known. */
  readonly unknown: WaitingLine;
}

const NO_HEADERS: readonly RecordHeader[] = [];
/** Lengths, attributes, deltas and the header count of one record, at most. */
const RECORD_OVERHEAD_BYTES = 36;

export class RecordAccumulator {
  readonly #options: AccumulatorOptions;
  readonly #batchSize: number;
  readonly #topics = new Map<string, TopicState>();
  /** Queues with an open batch that still lingers, the oldest batch first. */
  readonly #open = new Set<PartitionQueue>();
  /** Queues whose open batch was due when others waited before it; one of them may have gone since. */
  readonly #due = new Set<PartitionQueue>();
  readonly #free: BatchBuilder[] = [];
  /** Every batch that holds memory. */
  readonly #batches = new Set<ProducerBatch>();
  readonly #line: WaitingLine;
  readonly #cohorts = new WaitingCohorts();
  readonly #maxRecordBytes: number;
  #usedBytes = 0;
  #waitingBytes = 0;
  #nextOrdinal = 0;
  #eager = 0;
  #lingerTimer: Timer | undefined;

  constructor(options: AccumulatorOptions) {
    this.#options = options;
    this.#batchSize = Math.max(options.settings.batchSizeBytes, BATCH_HEADER_BYTES);
    const { maxRequestBytes, bufferMemoryBytes } = options.settings;
    this.#maxRecordBytes = Math.min(maxRequestBytes, bufferMemoryBytes) - BATCH_HEADER_BYTES;
    this.#line = new WaitingLine(options.clock, (records) => this.#blockedTooLong(records));
  }

  /** Every batch that was not released yet, the oldest first. */
  get batches(): ReadonlySet<ProducerBatch> {
    return this.#batches;
  }

  /** Records that wait for memory or metadata. */
  get waiting(): number {
    let count = this.#line.length;
    for (const topic of this.#topics.values()) count += topic.unknown.length;
    return count;
  }

  /** Resolves once no record waits that was added before: each is in a batch, or refused. */
  noneWaits(): Promise<void> {
    return this.#cohorts.left();
  }

  /** Topics of which something is not settled. */
  *busyTopics(): Iterable<string> {
    for (const { name, unknown, queues } of this.#topics.values()) {
      const isBusy = unknown.length > 0 || queues.some((queue) => !queue.isIdle);
      if (isBusy) yield name;
    }
  }

  *queues(): Iterable<PartitionQueue> {
    for (const topic of this.#topics.values()) yield* topic.queues;
  }

  /** True when the record is in a batch; false when it waits (its callback hears of it) or was refused. */
  add(
    topicName: string,
    partition: number | undefined,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
    timestampMs: number,
    callback: DeliveryCallback | undefined,
  ): boolean {
    const bytes = recordBytes(key, value, headers);
    if (bytes > this.#maxRecordBytes) {
      this.#refuse(callback, this.#tooLarge(topicName, bytes));
      return false;
    }
    if (!Number.isSafeInteger(timestampMs) || timestampMs < -1) {
      const text = `a record for topic "${topicName}" is of ${timestampMs}, not of whole milliseconds since 1970, or -1 for none`;
      this.#refuse(callback, new TidemarkError('INVALID_TIMESTAMP', text));
      return false;
    }
    const topic = this.#topics.get(topicName) ?? this.#addTopic(topicName);
    if (topic.info !== undefined && this.#line.length === 0) {
      try {
        const queue = this.#queueFor(topic, topic.info, partition, key, value, bytes);
        if (queue !== undefined) {
          queue.open!.append(timestampMs, key, value, headers, callback);
          this.#appended(queue);
          return true;
        }
      } catch (error) {
        this.#refuse(callback, error);
        return false;
      }
    }
    this.#wait(topic, { topic: topicName, partition, key, value, headers, timestampMs, callback, bytes });
    return false;
  }

  /** The batch left the window: its memory goes to who waits for it. */
  release(batch: ProducerBatch): void {
    this.#batches.delete(batch);
    this.#usedBytes -= batch.reservedBytes;
    this.#options.metrics.bufferedBytes = this.#usedBytes;
    const { builder } = batch;
    const keep =
      // A request that was never sent, on a connection given up, may refer to it still.
      batch.uncopied === 0 &&
      builder.capacityBytes <= 2 * this.#batchSize + 1024 &&
      this.#usedBytes + (this.#free.length + 1) * this.#batchSize <= this.#options.settings.bufferMemoryBytes;
    if (keep) {
      builder.reset();
      this.#free.push(builder);
    }
    this.#advance();
  }

  /** A batch that is in no queue yet. For the parts of one that is split buffer.memory may be exceeded for a moment. */
  newBatch(place: BatchPlace & { readonly capacityBytes: number }, recycled?: BatchBuilder): ProducerBatch {
    const { capacityBytes } = place;
    this.#usedBytes += capacityBytes;
    this.#options.metrics.bufferedBytes = this.#usedBytes;
    const builder = recycled ?? new BatchBuilder({ capacityBytes });
    const batch = new ProducerBatch({ ...place, builder, reservedBytes: capacityBytes });
    this.#batches.add(batch);
    return batch;
  }

  /** From here to `endEager` nothing lingers. */
  beginEager(): void {
    this.#eager += 1;
    for (const queue of [...this.#open]) this.#hasLingered(queue);
  }

  endEager(): void {
    this.#eager -= 1;
  }

  /** The topics' partitions may have changed. */
  metadataChanged(): void {
    for (const topic of this.#topics.values()) {
      const info = this.#options.metadata.topic(topic.name);
      if (info !== undefined && info !== topic.info) this.#learn(topic, info);
    }
  }

  /** Fails every record that is in no batch, and tells what they were. Nothing may be added afterwards. */
  drop(error: TidemarkError): readonly { topic: string; partition: number; records: number }[] {
    this.#lingerTimer?.cancel();
    const dropped: { topic: string; partition: number; records: number }[] = [];
    for (const line of [this.#line, ...[...this.#topics.values()].map(({ unknown }) => unknown)]) {
      for (const record of line.takeAll()) {
        dropped.push({ topic: record.topic, partition: record.partition ?? -1, records: 1 });
        this.#giveUp(record, error);
      }
      line.close();
    }
    return dropped;
  }

  /** A batch of the queue left it without being sent. */
  forgetOpen(queue: PartitionQueue): void {
    if (queue.open !== undefined) return;
    this.#open.delete(queue);
    this.#due.delete(queue);
  }

  #addTopic(name: string): TopicState {
    const { clock, random, metadata, settings } = this.#options;
    const queues: PartitionQueue[] = [];
    const load = (partition: number): number => {
      const queue = queues[partition];
      return queue === undefined ? 0 : queue.waiting + queue.inFlight;
    };
    const { isUnavailable } = this.#options;
    const topic: TopicState = {
      name,
      queues,
      sticky: new StickyPartition(
        random,
        settings.adaptivePartitioning ? { load, isUnavailable } : undefined,
      ),
      stickyUsed: false,
      info: undefined,
      available: [],
      unknown: new WaitingLine(clock, (records) => this.#blockedTooLong(records)),
    };
    this.#topics.set(name, topic);
    const info = metadata.topic(name);
    if (info !== undefined) this.#learn(topic, info);
    else this.#seek(topic, settings.maxBlockMs);
    return topic;
  }

  #seek(topic: TopicState, timeoutMs: number): void {
    const { metadata } = this.#options;
    metadata.waitForTopic(topic.name, timeoutMs).then(
      (info) => {
        if (topic.info === undefined) this.#learn(topic, info);
      },
      (error: unknown) => {
        // Whoever sends to it next starts another search.
        this.#topics.delete(topic.name);
        const cause =
          error instanceof TidemarkError ? error : new TidemarkError('UNKNOWN_SERVER_ERROR', String(error));
        for (const record of topic.unknown.takeAll()) this.#giveUp(record, cause);
        topic.unknown.close();
      },
    );
  }

  #learn(topic: TopicState, info: TopicInfo): void {
    topic.info = info;
    topic.available = availablePartitions(info);
    for (let partition = topic.queues.length; partition < info.partitions.length; partition++) {
      topic.queues.push(new PartitionQueue(topic.name, partition));
    }
    if (topic.unknown.length === 0) return;
    const { clock, settings } = this.#options;
    const deadlineMs = clock.monotonicMs() + settings.maxBlockMs;
    for (const record of topic.unknown.takeAll()) this.#line.push(record, deadlineMs);
    this.#advance();
  }

  /**
   * The queue whose open batch takes the record next, a new batch if need be. Undefined when there is no memory for one. Throws
   * INVALID_PARTITIONS when the partition is not one of the topic's.
   */
  #queueFor(
    topic: TopicState,
    info: TopicInfo,
    wanted: number | undefined,
    key: Uint8Array | null,
    value: Uint8Array | null,
    bytes: number,
  ): PartitionQueue | undefined {
    let partition =
      wanted === undefined ? this.#choose(topic, info, key, value) : checkedPartition(info, wanted);
    if (partition < 0) {
      partition = topic.sticky.current(info);
      if (!this.#fits(topic.queues[partition]!, bytes)) {
        if (topic.stickyUsed) partition = topic.sticky.next(info);
        topic.stickyUsed = true;
      }
    }
    const queue = topic.queues[partition]!;
    return this.#fits(queue, bytes) || this.#openBatch(queue, bytes) ? queue : undefined;
  }

  #appended(queue: PartitionQueue): void {
    if (queue.open!.builder.sizeBytes >= this.#batchSize) this.#close(queue);
    else if (this.#eager > 0 && !queue.isDue) this.#hasLingered(queue);
  }

  /** -1: the sticky one. */
  #choose(topic: TopicState, info: TopicInfo, key: Uint8Array | null, value: Uint8Array | null): number {
    const { partitioner } = this.#options;
    const partitionCount = info.partitions.length;
    if (partitioner !== undefined) {
      const { available, name } = topic;
      const chosen = chosenBy(partitioner, { topic: name, key, value, partitionCount, available });
      if (chosen !== undefined) return checkedPartition(info, chosen);
    }
    return key === null ? -1 : partitionForKey(key, partitionCount);
  }

  #fits(queue: PartitionQueue, bytes: number): boolean {
    return queue.open !== undefined && queue.open.builder.sizeBytes + bytes <= this.#batchSize;
  }

  /** Closes the open batch and begins another; false, and nothing done, when there is no memory. */
  #openBatch(queue: PartitionQueue, bytes: number): boolean {
    const capacityBytes = Math.max(this.#batchSize, BATCH_HEADER_BYTES + bytes);
    if (this.#usedBytes + capacityBytes > this.#options.settings.bufferMemoryBytes) return false;
    if (queue.open !== undefined) this.#close(queue);
    const recycled = capacityBytes === this.#batchSize ? this.#free.pop() : undefined;
    const { topic, partition } = queue;
    this.#options.metadata.use(topic);
    const createdAtMs = this.#options.clock.monotonicMs();
    const ordinal = this.#nextOrdinal++;
    queue.open = this.newBatch({ topic, partition, ordinal, span: 1, createdAtMs, capacityBytes }, recycled);
    this.#due.delete(queue);
    this.#open.add(queue);
    this.#watchLinger();
    return true;
  }

  #close(queue: PartitionQueue): void {
    this.#open.delete(queue);
    this.#due.delete(queue);
    queue.closeOpen();
    this.#options.onReady(queue);
  }

  /** The open batch goes at once or, behind others that wait, when its turn comes, with what is added until then. */
  #hasLingered(queue: PartitionQueue): void {
    if (queue.waiting === 0) {
      this.#close(queue);
      return;
    }
    queue.isDue = true;
    this.#open.delete(queue);
    this.#due.add(queue);
  }

  #closeAll(): void {
    for (const queue of [...this.#open, ...this.#due]) this.#close(queue);
  }

  /**
   * A record waits for memory. Batches under way bring some; only when there are none is it those still filling that hold it all.
   * Closing them earlier would make every batch a small one for as long as the memory is used up.
   */
  #makeRoom(): void {
    for (const queue of this.#due) if (!queue.isDue) this.#due.delete(queue);
    if (this.#open.size + this.#due.size === this.#batches.size) this.#closeAll();
  }

  /** One timer, for the oldest open batch. */
  #watchLinger(): void {
    if (this.#lingerTimer !== undefined) return;
    const [oldest] = this.#open;
    if (oldest?.open === undefined) return;
    const { clock, settings } = this.#options;
    const dueMs = oldest.open.createdAtMs + settings.lingerMs;
    this.#lingerTimer = clock.setTimer(Math.max(0, Math.ceil(dueMs - clock.monotonicMs())), () => {
      this.#lingerTimer = undefined;
      const createdAtMs = clock.monotonicMs() - settings.lingerMs;
      for (const queue of [...this.#open]) {
        if (queue.open === undefined || queue.open.createdAtMs > createdAtMs) break;
        this.#hasLingered(queue);
      }
      this.#watchLinger();
    });
  }

  #wait(topic: TopicState, waiting: Omit<WaitingRecord, 'cohort'>): void {
    const { settings, metrics } = this.#options;
    const { bufferMemoryBytes } = settings;
    if (this.#waitingBytes + waiting.bytes > bufferMemoryBytes) {
      const text = `buffer.memory (${bufferMemoryBytes}) is used up, and as much again waits for it; await ready() between sends`;
      this.#refuse(waiting.callback, new TidemarkError('REQUEST_TIMED_OUT', text));
      return;
    }
    const record = { ...waiting, cohort: this.#cohorts.join() };
    this.#waitingBytes += record.bytes;
    metrics.recordsWaiting += 1;
    const deadlineMs = this.#options.clock.monotonicMs() + settings.maxBlockMs;
    if (topic.info === undefined) {
      topic.unknown.push(record, Infinity);
      return;
    }
    this.#line.push(record, deadlineMs);
    this.#makeRoom();
  }

  #tooLarge(topic: string, bytes: number): TidemarkError {
    const { maxRequestBytes, bufferMemoryBytes } = this.#options.settings;
    const limit =
      maxRequestBytes <= bufferMemoryBytes
        ? `max.request.size (${maxRequestBytes})`
        : `buffer.memory (${bufferMemoryBytes})`;
    const text = `a record for topic "${topic}" takes up to ${bytes} bytes in a batch, above ${limit}`;
    return new TidemarkError('MESSAGE_TOO_LARGE', text);
  }

  /** Puts those in line into batches, as far as memory goes. */
  #advance(): void {
    for (let head = this.#line.peek(); head !== undefined; head = this.#line.peek()) {
      const topic = this.#topics.get(head.topic);
      invariant(topic?.info !== undefined, 'a record in line has a known topic');
      try {
        const queue = this.#queueFor(topic, topic.info, head.partition, head.key, head.value, head.bytes);
        if (queue === undefined) {
          this.#makeRoom();
          return;
        }
        queue.open!.append(head.timestampMs, head.key, head.value, head.headers, head.callback);
        this.#appended(queue);
      } catch (error) {
        this.#refuse(head.callback, error);
      }
      this.#line.shift();
      this.#left(head);
    }
  }

  #blockedTooLong(records: readonly WaitingRecord[]): void {
    const { maxBlockMs, bufferMemoryBytes } = this.#options.settings;
    const text = `waited max.block.ms (${maxBlockMs}) for room in buffer.memory (${bufferMemoryBytes})`;
    for (const record of records) this.#giveUp(record, new TidemarkError('REQUEST_TIMED_OUT', text));
  }

  #giveUp(record: WaitingRecord, error: TidemarkError): void {
    this.#left(record);
    this.#refuse(record.callback, error);
  }

  #left(record: WaitingRecord): void {
    this.#waitingBytes -= record.bytes;
    this.#options.metrics.recordsWaiting -= 1;
    this.#cohorts.leave(record.cohort);
    if (this.#options.metrics.recordsWaiting === 0) this.#options.onNothingWaits();
  }

  #refuse(callback: DeliveryCallback | undefined, error: unknown): void {
    if (!(error instanceof TidemarkError)) throw error;
    this.#options.onRefused(callback, error);
  }
}

/** What it throws fails the one record: others may be waiting behind it, and who lets them in is not who gave the record. */
function chosenBy(partitioner: Partitioner, input: PartitionerInput): number | undefined {
  try {
    return partitioner(input);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `the partitioner has no partition for a record for topic "${input.topic}": ${reason}`;
    throw new TidemarkError('INVALID_RECORD', text, { cause });
  }
}

/** What a record takes in a batch, at most. */
function recordBytes(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[] = NO_HEADERS,
): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  // A UTF-16 unit takes at most three bytes of UTF-8.
  for (const header of headers) bytes += 10 + header.key.length * 3 + (header.value?.length ?? 0);
  return bytes;
}
