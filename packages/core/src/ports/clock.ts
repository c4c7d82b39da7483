// Clock: the only source of time for PORTS packages. Two clocks in one port, because they answer different questions.

/** The longest a timer may run, in ms: a little under 25 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export interface Timer {
  /** After this the callback does not run. Idempotent; harmless after it has run. */
  cancel(): void;
}

export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. May jump either way. For timestamps in data, never for time-outs. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never goes back. For time-outs, sessions and intervals. */
  monotonicMs(): number;
  /**
   * Runs `callback` once, no earlier than `delayMs` (0 .. `MAX_TIMER_MS`) from now by the monotonic clock, never inside this
   * call. Timers due at the same time run in the order they were set.
   */
  setTimer(delayMs: number, callback: () => void): Timer;
}
