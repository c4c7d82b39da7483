// Both indexes of one segment together with how much of them is in their files.
// Contract: the files never hold an entry at or above the offset given to `persist`, so what is on disk only ever speaks
// of log that was synced before; between two calls the new entries live in memory and recovery can rebuild them.

import { DiskError, type Disk } from '@tidemark/core';
import { readWholeFile } from './atomic-file.ts';
import type { IndexEntries } from './index-entries.ts';
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndex } from './offset-index.ts';
import { segmentFileName } from './segment-files.ts';
import { TIME_INDEX_ENTRY_BYTES, TimeIndex } from './time-index.ts';
import { writeFully } from './write-fully.ts';

/** An index file above this is damaged, whatever `segment.index.bytes` says: the descriptor's upper bound. */
const MAX_INDEX_FILE_BYTES = 512 * 1024 * 1024;

/** How many entries at the front of the file are the ones in memory; -1: the file is not known to be any good. */
interface Persisted {
  offsets: number;
  times: number;
  /** The files may hold more than that, cut off since. */
  hasLonger: boolean;
}

export class SegmentIndexes {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
  readonly #persisted: Persisted;

  constructor(baseOffset: number, loaded?: { offsets: Uint8Array; times: Uint8Array }) {
    this.offsets = new OffsetIndex(baseOffset, loaded?.offsets);
    this.times = new TimeIndex(baseOffset, loaded?.times);
    this.#persisted = loaded
      ? { offsets: this.offsets.count, times: this.times.count, hasLonger: false }
      : { offsets: -1, times: -1, hasLonger: false };
  }

  get memoryBytes(): number {
    return this.offsets.entries.capacityBytes + this.times.entries.capacityBytes;
  }

  truncateTo(offset: number): void {
    this.offsets.truncateTo(offset);
    this.times.truncateTo(offset);
    const persisted = this.#persisted;
    if (persisted.offsets > this.offsets.count || persisted.times > this.times.count) {
      persisted.offsets = Math.min(persisted.offsets, this.offsets.count);
      persisted.times = Math.min(persisted.times, this.times.count);
      persisted.hasLonger = true;
    }
  }

  /**
   * Writes what is missing in the files, for entries below `offset`, and syncs them. Rejects with the disk's error; what
   * is in memory stays right whatever happens to the files.
   */
  async persist(disk: Disk, directory: string, offset: number): Promise<void> {
    const { baseOffset } = this.offsets;
    const indexPath = `${directory}/${segmentFileName(baseOffset, 'index')}`;
    const timePath = `${directory}/${segmentFileName(baseOffset, 'timeindex')}`;
    const offsets = this.offsets.countBelow(offset);
    const times = this.times.countBelow(offset);
    const persisted = this.#persisted;
    const before = { ...persisted };
    // Not known to be any good until the disk has said so.
    persisted.offsets = -1;
    persisted.times = -1;
    if (before.offsets !== offsets || before.hasLonger) {
      await persistEntries(disk, indexPath, this.offsets.entries, before.offsets, offsets);
    }
    if (before.times !== times || before.hasLonger) {
      await persistEntries(disk, timePath, this.times.entries, before.times, times);
    }
    persisted.offsets = offsets;
    persisted.times = times;
    persisted.hasLonger = false;
  }
}

async function persistEntries(
  disk: Disk,
  path: string,
  entries: IndexEntries,
  persisted: number,
  count: number,
): Promise<void> {
  const from = Math.min(Math.max(persisted, 0), count);
  // The memory may be cut and appended to while this waits for the disk.
  const bytes = entries.slice(from, count).slice();
  const file = await disk.open(path, 'create');
  try {
    await file.truncate(from * entries.entryBytes);
    if (bytes.length > 0) await writeFully(file, [bytes], from * entries.entryBytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * The indexes of a segment as its files have them, or undefined when a file is missing or cannot be right: a size that is
 * no multiple of the entry, entries that do not increase, an entry beyond the log.
 */
export async function loadIndexes(
  disk: Disk,
  directory: string,
  segment: { readonly baseOffset: number; readonly sizeBytes: number; readonly endOffset: number },
): Promise<SegmentIndexes | undefined> {
  const read = async (kind: 'index' | 'timeindex'): Promise<Uint8Array | undefined> => {
    try {
      const path = `${directory}/${segmentFileName(segment.baseOffset, kind)}`;
      return await readWholeFile(disk, path, MAX_INDEX_FILE_BYTES);
    } catch (error) {
      if (error instanceof DiskError && error.code === 'EINVAL') return undefined;
      throw error;
    }
  };
  const offsets = await read('index');
  const times = await read('timeindex');
  if (offsets === undefined || times === undefined) return undefined;
  if (offsets.length % OFFSET_INDEX_ENTRY_BYTES !== 0 || times.length % TIME_INDEX_ENTRY_BYTES !== 0) {
    return undefined;
  }
  const indexes = new SegmentIndexes(segment.baseOffset, { offsets, times });
  const sane = indexes.offsets.isSane(segment.sizeBytes) && indexes.times.isSane(segment.endOffset);
  return sane ? indexes : undefined;
}
