// SimPrng: the Prng of simulations and tests. xoshiro128** (Blackman and Vigna, 2018), its state filled by splitmix32 from
// one seed: same seed, same numbers, on every machine. `fork` derives an independent stream, so that a consumer that
// draws one number more does not shift everybody else's.

import { drawBelow, type Prng } from '@tidemark/core';

function splitmix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

export class SimPrng implements Prng {
  readonly seed: number;
  readonly #state: Uint32Array;
  readonly #uint32 = (): number => this.uint32();

  /** `seed`: an integer; its low 32 bits count. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is an integer, not ${seed}`);
    this.seed = seed >>> 0;
    const next = splitmix32(seed);
    this.#state = Uint32Array.of(next(), next(), next(), next() | 1);
  }

  uint32(): number {
    const s = this.#state;
    const scaled = Math.imul(s[1]!, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  below(bound: number): number {
    return drawBelow(bound, this.#uint32);
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const drawn = this.uint32();
      for (let byte = 0; byte < 4 && at + byte < length; byte++) bytes[at + byte] = drawn >>> (8 * byte);
    }
    return bytes;
  }

  /** True once in `oneIn` draws on average; never for 0. */
  chance(oneIn: number): boolean {
    return oneIn > 0 && this.below(oneIn) === 0;
  }

  /** An independent stream; the same one for the same moment and `label`. */
  fork(label = ''): SimPrng {
    let seed = this.uint32();
    for (let at = 0; at < label.length; at++) seed = Math.imul(seed ^ label.charCodeAt(at), 0x01000193);
    return new SimPrng(seed >>> 0);
  }
}
