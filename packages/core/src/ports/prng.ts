// Prng: the only source of random numbers for PURE and PORTS packages. Same seed, same numbers.

export interface Prng {
  /** An integer, uniform over 0 .. 2^32 - 1. */
  uint32(): number;
  /** An integer, uniform over 0 .. bound - 1; bound 1 .. 2^32. */
  below(bound: number): number;
  /** `length` uniform bytes. */
  bytes(length: number): Uint8Array;
}

const UINT32_VALUES = 2 ** 32;

/** What `below` is over any source of uniform 32-bit numbers. RangeError unless `bound` is an integer from 1 to 2^32. */
export function drawBelow(bound: number, uint32: () => number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > UINT32_VALUES) {
    throw new RangeError(`a bound is an integer from 1 to 2^32, not ${bound}`);
  }
  // Numbers past the last whole multiple of the bound would favour small results: draw again.
  const limit = UINT32_VALUES - (UINT32_VALUES % bound);
  for (;;) {
    const drawn = uint32();
    if (drawn < limit) return drawn % bound;
  }
}
