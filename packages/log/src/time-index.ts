// The sparse map from timestamp to offset of one segment (`.timeindex`): int64 timestamp, int32 offset relative to the base.
// Contract: timestamps strictly increase; an entry says that the largest timestamp up to some point of the segment is T,
// first reached in the batch whose last offset is given (Kafka's TimeIndex).

import { invariant, readInt32, readInt64, writeInt32, writeInt64 } from '@tidemark/core';
import { IndexEntries } from './index-entries.ts';

export const TIME_INDEX_ENTRY_BYTES = 12;

export class TimeIndex {
  readonly baseOffset: number;
  readonly entries: IndexEntries;

  constructor(baseOffset: number, bytes?: Uint8Array) {
    this.baseOffset = baseOffset;
    this.entries = new IndexEntries(TIME_INDEX_ENTRY_BYTES, bytes);
  }

  get count(): number {
    return this.entries.count;
  }

  timestampAt(entry: number): number {
    return readInt64(this.entries.bytes, entry * TIME_INDEX_ENTRY_BYTES);
  }

  offsetAt(entry: number): number {
    return this.baseOffset + readInt32(this.entries.bytes, entry * TIME_INDEX_ENTRY_BYTES + 8);
  }

  /** One entry is kept free for the one that a roll adds. */
  isFull(maxBytes: number): boolean {
    return this.count >= Math.floor(maxBytes / TIME_INDEX_ENTRY_BYTES) - 1;
  }

  /** Adds the entry if the timestamp is above the last one's. */
  maybeAppend(timestamp: number, offset: number): void {
    const last = this.count - 1;
    if (timestamp <= (last < 0 ? -1 : this.timestampAt(last))) return;
    invariant(last < 0 || offset >= this.offsetAt(last), 'time index offsets do not decrease', { offset });
    const at = this.entries.add();
    writeInt64(this.entries.bytes, at, timestamp);
    writeInt32(this.entries.bytes, at + 8, offset - this.baseOffset);
  }

  /** The offset before which everything is older than `timestamp`: that of the last entry at or below it, or the base. */
  lookup(timestamp: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.timestampAt(middle) <= timestamp) low = middle + 1;
      else high = middle - 1;
    }
    return high < 0 ? this.baseOffset : this.offsetAt(high);
  }

  /** Drops the entries at or above `offset`. */
  truncateTo(offset: number): void {
    this.entries.count = this.countBelow(offset);
  }

  countBelow(offset: number): number {
    let count = this.count;
    while (count > 0 && this.offsetAt(count - 1) >= offset) count -= 1;
    return count;
  }

  /** Whether the entries, as read from a file, can be those of a segment that ends before `endOffset`. */
  isSane(endOffset: number): boolean {
    let timestamp = -1;
    let offset = this.baseOffset;
    for (let entry = 0; entry < this.count; entry++) {
      if (this.timestampAt(entry) <= timestamp || this.offsetAt(entry) < offset) return false;
      timestamp = this.timestampAt(entry);
      offset = this.offsetAt(entry);
    }
    return this.count === 0 || offset < endOffset;
  }
}
