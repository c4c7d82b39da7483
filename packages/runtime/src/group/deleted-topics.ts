// Topics that are gone while a partition of `__consumer_offsets` still has offsets of them. Contract: each is forgotten by writing
// tombstones until none are left, however often that has to be tried; one at a time.

import type { Failure } from '@tidemark/core';
import { failure } from '@tidemark/core';
import type { Pauses } from '../pauses.ts';

export interface DeletedTopicsOptions {
  readonly pauses: Pauses;
  readonly retryMs: number;
  /** The partition is served, and can be written to. */
  readonly isActive: () => boolean;
  /** Answers true when nothing of the topic is left. */
  readonly forget: (topic: string) => Promise<boolean>;
  /** Where what was written for it ends. */
  readonly endOffset: () => number;
  /** A bug. */
  readonly onFatal: (cause: unknown) => void;
}

export class DeletedTopics {
  readonly #options: DeletedTopicsOptions;
  readonly #topics = new Set<string>();
  /** Those that nothing is left of once it is committed up to here. */
  readonly #written = new Map<string, number>();
  #cutOffs = 0;
  #running = false;

  constructor(options: DeletedTopicsOptions) {
    this.#options = options;
  }

  add(topic: string): void {
    this.#topics.add(topic);
    this.start();
  }

  /** The partition may be active by now. */
  start(): void {
    if (this.#running || this.#topics.size === 0 || !this.#options.isActive()) return;
    this.#running = true;
    this.#forgetThem().catch(this.#options.onFatal);
  }

  /** Everything below it is committed. */
  committed(highWatermark: number): void {
    for (const [topic, endOffset] of this.#written) {
      if (endOffset <= highWatermark) this.#written.delete(topic);
    }
  }

  /**
   * What was written from there on is gone, and what had been removed by it is back. Of a new topic of that name nothing is left then:
   * its first offset came after all of that.
   */
  cutOff(logEndOffset: number): void {
    this.#cutOffs += 1;
    for (const [topic, endOffset] of this.#written) {
      if (endOffset <= logEndOffset) continue;
      this.#written.delete(topic);
      this.add(topic);
    }
  }

  /** An offset of a new topic of that name would be removed with the old ones. */
  refusal(offsets: readonly { readonly topic: string }[]): Failure | undefined {
    if (this.#topics.size === 0) return undefined;
    const found = offsets.find(({ topic }) => this.#topics.has(topic));
    if (found === undefined) return undefined;
    const message = `topic ${found.topic} was deleted, and its offsets are being removed: try again a little later`;
    return failure('COORDINATOR_LOAD_IN_PROGRESS', message);
  }

  async #forgetThem(): Promise<void> {
    const { pauses, retryMs, isActive, forget, endOffset } = this.#options;
    try {
      while (isActive() && this.#topics.size > 0) {
        const [topic] = this.#topics;
        const cutOffs = this.#cutOffs;
        // What was cut off meanwhile may be what had been written for it.
        if ((await forget(topic!)) && cutOffs === this.#cutOffs) {
          this.#topics.delete(topic!);
          this.#written.set(topic!, endOffset());
        } else await pauses.wait(retryMs);
      }
    } finally {
      // In the turn in which none was left: one that is added in the next must be begun with.
      this.#running = false;
    }
  }
}
