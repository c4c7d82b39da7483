// The newest batches of each partition in memory, so that whoever reads near the end touches no disk. One budget for all
// partitions of a folder; the oldest append of all goes first.
// Contract: the memory charged is what is really kept alive. A view of a larger buffer keeps the whole buffer alive, so a
// buffer is charged once, whole, for as long as any view of it is in here, and a small view of a large one is copied instead.

import { batchBaseOffset, batchLastOffset, batchSizeBytes } from '@tidemark/record';

/** What an entry costs besides its bytes. */
const ENTRY_OVERHEAD_BYTES = 160;
/** A view of less than a quarter of its buffer is copied if it is no larger than this: cheaper than pinning the rest. */
const MAX_COPIED_BYTES = 16 * 1024;

interface TailEntry {
  readonly owner: TailCache;
  readonly baseOffset: number;
  readonly endOffset: number;
  /** Let go when the entry dies: it may stay in the queue for a while. */
  bytes: Uint8Array;
  isLive: boolean;
}

const NO_BYTES = new Uint8Array(0);
/** Dead entries in the queue beyond the live ones before they are swept out. */
const MAX_DEAD = 1024;

/** The budget that the tails of one folder share. 0 bytes: nothing is kept. */
export class TailBudget {
  readonly limitBytes: number;
  usedBytes = 0;
  readonly #buffers = new Map<ArrayBufferLike, number>();
  #queue: TailEntry[] = [];
  #head = 0;
  #live = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  charge(entry: TailEntry): void {
    const { buffer } = entry.bytes;
    const views = this.#buffers.get(buffer) ?? 0;
    this.#buffers.set(buffer, views + 1);
    this.usedBytes += ENTRY_OVERHEAD_BYTES + (views === 0 ? buffer.byteLength : 0);
    this.#queue.push(entry);
    this.#live += 1;
    while (this.usedBytes > this.limitBytes && this.#head < this.#queue.length) {
      const oldest = this.#queue[this.#head++]!;
      if (oldest.isLive) oldest.owner.evictOldest();
    }
    if (this.#queue.length > 2 * this.#live + MAX_DEAD) {
      this.#queue = this.#queue.slice(this.#head).filter(({ isLive }) => isLive);
      this.#head = 0;
    }
  }

  refund(entry: TailEntry): void {
    const { buffer } = entry.bytes;
    entry.isLive = false;
    entry.bytes = NO_BYTES;
    this.#live -= 1;
    const views = this.#buffers.get(buffer) ?? 1;
    if (views > 1) this.#buffers.set(buffer, views - 1);
    else this.#buffers.delete(buffer);
    this.usedBytes -= ENTRY_OVERHEAD_BYTES + (views === 1 ? buffer.byteLength : 0);
  }
}

/** Bytes of whole batches, and where to go on. */
export interface BatchRange {
  readonly parts: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly nextOffset: number;
}

/** The tail of one partition: appends without a gap between them, up to the end of what is written. */
export class TailCache {
  readonly #budget: TailBudget;
  #entries: TailEntry[] = [];
  #head = 0;

  constructor(budget: TailBudget) {
    this.#budget = budget;
  }

  /** The first offset that can be read from here; Infinity when there is none. */
  get startOffset(): number {
    return this.#entries[this.#head]?.baseOffset ?? Infinity;
  }

  /**
   * Adds an append that is written. `isOwned`: nobody changes the bytes any more, so they need not be copied. An append that
   * does not follow the last one starts the tail anew.
   */
  add(bytes: Uint8Array, baseOffset: number, endOffset: number, isOwned: boolean): void {
    if (this.#entries.length > this.#head && this.#entries.at(-1)!.endOffset !== baseOffset) this.clear();
    if (bytes.length > this.#budget.limitBytes) {
      this.clear();
      return;
    }
    const isSparse = bytes.length <= MAX_COPIED_BYTES && bytes.length * 4 < bytes.buffer.byteLength;
    // Not `slice`: on Node's Buffer that is another view.
    const kept = isOwned && !isSparse ? bytes : new Uint8Array(bytes);
    const entry: TailEntry = { owner: this, baseOffset, endOffset, bytes: kept, isLive: true };
    this.#entries.push(entry);
    this.#budget.charge(entry);
  }

  evictOldest(): void {
    const oldest = this.#entries[this.#head];
    if (oldest === undefined) return;
    this.#head += 1;
    this.#budget.refund(oldest);
    if (this.#head > 256 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    for (let index = this.#head; index < this.#entries.length; index++) {
      this.#budget.refund(this.#entries[index]!);
    }
    this.#entries = [];
    this.#head = 0;
  }

  /**
   * The batches from the one that holds `offset` on, those only whose last offset is below `limit`. The caller has compared
   * `offset` with `startOffset`.
   */
  read(offset: number, limit: number, maxBytes: number, atLeastOne: boolean): BatchRange {
    const parts: Uint8Array[] = [];
    let sizeBytes = 0;
    let nextOffset = offset;
    for (let index = this.#find(offset); index < this.#entries.length; index++) {
      const entry = this.#entries[index]!;
      const fits = sizeBytes + entry.bytes.length <= maxBytes;
      if (entry.baseOffset >= nextOffset && entry.endOffset <= limit && fits) {
        parts.push(entry.bytes);
        sizeBytes += entry.bytes.length;
        nextOffset = entry.endOffset;
        continue;
      }
      const room = maxBytes - sizeBytes;
      const range = cutBatches(entry.bytes, nextOffset, limit, room, atLeastOne && sizeBytes === 0);
      if (range.sizeBytes > 0) {
        parts.push(range.bytes);
        sizeBytes += range.sizeBytes;
        nextOffset = range.nextOffset;
      }
      if (nextOffset < entry.endOffset) break;
    }
    return { parts, sizeBytes, nextOffset };
  }

  /** Index of the entry that holds `offset`. */
  #find(offset: number): number {
    let low = this.#head;
    let high = this.#entries.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.baseOffset <= offset) low = middle + 1;
      else high = middle - 1;
    }
    return Math.max(high, this.#head);
  }
}

/** The whole batches in `bytes`, from the one that holds `offset`, that end below `limit` and fit in `maxBytes`. */
export function cutBatches(
  bytes: Uint8Array,
  offset: number,
  limit: number,
  maxBytes: number,
  atLeastOne: boolean,
): { readonly bytes: Uint8Array; readonly sizeBytes: number; readonly nextOffset: number } {
  let at = 0;
  while (at < bytes.length && batchLastOffset(bytes, at) < offset) at += batchSizeBytes(bytes, at);
  const from = at;
  let nextOffset = offset;
  while (at < bytes.length) {
    const size = batchSizeBytes(bytes, at);
    const last = batchLastOffset(bytes, at);
    const fits = at + size - from <= maxBytes || (atLeastOne && at === from);
    if (last >= limit || batchBaseOffset(bytes, at) >= limit || !fits) break;
    nextOffset = last + 1;
    at += size;
  }
  return { bytes: bytes.subarray(from, at), sizeBytes: at - from, nextOffset };
}
