// What the application has in its hands: of each partition the first offset it was given and is not done with. A partition is not
// given up before its records are back, and nothing from that offset on is committed without the application's word.
import type { ConsumerPartition } from '../consumer-partition.ts';
import { unlessAborted } from '../pause.ts';

export interface Place {
  readonly offset: number;
  /** Of the last record before the offset, or of the first one from it on; -1 when not known. */
  readonly leaderEpoch: number;
}

interface Held extends Place {
  readonly sinceMs: number;
}

export class HandOuts {
  readonly #held = new Map<ConsumerPartition, Held>();
  readonly #waiting = new Set<() => void>();

  /** Records from `offset` on are given to the application. What it holds already of the partition stays the first. */
  give(partition: ConsumerPartition, offset: number, nowMs: number): void {
    if (this.#held.has(partition)) return;
    this.#held.set(partition, { offset, leaderEpoch: partition.takenEpoch, sinceMs: nowMs });
  }

  /** It is done with everything below `offset` and goes on. */
  advance(partition: ConsumerPartition, offset: number, nowMs: number): void {
    if (!this.#held.has(partition)) return;
    this.#held.set(partition, { offset, leaderEpoch: partition.takenEpoch, sinceMs: nowMs });
  }

  /** The application has said itself how far it is. */
  place(partition: ConsumerPartition, at: Place): void {
    const held = this.#held.get(partition);
    if (held !== undefined) this.#held.set(partition, { ...at, sinceMs: held.sinceMs });
  }

  release(partition: ConsumerPartition): void {
    if (this.#held.delete(partition)) this.#wake();
  }

  releaseAll(): void {
    if (this.#held.size === 0) return;
    this.#held.clear();
    this.#wake();
  }

  of(partition: ConsumerPartition): Place | undefined {
    return this.#held.get(partition);
  }

  /** Since when the application has had what it has had longest; undefined: its hands are empty. */
  get oldestMs(): number | undefined {
    let oldest: number | undefined;
    for (const { sinceMs } of this.#held.values()) {
      if (oldest === undefined || sinceMs < oldest) oldest = sinceMs;
    }
    return oldest;
  }

  /** Resolves when the application holds nothing of these, or of any. */
  async whenReleased(
    partitions: readonly ConsumerPartition[] | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const isHeld = (): boolean =>
      partitions === undefined
        ? this.#held.size > 0
        : partitions.some((partition) => this.#held.has(partition));
    while (isHeld()) {
      let wake = (): void => undefined;
      const woken = new Promise<void>((resolve) => (wake = resolve));
      this.#waiting.add(wake);
      try {
        await unlessAborted(woken, signal);
      } finally {
        this.#waiting.delete(wake);
      }
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
