// The first thing that makes going on impossible: a bug, or a disk that failed. It is logged and told; ending is the owner's.

import type { Logger } from 'pino';

export class FailureSignal {
  readonly raised: Promise<unknown>;
  readonly #log: Logger;
  /** Whether there was one. */
  isRaised = false;
  #raise: (cause: unknown) => void = () => undefined;

  constructor(log: Logger) {
    this.#log = log;
    this.raised = new Promise((resolve) => {
      this.#raise = resolve;
    });
  }

  raise(cause: unknown, what: string): void {
    this.isRaised = true;
    this.#log.fatal({ err: cause }, what);
    this.#raise(cause);
  }
}
