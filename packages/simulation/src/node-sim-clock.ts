// NodeSimClock: one node's view of the one SimClock. Its monotonic clock runs a little fast or slow, its wall clock is off and
// jumps, it can be paused as SIGSTOP does (nothing runs; what has become due meanwhile runs right after it goes on), and it dies
// with its process: no callback of a dead clock ever runs. Everything a node waits for, its disk included, goes through it.

import { MAX_TIMER_MS, type Timer } from '@tidemark/core';
import { type SimClock, type SimTime } from './sim-clock.ts';
import { type Trace } from './trace.ts';

export interface NodeSimClockOptions {
  /** Milliseconds of this clock in one of the world's, 0.5 to 2. Default 1. */
  readonly rate?: number;
  /** How far the wall clock is off at the start. Default 0. */
  readonly wallOffsetMs?: number;
  /** Gets what a callback throws. Default: whoever runs the world gets it. */
  readonly onError?: (cause: unknown) => void;
}

class NodeTimer implements Timer {
  readonly #owner: NodeSimClock;
  readonly dueMs: number;
  readonly callback: () => void;
  /** In the world's clock; undefined once it has run out while its node was paused. */
  event: Timer | undefined;
  /** Its neighbours among the timers that wait; undefined: it waits no more, or is at an end. */
  before: NodeTimer | undefined;
  after: NodeTimer | undefined;
  isPending = false;

  constructor(owner: NodeSimClock, dueMs: number, callback: () => void) {
    this.#owner = owner;
    this.dueMs = dueMs;
    this.callback = callback;
  }

  cancel(): void {
    this.event?.cancel();
    this.#owner.forget(this);
  }

  readonly runOut = (): void => this.#owner.ranOut(this);
}

/** The timers that wait, in the order they were set. A list through the timers: a Set that all of them pass through costs as much as running them. */
class PendingTimers {
  #first: NodeTimer | undefined;
  #last: NodeTimer | undefined;

  add(timer: NodeTimer): void {
    timer.isPending = true;
    timer.before = this.#last;
    if (this.#last === undefined) this.#first = timer;
    else this.#last.after = timer;
    this.#last = timer;
  }

  /** Idempotent. */
  remove(timer: NodeTimer): void {
    if (!timer.isPending) return;
    const { before, after } = timer;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    timer.isPending = false;
    timer.before = undefined;
    timer.after = undefined;
  }

  list(): readonly NodeTimer[] {
    const timers: NodeTimer[] = [];
    for (let timer = this.#first; timer !== undefined; timer = timer.after) timers.push(timer);
    return timers;
  }
}

export class NodeSimClock implements SimTime {
  readonly #world: SimClock;
  readonly #onError: ((cause: unknown) => void) | undefined;
  readonly #pending = new PendingTimers();
  #overdue: NodeTimer[] = [];
  #rate: number;
  /** The world's time and this clock's at the last change of the rate. */
  #worldBaseMs: number;
  #baseMs: number;
  /** The clock never reads less: keeps rounding from making a timer early. */
  #floorMs = 0;
  #wallOffsetMs: number;
  #isPaused = false;
  #isDead = false;

  constructor(world: SimClock, options: NodeSimClockOptions = {}) {
    this.#world = world;
    this.#onError = options.onError;
    this.#rate = options.rate ?? 1;
    this.#worldBaseMs = world.monotonicMs();
    this.#baseMs = this.#worldBaseMs;
    this.#wallOffsetMs = world.wallMs() - this.#baseMs + (options.wallOffsetMs ?? 0);
  }

  get trace(): Trace {
    return this.#world.trace;
  }

  get rate(): number {
    return this.#rate;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  wallMs(): number {
    return Math.floor(this.monotonicMs() + this.#wallOffsetMs);
  }

  monotonicMs(): number {
    return Math.max(
      this.#floorMs,
      this.#baseMs + (this.#world.monotonicMs() - this.#worldBaseMs) * this.#rate,
    );
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (!(delayMs >= 0 && delayMs <= MAX_TIMER_MS)) {
      throw new RangeError(`a delay is 0 to 2^31 - 1 ms, not ${delayMs}`);
    }
    return this.after(delayMs, callback);
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = new NodeTimer(this, this.monotonicMs() + delayMs, callback);
    if (this.#isDead) return timer;
    this.#pending.add(timer);
    this.#arm(timer);
    return timer;
  }

  /** From now on the clock runs so fast; timers that wait are due when it says so. */
  setRate(rate: number): void {
    this.#baseMs = this.monotonicMs();
    this.#worldBaseMs = this.#world.monotonicMs();
    this.#rate = rate;
    this.#world.trace.note('clock rate', rate);
    for (const timer of this.#pending.list()) {
      if (timer.event === undefined) continue;
      timer.event.cancel();
      this.#arm(timer);
    }
  }

  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
    this.#world.trace.note('wall jumps', byMs);
  }

  /** Nothing of this node runs until `resume`; its clock goes on. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    const overdue = this.#overdue;
    this.#overdue = [];
    for (const timer of overdue) if (timer.isPending) this.#arm(timer);
  }

  /** The process is gone. */
  kill(): void {
    this.#isDead = true;
    for (const timer of this.#pending.list()) {
      timer.event?.cancel();
      this.#pending.remove(timer);
    }
    this.#overdue = [];
  }

  /** Of the timers. */
  forget(timer: NodeTimer): void {
    this.#pending.remove(timer);
  }

  #arm(timer: NodeTimer): void {
    const leftMs = Math.max(0, timer.dueMs - this.monotonicMs());
    timer.event = this.#world.after(leftMs / this.#rate, timer.runOut);
  }

  /** Of the timers: the world says that one is due. */
  ranOut(timer: NodeTimer): void {
    timer.event = undefined;
    if (this.#isPaused) {
      this.#overdue.push(timer);
      return;
    }
    this.#pending.remove(timer);
    this.#floorMs = Math.max(this.#floorMs, timer.dueMs);
    if (this.#onError === undefined) timer.callback();
    else {
      try {
        timer.callback();
      } catch (cause) {
        this.#onError(cause);
      }
    }
  }
}
