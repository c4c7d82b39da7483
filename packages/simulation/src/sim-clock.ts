// SimClock: virtual time. Nothing happens by itself: `advance`, `settle` and `runUntilIdle` run what is due, one event at a
// time, and let every promise continuation come to rest before the next one. Timers, disk completions and network
// deliveries all are events here, so the order of everything follows from the seed.

import { invariant, type Clock, type Timer } from '@tidemark/core';
import { EventQueue } from './event-queue.ts';
import { Trace } from './trace.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;
const DEFAULT_WALL_MS = Date.UTC(2030, 0, 1);
const DEFAULT_MAX_EVENTS = 1_000_000;
/** Ticks starve the event loop: every so many events the host gets a turn, so that a test's own time-out can fire. */
const EVENTS_PER_TURN = 512;

/**
 * Rests until no promise continuation is left to run: a tick asked for by a continuation comes after all of them. (One asked
 * for outside, e.g. right after an await of the host's, would come before.)
 */
const microtasksDrained = (): Promise<void> =>
  new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
const hostTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface SimClockOptions {
  /** Wall time at the start; whole milliseconds since the Unix epoch. */
  readonly wallMs?: number;
  readonly trace?: Trace;
}

export class SimClock implements Clock {
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #wallOffsetMs: number;
  #run = 0;

  constructor(options: SimClockOptions = {}) {
    this.trace = options.trace ?? new Trace();
    this.#wallOffsetMs = options.wallMs ?? DEFAULT_WALL_MS;
  }

  wallMs(): number {
    return Math.floor(this.#nowMs + this.#wallOffsetMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (!(delayMs >= 0 && delayMs <= MAX_DELAY_MS)) {
      throw new RangeError(`a delay is 0 to 2^31 - 1 ms, not ${delayMs}`);
    }
    return this.after(delayMs, callback);
  }

  /** An event of the simulated world; unlike a timer's, its delay (in ms, any fraction) has no upper bound. */
  after(delayMs: number, callback: () => void): Timer {
    const event = this.#queue.add(this.#nowMs + delayMs, callback);
    return { cancel: () => this.#queue.remove(event) };
  }

  /** Events that have not happened. */
  get pending(): number {
    return this.#queue.size;
  }

  /** Sets the wall clock forward or (negative) back, as an operator or NTP does. Monotonic time does not notice. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
    this.trace.note('wall jumps', byMs);
  }

  /** Runs what is due within the next `ms` and ends exactly then. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.#rest();
    while ((this.#queue.peek()?.atMs ?? Infinity) <= endMs) await this.#step();
    this.#nowMs = endMs;
  }

  /** Runs until nothing is left to happen; throws if that takes more than `maxEvents` (a timer that re-arms for ever). */
  async runUntilIdle(maxEvents = DEFAULT_MAX_EVENTS): Promise<void> {
    await this.#rest();
    for (let events = 0; this.#queue.size > 0; events++) {
      invariant(events < maxEvents, 'the simulation does not come to rest', { maxEvents });
      await this.#step();
    }
  }

  /**
   * Runs until `work` has settled and hands its outcome on. Throws when nothing is left to happen while it still waits: in
   * virtual time a lost wake-up shows at once.
   */
  async settle<T>(work: Promise<T>, maxEvents = DEFAULT_MAX_EVENTS): Promise<T> {
    const state = { settled: false };
    const mark = (): void => {
      state.settled = true;
    };
    work.then(mark, mark);
    await this.#rest();
    for (let events = 0; !state.settled; events++) {
      invariant(this.#queue.size > 0, 'deadlock: the work waits and nothing is left to happen', {
        last: this.trace.tail().slice(-10),
      });
      invariant(events < maxEvents, 'the simulation does not settle', { maxEvents });
      await this.#step();
    }
    return work;
  }

  async #step(): Promise<void> {
    const event = this.#queue.take()!;
    this.#nowMs = Math.max(this.#nowMs, event.atMs);
    event.run();
    await this.#rest();
  }

  #rest(): Promise<void> {
    return ++this.#run % EVENTS_PER_TURN === 0 ? hostTurn() : microtasksDrained();
  }
}
