// When each partition was last acknowledged a write, and how long it went without: of every partition for itself, because one that
// stands still is not seen in a sum.
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 20;

export class AckWatch {
  /** Over the whole run. */
  acknowledged = 0;
  readonly #last = new Map<string, number>();
  readonly #longest = new Map<string, number>();

  constructor(partitions: readonly string[]) {
    const now = performance.now();
    for (const tp of partitions) this.#last.set(tp, now);
  }

  acked(tp: string): void {
    this.acknowledged++;
    const now = performance.now();
    this.#note(tp, now);
    this.#last.set(tp, now);
  }

  /** A pause that is under way counts whole. */
  forget(): void {
    this.#longest.clear();
  }

  /** Milliseconds, the longest of each partition since `forget`; what still lasts counts. */
  pauses(): ReadonlyMap<string, number> {
    const now = performance.now();
    for (const tp of this.#last.keys()) this.#note(tp, now);
    return new Map(this.#longest);
  }

  /** Those that were acknowledged nothing from now on for `withinMs`. */
  async silent(withinMs: number): Promise<readonly string[]> {
    const since = performance.now();
    for (;;) {
      const silent = [...this.#last].filter(([, at]) => at < since).map(([tp]) => tp);
      if (silent.length === 0 || performance.now() - since > withinMs) return silent;
      await pause(LOOK_MS);
    }
  }

  #note(tp: string, now: number): void {
    const lasted = Math.round(now - this.#last.get(tp)!);
    this.#longest.set(tp, Math.max(this.#longest.get(tp) ?? 0, lasted));
  }
}
