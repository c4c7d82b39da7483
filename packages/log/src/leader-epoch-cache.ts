// Which leader epoch began at which offset: what a follower truncates by (KIP-101, KIP-279) and a consumer validates by
// (KIP-320). Contract: epochs and start offsets both increase; the epoch of any offset in the log can be told from it.

import { invariant } from '@tidemark/core';
import type { EpochEntry } from './checkpoint-file.ts';

export class LeaderEpochCache {
  #entries: EpochEntry[];
  /** True when the entries differ from those in the file. */
  isDirty = false;

  /** Entries as the file has them; those out of order are dropped, for batches carry their epoch too. */
  constructor(entries: readonly EpochEntry[] = []) {
    this.#entries = [];
    for (const entry of entries) {
      const last = this.#entries.at(-1);
      if (last === undefined || (entry.epoch > last.epoch && entry.startOffset >= last.startOffset)) {
        this.#entries.push(entry);
      }
    }
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  get latest(): EpochEntry | undefined {
    return this.#entries.at(-1);
  }

  /** Notes that `epoch` begins at `startOffset`. Nothing happens unless it is above the latest. */
  assign(epoch: number, startOffset: number): void {
    const latest = this.latest;
    if (epoch < 0 || (latest !== undefined && epoch <= latest.epoch)) return;
    // An epoch in which nothing was written gives way to the one that follows it at the same offset.
    while (this.#entries.length > 0 && this.#entries.at(-1)!.startOffset >= startOffset) this.#entries.pop();
    this.#entries.push({ epoch, startOffset });
    this.isDirty = true;
  }

  /** The epoch of the batch at `offset`; -1 when not known. */
  epochAt(offset: number): number {
    for (let index = this.#entries.length - 1; index >= 0; index--) {
      const entry = this.#entries[index]!;
      if (entry.startOffset <= offset) return entry.epoch;
    }
    return -1;
  }

  /**
   * The largest epoch at or below the one asked for, and its end offset: the start of the next, or `logEndOffset` for the
   * latest. Undefined when the epoch is above the latest or nothing is known. An epoch below all that is known answers
   * itself with the start of the first.
   */
  endOffsetFor(
    epoch: number,
    logEndOffset: number,
  ): { readonly epoch: number; readonly endOffset: number } | undefined {
    const latest = this.latest;
    if (latest === undefined || epoch < 0 || epoch > latest.epoch) return undefined;
    if (epoch === latest.epoch) return { epoch, endOffset: logEndOffset };
    const higher = this.#entries.findIndex((entry) => entry.epoch > epoch);
    invariant(higher >= 0, 'an epoch below the latest has one above it');
    const endOffset = this.#entries[higher]!.startOffset;
    return { epoch: this.#entries[higher - 1]?.epoch ?? epoch, endOffset };
  }

  /** Drops the epochs that begin at or above `offset`. */
  truncateFromEnd(offset: number): void {
    while (this.#entries.length > 0 && this.#entries.at(-1)!.startOffset >= offset) {
      this.#entries.pop();
      this.isDirty = true;
    }
  }

  /** Drops the epochs that end at or below `offset`; the one that holds it then begins there. */
  truncateFromStart(offset: number): void {
    const kept = this.#entries.findLastIndex((entry) => entry.startOffset <= offset);
    if (kept < 0) return;
    const entry = this.#entries[kept]!;
    if (kept === 0 && entry.startOffset === offset) return;
    this.#entries.splice(0, kept + 1, { epoch: entry.epoch, startOffset: offset });
    this.isDirty = true;
  }

  clear(): void {
    this.#entries = [];
    this.isDirty = true;
  }
}
