// One partition's log: the front of everything in this package that concerns a single partition.
// Contract: `append` is synchronous and orders appends by call; `logStartOffset <= flushedOffset <= logEndOffset <= nextOffset`;
// readers see what is written, the acknowledgeable end only what `flush.policy` counts; whatever changes files besides appends
// (checkpoint, truncation, retention, close) happens one at a time.

import {
  failure,
  type Failure,
  type LeaderEpoch,
  MAX_TIMER_MS,
  type Offset,
  TidemarkError,
  type Timer,
  type TopicId,
} from '@tidemark/core';
import { Admission } from './admission.ts';
import { Appender, type AppendBatch, type AppendOptions, type AppendResult } from './appender.ts';
import { cleanablePart, type CleanablePart } from './cleanable-part.ts';
import { LogCompaction, type CleaningReport } from './log-compaction.ts';
import { CommitLoop } from './commit-loop.ts';
import { CommitQueue, type RollSnapshot } from './commit-queue.ts';
import { closedLog, storageError, type LogContext, type LogState } from './log-context.ts';
import { isCompacted, type LogConfig } from './log-config.ts';
import { LogFiles } from './log-files.ts';
import { LogReader, type ReadOptions, type ReadResult } from './log-reader.ts';
import { LogRetention } from './log-retention.ts';
import { Mutex } from './mutex.ts';
import type { RecoveredLog, RecoveryReport } from './recovery.ts';
import type { TimestampedOffset } from './record-time.ts';
import { SyncLoop } from './sync-loop.ts';
import { TailCache } from './tail-cache.ts';
import { TimeLookup } from './time-lookup.ts';
import { truncateFully, truncateLog } from './truncation.ts';

export interface PartitionLogOptions {
  readonly name: string;
  readonly directory: string;
  readonly topicId: TopicId;
  readonly config: LogConfig;
  readonly recovered: RecoveredLog;
  readonly onClosed: () => void;
}

export class PartitionLog {
  readonly name: string;
  readonly topicId: TopicId;
  /** What opening the log found. */
  readonly recovery: RecoveryReport;
  readonly #context: LogContext;
  readonly #state: LogState;
  readonly #admission: Admission;
  readonly #queue: CommitQueue;
  readonly #appender: Appender;
  readonly #commit: CommitLoop;
  readonly #sync: SyncLoop;
  readonly #reader: LogReader;
  readonly #times: TimeLookup;
  readonly #files: LogFiles;
  readonly #retention: LogRetention;
  readonly #compaction: LogCompaction;
  readonly #maintenance = new Mutex();
  readonly #listeners = new Set<(endOffset: Offset) => void>();
  readonly #writtenListeners = new Set<(endOffset: Offset) => void>();
  readonly #onClosed: () => void;
  #acknowledgeable: number;
  #isDiscarded = false;
  #recordsSinceFlush = 0;
  #flushTimer: Timer | undefined;

