// The last offset of each key in the part of a log that is being cleaned. Contract: keys are held as they are and compared byte for
// byte, so that no two are ever taken for one (with a hash alone, a collision would lose a key's last value); memory is bounded in
// bytes, entries and keys together, and what does not fit is refused, never forgotten.

import { crc32c } from '@tidemark/record';

/** Two slots of four bytes, and what an entry holds besides its key. */
const ENTRY_BYTES = 2 * 4 + 4 + 4 + 4 + 8;
const FIRST_ENTRIES = 1024;

export class KeyOffsets {
  readonly #limitBytes: number;
  #count = 0;
  #keyBytes = 0;
  /** Entry number + 1; 0: free. A power of two, at least twice the entries. */
  #slots = new Uint32Array(2 * FIRST_ENTRIES);
  #hashes = new Uint32Array(FIRST_ENTRIES);
  #keyAt = new Uint32Array(FIRST_ENTRIES);
  #keyLengths = new Uint32Array(FIRST_ENTRIES);
  #offsets = new Float64Array(FIRST_ENTRIES);
  #keys = new Uint8Array(64 * 1024);

  constructor(limitBytes: number) {
    this.#limitBytes = Math.min(limitBytes, 2 ** 32 - 1);
  }

  get count(): number {
    return this.#count;
  }

  /** Whether a key of this length fits into a map that holds nothing else. */
  takes(length: number): boolean {
    return length + ENTRY_BYTES <= this.#limitBytes;
  }

  /** False: it is full, and nothing has changed. */
  put(bytes: Uint8Array, at: number, length: number, offset: number): boolean {
    const hash = crc32c(bytes, at, at + length);
    let slot = this.#slotOf(hash, bytes, at, length);
    const known = this.#slots[slot]!;
    if (known > 0) {
      this.#offsets[known - 1] = offset;
      return true;
    }
    const used = (this.#count + 1) * ENTRY_BYTES + this.#keyBytes + length;
    if (used > this.#limitBytes) return false;
    if (this.#count === this.#offsets.length) {
      this.#growEntries();
      slot = this.#slotOf(hash, bytes, at, length);
    }
    if (this.#keyBytes + length > this.#keys.length) this.#growKeys(this.#keyBytes + length);
    for (let index = 0; index < length; index++) this.#keys[this.#keyBytes + index] = bytes[at + index]!;
    const entry = this.#count++;
    this.#hashes[entry] = hash;
    this.#keyAt[entry] = this.#keyBytes;
    this.#keyLengths[entry] = length;
    this.#offsets[entry] = offset;
    this.#keyBytes += length;
    this.#slots[slot] = entry + 1;
    return true;
  }

  /** -1: the key is not in it. */
  get(bytes: Uint8Array, at: number, length: number): number {
    const known = this.#slots[this.#slotOf(crc32c(bytes, at, at + length), bytes, at, length)]!;
    return known === 0 ? -1 : this.#offsets[known - 1]!;
  }

  /** The slot that has the key, or the free one where it would go. */
  #slotOf(hash: number, bytes: Uint8Array, at: number, length: number): number {
    const mask = this.#slots.length - 1;
    // The low bits of a CRC of short keys that differ in one byte are spread well enough.
    let slot = hash & mask;
    for (;;) {
      const known = this.#slots[slot]!;
      if (known === 0 || this.#isKey(known - 1, hash, bytes, at, length)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isKey(entry: number, hash: number, bytes: Uint8Array, at: number, length: number): boolean {
    if (this.#hashes[entry] !== hash || this.#keyLengths[entry] !== length) return false;
    const from = this.#keyAt[entry]!;
    for (let index = 0; index < length; index++) {
      if (this.#keys[from + index] !== bytes[at + index]) return false;
    }
    return true;
  }

  #growEntries(): void {
    const size = this.#offsets.length * 2;
    this.#hashes = grown(this.#hashes, new Uint32Array(size));
    this.#keyAt = grown(this.#keyAt, new Uint32Array(size));
    this.#keyLengths = grown(this.#keyLengths, new Uint32Array(size));
    this.#offsets = grown(this.#offsets, new Float64Array(size));
    this.#slots = new Uint32Array(2 * size);
    const mask = this.#slots.length - 1;
    for (let entry = 0; entry < this.#count; entry++) {
      let slot = this.#hashes[entry]! & mask;
      while (this.#slots[slot]! !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }

  #growKeys(needed: number): void {
    const size = Math.min(Math.max(needed, this.#keys.length * 2), this.#limitBytes);
    this.#keys = grown(this.#keys, new Uint8Array(Math.max(size, needed)));
  }
}

function grown<T extends Uint8Array | Uint32Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
