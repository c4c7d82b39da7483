// The random numbers of these tests: mulberry32, the same for the same seed on every machine.

export class SeededPrng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 .. bound - 1; slightly uneven, which does not matter here. */
  below(bound: number): number {
    return this.uint32() % bound;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 0xff);
  }

  chance(percent: number): boolean {
    return this.uint32() < (percent / 100) * 2 ** 32;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}
