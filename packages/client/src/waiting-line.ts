// Records in line, first come first served, each with the time by which its turn must come. Deadlines grow along the line, so one
// timer for the first is enough.
import type { Clock, Timer } from '@tidemark/core';
import type { RecordHeader } from '@tidemark/record';
import type { DeliveryCallback } from './receipt.ts';
import type { Cohort } from './waiting-cohorts.ts';

export interface WaitingRecord {
  readonly topic: string;
  readonly partition: number | undefined;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
  readonly timestampMs: number;
  readonly callback: DeliveryCallback | undefined;
  /** What it takes in a batch, at most. */
  readonly bytes: number;
  /** With whom it began to wait. */
  readonly cohort: Cohort;
}

interface Place {
  readonly record: WaitingRecord;
  readonly deadlineMs: number;
}

export class WaitingLine {
  readonly #clock: Clock;
  readonly #onExpired: (records: readonly WaitingRecord[]) => void;
  #places: Place[] = [];
  #head = 0;
  #timer: Timer | undefined;

  /** `onExpired` is told of those whose time has run out, in order; they have left the line by then. */
  constructor(clock: Clock, onExpired: (records: readonly WaitingRecord[]) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  get length(): number {
    return this.#places.length - this.#head;
  }

  /** `deadlineMs` on the monotonic clock, no earlier than that of the one before; Infinity: no limit. */
  push(record: WaitingRecord, deadlineMs: number): void {
    this.#places.push({ record, deadlineMs });
    this.#watch();
  }

  peek(): WaitingRecord | undefined {
    return this.#places[this.#head]?.record;
  }

  shift(): void {
    this.#head += 1;
    if (this.#head === this.#places.length) {
      this.#places = [];
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#places.length) {
      this.#places = this.#places.slice(this.#head);
      this.#head = 0;
    }
  }

  takeAll(): WaitingRecord[] {
    const records = this.#places.slice(this.#head).map(({ record }) => record);
    this.#places = [];
    this.#head = 0;
    return records;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #watch(): void {
    const first = this.#places[this.#head];
    if (this.#timer !== undefined || first === undefined || first.deadlineMs === Infinity) return;
    const delayMs = Math.max(0, Math.ceil(first.deadlineMs - this.#clock.monotonicMs()));
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      const now = this.#clock.monotonicMs();
      const expired: WaitingRecord[] = [];
      for (let place = this.#places[this.#head]; place !== undefined; place = this.#places[this.#head]) {
        if (place.deadlineMs > now) break;
        expired.push(place.record);
        this.shift();
      }
      if (expired.length > 0) this.#onExpired(expired);
      this.#watch();
    });
  }
}
