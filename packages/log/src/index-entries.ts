// Fixed-size index entries in one growing buffer, in the format of the file, so that writing the file is a slice.
// Contract: entries are only added at the end and cut from the end; the memory doubles and is bounded by the caller's rolls.

export class IndexEntries {
  readonly entryBytes: number;
  count = 0;
  #bytes: Uint8Array;

  constructor(entryBytes: number, bytes: Uint8Array = new Uint8Array(0)) {
    this.entryBytes = entryBytes;
    this.#bytes = bytes;
    this.count = Math.floor(bytes.length / entryBytes);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get capacityBytes(): number {
    return this.#bytes.length;
  }

  /** Makes room for one more entry, counts it, and answers where in `bytes` it goes. */
  add(): number {
    const at = this.count * this.entryBytes;
    if (at + this.entryBytes > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.entryBytes * 32, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.count += 1;
    return at;
  }

  /** The entries from `from` to before `to` as they are in the file. */
  slice(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from * this.entryBytes, to * this.entryBytes);
  }
}
