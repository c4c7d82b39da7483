// The indexes of rolled segments that were looked into lately. Contract: bounded in bytes, the least recently used goes
// first; a file that cannot be right is rebuilt from the log, written again and reported, never trusted; none is written for a
// segment that has gone, which a reader may have in its hands still.

import { buildIndexes } from './index-builder.ts';
import type { IndexCache, LogContext } from './log-context.ts';
import { loadIndexes, type SegmentIndexes } from './segment-indexes.ts';
import type { Segment } from './segment.ts';

const ENTRY_OVERHEAD_BYTES = 512;

interface Context extends Pick<LogContext, 'disk' | 'files' | 'warn'> {
  /** Reports a full disk; any other failure takes the folder offline. */
  readonly attempt: (what: string, save: () => Promise<void>) => Promise<boolean>;
}

export class SegmentIndexCache implements IndexCache {
  readonly #context: Context;
  readonly #limitBytes: number;
  /** Least recently used first. */
  readonly #loaded = new Map<Segment, Promise<SegmentIndexes>>();
  readonly #sizes = new Map<Segment, number>();
  /** Files that are being written. */
  readonly #writing = new Map<Segment, Promise<boolean>>();
  readonly #retired = new WeakSet<Segment>();
  #usedBytes = 0;

  constructor(context: Context, limitBytes: number) {
    this.#context = context;
    this.#limitBytes = limitBytes;
  }

  async load(segment: Segment, endOffset: number): Promise<SegmentIndexes> {
    if (segment.indexes !== undefined) return segment.indexes;
    const known = this.#loaded.get(segment);
    const loading = known ?? this.#read(segment, endOffset);
    this.#loaded.delete(segment);
    this.#loaded.set(segment, loading);
    if (known !== undefined) return known;
    try {
      const indexes = await loading;
      if (this.#loaded.get(segment) === loading) this.#charge(segment, indexes);
      return indexes;
    } catch (error) {
      this.#loaded.delete(segment);
      throw error;
    }
  }

  async retire(segment: Segment): Promise<void> {
    this.#retired.add(segment);
    this.#drop(segment);
    await this.#writing.get(segment);
  }

  #drop(segment: Segment): void {
    this.#loaded.delete(segment);
    this.#usedBytes -= this.#sizes.get(segment) ?? 0;
    this.#sizes.delete(segment);
  }

  #charge(segment: Segment, indexes: SegmentIndexes): void {
    const size = indexes.memoryBytes + ENTRY_OVERHEAD_BYTES;
    this.#sizes.set(segment, size);
    this.#usedBytes += size;
    for (const oldest of this.#loaded.keys()) {
      if (this.#usedBytes <= this.#limitBytes || oldest === segment) break;
      // One that is being read costs nothing yet, and would be read a second time beside this.
      if (this.#sizes.has(oldest)) this.#drop(oldest);
    }
  }

  async #read(segment: Segment, endOffset: number): Promise<SegmentIndexes> {
    const { disk, files, warn } = this.#context;
    const { directory, baseOffset, sizeBytes } = segment;
    const loaded = await loadIndexes(disk, directory, { baseOffset, sizeBytes, endOffset });
    if (loaded !== undefined) return loaded;
    const held = await files.hold(segment.path);
    try {
      const built = await buildIndexes(held.file, segment);
      warn(`The indexes of ${segment.path} were missing or wrong and were built anew.`);
      if (!this.#retired.has(segment)) await this.#write(segment, built, endOffset);
      return built;
    } finally {
      await held.release();
    }
  }

  async #write(segment: Segment, indexes: SegmentIndexes, endOffset: number): Promise<void> {
    const { disk, attempt } = this.#context;
    const persist = (): Promise<void> => indexes.persist(disk, segment.directory, endOffset);
    const writing = attempt(`The indexes of ${segment.path}`, persist);
    this.#writing.set(segment, writing);
    try {
      await writing;
    } finally {
      if (this.#writing.get(segment) === writing) this.#writing.delete(segment);
    }
  }
}
