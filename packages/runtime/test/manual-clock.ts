// A Clock that stands still until it is told to go on.
import type { Clock, Timer } from '@tidemark/core';

interface Pending {
  readonly dueMs: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 0;
  #pending: Pending[] = [];

  wallMs(): number {
    return 1_800_000_000_000 + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  get timerCount(): number {
    return this.#pending.length;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const pending: Pending = { dueMs: this.#nowMs + delayMs, callback };
    this.#pending.push(pending);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((each) => each !== pending);
      },
    };
  }

  /** Runs what falls due, in order, and lets promises settle after each. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const [due] = this.#pending.filter((each) => each.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
      if (due === undefined) break;
      this.#pending = this.#pending.filter((each) => each !== due);
      this.#nowMs = due.dueMs;
      due.callback();
      await settled();
    }
    this.#nowMs = untilMs;
  }
}

/** Lets everything that waits on promises only go on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
