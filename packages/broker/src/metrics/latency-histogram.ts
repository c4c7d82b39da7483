// A latency histogram as plain arrays, because it is written to for every request; it becomes text when the page is asked for.

/** Upper bounds in seconds: from half a millisecond to half a minute, the time a produce may wait. */
export const LATENCY_BOUNDS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

export class LatencyHistogram {
  /** One more than the bounds: the last one counts what is above them all. */
  readonly #buckets = new Float64Array(LATENCY_BOUNDS_SECONDS.length + 1);
  #sumSeconds = 0;
  #count = 0;

  observe(durationMs: number): void {
    const seconds = durationMs / 1000;
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_SECONDS.length && seconds > LATENCY_BOUNDS_SECONDS[bucket]!) bucket += 1;
    this.#buckets[bucket] = this.#buckets[bucket]! + 1;
    this.#sumSeconds += seconds;
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  /** The samples of a family `name`; `label` is empty or one pair, `rpc="Fetch"`. */
  rows(name: string, label: string): readonly string[] {
    const labels = label === '' ? '' : `{${label}}`;
    const before = label === '' ? '' : `${label},`;
    let cumulative = 0;
    const rows = LATENCY_BOUNDS_SECONDS.map((bound, at) => {
      cumulative += this.#buckets[at]!;
      return `${name}_bucket{${before}le="${bound}"} ${cumulative}`;
    });
    rows.push(`${name}_bucket{${before}le="+Inf"} ${this.#count}`);
    rows.push(`${name}_sum${labels} ${this.#sumSeconds}`, `${name}_count${labels} ${this.#count}`);
    return rows;
  }
}
