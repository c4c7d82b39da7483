// What ends a streaming command early: Ctrl-C, SIGTERM, or a reader that has gone (`| head`). The first is a wish: the command
// stops taking new work, flushes what it has and ends with 0. A second signal exits at once.

export type InterruptionReason = 'SIGINT' | 'SIGTERM' | 'EPIPE';

export class Interruption {
  readonly #controller = new AbortController();
  #reason: InterruptionReason | undefined;
  #onFirstUse: (() => void) | undefined;

  /** `onFirstUse` installs the signal handlers: a command that never asks keeps the default, which is to die. */
  constructor(onFirstUse?: () => void) {
    this.#onFirstUse = onFirstUse;
  }

  get signal(): AbortSignal {
    this.#onFirstUse?.();
    this.#onFirstUse = undefined;
    return this.#controller.signal;
  }

  get requested(): boolean {
    return this.signal.aborted;
  }

  get reason(): InterruptionReason | undefined {
    return this.#reason;
  }

  /** Answers false when it had been requested before. */
  request(reason: InterruptionReason): boolean {
    if (this.#controller.signal.aborted) return false;
    this.#reason = reason;
    this.#controller.abort();
    return true;
  }
}
