// When the image is stored durably and old log may go: after so many bytes of metadata, after so long, and whenever it is asked for.
// Contract: one at a time, and log is removed only below an image that is durable.

import { type Clock, MAX_TIMER_MS, type Timer } from '@tidemark/core';
import type { PartitionLog } from '@tidemark/log';
import type { MetadataState } from './quorum/metadata-state.ts';
import type { RaftQuorum } from './quorum/raft-quorum.ts';

export interface MetadataCompactionOptions {
  readonly state: Pick<MetadataState, 'saveDurably'>;
  readonly log: Pick<PartitionLog, 'checkpoint'>;
  readonly quorum: Pick<RaftQuorum, 'removeOldLog'>;
  readonly clock: Clock;
  readonly everyBytes: number;
  /** 0: never. */
  readonly everyMs: number;
  readonly onFatal: (cause: unknown) => void;
}

export class MetadataCompaction {
  readonly #options: MetadataCompactionOptions;
  #bytes = 0;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: MetadataCompactionOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** So many bytes of metadata were applied. */
  applied(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= this.#options.everyBytes) this.#aside();
  }

  /** Rejects when the image cannot be stored. */
  run(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves when nothing is under way; how that ends is told to who has begun it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    if (this.#running !== undefined) await Promise.allSettled([this.#running]);
  }

  #schedule(): void {
    const { clock, everyMs } = this.#options;
    if (everyMs === 0) return;
    this.#timer = clock.setTimer(Math.min(everyMs, MAX_TIMER_MS), () => {
      this.#aside();
      this.#schedule();
    });
  }

  #aside(): void {
    this.run().catch((cause: unknown) => this.#options.onFatal(cause));
  }

  async #run(): Promise<void> {
    const { state, log, quorum } = this.#options;
    this.#bytes = 0;
    const { endOffset } = await state.saveDurably();
    await log.checkpoint();
    // Not below what the store holds by now: that may not be on its disk.
    await quorum.removeOldLog(endOffset);
  }
}
