// One timer for many due times: it is set for the earliest of those asked for, and whoever it wakes looks at everything again and
// asks for the next. Contract: `wake` runs no earlier than the earliest time asked for since it last ran.
import type { Clock, Timer } from '@tidemark/core';

export class EarliestTimer {
  readonly #clock: Clock;
  readonly #wake: () => void;
  #timer: Timer | undefined;
  #dueMs = Infinity;

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Both by the clock's monotonic time. */
  wakeAt(atMs: number, nowMs: number): void {
    if (this.#timer !== undefined && this.#dueMs <= atMs) return;
    this.#timer?.cancel();
    this.#dueMs = atMs;
    this.#timer = this.#clock.setTimer(Math.ceil(atMs - nowMs), () => {
      this.#timer = undefined;
      this.#dueMs = Infinity;
      this.#wake();
    });
  }

  /** Nobody is woken until the next `wakeAt`. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs = Infinity;
  }
}
