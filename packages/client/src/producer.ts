// Producer: writes records into the partitions of topics, in batches, with as much safety as `acks` and `enable.idempotence` ask
// for. It keeps the order of the calls within each partition, also over failures (without idempotence: with one request in
// flight). What it takes it settles, exactly once for each record: stored, or failed with the reason.
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import { nodeCodecs } from '@tidemark/compression';
import type { Codecs, RecordHeader } from '@tidemark/record';
import { splitBatch } from './batch-splitter.ts';
import { wire } from './client-settings.ts';
import type { ClientOptions, Wiring } from './client-settings.ts';
import type { PartitionInfo } from './cluster-metadata.ts';
import { EarliestTimer } from './earliest-timer.ts';
import { InterceptorChain } from './interceptors.ts';
import type { ProducerInterceptor } from './interceptors.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { Partitioner } from './partitioner.ts';
import type { ProducerBatch } from './producer-batch.ts';
import { ProducerIdentity } from './producer-identity.ts';
import { newProducerMetrics } from './producer-metrics.ts';
import type { ProducerMetrics } from './producer-metrics.ts';
import { NO_HEADERS, recordHeaders } from './producer-record.ts';
import type { ProducerRecord } from './producer-record.ts';
import { ProducerSender } from './producer-sender.ts';
import { producerSettings } from './producer-settings.ts';
import type { ProducerSettings } from './producer-settings.ts';
import type { BatchReceipt, DeliveryCallback, Receipt } from './receipt.ts';
import { RecordAccumulator } from './record-accumulator.ts';
import { bytesSerializer } from './serializers.ts';
import { withTraceContext } from './trace-context.ts';
import type { Bytes, Serializer } from './serializers.ts';

export interface ProducerOptions<K = Bytes, V = Bytes> extends ClientOptions {
  /** Default: text as UTF-8, bytes as they are. */
  readonly keySerializer?: Serializer<K> | undefined;
  readonly valueSerializer?: Serializer<V> | undefined;
  /** Default: by key as Kafka does it; without a key, sticky. */
  readonly partitioner?: Partitioner | undefined;
  readonly interceptors?: readonly ProducerInterceptor<K, V>[] | undefined;
  /**
   * Adds `traceparent` and `tracestate` of the active OpenTelemetry span to records that bring none. Not to those of `sendBytes`, which
   * have the headers they are given. Default: false.
   */
  readonly traceHeaders?: boolean | undefined;
  /** What has nobody else to tell: failures of records sent one-way, and callbacks and interceptors that throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** What a producer had not delivered when it closed. */
export interface CloseReport {
  readonly unsentRecords: number;
  /** Only those with undelivered records, and among them those that wait for a topic's partitions as partition -1. */
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly records: number;
  }[];
  /** Why the first of them was not delivered, as far as it is known. */
  readonly firstError: TidemarkError | undefined;
}

/** Somebody who waits for these to be settled. */
interface Flush {
  readonly batches: Set<ProducerBatch>;
  readonly resolve: () => void;
}

