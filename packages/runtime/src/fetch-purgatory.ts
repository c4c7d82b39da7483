// Where fetches wait that cannot be answered yet. A waiting fetch hangs on its partitions and is counted down by the bytes that
// become readable there; nothing polls. The number of waiting fetches is bounded: past the bound a fetch does not wait.

import type { Clock, Failure } from '@tidemark/core';

/** What a partition tells those who wait on it. */
export interface PartitionWatcher {
  /** The high watermark moved: so many more bytes of batches are readable. */
  progressed(bytes: number): void;
  /** Leadership, epoch, log start or existence changed: what was read before may not hold any more. */
  disturbed(): void;
  /** It leads, and nothing is committed for now: too few replicas are in sync, or its broker has lost the controller. */
  fellShort?(why: Failure): void;
}

export interface Watchable {
  watch(watcher: PartitionWatcher): void;
  unwatch(watcher: PartitionWatcher): void;
}

export type WakeReason = 'progressed' | 'disturbed' | 'timed-out' | 'cancelled' | 'full';

export interface Waiting {
  readonly woken: Promise<WakeReason>;
  /** Ends the wait as `cancelled`; harmless afterwards. */
  cancel(): void;
}

export class FetchPurgatory {
  readonly #clock: Clock;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  /** `maxWaiting`: how many fetches may wait at once; the next is woken at once with `full`. */
  constructor(clock: Clock, maxWaiting: number) {
    this.#clock = clock;
    this.#maxWaiting = maxWaiting;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /**
   * Waits until `bytes` more are readable in the partitions together, one of them is disturbed, or `maxWaitMs` is over. The
   * wait begins inside this call: what happens after it returns is not missed.
   */
  wait(partitions: readonly Watchable[], bytes: number, maxWaitMs: number): Waiting {
    if (this.#closed) return { woken: Promise.resolve('cancelled'), cancel: () => undefined };
    if (this.#waiting.size >= this.#maxWaiting) {
      return { woken: Promise.resolve('full'), cancel: () => undefined };
    }
    let missing = bytes;
    let settle: (reason: WakeReason) => void = () => undefined;
    const woken = new Promise<WakeReason>((resolve) => {
      settle = resolve;
    });
    let over = false;
    const end = (reason: WakeReason): void => {
      if (over) return;
      over = true;
      timer.cancel();
      this.#waiting.delete(cancel);
      for (const partition of partitions) partition.unwatch(watcher);
      settle(reason);
    };
    const cancel = (): void => end('cancelled');
    const watcher: PartitionWatcher = {
      progressed: (more) => {
        missing -= more;
        if (missing <= 0) end('progressed');
      },
      disturbed: () => end('disturbed'),
    };
    const timer = this.#clock.setTimer(maxWaitMs, () => end('timed-out'));
    this.#waiting.add(cancel);
    for (const partition of partitions) partition.watch(watcher);
    return { woken, cancel };
  }

  /** Wakes everybody, as `cancelled`, and whoever comes later at once. */
  close(): void {
    this.#closed = true;
    for (const cancel of [...this.#waiting]) cancel();
  }
}
