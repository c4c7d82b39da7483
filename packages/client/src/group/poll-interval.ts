// Whether the application still comes for more: it may hold records, or stay away, for `max.poll.interval.ms`. While it waits in a
// call of ours with empty hands it cannot be late.
import type { Clock } from '@tidemark/core';
import { EarliestTimer } from '../earliest-timer.ts';
import type { HandOuts } from './hand-outs.ts';

export interface PollIntervalOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly handOuts: HandOuts;
  /** It is late. Told once, until it comes again. */
  readonly onExpired: () => void;
}

export class PollInterval {
  readonly #options: PollIntervalOptions;
  readonly #timer: EarliestTimer;
  /** Since when it is away; undefined while it is in a call. */
  #awaySinceMs: number | undefined;
  #inside = 0;
  #isExpired = false;
  #isWatching = false;
  #arrivals: (() => void)[] = [];

  constructor(options: PollIntervalOptions) {
    this.#options = options;
    this.#timer = new EarliestTimer(options.clock, () => this.#look());
  }

  get isExpired(): boolean {
    return this.#isExpired;
  }

  /** From now on it is watched: it has just subscribed. */
  start(): void {
    this.#isWatching = true;
    this.#isExpired = false;
    if (this.#inside === 0) this.#awaySinceMs = this.#options.clock.monotonicMs();
    this.#look();
  }

  stop(): void {
    this.#isWatching = false;
    this.#timer.cancel();
  }

  /** The application has come for more. */
  enter(): void {
    this.#inside += 1;
    this.#awaySinceMs = undefined;
    this.#isExpired = false;
    if (this.#arrivals.length > 0) for (const resolve of this.#arrivals.splice(0)) resolve();
  }

  /** It goes, with or without records. */
  leave(): void {
    this.#inside -= 1;
    if (this.#inside > 0 || !this.#isWatching) return;
    const now = this.#options.clock.monotonicMs();
    this.#awaySinceMs = now;
    this.#timer.wakeAt(now + this.#options.intervalMs, now);
  }

  /** Something was handed out while it stays in a call: it works on several partitions at a time. */
  handedOut(nowMs: number): void {
    this.#isExpired = false;
    if (this.#isWatching) this.#timer.wakeAt(nowMs + this.#options.intervalMs, nowMs);
  }

  /** Resolves when it comes, at once if it is here. */
  arrival(): Promise<void> {
    if (this.#inside > 0) return Promise.resolve();
    return new Promise((resolve) => this.#arrivals.push(resolve));
  }

  #look(): void {
    if (!this.#isWatching || this.#isExpired) return;
    const { clock, intervalMs, handOuts, onExpired } = this.#options;
    const sinceMs = Math.min(this.#awaySinceMs ?? Infinity, handOuts.oldestMs ?? Infinity);
    if (sinceMs === Infinity) return;
    const now = clock.monotonicMs();
    if (sinceMs + intervalMs > now) this.#timer.wakeAt(sinceMs + intervalMs, now);
    else {
      this.#isExpired = true;
      onExpired();
    }
  }
}
