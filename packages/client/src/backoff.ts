// Exponential back-off as KIP-580 has it: first, first * 2, ... up to a maximum, each 20 % off at random so that clients which
// failed together do not come back together.

export interface BackoffRange {
  /** The first pause, in ms. */
  readonly firstMs: number;
  /** The longest pause before jitter, in ms. */
  readonly maxMs: number;
}

/** The pause before attempt `failures + 1`; `failures` counts from 1. `random` is uniform over [0, 1). */
export function backoffMs(range: BackoffRange, failures: number, random: () => number): number {
  const base = Math.min(range.maxMs, range.firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return base * (0.8 + 0.4 * random());
}
