// Backoff: how long to wait before what failed is tried again. Doubles from the first pause to the longest, a fifth more or less
// at random, so that many who failed together do not come back together.

import type { Prng } from '@tidemark/core';

export class Backoff {
  readonly #prng: Prng;
  readonly #firstMs: number;
  readonly #longestMs: number;
  #failures = 0;

  constructor(prng: Prng, firstMs: number, longestMs: number) {
    this.#prng = prng;
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** The pause after one more failure, in ms. */
  next(): number {
    const pauseMs = Math.min(this.#longestMs, this.#firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return (pauseMs * (800 + this.#prng.below(401))) / 1000;
  }

  /** It has succeeded. */
  reset(): void {
    this.#failures = 0;
  }
}
