// Slows background reads and writes down to so many bytes a second (`log.cleaner.io.max.bytes.per.second`). Contract: waits on the
// Clock port, in short pieces, so that whoever is not wanted any more is done within one of them.

import type { Clock } from '@tidemark/core';

const MAX_WAIT_MS = 250;

export class IoThrottle {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  /** When what was charged so far is paid for, by the monotonic clock. */
  #freeAtMs = 0;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Waits until so many more bytes are within the rate, or nobody wants them any more. */
  async charge(bytes: number, isWanted: () => boolean): Promise<void> {
    if (this.#bytesPerSecond === Infinity) return;
    const nowMs = this.#clock.monotonicMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (bytes * 1000) / this.#bytesPerSecond;
    for (
      let left = this.#freeAtMs - nowMs;
      left > 0 && isWanted();
      left = this.#freeAtMs - this.#clock.monotonicMs()
    ) {
      const waitMs = Math.min(left, MAX_WAIT_MS);
      await new Promise<void>((resolve) => {
        this.#clock.setTimer(waitMs, resolve);
      });
    }
  }
}
