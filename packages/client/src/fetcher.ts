// Keeps every assigned partition pushed by its leader, from the right offset, and hands the batches out. Driven by events: one pass
// (`reconcile`) looks at each partition and does the next thing it needs: find its position, check it after a change of leader
// (KIP-320), ask for it, ask somebody else. Whatever breaks, a partition is asked for again behind the last record that arrived.
import { TidemarkError } from '@tidemark/core';
import type { Clock } from '@tidemark/core';
import {
  batchCrcIsValid,
  batchIsControl,
  batchLastOffset,
  batchLeaderEpoch,
  batchMagic,
  batchSizeBytes,
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
} from '@tidemark/record';
import { failureFromDetail } from '@tidemark/rpc';
import type { FetchPartitionResultOutput } from '@tidemark/rpc';
import { backoffMs } from './backoff.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';
import type { Connections } from './connections.ts';
import type { ConsumerMetrics } from './consumer-metrics.ts';
import type { ConsumerPartition } from './consumer-partition.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { EarliestTimer } from './earliest-timer.ts';
import { FetchConnection } from './fetch-connection.ts';
import { LeaderPause } from './leader-pause.ts';
import type { LeaderCalls, TopicPartition } from './leader-calls.ts';
import type { ResumedTruncation } from './log-truncation.ts';
import type { OffsetSpec } from './offset-lookup.ts';
import { PositionKeeper } from './position-keeper.ts';
import type { CommittedLookup } from './position-keeper.ts';
import { PrefetchWindow } from './prefetch-window.ts';
import { provesMetadataStale } from './stale-metadata.ts';

export interface FetcherOptions {
  readonly settings: ConsumerSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metadata: ClusterMetadata;
  readonly connections: Connections;
  readonly calls: LeaderCalls;
  readonly metrics: ConsumerMetrics;
  /** Where a group is; undefined outside of one. */
  readonly committed?: CommittedLookup | undefined;
  /** There is a batch to take, or an error to throw, or a position became known. */
  readonly onNews: () => void;
  /** Records that were read are gone; the partition goes on where the log differs. */
  readonly onTruncation: (truncation: ResumedTruncation) => void;
}

/** One whole batch, checked. */
export interface TakenBatch {
  readonly partition: ConsumerPartition;
  readonly bytes: Uint8Array;
  /** The application's position when it was taken. */
  readonly fromOffset: number;
}

