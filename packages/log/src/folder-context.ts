// The one `LogContext` of a log folder: what its partitions share, and what becomes of the folder when the disk fails.
// Contract: going offline happens once, is told to every partition and to the owner, and is for good; a cause that is not the
// disk's is a bug and is thrown on.

import { DiskError, failure, TidemarkError, type Clock, type Disk, type Failure } from '@tidemark/core';
import type { Codecs } from '@tidemark/record';
import { isDiskFull, storageError, type LogContext, type WriteLimits } from './log-context.ts';
import type { FolderCheckpoints, OffsetCheckpoint } from './folder-checkpoints.ts';
import { defaultCleanerSettings, type CleanerSettings } from './cleaner-settings.ts';
import { OpenFiles } from './open-files.ts';
import { SegmentIndexCache } from './segment-index-cache.ts';
import { TailBudget } from './tail-cache.ts';

const MIB = 1024 * 1024;

export interface FolderSettings {
  /** For `offsetForTimestamp` into compressed batches; without them the answer is the batch's first offset. */
  readonly codecs?: Codecs | undefined;
  /** Memory for recently appended batches, of all partitions together. 64 MiB unless given; 0: none. */
  readonly tailBytes?: number | undefined;
  /** A gathered write closes at this size. 8 MiB unless given. */
  readonly maxWriteBytes?: number | undefined;
  /** What may wait to be written in one partition. 32 MiB unless given. */
  readonly maxPartitionPendingBytes?: number | undefined;
  /** What may wait to be written in all partitions. 256 MiB unless given. */
  readonly maxFolderPendingBytes?: number | undefined;
  /** Memory for the indexes of rolled segments that are read from. 32 MiB unless given. */
  readonly indexCacheBytes?: number | undefined;
  /** Handles kept open that nobody uses at the moment. 256 unless given. */
  readonly maxIdleFiles?: number | undefined;
  /** Producer ids remembered in one partition. 100,000 unless given. */
  readonly maxProducerIds?: number | undefined;
  /** Whether the CRC of batches read from the disk is checked. True unless given. */
  readonly verifyReads?: boolean | undefined;
  /** How compacted logs are cleaned. */
  readonly cleaner?: CleanerSettings | undefined;
}

export interface FolderEvents {
  /** Once, when a write or a sync has failed: the process cannot trust this disk any more. */
  onOffline(cause: unknown): void;
  /** Something is wrong or was repaired that does not stop the log. */
  onWarning?: ((message: string, cause?: unknown) => void) | undefined;
  /** A write found no room; told each time. `hasRoom` says when there is some again. */
  onDiskFull?: (() => void) | undefined;
}

