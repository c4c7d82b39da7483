// SimClock: virtual time. Nothing happens by itself: `advance`, `settle` and `runUntilIdle` run what is due, one event at a
// time, and let every promise continuation come to rest before the next one. Timers, disk completions and network
// deliveries all are events here, so the order of everything follows from the seed.

import { type Clock, invariant, MAX_TIMER_MS, type Timer } from '@tidemark/core';
import { EventQueue } from './event-queue.ts';
import { Trace } from './trace.ts';

const DEFAULT_WALL_MS = Date.UTC(2030, 0, 1);
const DEFAULT_MAX_EVENTS = 1_000_000;
/** Ticks starve the event loop: every so many events the host gets a turn, so that a test's own time-out can fire. */
const EVENTS_PER_TURN = 512;

const settled: Promise<void> = Promise.resolve();

export interface SimClockOptions {
  /** Wall time at the start; whole milliseconds since the Unix epoch. */
  readonly wallMs?: number;
  readonly trace?: Trace;
}

/** What simulated things need of time: the world's clock, or a node's view of it. */
export interface SimTime extends Clock {
  readonly trace: Trace;
  /** An event of the simulated world; unlike a timer's, its delay (in ms, any fraction) has no upper bound. */
  after(delayMs: number, callback: () => void): Timer;
}

export class SimClock implements SimTime {
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  #nowMs = 0;
  #wallOffsetMs: number;
  #events = 0;

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
    if (!(delayMs >= 0 && delayMs <= MAX_TIMER_MS)) {
      throw new RangeError(`a delay is 0 to 2^31 - 1 ms, not ${delayMs}`);
    }
    return this.after(delayMs, callback);
  }

  /** An event of the simulated world; unlike a timer's, its delay (in ms, any fraction) has no upper bound. */
  after(delayMs: number, callback: () => void): Timer {
    return this.#queue.add(this.#nowMs + delayMs, callback);
  }

  /** Events that have not happened. */
  get pending(): number {
    return this.#queue.size;
  }

  /** Events that have happened. */
  get events(): number {
    return this.#events;
  }

  /** Sets the wall clock forward or (negative) back, as an operator or NTP does. Monotonic time does not notice. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
    this.trace.note('wall jumps', byMs);
  }

  /** Runs what is due within the next `ms` and ends exactly then. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.#drive(() => {
      if ((this.#queue.peek()?.atMs ?? Infinity) > endMs) return false;
      this.#step();
      return true;
    });
    this.#nowMs = endMs;
  }

  /** Runs until nothing is left to happen; throws if that takes more than `maxEvents` (a timer that re-arms for ever). */
  async runUntilIdle(maxEvents = DEFAULT_MAX_EVENTS): Promise<void> {
    let events = 0;
    await this.#drive(() => {
      if (this.#queue.size === 0) return false;
      invariant(events++ < maxEvents, 'the simulation does not come to rest', { maxEvents });
      this.#step();
      return true;
    });
  }

  /**
   * Runs until `work` has settled and hands its outcome on. Throws when nothing is left to happen while it still waits: in
   * virtual time a lost wake-up shows at once.
   */
  async settle<T>(work: Promise<T>, maxEvents = DEFAULT_MAX_EVENTS): Promise<T> {
    let isSettled = false;
    const mark = (): void => {
      isSettled = true;
    };
    work.then(mark, mark);
    let events = 0;
    await this.#drive(() => {
      if (isSettled) return false;
      // Not in one line: the last events are made text only for a failure.
      if (this.#queue.size === 0) {
        invariant(false, 'deadlock: the work waits and nothing is left to happen', {
          last: this.trace.tail().slice(-10),
        });
      }
      invariant(events++ < maxEvents, 'the simulation does not settle', { maxEvents });
      this.#step();
      return true;
    });
    return work;
  }

  #step(): void {
    const event = this.#queue.take()!;
    if (event.atMs > this.#nowMs) this.#nowMs = event.atMs;
    this.#events++;
    event.run();
  }

  /**
   * Calls `turn` until it answers false, and before each call rests until no promise continuation is left to run: a tick asked
   * for by a continuation comes after all of them. (One asked for outside, e.g. right after an await of the host's, would come
   * before.) A bare callback and not an `await`: this is done for every event there is.
   */
  #drive(turn: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let turns = 0;
      const take = (): void => {
        try {
          if (turn()) rest();
          else resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const askForTick = (): void => process.nextTick(take);
      const rest = (): void => {
        if (++turns % EVENTS_PER_TURN === 0) setImmediate(take);
        else void settled.then(askForTick);
      };
      rest();
    });
  }
}
