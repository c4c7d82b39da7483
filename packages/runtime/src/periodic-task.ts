// Runs something again and again on the Clock port, never twice at once. What it throws goes to `onError`, and the next run comes
// all the same: a retention pass that failed today must not end retention.

import type { Clock, Timer } from '@tidemark/core';

export class PeriodicTask {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #run: () => Promise<void>;
  readonly #onError: (cause: unknown) => void;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(clock: Clock, intervalMs: number, run: () => Promise<void>, onError: (cause: unknown) => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#run = run;
    this.#onError = onError;
    this.#arm();
  }

  #arm(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.setTimer(this.#intervalMs, () => {
      this.#running = this.#run()
        .catch(this.#onError)
        .then(() => this.#arm());
    });
  }

  /** After this nothing runs. Resolves when a run under way is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
