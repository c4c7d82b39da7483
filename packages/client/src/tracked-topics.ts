// The topics a client has itself told about, for as long as it needs them: a producer of many topics that come and go would ask for
// all of them for ever, and in the end for more than a broker answers in one request.

/** How long a topic that nobody needs is asked for yet; Kafka's metadata.max.idle.ms. */
export const MAX_IDLE_MS = 5 * 60_000;

export class TrackedTopics {
  /** When each was used last. */
  readonly #usedMs = new Map<string, number>();
  readonly #needed = new Set<() => Iterable<string>>();
  #sweptMs = -Infinity;

  get names(): readonly string[] {
    return [...this.#usedMs.keys()];
  }

  has(name: string): boolean {
    return this.#usedMs.has(name);
  }

  /** Answers whether one of them is new. */
  use(names: readonly string[], nowMs: number): boolean {
    const before = this.#usedMs.size;
    for (const name of names) this.#usedMs.set(name, nowMs);
    return this.#usedMs.size > before;
  }

  /** What `needed` answers is kept, however long it is not used. Answers how to end that. */
  keep(needed: () => Iterable<string>): () => void {
    this.#needed.add(needed);
    return () => void this.#needed.delete(needed);
  }

  /** Forgets those that nobody needs, and answers which. */
  sweep(nowMs: number): readonly string[] {
    if (nowMs - this.#sweptMs < MAX_IDLE_MS) return [];
    this.#sweptMs = nowMs;
    const idle = [...this.#usedMs].filter(([, usedMs]) => nowMs - usedMs >= MAX_IDLE_MS);
    if (idle.length === 0) return [];
    const kept = new Set<string>();
    for (const needed of this.#needed) for (const name of needed()) kept.add(name);
    const gone = idle.map(([name]) => name).filter((name) => !kept.has(name));
    for (const name of gone) this.#usedMs.delete(name);
    return gone;
  }
}
