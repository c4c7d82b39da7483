// EventQueue: what is still to happen in virtual time, earliest first; events of one moment in the order they were added.
// A binary heap that knows where each event sits, so that removing one costs no more than adding it.

import { type Timer } from '@tidemark/core';

/** Something that is still to happen; `cancel` takes it out of its queue. */
export class SimEvent implements Timer {
  readonly atMs: number;
  readonly run: () => void;
  readonly order: number;
  readonly #queue: EventQueue;
  /** Position in the heap; -1 when it is no longer there. */
  index: number;

  constructor(queue: EventQueue, atMs: number, run: () => void, order: number, index: number) {
    this.#queue = queue;
    this.atMs = atMs;
    this.run = run;
    this.order = order;
    this.index = index;
  }

  cancel(): void {
    this.#queue.remove(this);
  }
}

export class EventQueue {
  readonly #heap: SimEvent[] = [];
  #added = 0;

  get size(): number {
    return this.#heap.length;
  }

  peek(): SimEvent | undefined {
    return this.#heap[0];
  }

  add(atMs: number, run: () => void): SimEvent {
    const event = new SimEvent(this, atMs, run, this.#added++, this.#heap.length);
    this.#heap.push(event);
    this.#up(event);
    return event;
  }

  take(): SimEvent | undefined {
    const first = this.#heap[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Idempotent. */
  remove(event: SimEvent): void {
    const at = event.index;
    if (at < 0) return;
    event.index = -1;
    const last = this.#heap.pop()!;
    if (last === event) return;
    last.index = at;
    this.#heap[at] = last;
    this.#up(last);
    this.#down(last);
  }

  #earlier(a: SimEvent, b: SimEvent): boolean {
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  #up(event: SimEvent): void {
    while (event.index > 0) {
      const parent = this.#heap[(event.index - 1) >> 1]!;
      if (!this.#earlier(event, parent)) return;
      this.#swap(event, parent);
    }
  }

  #down(event: SimEvent): void {
    for (;;) {
      const left = this.#heap[event.index * 2 + 1];
      const right = this.#heap[event.index * 2 + 2];
      if (left === undefined) return;
      const child = right !== undefined && this.#earlier(right, left) ? right : left;
      if (!this.#earlier(child, event)) return;
      this.#swap(child, event);
    }
  }

  #swap(a: SimEvent, b: SimEvent): void {
    const at = a.index;
    a.index = b.index;
    b.index = at;
    this.#heap[a.index] = a;
    this.#heap[b.index] = b;
  }
}