  constructor(context: LogContext, options: PartitionLogOptions) {
    const { name, directory, config, recovered } = options;
    const { segments, epochs, producers, logStartOffset, endOffset, report } = recovered;
    this.name = name;
    this.topicId = options.topicId;
    this.recovery = report;
    this.#context = context;
    this.#onClosed = options.onClosed;
    const tail = new TailCache(context.tailBudget);
    const ends = { nextOffset: endOffset, writtenOffset: endOffset, flushedOffset: endOffset };
    const log = { name, directory, config, segments, epochs, producers, tail, logStartOffset };
    const state: LogState = {
      ...log,
      ...ends,
      durableStartOffset: logStartOffset,
      truncations: 0,
      cutting: undefined,
      isReleased: false,
      isDirectoryDirty: true,
    };
    this.#state = state;
    this.#acknowledgeable = endOffset;
    this.#admission = new Admission(context, name);
    this.#queue = new CommitQueue(context.limits.maxWriteBytes);
    this.#files = new LogFiles(context, state);
    this.#sync = new SyncLoop(context, state, () => this.#flushed());
    this.#commit = new CommitLoop(context, state, this.#queue, this.#admission, {
      onWritten: (records, snapshots) => this.#written(records, snapshots),
      onRolledBack: (offset, error) => this.#rolledBack(offset, error),
    });
    this.#appender = new Appender(context, state, this.#queue, this.#admission, () => this.#commit.kick());
    this.#reader = new LogReader(context, state);
    this.#times = new TimeLookup(context, state);
    this.#retention = new LogRetention(context, state, this.#times);
    this.#compaction = new LogCompaction(context, state, {
      isClosed: () => this.#admission.isClosed || this.#admission.isTruncating,
      exclusively: (work) => this.#maintain(work),
      removeLater: (paths) => this.#retention.removeLater(paths),
      finishIndexes: async () => {
        await this.#files.attempt('The indexes of cleaned segments', () => this.#files.finishRolled());
      },
    });
  }

  /** The first offset that can be read. */
  get logStartOffset(): Offset {
    return this.#state.logStartOffset as Offset;
  }

  /** Nothing below is there again after a crash either. Below `logStartOffset` only while a full disk cannot note that. */
  get durableLogStartOffset(): Offset {
    return this.#state.durableStartOffset as Offset;
  }

  /** The end of what is written and can be read: where a reader waits for more. */
  get logEndOffset(): Offset {
    return this.#state.writtenOffset as Offset;
  }

  /** The offset the next append gets; above `logEndOffset` while appends wait to be written. */
  get nextOffset(): Offset {
    return this.#state.nextOffset as Offset;
  }

  /** Everything below is on disk for good. */
  get flushedOffset(): Offset {
    return this.#state.flushedOffset as Offset;
  }

  /** Everything below counts as held by this replica: flushed under `flush.policy=ack`, written under `os`. */
  get acknowledgeableEndOffset(): Offset {
    return this.#acknowledgeable as Offset;
  }

  /** Bytes of log in all segments, those waiting to be written included. */
  get sizeBytes(): number {
    return this.#state.segments.sizeBytes;
  }

  get segmentCount(): number {
    return this.#state.segments.count;
  }

  /** Bytes that wait to be written. */
  get pendingBytes(): number {
    return this.#queue.pendingBytes;
  }

  get config(): LogConfig {
    return this.#state.config;
  }

  /** The epoch of the newest batch, or the newest one assigned; undefined in a log without any. */
  get latestEpoch(): LeaderEpoch | undefined {
    return this.#state.epochs.latest?.epoch as LeaderEpoch | undefined;
  }

  /** Applies from the next append on; a larger `retention.ms` or the like at the next retention pass. */
  updateConfig(config: LogConfig): void {
    this.#state.config = config;
    if (this.#admission.isClosed) return;
    if (config.flushPolicy === 'ack') this.#sync.request();
    this.#advance();
  }

  /**
   * Orders the batches behind everything appended before and queues them for the next write. Failures: KAFKA_STORAGE_ERROR
   * (folder offline, disk full), THROTTLING_QUOTA_EXCEEDED (too much waits to be written), RECORD_LIST_TOO_LARGE, the sequence
   * errors of KIP-98/KIP-360 for a leader, OFFSET_OUT_OF_RANGE for a follower's batch below the end, FENCED_LEADER_EPOCH, and
   * REPLICA_NOT_AVAILABLE during a truncation. After a failure nothing has changed.
   */
  append(bytes: Uint8Array, batches: readonly AppendBatch[], options: AppendOptions): AppendResult {
    return this.#appender.append(bytes, batches, options);
  }

  /** Called with the new end whenever the acknowledgeable end moves up. Answers how to stop that. */
  onAcknowledgeable(listener: (endOffset: Offset) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called with the new `logEndOffset` whenever it moves up, before the acknowledgeable end does. Answers how to stop that. */
  onWritten(listener: (endOffset: Offset) => void): () => void {
    this.#writtenListeners.add(listener);
    return () => this.#writtenListeners.delete(listener);
  }

  /** Nothing is queued to be written, and no truncation is under way or waits for its turn: the log's end is what it is. */
  get isQuiet(): boolean {
    return this.#queue.isEmpty && !this.#admission.isTruncating;
  }

  /** Resolves once the log is quiet, if nobody appends or truncates meanwhile. */
  async quiet(): Promise<void> {
    while (!this.isQuiet) await this.#maintain(() => this.#commit.idle());
  }

  /** At once when the tail in memory holds the offset, else a promise. OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR. */
  read(offset: Offset, options: ReadOptions): ReadResult | Promise<ReadResult> {
    return this.#reader.read(offset, options);
  }

  /** The first record below `upTo` whose timestamp is at or after `timestampMs`. */
  offsetForTimestamp(timestampMs: number, upTo: Offset): Promise<TimestampedOffset | undefined> {
    return this.#times.atOrAfter(timestampMs, upTo);
  }

  /** The first record with the largest timestamp in the log (KIP-734). */
  maxTimestamp(): Promise<TimestampedOffset | undefined> {
    return this.#times.maximum();
  }

  /** The largest epoch at or below the one asked for, and its end offset (KIP-101, KIP-320); undefined: not known here. */
  endOffsetForEpoch(
    epoch: LeaderEpoch,
  ): { readonly epoch: LeaderEpoch; readonly endOffset: Offset } | undefined {
    const found = this.#state.epochs.endOffsetFor(epoch, this.#state.writtenOffset);
    return found as { readonly epoch: LeaderEpoch; readonly endOffset: Offset } | undefined;
  }

  /** The epoch of the batch at `offset`; undefined when not known. */
  epochAt(offset: Offset): LeaderEpoch | undefined {
    const epoch = this.#state.epochs.epochAt(offset);
    return epoch < 0 ? undefined : (epoch as LeaderEpoch);
  }

  /** The epochs in the log and where each begins, oldest first. */
  get leaderEpochs(): readonly { readonly epoch: number; readonly startOffset: number }[] {
    return this.#state.epochs.entries;
  }

  /** A new leader's epoch begins at the end of the log, before it appends anything. */
  assignLeaderEpoch(epoch: LeaderEpoch): void {
    this.#state.epochs.assign(epoch, this.#state.nextOffset);
  }

  /** Everything appended before is durable when this resolves. Rejects with KAFKA_STORAGE_ERROR. */
  flush(): Promise<void> {
    if (this.#state.isReleased) return Promise.reject(TidemarkError.from(closedLog(this.name)));
    return this.#sync.through(this.#state.nextOffset);
  }

  /**
   * Cuts off everything at and above `offset`; a batch that holds it goes whole. Below the log's start the log begins anew at
   * `offset`. Always drops the epochs that begin at or above it. Appends are refused from the call on. Resolves with the new end.
   */
  truncateTo(offset: Offset): Promise<Offset> {
    return this.#exclusively(async () => {
      if (offset < this.#state.logStartOffset) await truncateFully(this.#context, this.#state, offset);
      else if (offset < this.#state.nextOffset) await truncateLog(this.#context, this.#state, offset);
      else this.#state.epochs.truncateFromEnd(offset);
    });
  }

  /**
   * Removes everything and goes on at `offset`, for a follower that fell behind its leader's log start. The first batch that is
   * appended then may begin as low as `firstBatchOffset`, if it holds `offset`.
   */
  truncateFullyAndStartAt(offset: Offset, firstBatchOffset: Offset = offset): Promise<Offset> {
    return this.#exclusively(() => truncateFully(this.#context, this.#state, offset, firstBatchOffset));
  }

  /**
   * Moves the log's start up to `offset`, durably, and removes segments wholly below (DeleteRecords). OFFSET_OUT_OF_RANGE above
   * the acknowledgeable end; the caller checks the high watermark.
   */
  deleteRecordsBefore(
    offset: Offset,
  ): Promise<{ readonly ok: true; readonly logStartOffset: Offset } | Failure> {
    return this.#maintain(async () => {
      if (this.#state.isReleased) return closedLog(this.name);
      if (offset > this.#acknowledgeable) {
        const message = `Offset ${offset} is above the end of ${this.name}, ${this.#acknowledgeable}.`;
        return failure('OFFSET_OUT_OF_RANGE', message);
      }
      await this.#retention.startAt(offset);
      return { ok: true, logStartOffset: this.logStartOffset };
    });
  }

  /** Removes segments that are too old or too much, up to the high watermark; answers how many. */
  runRetention(nowMs: number, highWatermark: Offset): Promise<number> {
    return this.#maintain(async () => {
      if (this.#context.offline !== undefined || this.#admission.isClosed) return 0;
      this.#state.producers.expire(nowMs, this.#state.config.producerIdExpirationMs);
      const limit = Math.min(highWatermark, this.#acknowledgeable, this.#state.flushedOffset);
      if (await this.#retention.isActiveExpired(nowMs, limit)) {
        if (this.#queue.isEmpty && this.#appender.roll()) await this.#commit.idle();
      }
      return this.#retention.run(nowMs, limit, () => this.#queue.revertible);
    });
  }

  /** Why this log is not cleaned any more until it is opened again; undefined: nothing is wrong. */
  get uncleanable(): Failure | undefined {
    return this.#compaction.uncleanable;
  }

  /** What could be cleaned below the high watermark; undefined: nothing, or the log is not compacted. */
  cleanablePart(nowMs: number, highWatermark: Offset): Promise<CleanablePart | undefined> {
    return this.#maintain(async () => {
      const { config } = this.#state;
      if (this.#context.offline !== undefined || this.#admission.isClosed) return undefined;
      if (!isCompacted(config) || this.uncleanable !== undefined) return undefined;
      const limit = Math.min(highWatermark, this.#acknowledgeable);
      return cleanablePart(this.#context, this.#state, this.#times, limit, nowMs);
    });
  }

  /**
   * Cleans what `cleanablePart` has answered. Other work on the log goes on meanwhile; a truncation, a removal of the segments
   * concerned or a close interrupts it. Rejects with KAFKA_STORAGE_ERROR when the disk fails.
   */
  clean(part: CleanablePart, nowMs: number): Promise<CleaningReport> {
    return this.#compaction.clean(part, nowMs);
  }

  /** Makes durable what a recovery needs to begin at the present end, so that it has little to check. */
  async checkpoint(): Promise<void> {
    await this.#maintain(async () => {
      if (this.#context.offline !== undefined || this.#admission.isClosed) return;
      const { offset, bytes } = this.#files.captureProducers();
      try {
        await this.#sync.through(offset);
      } catch (error) {
        if (!(error instanceof TidemarkError)) throw error;
        this.#context.warn(`The log ${this.name} has no checkpoint this time.`, error);
        return;
      }
      const done = await this.#files.attempt('The checkpoint', () => this.#files.checkpoint(offset, bytes));
      if (done) this.#context.raiseRecoveryPoint(this.name, offset);
    });
  }

  /**
   * Refuses further appends, writes and syncs what waits, and leaves everything so that opening it again checks nothing. Rejects
   * with KAFKA_STORAGE_ERROR when that cannot be written; the log is closed all the same.
   */
  async close(): Promise<void> {
    if (this.#admission.isClosed) return;
    this.#admission.isClosed = true;
    await this.#compaction.idle();
    await this.#maintain(async () => {
      try {
        await this.#commit.idle();
        if (this.#context.offline === undefined) await this.#settle();
      } finally {
        await this.#sync.idle();
        await this.#release();
      }
    });
  }

  /** Closes without saving anything: the folder of the log is about to be removed. */
  async discard(): Promise<void> {
    this.#admission.isClosed = true;
    this.#isDiscarded = true;
    await this.#compaction.idle();
    await this.#maintain(async () => {
      await this.#commit.idle();
      await this.#sync.idle();
      await this.#release();
    });
  }

  /** The folder is offline: everything that waits is rejected. */
  abandon(cause: Failure): void {
    const error = TidemarkError.from(cause);
    this.#flushTimer?.cancel();
    this.#commit.abandon(error);
    this.#sync.rejectAbove(-1, error);
  }

  async #settle(): Promise<void> {
    const { offset, bytes } = this.#files.captureProducers();
    await this.#sync.through(offset);
    this.#state.segments.active.finishTimeIndex();
    await this.#files.checkpoint(offset, bytes);
    this.#context.raiseRecoveryPoint(this.name, offset);
  }

  #maintain<T>(work: () => Promise<T>): Promise<T> {
    return this.#maintenance.run(async () => {
      try {
        return await work();
      } catch (error) {
        throw storageError(error);
      }
    });
  }

  #assertUsable(): void {
    if (this.#state.isReleased) throw TidemarkError.from(closedLog(this.name));
    if (this.#context.offline !== undefined) throw TidemarkError.from(this.#context.offline);
  }

  /** Runs a truncation with nothing else going on in the log. It may wait for its turn: until then nothing may be built on the end. */
  #exclusively(work: () => Promise<void>): Promise<Offset> {
    this.#admission.cuts += 1;
    return this.#maintain(async () => {
      try {
        this.#assertUsable();
        await this.#commit.idle();
        await this.#sync.hold();
        // What was under way may have failed: then the disk holds anything, and a cut would be made at a guess.
        this.#assertUsable();
        await work();
      } finally {
        const { nextOffset } = this.#state;
        this.#acknowledgeable = Math.min(this.#acknowledgeable, nextOffset);
        this.#files.truncated(nextOffset);
        this.#sync.rejectAbove(
          nextOffset,
          new TidemarkError('KAFKA_STORAGE_ERROR', 'The log was truncated.'),
        );
        this.#sync.release();
        this.#admission.cuts -= 1;
      }
      await this.#files.attempt('The leader epochs', () => this.#files.saveEpochs());
      if (this.#state.config.flushPolicy === 'ack') this.#sync.request();
      this.#advance();
      return this.logEndOffset;
    });
  }

  #written(records: number, snapshots: readonly RollSnapshot[]): void {
    const { config } = this.#state;
    this.#files.rolled(snapshots);
    this.#recordsSinceFlush += records;
    if (config.flushPolicy === 'ack') this.#sync.request();
    else {
      // As in Kafka, a rolled segment is flushed in the background.
      if (snapshots.length > 0 || this.#recordsSinceFlush >= config.flushMessages) this.#sync.request();
      else this.#startFlushTimer();
      this.#sync.wrote();
    }
    for (const listener of this.#writtenListeners) listener(this.logEndOffset);
    this.#advance();
  }

  #startFlushTimer(): void {
    const { flushMs } = this.#state.config;
    if (flushMs > MAX_TIMER_MS) return;
    this.#flushTimer ??= this.#context.clock.setTimer(flushMs, () => {
      this.#flushTimer = undefined;
      this.#sync.request();
    });
  }

  #flushed(): void {
    const { config, flushedOffset, writtenOffset } = this.#state;
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    // What was written while this was synced waits from now on.
    this.#recordsSinceFlush = writtenOffset - flushedOffset;
    if (this.#recordsSinceFlush > 0 && config.flushPolicy === 'os') this.#startFlushTimer();
    this.#advance();
    if (!this.#files.hasRolled) return;
    void this.#maintain(async () => {
      // It may have its turn when the folder is gone already, or belongs to another log of that name.
      const isGone = this.#isDiscarded || this.#state.isReleased;
      if (this.#context.offline !== undefined || isGone) return;
      await this.#files.attempt('Finishing rolled segments', () => this.#files.finishRolled());
    });
  }

  #rolledBack(nextOffset: number, error: Error): void {
    this.#files.truncated(nextOffset);
    this.#sync.rejectAbove(nextOffset, error);
  }

  #advance(): void {
    const { config, flushedOffset, writtenOffset } = this.#state;
    const end = config.flushPolicy === 'ack' ? flushedOffset : writtenOffset;
    if (end <= this.#acknowledgeable) return;
    this.#acknowledgeable = end;
    for (const listener of this.#listeners) listener(end as Offset);
  }

  async #release(): Promise<void> {
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    this.#retention.cancel();
    this.#state.isReleased = true;
    this.#state.truncations += 1;
    this.#state.tail.clear();
    for (const segment of this.#state.segments.all()) {
      const { file } = segment;
      segment.file = undefined;
      await file?.release();
      await this.#context.indexes.retire(segment);
      await this.#context.files.forget(segment.path);
    }
    this.#onClosed();
  }
}