export class Producer<K = Bytes, V = Bytes> {
  readonly #wiring: Wiring;
  readonly #clock: Clock;
  readonly #settings: ProducerSettings;
  readonly #codecs: Codecs;
  readonly #metrics = newProducerMetrics();
  readonly #identity: ProducerIdentity | undefined;
  readonly #sender: ProducerSender;
  readonly #accumulator: RecordAccumulator;
  readonly #interceptors: InterceptorChain<K, V>;
  readonly #keySerializer: Serializer<K>;
  readonly #valueSerializer: Serializer<V>;
  readonly #onError: (error: unknown) => void;
  readonly #traceHeaders: boolean;
  readonly #flushes = new Set<Flush>();
  readonly #onRoom = new Set<() => void>();
  #wallNow = 0;
  #wallReads = 0;
  readonly #forgetWall = (): void => {
    this.#wallReads = 0;
  };
  readonly #expiryTimer: EarliestTimer;
  #closing: Promise<CloseReport> | undefined;

  constructor(options: ProducerOptions<K, V>) {
    this.#settings = producerSettings(options.config);
    this.#wiring = wire(options);
    const { clock, random, connections, metadata } = this.#wiring;
    const settings = this.#settings;
    this.#clock = clock;
    this.#codecs = nodeCodecs();
    this.#onError = options.onError ?? ((): void => undefined);
    this.#traceHeaders = options.traceHeaders ?? false;
    this.#expiryTimer = new EarliestTimer(clock, () => this.#expire());
    this.#interceptors = new InterceptorChain(options.interceptors ?? [], (error) => {
      this.#metrics.interceptorErrors += 1;
      this.#onError(error);
    });
    // The default takes what the default types of K and V are.
    this.#keySerializer = options.keySerializer ?? (bytesSerializer as unknown as Serializer<K>);
    this.#valueSerializer = options.valueSerializer ?? (bytesSerializer as unknown as Serializer<V>);
    const metrics = this.#metrics;
    this.#accumulator = new RecordAccumulator({
      settings,
      clock,
      random,
      metadata,
      metrics,
      partitioner: options.partitioner,
      isUnavailable: (brokerId) => this.#sender.isUnavailable(brokerId),
      onReady: (queue) => this.#ready(queue),
      onNothingWaits: () => this.#checkRoom(),
      onRefused: (callback, error) => this.#refused(callback, error),
    });
    if (settings.idempotence) {
      const { requestTimeoutMs, retryBackoff } = settings;
      const onReady = (): void => this.#sender.wake();
      this.#identity = new ProducerIdentity({
        connections,
        metadata,
        clock,
        random,
        requestTimeoutMs,
        retryBackoff,
        onReady,
      });
    }
    this.#sender = new ProducerSender({
      settings,
      codecs: this.#codecs,
      clock,
      random,
      metadata,
      connections,
      identity: this.#identity,
      metrics,
      onSettled: (batch, receipt, error) => this.#settled(batch, receipt, error),
      onReleased: (batch) => this.#released(batch),
      split: (batch) => this.#split(batch),
    });
    metadata.keepTopics(() => this.#accumulator.busyTopics());
    metadata.onChange(() => {
      this.#accumulator.metadataChanged();
      this.#sender.leadersChanged();
    });
  }

  /** A snapshot. */
  get metrics(): Readonly<ProducerMetrics> {
    return { ...this.#metrics };
  }

  /**
   * Sends one record. Resolves with its receipt once `acks` is satisfied; rejects with the `TidemarkError` that ended its
   * delivery. While `buffer.memory` is used up, or the topic is not known, it waits up to `max.block.ms`.
   */
  send(record: ProducerRecord<K, V>): Promise<Receipt>;
  send(record: ProducerRecord<K, V>, callback: DeliveryCallback): void;
  send(record: ProducerRecord<K, V>, callback?: DeliveryCallback): Promise<Receipt> | undefined {
    if (callback !== undefined) {
      this.#take(record, (error, receipt) => this.#callBack(callback, error, receipt));
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#take(record, (error, receipt) => {
        if (error !== undefined) reject(error);
        else resolve(receipt!);
      });
    });
  }

  /** Sends without telling: failures go to `onError` and the metrics. False: await `ready()` before the next one. */
  sendOneWay(record: ProducerRecord<K, V>): boolean {
    return this.#take(record, undefined);
  }

  /**
   * The fastest way in: bytes as they are, no interceptors, nothing allocated for the record. Otherwise as `sendOneWay`. The bytes
   * are copied before it returns, unless it answers false: then they must stay as they are until `ready()`.
   */
  sendBytes(
    topic: string,
    partition: number | undefined,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
    timestampMs: number = this.#wallMs(),
  ): boolean {
    if (this.#closing !== undefined) throw closedError();
    this.#metrics.recordsAccepted += 1;
    return this.#accumulator.add(topic, partition, key, value, headers, timestampMs, undefined);
  }

  /** Resolves once nothing waits for memory or metadata. */
  ready(): Promise<void> {
    if (this.#metrics.recordsWaiting === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onRoom.add(resolve));
  }

  /** Sends what lingers. Resolves once every record taken before has been settled, one way or the other. */
  async flush(): Promise<void> {
    this.#accumulator.beginEager();
    try {
      await this.#accumulator.noneWaits();
      const batches = new Set(this.#accumulator.batches);
      if (batches.size > 0) {
        await new Promise<void>((resolve) => this.#flushes.add({ batches, resolve }));
      }
    } finally {
      this.#accumulator.endEager();
    }
  }

  /** The topic's partitions and their leaders. Waits for an unknown topic up to `max.block.ms`. */
  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    const info = await this.#wiring.metadata.waitForTopic(topic, this.#settings.maxBlockMs);
    return info.partitions;
  }

  /**
   * Takes no more records, delivers what it has for up to `timeoutMs` (default: as long as `delivery.timeout.ms` lets it), and
   * closes its connections. What is left then fails, and the report says what it was.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<CloseReport> {
    this.#closing ??= this.#close(options.timeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Reading the clock for each of a million records a second costs more than encoding them: in one task, every 64th reads it. */
  #wallMs(): number {
    if (this.#wallReads === 0) {
      this.#wallNow = this.#clock.wallMs();
      queueMicrotask(this.#forgetWall);
    }
    this.#wallReads = (this.#wallReads + 1) & 63;
    return this.#wallNow;
  }

  #take(record: ProducerRecord<K, V>, callback: DeliveryCallback | undefined): boolean {
    if (this.#closing !== undefined) {
      if (callback === undefined) throw closedError();
      callback(closedError(), undefined);
      return false;
    }
    let present = record;
    let done = callback;
    if (!this.#interceptors.isEmpty) {
      present = this.#interceptors.onSend(record);
      done = (error, receipt) => {
        this.#interceptors.onAcknowledgement(receipt, error);
        if (callback !== undefined) callback(error, receipt);
        else if (error !== undefined) this.#onError(error);
      };
    }
    const { topic } = present;
    let key: Uint8Array | null;
    let value: Uint8Array | null;
    try {
      key =
        present.key === undefined || present.key === null ? null : this.#keySerializer(present.key, topic);
      value =
        present.value === undefined || present.value === null
          ? null
          : this.#valueSerializer(present.value, topic);
    } catch (cause) {
      const text = `a record for topic "${topic}" cannot be serialized: ${cause instanceof Error ? cause.message : String(cause)}`;
      this.#refused(done, new TidemarkError('INVALID_RECORD', text, { cause }));
      return false;
    }
    this.#metrics.recordsAccepted += 1;
    const timestampMs = present.timestampMs ?? this.#wallMs();
    const given = recordHeaders(present.headers);
    const headers = this.#traceHeaders ? withTraceContext(given) : given;
    return this.#accumulator.add(topic, present.partition, key, value, headers, timestampMs, done);
  }

  /** What it throws must not keep the other records of its batch from being told. */
  #callBack(
    callback: DeliveryCallback,
    error: TidemarkError | undefined,
    receipt: Receipt | undefined,
  ): void {
    try {
      callback(error, receipt);
    } catch (thrown) {
      this.#onError(thrown);
    }
  }

  #ready(queue: PartitionQueue): void {
    this.#sender.markReady(queue);
    this.#watchExpiry(queue.oldestMs);
  }

  /** A record that never was in a batch. */
  #refused(callback: DeliveryCallback | undefined, error: TidemarkError): void {
    this.#metrics.recordsFailed += 1;
    if (callback !== undefined) callback(error, undefined);
    else this.#onError(error);
    this.#checkRoom();
  }

  #settled(batch: ProducerBatch, receipt: BatchReceipt | undefined, error: TidemarkError | undefined): void {
    if (receipt !== undefined) {
      this.#metrics.recordsAcknowledged += batch.recordCount;
      batch.succeed(receipt);
    } else if (error !== undefined) {
      this.#metrics.recordsFailed += batch.recordCount;
      if (batch.fail(error) < batch.recordCount) this.#onError(error);
    }
  }

  #released(batch: ProducerBatch): void {
    this.#accumulator.release(batch);
    for (const flush of this.#flushes) {
      flush.batches.delete(batch);
      if (flush.batches.size > 0) continue;
      this.#flushes.delete(flush);
      flush.resolve();
    }
  }

  #checkRoom(): void {
    if (this.#metrics.recordsWaiting > 0) return;
    for (const resolve of this.#onRoom) resolve();
    this.#onRoom.clear();
  }

  #split(batch: ProducerBatch): readonly ProducerBatch[] {
    const parts = splitBatch(batch, this.#codecs, (place, capacityBytes) =>
      this.#accumulator.newBatch({ ...place, capacityBytes }),
    );
    for (const { batches } of this.#flushes) {
      if (batches.has(batch)) for (const part of parts) batches.add(part);
    }
    return parts;
  }

  /** One timer, for the oldest batch of all: one that lingered is heard of after younger ones of other partitions. */
  #watchExpiry(oldestMs: number | undefined): void {
    if (oldestMs === undefined) return;
    const now = this.#clock.monotonicMs();
    this.#expiryTimer.wakeAt(Math.max(now, oldestMs + this.#settings.deliveryTimeoutMs), now);
  }

  #expire(): void {
    const createdAtMs = this.#clock.monotonicMs() - this.#settings.deliveryTimeoutMs;
    let oldestMs: number | undefined;
    for (const queue of this.#accumulator.queues()) {
      // Those in flight keep their memory and their place until the answer comes: it may be on the wire right now.
      for (const batch of queue.overdue(createdAtMs)) this.#settled(batch, undefined, this.#tooLate(batch));
      for (const batch of queue.expire(createdAtMs)) {
        this.#settled(batch, undefined, this.#tooLate(batch));
        this.#accumulator.forgetOpen(queue);
        this.#released(batch);
      }
      const oldest = queue.oldestMs;
      if (oldest !== undefined && (oldestMs === undefined || oldest < oldestMs)) oldestMs = oldest;
    }
    this.#watchExpiry(oldestMs);
    this.#sender.wake();
  }

  #tooLate(batch: ProducerBatch): TidemarkError {
    const cause = batch.lastError ?? this.#identity?.lastError;
    const why = cause === undefined ? '' : `; the last attempt failed: ${cause.message}`;
    const text = `${batch.topic}-${batch.partition}: not delivered in ${this.#settings.deliveryTimeoutMs} ms (delivery.timeout.ms) after ${batch.attempts} attempts${why}`;
    return new TidemarkError('REQUEST_TIMED_OUT', text, { cause });
  }

  async #close(timeoutMs: number | undefined): Promise<CloseReport> {
    const { metadata, connections } = this.#wiring;
    let timer: Timer | undefined;
    const timeout = new Promise<void>((resolve) => {
      if (timeoutMs !== undefined) timer = this.#clock.setTimer(timeoutMs, resolve);
    });
    await Promise.race([this.flush().then(() => this.#sender.finish()), timeout]);
    timer?.cancel();
    const report = this.#failRest();
    this.#expiryTimer.cancel();
    this.#identity?.close();
    this.#sender.close();
    metadata.close();
    connections.close();
    return report;
  }

  #failRest(): CloseReport {
    const left = new TidemarkError(
      'REQUEST_TIMED_OUT',
      'the producer was closed before the record was delivered',
    );
    const counts = new Map<string, { topic: string; partition: number; records: number }>();
    const count = (topic: string, partition: number, records: number): void => {
      const key = `${topic}-${partition}`;
      const entry = counts.get(key) ?? { topic, partition, records: 0 };
      counts.set(key, { ...entry, records: entry.records + records });
    };
    let firstError: TidemarkError | undefined;
    for (const queue of this.#accumulator.queues()) {
      for (const batch of queue.takeAll()) {
        if (batch.settled) continue;
        count(batch.topic, batch.partition, batch.recordCount);
        firstError ??= batch.lastError;
        this.#settled(batch, undefined, batch.lastError ?? left);
      }
    }
    for (const { topic, partition, records } of this.#accumulator.drop(left)) {
      count(topic, partition, records);
    }
    for (const { resolve } of this.#flushes) resolve();
    this.#flushes.clear();
    const partitions = [...counts.values()];
    const unsentRecords = partitions.reduce((sum, { records }) => sum + records, 0);
    if (unsentRecords > 0) firstError ??= this.#identity?.lastError ?? left;
    return { unsentRecords, partitions, firstError };
  }
}

function closedError(): TidemarkError {
  return new TidemarkError('INVALID_REQUEST', 'the producer is closed');
}
