// Entries in a row, the newest at the end, the oldest let go from the front: a queue in an array. What was let go is not held, and
// the array is shortened now and then and not each time, since that moves everything behind.

import type { Offset } from '@tidemark/core';
import type { Entry } from './entry.ts';

const SHORTEN_FROM = 1024;

export class EntryCache {
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  /** Of payloads. */
  get bytes(): number {
    return this.#bytes;
  }

  get first(): Entry | undefined {
    return this.#entries[this.#head];
  }

  get last(): Entry | undefined {
    return this.isEmpty ? undefined : this.#entries.at(-1);
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.payload.length;
  }

  pop(): Entry | undefined {
    if (this.isEmpty) return undefined;
    const entry = this.#entries.pop()!;
    this.#bytes -= entry.payload.length;
    return entry;
  }

  shift(): void {
    const entry = this.first;
    if (entry === undefined) return;
    this.#bytes -= entry.payload.length;
    this.#entries[this.#head++] = undefined;
    if (this.#head < SHORTEN_FROM || this.#head * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  /** From the entry that holds `offset` on, which must not be before the first; none when all end at or below it. */
  *from(offset: Offset): Generator<Entry, undefined> {
    for (let at = this.#indexOf(offset); at < this.#entries.length; at++) {
      const entry = this.#entries[at]!;
      if (entry.endOffset > offset) yield entry;
    }
    return undefined;
  }

  #indexOf(offset: Offset): number {
    let low = this.#head;
    let high = this.#entries.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#entries[middle]!.baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