export class FolderContext implements LogContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly codecs: Codecs | undefined;
  readonly files: OpenFiles;
  readonly indexes: SegmentIndexCache;
  readonly tailBudget: TailBudget;
  readonly limits: WriteLimits;
  readonly maxProducerIds: number;
  readonly verifyReads: boolean;
  readonly cleaner: CleanerSettings;
  readonly checkpoints: FolderCheckpoints;
  pendingBytes = 0;
  isCleaningStopped = false;
  readonly #events: FolderEvents;
  readonly #abandonLogs: (cause: Failure) => void;
  #offline: Failure | undefined;

  constructor(
    disk: Disk,
    clock: Clock,
    checkpoints: FolderCheckpoints,
    settings: FolderSettings,
    events: FolderEvents,
    abandonLogs: (cause: Failure) => void,
  ) {
    this.disk = disk;
    this.clock = clock;
    this.checkpoints = checkpoints;
    this.codecs = settings.codecs;
    this.files = new OpenFiles(disk, settings.maxIdleFiles ?? 256);
    this.tailBudget = new TailBudget(settings.tailBytes ?? 64 * MIB);
    this.limits = {
      maxWriteBytes: settings.maxWriteBytes ?? 8 * MIB,
      maxPartitionPendingBytes: settings.maxPartitionPendingBytes ?? 32 * MIB,
      maxFolderPendingBytes: settings.maxFolderPendingBytes ?? 256 * MIB,
    };
    this.maxProducerIds = settings.maxProducerIds ?? 100_000;
    this.verifyReads = settings.verifyReads ?? true;
    this.cleaner = settings.cleaner ?? defaultCleanerSettings;
    this.#events = events;
    this.#abandonLogs = abandonLogs;
    const { files } = this;
    const warn = (message: string, cause?: unknown): void => this.warn(message, cause);
    const cacheBytes = settings.indexCacheBytes ?? 32 * MIB;
    const attempt = (what: string, save: () => Promise<void>): Promise<boolean> => this.attempt(what, save);
    this.indexes = new SegmentIndexCache({ disk, files, warn, attempt }, cacheBytes);
  }

  get offline(): Failure | undefined {
    return this.#offline;
  }

  goOffline(cause: unknown): void {
    if (!(cause instanceof DiskError)) throw cause;
    if (this.#offline !== undefined) return;
    const message = `The log folder is offline: ${cause.message}. What was acknowledged before is kept.`;
    this.#offline = failure('KAFKA_STORAGE_ERROR', message);
    this.#abandonLogs(this.#offline);
    this.#events.onOffline(cause);
  }

  warn(message: string, cause?: unknown): void {
    this.#events.onWarning?.(message, cause);
  }

  metFullDisk(): void {
    this.#events.onDiskFull?.();
  }

  async lowerRecoveryPoint(name: string, offset: number, end: number): Promise<void> {
    const { recoveryPoints, firstDirty, highWatermarks } = this.checkpoints;
    // Only after an unclean election: what comes there next would be taken for committed by a start from these files.
    if ((highWatermarks.get(name) ?? 0) > end) highWatermarks.set(name, end);
    await this.#save(highWatermarks);
    if ((recoveryPoints.get(name) ?? 0) > offset) recoveryPoints.set(name, offset);
    // What is appended above the cut was never cleaned.
    if ((firstDirty.get(name) ?? 0) > offset) firstDirty.set(name, offset);
    await this.#save(firstDirty);
    // Also when it was lowered before and that could not be saved; nothing is written when the file has it.
    await this.#save(recoveryPoints);
  }

  raiseRecoveryPoint(name: string, offset: number): void {
    this.checkpoints.recoveryPoints.set(name, offset);
  }

  async durableRecoveryPoint(name: string): Promise<number> {
    const { recoveryPoints } = this.checkpoints;
    const offset = recoveryPoints.get(name) ?? 0;
    await this.#save(recoveryPoints);
    return offset;
  }

  firstDirtyOffset(name: string): number | undefined {
    return this.checkpoints.firstDirty.get(name);
  }

  async saveFirstDirtyOffset(name: string, offset: number): Promise<void> {
    this.checkpoints.firstDirty.set(name, offset);
    await this.#save(this.checkpoints.firstDirty);
  }

  async saveLogStart(name: string, offset: number): Promise<void> {
    this.setLogStart(name, offset);
    await this.#save(this.checkpoints.logStarts);
  }

  setLogStart(name: string, offset: number): void {
    this.checkpoints.logStarts.set(name, offset);
  }

  /** Saves checkpoints; a full disk is reported and the old files stay, anything else takes the folder offline. */
  async attempt(what: string, save: () => Promise<void>): Promise<boolean> {
    if (this.#offline !== undefined) return false;
    try {
      await save();
      return true;
    } catch (error) {
      if (!isDiskFull(error)) this.goOffline(error);
      this.warn(`${what} could not be written; it will be tried again.`, storageError(error));
      return false;
    }
  }

  /** A full disk is for the caller to judge; any other failure takes the folder offline. */
  async #save(checkpoint: OffsetCheckpoint): Promise<void> {
    if (this.#offline !== undefined) throw TidemarkError.from(this.#offline);
    try {
      await checkpoint.save();
    } catch (error) {
      if (!isDiskFull(error)) this.goOffline(error);
      throw error;
    }
  }
}
