// Guessing passwords is slow: the answer to a failed authentication is held back, and an address with too many failures in a minute is
// not listened to for the rest of it.

import type { Clock } from '@tidemark/core';

const WINDOW_MS = 60_000;
const MAX_FAILURES = 30;
/** Addresses remembered; the ones longest without a failure are forgotten. */
const MAX_ADDRESSES = 10_000;

interface Window {
  readonly endsAtMs: number;
  failures: number;
}

export class AuthenticationLimit {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  /** Ms until the address is listened to again; 0 when it is. */
  waitMs(address: string): number {
    const window = this.#windows.get(address);
    if (window === undefined || window.failures < MAX_FAILURES) return 0;
    return Math.max(0, window.endsAtMs - this.#clock.monotonicMs());
  }

  /** Resolves when the failure may be told. */
  failed(address: string): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#windows.get(address);
    const window =
      known !== undefined && known.endsAtMs > nowMs ? known : { endsAtMs: nowMs + WINDOW_MS, failures: 0 };
    window.failures += 1;
    this.#windows.delete(address);
    this.#windows.set(address, window);
    if (this.#windows.size > MAX_ADDRESSES) this.#windows.delete(this.#windows.keys().next().value!);
    return new Promise((resolve) => void this.#clock.setTimer(this.#delayMs, resolve));
  }
}
