// Guessing passwords is slow: the answer to a failed authentication is held back, and a user at whose name an address fails too often in
// a minute is not listened to from there for the rest of it. By address and user, not by address alone: behind one address there may be
// a whole cluster of clients, of which one with an old password must not shut out the others.

import type { Clock } from '@tidemark/core';

const WINDOW_MS = 60_000;
const MAX_FAILURES = 30;
/** Windows remembered; the ones longest without a failure are forgotten. */
const MAX_WINDOWS = 10_000;

interface Window {
  readonly endsAtMs: number;
  failures: number;
}

const keyOf = (address: string, user: string): string => `${address}\0${user}`;

export class AuthenticationLimit {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  /** Ms until the user is listened to again; 0 when he is. */
  waitMs(address: string, user: string): number {
    const window = this.#windows.get(keyOf(address, user));
    if (window === undefined || window.failures < MAX_FAILURES) return 0;
    return Math.max(0, window.endsAtMs - this.#clock.monotonicMs());
  }

  /** Resolves when the failure may be told. */
  failed(address: string, user: string): Promise<void> {
    const key = keyOf(address, user);
    const nowMs = this.#clock.monotonicMs();
    const known = this.#windows.get(key);
    const window =
      known !== undefined && known.endsAtMs > nowMs ? known : { endsAtMs: nowMs + WINDOW_MS, failures: 0 };
    window.failures += 1;
    this.#windows.delete(key);
    this.#windows.set(key, window);
    if (this.#windows.size > MAX_WINDOWS) this.#windows.delete(this.#windows.keys().next().value!);
    return new Promise((resolve) => void this.#clock.setTimer(this.#delayMs, resolve));
  }
}
