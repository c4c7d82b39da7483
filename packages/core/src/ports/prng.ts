// Prng: the only source of random numbers for PURE and PORTS packages. Same seed, same numbers.

export interface Prng {
  /** An integer, uniform over 0 .. 2^32 - 1. */
  uint32(): number;
  /** An integer, uniform over 0 .. bound - 1; bound 1 .. 2^32. */
  below(bound: number): number;
  /** `length` uniform bytes. */
  bytes(length: number): Uint8Array;
}
