// The items in an order that the seed says.

import { type SimPrng } from '../sim-prng.ts';

export function shuffled<T>(items: readonly T[], prng: SimPrng): T[] {
  const left = [...items];
  const result: T[] = [];
  while (left.length > 0) result.push(...left.splice(prng.below(left.length), 1));
  return result;
}
