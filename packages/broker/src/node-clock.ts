// NodeClock: core's Clock over Node's timers. Node keeps one list per duration and rounds to its loop's milliseconds, so two of
// its timers may run out of order, and one up to a millisecond early. Here a heap decides the order, the monotonic clock
// whether the first is due, and one Node timer at a time wakes us.

import { type Clock, MAX_TIMER_MS, type Timer } from '@tidemark/core';

interface Entry {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
  /** Position in the heap; -1 when it is no longer there. */
  index: number;
}

type Wake =
  | { readonly kind: 'timeout'; readonly dueMs: number; readonly handle: NodeJS.Timeout }
  | { readonly kind: 'immediate'; readonly dueMs: number; readonly handle: NodeJS.Immediate };

export class NodeClock implements Clock {
  readonly #heap: Entry[] = [];
  #order = 0;
  #wake: Wake | undefined;
  #running = false;

  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (!(delayMs >= 0 && delayMs <= MAX_TIMER_MS)) {
      throw new RangeError(`a delay is 0 to 2^31 - 1 ms, not ${delayMs}`);
    }
    const dueMs = performance.now() + delayMs;
    const entry: Entry = { dueMs, order: this.#order++, callback, index: this.#heap.length };
    this.#heap.push(entry);
    this.#up(entry);
    this.#arm();
    return { cancel: () => this.#remove(entry) };
  }

  /** Sees to it that something wakes us when the first entry is due, and nothing when there is none. */
  #arm(): void {
    if (this.#running) return;
    const first = this.#heap[0];
    const wake = this.#wake;
    if (wake !== undefined) {
      // A wake-up that comes early only looks and goes to sleep again; only one that would come late is replaced.
      if (first !== undefined && wake.dueMs <= first.dueMs) return;
      if (wake.kind === 'timeout') clearTimeout(wake.handle);
      else clearImmediate(wake.handle);
      this.#wake = undefined;
    }
    if (first === undefined) return;
    const { dueMs } = first;
    const delayMs = dueMs - performance.now();
    // The shortest setTimeout is a whole millisecond; what is due now waits only for the loop's next turn.
    this.#wake =
      delayMs <= 0
        ? { kind: 'immediate', dueMs, handle: setImmediate(this.#onWake) }
        : { kind: 'timeout', dueMs, handle: setTimeout(this.#onWake, Math.ceil(delayMs)) };
  }

  readonly #onWake = (): void => {
    this.#wake = undefined;
    // Timers that the callbacks set wait for the next turn, or a chain of them would keep the loop from everything else.
    const nowMs = performance.now();
    const newest = this.#order;
    this.#running = true;
    try {
      for (;;) {
        const first = this.#heap[0];
        if (first === undefined || first.dueMs > nowMs || first.order >= newest) break;
        this.#remove(first);
        first.callback();
      }
    } finally {
      // A callback that throws ends the process or is nobody's business here; the other timers still stand.
      this.#running = false;
      this.#arm();
    }
  };

  /** Idempotent. */
  #remove(entry: Entry): void {
    const at = entry.index;
    if (at < 0) return;
    entry.index = -1;
    const last = this.#heap.pop()!;
    if (last !== entry) {
      last.index = at;
      this.#heap[at] = last;
      this.#up(last);
      this.#down(last);
    }
    // Nothing may keep the process alive for a timer that nobody waits for any more.
    if (this.#heap.length === 0) this.#arm();
  }

  #earlier(a: Entry, b: Entry): boolean {
    return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
  }

  #up(entry: Entry): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1]!;
      if (!this.#earlier(entry, parent)) return;
      this.#swap(entry, parent);
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const left = this.#heap[entry.index * 2 + 1];
      const right = this.#heap[entry.index * 2 + 2];
      if (left === undefined) return;
      const child = right !== undefined && this.#earlier(right, left) ? right : left;
      if (!this.#earlier(child, entry)) return;
      this.#swap(child, entry);
    }
  }

  #swap(a: Entry, b: Entry): void {
    const at = a.index;
    a.index = b.index;
    b.index = at;
    this.#heap[a.index] = a;
    this.#heap[b.index] = b;
  }
}
