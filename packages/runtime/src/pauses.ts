// Pauses between two tries, which end at once when whoever tries is closed: nothing waits for a timer of a node that is gone.

import type { Clock, Timer } from '@tidemark/core';

export class Pauses {
  readonly #clock: Clock;
  readonly #waiting = new Map<() => void, Timer>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves after so many milliseconds, or when it is closed. */
  wait(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(ms, () => {
        this.#waiting.delete(resolve);
        resolve();
      });
      this.#waiting.set(resolve, timer);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const [resolve, timer] of this.#waiting) {
      timer.cancel();
      resolve();
    }
    this.#waiting.clear();
  }
}
