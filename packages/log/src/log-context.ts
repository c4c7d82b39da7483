// What the parts of a log share: the folder they live in, and the state of one partition.
// Contract: `LogState` is plain state with one writer for each field; offsets obey
// logStart <= flushed <= written <= next (written is the log end that readers see, next the offset the next append gets).

import { DiskError, type Clock, type Disk, failure, TidemarkError, type Failure } from '@tidemark/core';
import type { Codecs } from '@tidemark/record';
import type { LogConfig } from './log-config.ts';
import type { LeaderEpochCache } from './leader-epoch-cache.ts';
import type { CleanerSettings } from './cleaner-settings.ts';
import type { OpenFiles } from './open-files.ts';
import type { ProducerState } from './producer-state.ts';
import type { SegmentList } from './segment-list.ts';
import type { Segment } from './segment.ts';
import type { SegmentIndexes } from './segment-indexes.ts';
import type { TailBudget, TailCache } from './tail-cache.ts';

/** Bounds on what waits in memory to be written. */
export interface WriteLimits {
  /** A gathered write is closed at about this size. */
  readonly maxWriteBytes: number;
  /** Appends to one partition are refused while this much waits. */
  readonly maxPartitionPendingBytes: number;
  /** Appends to any partition of the folder are refused while this much waits. */
  readonly maxFolderPendingBytes: number;
}

export interface IndexCache {
  /** The indexes of a segment that is not active: from memory, from its files, or built anew from the log. */
  load(segment: Segment, endOffset: number): Promise<SegmentIndexes>;
  /**
   * The segment has gone, or has its indexes in memory from now on: no file of its indexes is written when this has resolved, nor
   * later.
   */
  retire(segment: Segment): Promise<void>;
}

export interface LogContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly codecs: Codecs | undefined;
  readonly files: OpenFiles;
  readonly indexes: IndexCache;
  readonly tailBudget: TailBudget;
  readonly limits: WriteLimits;
  readonly maxProducerIds: number;
  readonly verifyReads: boolean;
  readonly cleaner: CleanerSettings;
  /** Bytes of all partitions that wait to be written. */
  pendingBytes: number;
  /** The owner is about to close: a cleaning under way ends early. */
  readonly isCleaningStopped: boolean;
  /** Set once a write or a sync has failed for good: nothing is written or synced any more. */
  readonly offline: Failure | undefined;
  goOffline(cause: unknown): void;
  warn(message: string, cause?: unknown): void;
  /** A write found no room. */
  metFullDisk(): void;
  /** Makes it durable that nothing of the partition at or above `offset` counts as synced, and nothing at or above `end` as committed. */
  lowerRecoveryPoint(name: string, offset: number, end: number): Promise<void>;
  /** Notes how far the partition is synced and indexed; durable at the next checkpoint. */
  raiseRecoveryPoint(name: string, offset: number): void;
  /** How far the partition counts as synced in a file that has been synced itself. */
  durableRecoveryPoint(name: string): Promise<number>;
  /** The first offset that no cleaning has gone over; undefined: none has been. */
  firstDirtyOffset(name: string): number | undefined;
  saveFirstDirtyOffset(name: string, offset: number): Promise<void>;
  /** Makes the partition's log start offset durable. If there is no room for it, it goes with the next checkpoint that is saved. */
  saveLogStart(name: string, offset: number): Promise<void>;
  /** Durable at the next checkpoint. */
  setLogStart(name: string, offset: number): void;
}

export interface LogState {
  readonly name: string;
  readonly directory: string;
  config: LogConfig;
  readonly segments: SegmentList;
  logStartOffset: number;
  /** What is below does not come back in a crash either; at most `logStartOffset`. */
  durableStartOffset: number;
  nextOffset: number;
  writtenOffset: number;
  flushedOffset: number;
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerState;
  readonly tail: TailCache;
  /** Raised by every truncation, every swap of cleaned segments and the close, so that a read in flight notices. */
  truncations: number;
  /** The files are being cut: what is read meanwhile may be neither the old log nor the new one. Settles when that is over. */
  cutting: Promise<void> | undefined;
  /** Closed, and done with its files: the folder may have another log of that name by now. */
  isReleased: boolean;
  /** Names were made in the folder that are not synced yet. */
  isDirectoryDirty: boolean;
}

export const DISK_FULL_MESSAGE =
  'The disk is full: nothing more is appended until there is room. Free space, add some, or lower ' +
  'retention.ms or retention.bytes; appends are tried again by themselves.';

/** Nothing is done with the files of a log that is closed. */
export const closedLog = (name: string): Failure =>
  failure('UNKNOWN_TOPIC_OR_PARTITION', `The log ${name} is closed.`);

/** Asked anew after every wait. */
export function isOffline(context: LogContext): boolean {
  return context.offline !== undefined;
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof DiskError && error.code === 'ENOSPC';
}

/** The same of a rejection of this package. */
export function saysDiskFull(thrown: unknown): boolean {
  return thrown instanceof TidemarkError && isDiskFull(thrown.cause);
}

/** An operating error as the rejections of this package carry it. A bug passes through unchanged. */
export function storageError(error: unknown): Error {
  if (error instanceof DiskError) {
    const message = isDiskFull(error) ? DISK_FULL_MESSAGE : `The disk failed: ${error.message}.`;
    return new TidemarkError('KAFKA_STORAGE_ERROR', message, { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}
