// One timer for a deadline that mostly moves away: it is left where it is when it comes early, and whoever it wakes sets it anew.
// Contract: it wakes no later than the earliest time it was set to since it last did; after `cancel` nothing is on the clock.

import type { Timer } from '@tidemark/core';

export interface DeadlineClock {
  monotonicMs(): number;
  setTimer(delayMs: number, callback: () => void): Timer;
}

export class DeadlineTimer {
  readonly #clock: DeadlineClock;
  readonly #onDue: () => void;
  #set: { readonly atMs: number; readonly timer: Timer } | undefined;

  constructor(clock: DeadlineClock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** By the monotonic clock; Infinity changes nothing. */
  setAt(atMs: number): void {
    if (atMs === Infinity || (this.#set !== undefined && this.#set.atMs <= atMs)) return;
    this.cancel();
    const delayMs = Math.max(1, Math.ceil(atMs - this.#clock.monotonicMs()));
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#set = undefined;
      this.#onDue();
    });
    this.#set = { atMs, timer };
  }

  cancel(): void {
    this.#set?.timer.cancel();
    this.#set = undefined;
  }
}
