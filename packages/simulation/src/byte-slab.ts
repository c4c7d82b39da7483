// ByteSlab: copies of small byte arrays, many to one piece of memory: a buffer of its own for every message costs more than the
// message. Contract: what `copy` answers is nobody else's and is never written again here; a slab lives as long as any copy in it.

const SLAB_BYTES = 64 * 1024;
/** What is larger gets memory of its own. */
const MAX_COPY_BYTES = 2 * 1024;

export class ByteSlab {
  #slab = new ArrayBuffer(SLAB_BYTES);
  #used = 0;

  /** Memory for `length` bytes, all zero. */
  take(length: number): Uint8Array {
    if (length > MAX_COPY_BYTES) return new Uint8Array(length);
    if (this.#used + length > SLAB_BYTES) {
      this.#slab = new ArrayBuffer(SLAB_BYTES);
      this.#used = 0;
    }
    const bytes = new Uint8Array(this.#slab, this.#used, length);
    // Views of whole numbers may be wanted of it.
    this.#used += (length + 7) & ~7;
    return bytes;
  }

  copy(bytes: Uint8Array): Uint8Array {
    const copied = this.take(bytes.length);
    copied.set(bytes);
    return copied;
  }
}
