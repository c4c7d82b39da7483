// The checkpoint files of a log folder, in Kafka's format and under Kafka's names: recovery points, log starts, high watermarks,
// first dirty offsets of the cleaner. Contract: each file is replaced as a whole; a save that is asked for while another is under way covers
// everything set before it was asked for; partitions that are not open keep their entries.

import type { Disk } from '@tidemark/core';
import { readWholeFile, replaceFile } from './atomic-file.ts';
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from './checkpoint-file.ts';
import { Mutex } from './mutex.ts';

const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** One file: an offset for each partition. */
export class OffsetCheckpoint {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #name: string;
  readonly #offsets: Map<string, number>;
  /** The file could not be read: whatever was in it is not known. */
  readonly isDamaged: boolean;
  readonly #mutex = new Mutex();
  #version = 0;
  #savedVersion = 0;

  constructor(disk: Disk, directory: string, name: string, offsets: Map<string, number> | undefined) {
    this.isDamaged = offsets === undefined;
    this.#disk = disk;
    this.#directory = directory;
    this.#name = name;
    this.#offsets = offsets ?? new Map<string, number>();
  }

  /** A file that cannot be read counts as empty, after `onDamaged`. */
  static async load(
    disk: Disk,
    directory: string,
    name: string,
    onDamaged: (path: string) => void,
  ): Promise<OffsetCheckpoint> {
    const path = `${directory}/${name}`;
    const bytes = await readWholeFile(disk, path, MAX_FILE_BYTES);
    const offsets = bytes === undefined ? new Map<string, number>() : decodeOffsetCheckpoint(bytes);
    if (offsets === undefined) onDamaged(path);
    return new OffsetCheckpoint(disk, directory, name, offsets);
  }

  get(name: string): number | undefined {
    return this.#offsets.get(name);
  }

  set(name: string, offset: number): void {
    if (this.#offsets.get(name) === offset) return;
    this.#offsets.set(name, offset);
    this.#version += 1;
  }

  delete(name: string): void {
    if (this.#offsets.delete(name)) this.#version += 1;
  }

  /** Durable when it resolves. Rejects with the disk's error, and then the file is as it was. */
  async save(): Promise<void> {
    const wanted = this.#version;
    await this.#mutex.run(async () => {
      if (this.#savedVersion >= wanted) return;
      const version = this.#version;
      await replaceFile(this.#disk, this.#directory, this.#name, encodeOffsetCheckpoint(this.#offsets));
      this.#savedVersion = version;
    });
  }
}

const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint';
const LOG_START_FILE = 'log-start-offset-checkpoint';
const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint';
const CLEANER_FILE = 'cleaner-offset-checkpoint';

/**
 * A first dirty offset that nobody knows: the log may have been cleaned up to its end. No log ends above it, so that the cleaner takes
 * all of it for dirty, which is always safe.
 */
const UNKNOWN_FIRST_DIRTY = Number.MAX_SAFE_INTEGER;

export class FolderCheckpoints {
  readonly recoveryPoints: OffsetCheckpoint;
  readonly logStarts: OffsetCheckpoint;
  readonly highWatermarks: OffsetCheckpoint;
  /** The first offset that no cleaning has gone over yet. */
  readonly firstDirty: OffsetCheckpoint;

  constructor(
    recoveryPoints: OffsetCheckpoint,
    logStarts: OffsetCheckpoint,
    highWatermarks: OffsetCheckpoint,
    firstDirty: OffsetCheckpoint,
  ) {
    this.recoveryPoints = recoveryPoints;
    this.logStarts = logStarts;
    this.highWatermarks = highWatermarks;
    this.firstDirty = firstDirty;
  }

  static async load(
    disk: Disk,
    directory: string,
    onDamaged: (path: string) => void,
  ): Promise<FolderCheckpoints> {
    return new FolderCheckpoints(
      await OffsetCheckpoint.load(disk, directory, RECOVERY_POINT_FILE, onDamaged),
      await OffsetCheckpoint.load(disk, directory, LOG_START_FILE, onDamaged),
      await OffsetCheckpoint.load(disk, directory, HIGH_WATERMARK_FILE, onDamaged),
      await OffsetCheckpoint.load(disk, directory, CLEANER_FILE, onDamaged),
    );
  }

  /**
   * After files were found damaged: what of these partitions is not known any more goes into the cleaner's file, which the next save
   * makes whole. Else a log without a recovery point that was cleaned would be taken, at its first gap, for one that a crash has torn.
   */
  noteUnknown(names: Iterable<string>): void {
    if (!this.recoveryPoints.isDamaged && !this.firstDirty.isDamaged) return;
    for (const name of names) {
      const mayBeCleaned = this.firstDirty.isDamaged || this.firstDirty.get(name) !== undefined;
      if (mayBeCleaned) this.firstDirty.set(name, UNKNOWN_FIRST_DIRTY);
    }
  }

  /** Some part of the log may have been cleaned. */
  mayBeCleaned(name: string): boolean {
    return this.firstDirty.get(name) !== undefined;
  }

  /** Above its recovery point a log has been cleaned up to here at most. */
  cleanedEndOf(name: string): number {
    const firstDirty = this.firstDirty.get(name) ?? 0;
    // Nothing is cleaned above a recovery point that is on the disk.
    const isBounded = firstDirty === UNKNOWN_FIRST_DIRTY && this.recoveryPoints.get(name) !== undefined;
    return isBounded ? 0 : firstDirty;
  }

  forget(name: string): void {
    this.recoveryPoints.delete(name);
    this.logStarts.delete(name);
    this.highWatermarks.delete(name);
    this.firstDirty.delete(name);
  }

  async save(): Promise<void> {
    await this.recoveryPoints.save();
    await this.logStarts.save();
    await this.highWatermarks.save();
    await this.firstDirty.save();
  }
}
