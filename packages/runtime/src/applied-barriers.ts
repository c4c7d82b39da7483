// Whoever waits until this node has applied everything below an offset. Contract: each wait is settled once, in time, when the
// offset is reached, or when the barriers are closed.

import { type Clock, MAX_TIMER_MS, type Offset, type Timer } from '@tidemark/core';

interface Barrier {
  readonly offset: Offset;
  readonly timer: Timer;
  readonly settle: (isApplied: boolean) => void;
}

export class AppliedBarriers {
  readonly #clock: Clock;
  readonly #appliedOffset: () => Offset;
  readonly #waiting = new Set<Barrier>();
  #isClosed = false;

  constructor(clock: Clock, appliedOffset: () => Offset) {
    this.#clock = clock;
    this.#appliedOffset = appliedOffset;
  }

  /** Whether everything below `offset` is applied within so many milliseconds. */
  reach(offset: Offset, timeoutMs: number): Promise<boolean> {
    if (this.#appliedOffset() >= offset) return Promise.resolve(true);
    if (this.#isClosed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const boundedMs = Math.min(Math.max(0, Math.floor(timeoutMs)), MAX_TIMER_MS);
      const timer = this.#clock.setTimer(boundedMs, () => barrier.settle(false));
      const barrier: Barrier = {
        offset,
        timer,
        settle: (isApplied) => {
          timer.cancel();
          this.#waiting.delete(barrier);
          resolve(isApplied);
        },
      };
      this.#waiting.add(barrier);
    });
  }

  /** More has been applied. */
  pass(): void {
    if (this.#waiting.size === 0) return;
    const appliedOffset = this.#appliedOffset();
    for (const barrier of [...this.#waiting]) if (barrier.offset <= appliedOffset) barrier.settle(true);
  }

  /** Nothing is applied any more. */
  close(): void {
    this.#isClosed = true;
    for (const barrier of [...this.#waiting]) barrier.settle(false);
  }
}
