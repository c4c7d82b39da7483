// Gives led partitions their `tick` while they have something that depends on the time: a follower that lags, a proposal to repeat.
// Contract: a partition that waits for nothing costs nothing; nobody is late by more than one interval.

import type { Clock, Timer } from '@tidemark/core';

export interface Ticking {
  /** Answers whether it wants to be ticked again. */
  tick(nowMs: number): boolean;
}

export class ReplicaTicker {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #restless = new Set<Ticking>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** It wants to be ticked, until it says that it does not. */
  watch(replica: Ticking): void {
    this.#restless.add(replica);
    this.#arm();
  }

  unwatch(replica: Ticking): void {
    this.#restless.delete(replica);
  }

  close(): void {
    this.#isClosed = true;
    this.#restless.clear();
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#isClosed || this.#timer !== undefined || this.#restless.size === 0) return;
    this.#timer = this.#clock.setTimer(this.#intervalMs, () => {
      this.#timer = undefined;
      const nowMs = this.#clock.monotonicMs();
      for (const replica of [...this.#restless]) if (!replica.tick(nowMs)) this.#restless.delete(replica);
      this.#arm();
    });
  }
}
