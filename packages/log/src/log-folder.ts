// The log folder of one node: keeps other processes out, opens and deletes the partitions' logs in it, and holds what they share
// (checkpoints, the memory budget of the tails, the state of the disk).
// Contract: the folder counts as cleanly closed only after `close` went through; the broker's timers call `checkpoint`,
// `saveHighWatermarks` and `runRetention`, nothing here runs by itself except delayed removals.

import {
  type BrokerEpoch,
  type Clock,
  type DirectoryLock,
  type Disk,
  DiskError,
  type Failure,
  MAX_TIMER_MS,
  type Offset,
  type Prng,
  TidemarkError,
  type Timer,
  type TopicId,
} from '@tidemark/core';
import { takeCleanShutdown, writeCleanShutdown, type CleanShutdown } from './clean-shutdown.ts';
import type { CleanablePart } from './cleanable-part.ts';
import type { CleaningReport } from './log-compaction.ts';
import { FolderCheckpoints } from './folder-checkpoints.ts';
import { FolderContext, type FolderEvents, type FolderSettings } from './folder-context.ts';
import { isCompacted, type LogConfig } from './log-config.ts';
import { isDiskFull, storageError } from './log-context.ts';
import { PartitionLog } from './partition-log.ts';
import { readPartitionMetadata, writePartitionMetadata } from './partition-metadata.ts';
import {
  deletedFolderName,
  isDeletedFolderName,
  parsePartitionName,
  type PartitionName,
} from './partition-name.ts';
import { recoverLog } from './recovery.ts';
import { writeFully } from './write-fully.ts';

const ROOM_PROBE = 'room-probe';
const ROOM_PROBE_BYTES = 1024 * 1024;
/** Logs that are closed at the same time, each with a few files. */
const CLOSING_AT_ONCE = 16;

export interface LogFolderOptions extends FolderSettings, FolderEvents {
  readonly disk: Disk;
  readonly clock: Clock;
  /** For the names of deleted folders; they are counted without it. */
  readonly prng?: Prng | undefined;
  /** Relative to the Disk's root. Made if absent. */
  readonly directory: string;
  /** During the recovery of a log that was not closed: bytes checked so far. */
  readonly onProgress?: ((name: string, scannedBytes: number) => void) | undefined;
}

/** A partition that has a folder here, open or not. */
export interface HostedPartition extends PartitionName {
  readonly name: string;
  /** Undefined: its metadata is missing or damaged. */
  readonly topicId: TopicId | undefined;
}

export class LogFolder {
  readonly directory: string;
  /** How the last run ended; undefined unless it ended with `close`. */
  readonly cleanShutdown: CleanShutdown | undefined;
  readonly #options: LogFolderOptions;
  readonly #context: FolderContext;
  readonly #lock: DirectoryLock;
  readonly #hosted = new Map<string, HostedPartition>();
  readonly #logs = new Map<string, Promise<PartitionLog>>();
  readonly #open = new Map<string, PartitionLog>();
  /** Found at the start and not opened since: they are as the last stop left them, a clean one or not. */
  readonly #untouched = new Set<string>();
  readonly #timers = new Set<Timer>();
  #deletions = 0;
  #isClosed = false;

