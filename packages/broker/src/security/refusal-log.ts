// Says that connections or callers are refused, without letting whoever is refused fill the log: a line at once, then at most one in
// ten seconds with how many there were.

import type { Clock } from '@tidemark/core';
import type { Logger } from 'pino';

const QUIET_MS = 10_000;

export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #what: string;
  readonly #onRefused: () => void;
  #quietUntilMs = 0;
  #untold = 0;

  /** `onRefused`: counts each of them. */
  constructor(clock: Clock, log: Logger, what: string, onRefused: () => void = () => undefined) {
    this.#clock = clock;
    this.#log = log;
    this.#what = what;
    this.#onRefused = onRefused;
  }

  tell(fields: Readonly<Record<string, unknown>>): void {
    this.#onRefused();
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#quietUntilMs) {
      this.#untold += 1;
      return;
    }
    this.#log.warn({ ...fields, ...(this.#untold > 0 ? { alsoRefused: this.#untold } : {}) }, this.#what);
    this.#untold = 0;
    this.#quietUntilMs = nowMs + QUIET_MS;
  }
}
