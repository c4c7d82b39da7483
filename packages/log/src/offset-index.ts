// The sparse map from offset to file position of one segment (`.index`): int32 offset relative to the base, int32 position.
// Contract: both columns strictly increase; an entry is the last offset of a batch and where that batch begins, as
// Kafka's LogSegment.append writes it, so a lookup lands on the batch that holds the offset or before it.

import { invariant, readInt32, writeInt32 } from '@tidemark/core';
import { IndexEntries } from './index-entries.ts';

export const OFFSET_INDEX_ENTRY_BYTES = 8;

export class OffsetIndex {
  readonly baseOffset: number;
  readonly entries: IndexEntries;

  constructor(baseOffset: number, bytes?: Uint8Array) {
    this.baseOffset = baseOffset;
    this.entries = new IndexEntries(OFFSET_INDEX_ENTRY_BYTES, bytes);
  }

  get count(): number {
    return this.entries.count;
  }

  offsetAt(entry: number): number {
    return this.baseOffset + readInt32(this.entries.bytes, entry * OFFSET_INDEX_ENTRY_BYTES);
  }

  positionAt(entry: number): number {
    return readInt32(this.entries.bytes, entry * OFFSET_INDEX_ENTRY_BYTES + 4);
  }

  isFull(maxBytes: number): boolean {
    return this.count >= Math.floor(maxBytes / OFFSET_INDEX_ENTRY_BYTES);
  }

  append(offset: number, position: number): void {
    const last = this.count - 1;
    invariant(
      last < 0 || (offset > this.offsetAt(last) && position > this.positionAt(last)),
      'index entries increase',
      { offset, position },
    );
    const at = this.entries.add();
    writeInt32(this.entries.bytes, at, offset - this.baseOffset);
    writeInt32(this.entries.bytes, at + 4, position);
  }

  /** Where to begin looking for `offset`: the position of the last entry at or below it, or 0. */
  lookup(offset: number): number {
    const entry = this.#floor(offset);
    return entry < 0 ? 0 : this.positionAt(entry);
  }

  /** The position of the first entry above `offset`: the batch that holds it begins there or before. */
  positionAfter(offset: number): number {
    const entry = this.#floor(offset) + 1;
    return entry < this.count ? this.positionAt(entry) : Infinity;
  }

  /** Drops the entries at or above `offset`. */
  truncateTo(offset: number): void {
    this.entries.count = this.countBelow(offset);
  }

  /** How many entries are below `offset`. */
  countBelow(offset: number): number {
    return this.#floor(offset - 1) + 1;
  }

  /** Whether the entries, as read from a file, can be those of a segment with `sizeBytes` of log. */
  isSane(sizeBytes: number): boolean {
    let offset = this.baseOffset;
    let position = 0;
    for (let entry = 0; entry < this.count; entry++) {
      if (this.offsetAt(entry) <= offset || this.positionAt(entry) <= position) return false;
      offset = this.offsetAt(entry);
      position = this.positionAt(entry);
    }
    return this.count === 0 || position < sizeBytes;
  }

  #floor(offset: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.offsetAt(middle) <= offset) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }
}
