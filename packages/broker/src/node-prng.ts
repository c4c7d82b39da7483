// NodePrng: core's Prng over the operating system's generator. Random bytes are fetched a pool at a time, because one system
// call for four bytes costs as much as one for thousands; what is handed out is copied, never part of the pool.

import { randomFillSync } from 'node:crypto';
import { drawBelow, type Prng } from '@tidemark/core';

const POOL_BYTES = 4096;

export class NodePrng implements Prng {
  readonly #pool = new Uint8Array(POOL_BYTES);
  readonly #view = new DataView(this.#pool.buffer);
  #used = POOL_BYTES;

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  below(bound: number): number {
    return drawBelow(bound, () => this.uint32());
  }

  bytes(length: number): Uint8Array {
    if (length > POOL_BYTES / 4) return randomFillSync(new Uint8Array(length));
    const at = this.#take(length);
    return this.#pool.slice(at, at + length);
  }

  /** Where in the pool `length` unused bytes begin. */
  #take(length: number): number {
    if (this.#used + length > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += length;
    return at;
  }
}
