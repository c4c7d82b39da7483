// A Clock for tests over real sockets. Short timers (lingering, back-off) come due at once, in the next turn of the event loop, and
// time moves on by as much; long ones (time-outs, silences) come due only when a test advances the time. So nothing here ever waits.
import type { Clock, Timer } from '@tidemark/core';

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class TestClock implements Clock {
  /** Timers up to this delay come due at once. */
  hurryMs: number;
  #nowMs = 1_000_000;
  #order = 0;
  readonly #entries = new Set<Entry>();

  constructor(hurryMs = 1250) {
    this.hurryMs = hurryMs;
  }

  /** Timers that have neither run nor been cancelled. */
  get pending(): number {
    return this.#entries.size;
  }

  wallMs(): number {
    return 1_700_000_000_000 + Math.floor(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const entry = { dueMs: this.#nowMs + delayMs, order: this.#order++, callback };
    this.#entries.add(entry);
    if (delayMs <= this.hurryMs) setImmediate(() => this.#run(entry));
    return { cancel: () => void this.#entries.delete(entry) };
  }

  /** Runs everything that comes due within `ms`, in order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#entries]
        .filter(({ dueMs }) => dueMs <= endMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
      if (next === undefined) break;
      this.#run(next);
    }
    this.#nowMs = endMs;
  }

  #run(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    this.#nowMs = Math.max(this.#nowMs, entry.dueMs);
    entry.callback();
  }
}

/** Lets the event loop turn until the condition holds; gives up, and fails the test, before mocha's time limit. */
export async function until(condition: () => boolean): Promise<void> {
  const givesUpMs = performance.now() + 8000;
  while (!condition()) {
    if (performance.now() > givesUpMs) throw new Error(`it never came to this: ${condition.toString()}`);
    await turn();
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Enough turns for what is on the loopback to arrive. */
export async function quiet(turns = 50): Promise<void> {
  for (let left = turns; left > 0; left--) await turn();
}

/** The same numbers each run. */
export function seededRandom(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}