export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #partitions = new Map<string, ConsumerPartition>();
  /** Those with something to take, in turn. */
  readonly #ready = new Set<ConsumerPartition>();
  readonly #connections = new Map<number, FetchConnection>();
  readonly #windows = new Map<number, PrefetchWindow>();
  readonly #brokerPauses = new Map<number, { readonly pause: LeaderPause; failures: number }>();
  readonly #positions: PositionKeeper;
  readonly #stopListening: () => void;
  #scheduled = false;
  readonly #timer: EarliestTimer;
  #closed = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#timer = new EarliestTimer(options.clock, () => this.schedule());
    this.#positions = new PositionKeeper({
      settings: options.settings,
      calls: options.calls,
      committed: options.committed,
      wallMs: () => options.clock.wallMs(),
      topicId: (topic) => options.metadata.topic(topic)?.id,
      onFound: (partition) => this.#calm(partition),
      onTrouble: (partition, error) => this.#give(partition, error),
      fail: (partition, error) => this.fail(partition, error),
      moveTo: (partition, spec) => this.moveTo(partition, spec),
      onTruncation: (truncation) => {
        options.metrics.truncations += 1;
        options.onTruncation(truncation);
      },
      clear: (partition) => this.#clear(partition),
    });
    this.#stopListening = options.metadata.onChange(() => this.schedule());
    options.metadata.keepTopics(() => [...this.#partitions.values()].map(({ topic }) => topic));
  }

  get partitions(): Iterable<ConsumerPartition> {
    return this.#partitions.values();
  }

  partition({ topic, partition }: TopicPartition): ConsumerPartition | undefined {
    return this.#partitions.get(`${topic}-${partition}`);
  }

  add(partition: ConsumerPartition): void {
    this.#partitions.set(partition.name, partition);
    this.schedule();
  }

  drop(partition: ConsumerPartition): void {
    this.moveTo(partition, undefined);
    this.#partitions.delete(partition.name);
  }

  /** The application goes on elsewhere. */
  moveTo(partition: ConsumerPartition, spec: OffsetSpec | undefined): void {
    this.#clear(partition);
    partition.moveTo(spec);
    this.schedule();
  }

  /** The application must do something about the partition before it goes on. */
  fail(partition: ConsumerPartition, error: TidemarkError): void {
    partition.error = error;
    partition.detach();
    this.#clear(partition);
    this.#options.onNews();
  }

  /** Looks after the partitions once the present task is done. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#reconcile();
    });
  }

  /** The partition's chunks or pause changed. */
  refresh(partition: ConsumerPartition): void {
    if (partition.chunk === undefined || partition.paused) this.#ready.delete(partition);
    else this.#ready.add(partition);
    this.schedule();
  }

  /**
   * The partition is paused. What was pushed of it goes if the paused ones hold more than half of what a broker may push: it comes again
   * when they are resumed, and until then nobody would give back the credit that others need.
   */
  makeRoom(partition: ConsumerPartition): void {
    partition.detach();
    const paused = [...this.#partitions.values()].filter((each) => each.paused);
    const isCrowded = [...this.#windows.values()].some((window) => {
      const heldBytes = paused.reduce((sum, each) => sum + each.heldBytes(window), 0);
      return partition.heldBytes(window) > 0 && heldBytes * 2 > this.#options.settings.windowBytes;
    });
    if (!isCrowded) return;
    this.#clear(partition);
    partition.rewound();
  }

  /** The next batch that has records for the application; undefined when nothing is there. Throws a partition's error. */
  take(): TakenBatch | undefined {
    for (const partition of this.#partitions.values()) {
      if (partition.error !== undefined && !partition.paused && !partition.withheld) throw partition.error;
    }
    for (const partition of this.#ready) {
      if (partition.withheld || partition.inProcess) continue;
      const taken = this.#takeFrom(partition);
      if (taken !== undefined) return taken;
      this.#ready.delete(partition);
      // The broker may have told meanwhile that what follows is gone.
      if (partition.refused !== undefined) this.schedule();
    }
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
    this.#timer.cancel();
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    this.#ready.clear();
  }

  #takeFrom(partition: ConsumerPartition): TakenBatch | undefined {
    for (let chunk = partition.chunk; chunk !== undefined; chunk = partition.chunk) {
      const { bytes, at, window } = chunk;
      const sizeBytes = this.#checkedSize(partition, bytes, at);
      chunk.at = at + sizeBytes;
      if (window !== undefined) {
        window.left(sizeBytes);
        this.#options.metrics.prefetchedBytes -= sizeBytes;
      }
      if (chunk.at >= bytes.length) {
        partition.shift();
        // Others get their turn with each chunk.
        this.#ready.delete(partition);
        if (partition.chunk !== undefined) this.#ready.add(partition);
      }
      const fromOffset = partition.position;
      const lastOffset = batchLastOffset(bytes, at);
      if (lastOffset < fromOffset) continue;
      partition.position = lastOffset + 1;
      partition.takenEpoch = batchLeaderEpoch(bytes, at);
      if (batchIsControl(bytes, at)) continue;
      this.#options.metrics.batchesConsumed += 1;
      this.#options.metrics.bytesConsumed += sizeBytes;
      // A plain Uint8Array: a Buffer's own subarray costs several times as much.
      const batch = new Uint8Array(bytes.buffer, bytes.byteOffset + at, sizeBytes);
      return { partition, bytes: batch, fromOffset };
    }
    return undefined;
  }

  /** Size of the batch at `at`. A batch that is not what it says stops the partition there: nothing is skipped without a word. */
  #checkedSize(partition: ConsumerPartition, bytes: Uint8Array, at: number): number {
    const sizeBytes = bytes.length - at < BATCH_HEADER_BYTES ? -1 : batchSizeBytes(bytes, at);
    let fault: string | undefined;
    if (sizeBytes < BATCH_HEADER_BYTES || at + sizeBytes > bytes.length) {
      fault = `it claims ${sizeBytes} bytes of ${bytes.length - at}`;
    } else if (batchMagic(bytes, at) !== BATCH_MAGIC) {
      fault = `its format version is ${batchMagic(bytes, at)}, not ${BATCH_MAGIC}`;
    } else if (this.#options.settings.checkCrcs && !batchCrcIsValid(bytes, at)) {
      fault = `its CRC does not match; seek to ${batchLastOffset(bytes, at) + 1} to go on behind it`;
    }
    if (fault === undefined) return sizeBytes;
    const text = `the batch at ${partition.name}@${partition.position} is corrupt: ${fault}`;
    const error = new TidemarkError('CORRUPT_MESSAGE', text);
    this.fail(partition, error);
    throw error;
  }

  #clear(partition: ConsumerPartition): void {
    this.#options.metrics.prefetchedBytes -= partition.clear();
    this.#ready.delete(partition);
  }

  #reconcile(): void {
    const now = this.#options.clock.monotonicMs();
    for (const partition of this.#partitions.values()) this.#attend(partition, now);
    this.#closeUnused();
  }

  #attend(partition: ConsumerPartition, now: number): void {
    if (partition.busy || partition.error !== undefined) return;
    if (partition.paused) {
      partition.detach();
      return;
    }
    if (partition.refused !== undefined) {
      // What had arrived before comes first, down to the last record; a reset brings another pass.
      const isUsedUp = partition.chunk === undefined && !partition.inReading && !partition.inProcess;
      if (isUsedUp) this.#positions.reset(partition);
      return;
    }
    const learnedAt = this.#options.metadata.learnedAt(partition.topic, partition.partition);
    const pausedUntilMs = partition.pause.endsAt(now, learnedAt);
    if (pausedUntilMs !== undefined) {
      this.#timer.wakeAt(pausedUntilMs, now);
      return;
    }
    if (partition.position < 0) {
      void this.#positions.find(partition);
      return;
    }
    const { metadata } = this.#options;
    const info = metadata.partition(partition.topic, partition.partition);
    const address = info === undefined || info.leaderId < 0 ? undefined : metadata.address(info.leaderId);
    if (info === undefined || address === undefined) {
      this.#seekLeader(partition);
      return;
    }
    if (this.#isInOtherTopic(partition)) return;
    const { connection } = partition;
    if (connection?.brokerId === info.leaderId && partition.pushEpoch === info.leaderEpoch) return;
    // Also when the leader stayed and only its epoch moved on: what it holds may differ from before (KAFKA-7164).
    partition.detach();
    if (
      partition.epoch >= 0 &&
      info.leaderEpoch > partition.epoch &&
      partition.checkedEpoch < info.leaderEpoch
    ) {
      void this.#positions.validate(partition);
      return;
    }
    this.#fetch(partition, info.leaderId, address, info.leaderEpoch, now);
  }

  /** The topic of the position is not the one of that name any more: no push of the new one may pass for what follows on the old. */
  #isInOtherTopic(partition: ConsumerPartition): boolean {
    const present = this.#options.metadata.topic(partition.topic)?.id ?? '';
    if (partition.topicId === '') partition.topicId = present;
    if (partition.topicId === present) return false;
    partition.detach();
    partition.refused = new TidemarkError('UNKNOWN_TOPIC_ID', 'the topic was deleted and made again');
    this.schedule();
    return true;
  }

  #seekLeader(partition: ConsumerPartition): void {
    const { metadata, settings } = this.#options;
    if (metadata.topic(partition.topic) !== undefined) {
      metadata.refreshSoon();
      return;
    }
    // Makes the topic known; a failure shows when the position is looked up or the time is over.
    partition.busy = true;
    const { generation } = partition;
    metadata.waitForTopic(partition.topic, settings.requestTimeoutMs).then(
      () => {
        if (partition.generation === generation) this.#calm(partition);
      },
      (error: unknown) => {
        if (partition.generation === generation) this.#give(partition, error);
      },
    );
  }

  #fetch(
    partition: ConsumerPartition,
    leaderId: number,
    address: string,
    leaderEpoch: number,
    now: number,
  ): void {
    const { settings, metadata } = this.#options;
    const learnedAt = metadata.learnedAt(partition.topic, partition.partition);
    const pausedUntilMs = this.#brokerPauses.get(leaderId)?.pause.endsAt(now, learnedAt);
    if (pausedUntilMs !== undefined) {
      this.#timer.wakeAt(pausedUntilMs, now);
      return;
    }
    partition.connection = this.#connection(leaderId, address);
    partition.positionId = (partition.positionId + 1) & 0x7fffffff;
    partition.pushEpoch = leaderEpoch;
    partition.connection.add({
      topic: partition.topic,
      topicId: metadata.topic(partition.topic)?.id ?? '',
      partition: partition.partition,
      fetchOffset: partition.fetchPosition,
      partitionMaxBytes: settings.partitionMaxBytes,
      currentLeaderEpoch: leaderEpoch,
      positionId: partition.positionId,
    });
  }

  #connection(brokerId: number, address: string): FetchConnection {
    const known = this.#connections.get(brokerId);
    if (known !== undefined) return known;
    const { settings, connections, clock, metadata } = this.#options;
    const window = this.#window(brokerId);
    const connection = new FetchConnection({
      brokerId,
      clock,
      channel: connections.channel(address),
      windowBytes: settings.windowBytes,
      beginsWithBytes: window.freeBytes,
      maxMessageBytes: Math.min(settings.windowBytes, settings.partitionMaxBytes),
      minBytes: settings.minBytes,
      maxWaitMs: settings.maxWaitMs,
      onResult: (result) => this.#pushed(connection, result),
      onSilent: () => metadata.doubt(brokerId),
      onBroken: (error) => this.#broken(connection, error),
    });
    window.connected(connection);
    this.#connections.set(brokerId, connection);
    return connection;
  }

  #window(brokerId: number): PrefetchWindow {
    let window = this.#windows.get(brokerId);
    if (window === undefined) {
      window = new PrefetchWindow(this.#options.settings.windowBytes);
      this.#windows.set(brokerId, window);
    }
    return window;
  }

  #pushed(connection: FetchConnection, result: FetchPartitionResultOutput): void {
    const { metadata, metrics } = this.#options;
    const { batches } = result;
    const partition = this.partition(result);
    if (partition?.connection !== connection || partition.positionId !== result.positionId) {
      // For a position that was left since.
      connection.giveCredit(batches.length);
      return;
    }
    const failed = failureFromDetail(result.error);
    if (failed !== undefined) {
      const hint = result.currentLeader;
      connection.giveCredit(batches.length);
      partition.detach();
      const learned = hint !== null && metadata.learnLeader(result, hint);
      // The change has woken `reconcile`, which asks the new leader at once.
      if (learned) return;
      // As in Kafka, CORRUPT_MESSAGE ends a fetch although its code may pass: what is damaged on a disk is not read by asking again.
      if (failed.error === 'OFFSET_OUT_OF_RANGE' || failed.error === 'CORRUPT_MESSAGE') {
        partition.refused = TidemarkError.from(failed);
        this.schedule();
      } else this.#give(partition, TidemarkError.from(failed));
      return;
    }
    this.#brokerPauses.delete(connection.brokerId);
    partition.failures = 0;
    partition.highWatermark = result.highWatermark;
    partition.logStartOffset = result.logStartOffset;
    if (batches.length === 0) return;
    const window = this.#window(connection.brokerId);
    window.arrived(batches.length);
    partition.push({ bytes: batches, at: 0, window });
    metrics.prefetchedBytes += batches.length;
    if (partition.paused) return;
    this.#ready.add(partition);
    this.#options.onNews();
  }

  /** Every partition it pushed is asked for again, behind what has arrived. */
  #broken(connection: FetchConnection, error: TidemarkError): void {
    const { clock, random, settings, metadata, metrics } = this.#options;
    metrics.connectionsLost += 1;
    if (this.#connections.get(connection.brokerId) === connection) {
      this.#connections.delete(connection.brokerId);
    }
    const paused = this.#brokerPauses.get(connection.brokerId) ?? { pause: new LeaderPause(), failures: 0 };
    paused.failures += 1;
    const pauseMs = backoffMs(settings.reconnectBackoff, paused.failures, random);
    paused.pause.begin(clock.monotonicMs() + pauseMs, metadata.leadersLearned);
    this.#brokerPauses.set(connection.brokerId, paused);
    for (const partition of this.#partitions.values()) {
      if (partition.connection === connection) partition.connection = undefined;
    }
    if (provesMetadataStale(error.error)) metadata.doubt(connection.brokerId);
    this.schedule();
  }

  /** The error passes, or the application must hear of it. */
  #give(partition: ConsumerPartition, thrown: unknown): void {
    const { clock, random, settings, metadata } = this.#options;
    const error =
      thrown instanceof TidemarkError
        ? thrown
        : new TidemarkError('UNKNOWN_SERVER_ERROR', String(thrown), { cause: thrown });
    partition.busy = false;
    const topicIsMissing =
      error.error === 'UNKNOWN_TOPIC_OR_PARTITION' && metadata.topic(partition.topic) === undefined;
    if (!error.retriable || (topicIsMissing && !partition.goesWithTopic)) {
      const text = `${partition.name}: ${error.message}`;
      this.fail(partition, new TidemarkError(error.error, text, { cause: error }));
      return;
    }
    const learnedAt = metadata.learnedAt(partition.topic, partition.partition);
    if (partition.pause.isOvertaken(learnedAt)) partition.failures = 0;
    partition.failures += 1;
    const pauseMs = backoffMs(settings.retryBackoff, partition.failures, random);
    partition.pause.begin(clock.monotonicMs() + pauseMs, metadata.leadersLearned);
    if (provesMetadataStale(error.error)) metadata.refreshSoon();
    this.schedule();
  }

  #calm(partition: ConsumerPartition): void {
    partition.busy = false;
    this.schedule();
    this.#options.onNews();
  }

  #closeUnused(): void {
    const used = new Set([...this.#partitions.values()].map(({ connection }) => connection));
    for (const [brokerId, connection] of this.#connections) {
      if (used.has(connection)) continue;
      this.#connections.delete(brokerId);
      connection.close();
    }
  }
}