  private constructor(
    options: LogFolderOptions,
    lock: DirectoryLock,
    cleanShutdown: CleanShutdown | undefined,
    checkpoints: FolderCheckpoints,
  ) {
    this.directory = options.directory;
    this.cleanShutdown = cleanShutdown;
    this.#options = options;
    this.#lock = lock;
    const { disk, clock } = options;
    this.#context = new FolderContext(disk, clock, checkpoints, options, options, (cause) => {
      for (const log of this.#open.values()) log.abandon(cause);
    });
  }

  /** Rejects with DiskError ELOCKED when another process has the folder, or with whatever the disk says. */
  static async open(options: LogFolderOptions): Promise<LogFolder> {
    const { disk, directory } = options;
    await disk.makeDirectory(directory);
    const lock = await disk.lockDirectory(directory);
    try {
      const damaged: string[] = [];
      const checkpoints = await FolderCheckpoints.load(disk, directory, (path) => {
        damaged.push(path);
        options.onWarning?.(`${path} cannot be read; the logs are checked from their beginnings.`);
      });
      const marker = await takeCleanShutdown(disk, directory);
      const folder = new LogFolder(options, lock, damaged.length > 0 ? undefined : marker, checkpoints);
      await folder.#findPartitions();
      for (const name of folder.#hosted.keys()) folder.#untouched.add(name);
      checkpoints.noteUnknown(folder.#hosted.keys());
      return folder;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Set once the disk has failed: everything is refused with this. */
  get offline(): Failure | undefined {
    return this.#context.offline;
  }

  /** Whether a megabyte can be written; tried with a file that is gone afterwards. A disk that fails at it takes the folder offline. */
  async hasRoom(): Promise<boolean> {
    if (this.#isClosed || this.offline !== undefined) return false;
    const { disk } = this.#options;
    const path = `${this.directory}/${ROOM_PROBE}`;
    try {
      const file = await disk.open(path, 'create');
      try {
        await writeFully(file, [new Uint8Array(ROOM_PROBE_BYTES)], 0);
      } finally {
        await file.close();
        await disk.removeFile(path);
      }
      return true;
    } catch (error) {
      if (!isDiskFull(error)) this.#context.goOffline(error);
      return false;
    }
  }

  /** Bytes held in memory for readers near the end. */
  get tailBytes(): number {
    return this.#context.tailBudget.usedBytes;
  }

  /** Bytes of all partitions that wait to be written. */
  get pendingBytes(): number {
    return this.#context.pendingBytes;
  }

  /** The partitions that have a folder here, open or not, by name. */
  listPartitions(): readonly HostedPartition[] {
    return [...this.#hosted.values()];
  }

  /** Whose folder of this name is here; undefined when there is none, or it does not say. */
  topicIdOf(name: string): TopicId | undefined {
    return this.#hosted.get(name)?.topicId;
  }

  /** The log if it is open. */
  partition(name: string): PartitionLog | undefined {
    return this.#open.get(name);
  }

  /**
   * Opens the log of `<topic>-<partition>`, making it if there is none; the same log for everybody who asks. Rejects with
   * INVALID_TOPIC_EXCEPTION for a name that is not one, INCONSISTENT_TOPIC_ID when the folder belongs to another topic,
   * CORRUPT_MESSAGE when synced data is damaged so that the log's end cannot be found, KAFKA_STORAGE_ERROR. A disk that fails at
   * it takes the folder offline; a full one does not.
   */
  openPartition(name: string, topicId: TopicId, config: LogConfig): Promise<PartitionLog> {
    const known = this.#logs.get(name);
    if (known !== undefined) return known;
    const opening = this.#openPartition(name, topicId, config);
    this.#logs.set(name, opening);
    opening.catch(() => this.#logs.delete(name));
    return opening;
  }

  /**
   * Closes the log and removes its folder, after `file.delete.delay.ms`; the name is free when it resolves. When it rejects the
   * partition is closed and still here, with what it held.
   */
  async deletePartition(name: string): Promise<void> {
    // Whoever was opening it has the rejection, if there is one.
    const known = await this.#logs.get(name)?.catch(() => undefined);
    await known?.discard();
    this.#forget(name);
    if (!this.#hosted.has(name)) return;
    const { disk } = this.#options;
    const target = `${this.directory}/${deletedFolderName(name, this.#deletionId())}`;
    try {
      await disk.rename(`${this.directory}/${name}`, target);
      // What a reader has opened by its name up to now is not what the next log of that name will have there.
      await this.#context.files.forgetIn(`${this.directory}/${name}`);
      await disk.syncDirectory(this.directory);
    } catch (error) {
      if (error instanceof DiskError && !isDiskFull(error)) this.#context.goOffline(error);
      throw storageError(error);
    }
    this.#hosted.delete(name);
    this.#untouched.delete(name);
    this.#context.checkpoints.forget(name);
    await this.#saveCheckpoints();
    this.#removeLater(target, known?.config.fileDeleteDelayMs ?? 0);
  }

  /** The high watermark that was saved last for the partition. */
  savedHighWatermark(name: string): Offset | undefined {
    return this.#context.checkpoints.highWatermarks.get(name) as Offset | undefined;
  }

  /** Writes `replication-offset-checkpoint`. Partitions that are not named keep what was saved before. */
  async saveHighWatermarks(highWatermarks: ReadonlyMap<string, Offset>): Promise<void> {
    const saved = this.#context.checkpoints.highWatermarks;
    for (const [name, offset] of highWatermarks) if (this.#hosted.has(name)) saved.set(name, offset);
    await this.#context.attempt('The high watermarks', () => saved.save());
  }

  /**
   * Makes a recovery from here cheap: syncs every log, saves its indexes and producer state, and then the recovery points. A
   * full disk or a failed one does not reject: the former is reported and tried again next time.
   */
  async checkpoint(): Promise<void> {
    for (const log of [...this.#open.values()]) await log.checkpoint();
    await this.#saveCheckpoints();
  }

  /** Runs retention in every open log. Without `highWatermarkOf` the bound is what each log counts as acknowledgeable. */
  async runRetention(nowMs: number, highWatermarkOf?: (name: string) => Offset | undefined): Promise<number> {
    let removed = 0;
    for (const log of [...this.#open.values()]) {
      const highWatermark = highWatermarkOf?.(log.name) ?? log.acknowledgeableEndOffset;
      removed += await log.runRetention(nowMs, highWatermark);
    }
    return removed;
  }

  /**
   * Cleans the log with the largest dirty part, if the turn of any has come; answers what was done, or undefined. One at a time:
   * the caller waits, and asks again at once after a cleaning, else after `log.cleaner.backoff.ms`. Rejects with
   * KAFKA_STORAGE_ERROR when the disk fails; a log that cannot be cleaned for what is in it is reported and left alone.
   */
  async cleanNext(
    nowMs: number,
    highWatermarkOf?: (name: string) => Offset | undefined,
  ): Promise<CleaningReport | undefined> {
    if (this.#context.isCleaningStopped) return undefined;
    let filthiest: { readonly log: PartitionLog; readonly part: CleanablePart } | undefined;
    for (const log of [...this.#open.values()]) {
      const highWatermark = highWatermarkOf?.(log.name) ?? log.acknowledgeableEndOffset;
      const part = await log.cleanablePart(nowMs, highWatermark);
      if (part?.isDue !== true) continue;
      if (filthiest === undefined || part.dirtyRatio > filthiest.part.dirtyRatio) filthiest = { log, part };
    }
    return filthiest?.log.clean(filthiest.part, nowMs);
  }

  /** For good: a cleaning under way is interrupted, and none begins. For whoever waits for it before the folder is closed. */
  stopCleaning(): void {
    this.#context.isCleaningStopped = true;
  }

  /** The logs that are not cleaned any more, and why. */
  get uncleanable(): ReadonlyMap<string, Failure> {
    const found = new Map<string, Failure>();
    for (const { name, uncleanable } of this.#open.values()) {
      if (uncleanable !== undefined) found.set(name, uncleanable);
    }
    return found;
  }

  /**
   * Closes every log, saves the checkpoints and, if all of that went through, leaves the marker of a clean stop with the
   * broker's epoch. Not as long as there is a log that was found after an unclean stop and has not been opened: the next run would
   * take its indexes, epochs and producer state for those of its end. The folder's lock is free afterwards in any case; a rejection
   * says that the stop was not clean.
   */
  async close(options: { readonly brokerEpoch?: BrokerEpoch | undefined } = {}): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    try {
      await this.#closeLogs();
      if (this.#context.offline === undefined) {
        await this.#context.checkpoints.save();
        if (this.cleanShutdown === undefined && this.#untouched.size > 0) return;
        const brokerEpoch = options.brokerEpoch ?? (-1 as BrokerEpoch);
        await writeCleanShutdown(this.#options.disk, this.directory, brokerEpoch);
      }
    } catch (error) {
      throw storageError(error);
    } finally {
      await this.#context.files.close();
      await this.#lock.release();
    }
  }

  async #openPartition(name: string, topicId: TopicId, config: LogConfig): Promise<PartitionLog> {
    const parsed = parsePartitionName(name);
    if (parsed === undefined) {
      throw new TidemarkError('INVALID_TOPIC_EXCEPTION', `"${name}" is not <topic>-<partition>.`);
    }
    if (this.#isClosed) throw new TidemarkError('KAFKA_STORAGE_ERROR', 'The log folder is closed.');
    if (this.offline !== undefined) throw TidemarkError.from(this.offline);
    const directory = `${this.directory}/${name}`;
    try {
      await this.#claim(name, directory, topicId);
      const { checkpoints } = this.#context;
      const recovered = await recoverLog(this.#context, {
        name,
        directory,
        config,
        isClean: this.cleanShutdown !== undefined && this.#untouched.has(name),
        recoveryPoint: checkpoints.recoveryPoints.get(name) ?? 0,
        logStartOffset: checkpoints.logStarts.get(name) ?? 0,
        cleanedEndOffset: checkpoints.cleanedEndOf(name),
        mayHaveGaps: isCompacted(config) || checkpoints.mayBeCleaned(name),
        onProgress: (scannedBytes) => this.#options.onProgress?.(name, scannedBytes),
      });
      const onClosed = (): void => this.#forget(name);
      const log = new PartitionLog(this.#context, { name, directory, topicId, config, recovered, onClosed });
      this.#hosted.set(name, { name, ...parsed, topicId });
      this.#open.set(name, log);
      this.#untouched.delete(name);
      return log;
    } catch (error) {
      // Else the node would go on as the leader of a partition it cannot open, and a failed sync could be tried again.
      if (error instanceof DiskError && !isDiskFull(error)) this.#context.goOffline(error);
      if (isDiskFull(error)) this.#context.metFullDisk();
      throw storageError(error);
    }
  }

  /** A few at a time, and all of them, even when one cannot be closed cleanly; then that one's error is thrown. */
  async #closeLogs(): Promise<void> {
    await Promise.allSettled(this.#logs.values());
    const logs = [...this.#open.values()];
    const errors: unknown[] = [];
    for (let from = 0; from < logs.length; from += CLOSING_AT_ONCE) {
      const closing = logs.slice(from, from + CLOSING_AT_ONCE).map((log) => log.close());
      for (const result of await Promise.allSettled(closing)) {
        if (result.status === 'rejected') errors.push(result.reason);
      }
    }
    if (errors.length > 0) throw storageError(errors[0]);
  }

  /** Makes the partition's folder, or sees that it is the topic's. */
  async #claim(name: string, directory: string, topicId: TopicId): Promise<void> {
    const { disk } = this.#options;
    await disk.makeDirectory(directory);
    const found = await readPartitionMetadata(disk, directory);
    if (found === undefined) {
      // What a deleted partition of the same name left in the checkpoints says nothing about this one.
      this.#context.checkpoints.forget(name);
      await this.#context.checkpoints.save();
      await writePartitionMetadata(disk, directory, topicId);
    } else if (found !== topicId) {
      const message = `The folder ${name} belongs to the topic with id ${found}, not ${topicId}.`;
      throw new TidemarkError('INCONSISTENT_TOPIC_ID', message);
    }
  }

  async #findPartitions(): Promise<void> {
    const { disk } = this.#options;
    for (const { name, kind } of await disk.list(this.directory)) {
      if (kind !== 'directory') continue;
      const path = `${this.directory}/${name}`;
      const parsed = parsePartitionName(name);
      if (parsed !== undefined) {
        const topicId = await readPartitionMetadata(disk, path);
        this.#hosted.set(name, { name, ...parsed, topicId });
      } else if (isDeletedFolderName(name)) await disk.removeTree(path);
    }
  }

  #forget(name: string): void {
    this.#open.delete(name);
    this.#logs.delete(name);
  }

  async #saveCheckpoints(): Promise<void> {
    await this.#context.attempt('The checkpoints', () => this.#context.checkpoints.save());
  }

  #deletionId(): string {
    this.#deletions += 1;
    const random = this.#options.prng?.uint32().toString(36) ?? this.#options.clock.wallMs().toString(36);
    return `${random}${this.#deletions.toString(36)}`;
  }

  #removeLater(path: string, delayMs: number): void {
    const { clock, disk } = this.#options;
    const timer = clock.setTimer(Math.min(delayMs, MAX_TIMER_MS), () => {
      this.#timers.delete(timer);
      disk.removeTree(path).catch((error: unknown) => {
        this.#context.warn(`${path} could not be removed; the next start tries again.`, error);
      });
    });
    this.#timers.add(timer);
  }
}
