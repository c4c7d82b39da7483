// What must be in a partition's log, seen from outside: what was appended at which offset, how far the log has promised that
// it is on the disk, and what may be there but need not. The rules have numbers (P1 ...).

import { type StoryBatch } from './story-batches.ts';

export interface ModelBatch extends StoryBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** As the log must hold it: base offset and leader epoch stamped in. */
  readonly stored: Uint8Array;
}

/** What a disk must hold at one moment, whatever happens to it then. Never changed once taken. */
export interface Expectation {
  /** The current history, ascending. Those past `durableEnd` may be missing, from some offset on. */
  readonly batches: readonly ModelBatch[];
  /** Batches of a history that is being cut off: allowed until the cut is done. */
  readonly leaving: readonly ModelBatch[];
  /** Everything below was promised to be on the disk (P1). */
  readonly durableEnd: number;
  /** The end of the log, or higher by what is under way. */
  readonly highestEnd: number;
  readonly startAtLeast: number;
  readonly startAtMost: number;
}

export class LogModel {
  #batches: ModelBatch[] = [];
  #leaving: ModelBatch[] = [];
  /** Refused after they were queued: perhaps written, never acknowledged. */
  #refused: ModelBatch[] = [];
  #durableEnd = 0;
  #claimLimit = Infinity;
  #startAtLeast = 0;
  #startAtMost = 0;
  #highestEnd = 0;
  #taken: Expectation | undefined;

  get batches(): readonly ModelBatch[] {
    return this.#batches;
  }

  appended(batch: StoryBatch, baseOffset: number, stored: Uint8Array): void {
    const lastOffset = baseOffset + batch.recordCount - 1;
    // A fresh array: an expectation may hold the other one.
    this.#batches = [...this.#batches, { ...batch, baseOffset, lastOffset, stored }];
    this.#highestEnd = Math.max(this.#highestEnd, lastOffset + 1);
    this.#taken = undefined;
  }

  /** The log took back what it had queued from `offset` on. */
  rolledBack(offset: number): void {
    this.#refused.push(...this.#batches.filter((batch) => batch.baseOffset >= offset));
    this.#batches = this.#batches.filter((batch) => batch.baseOffset < offset);
    this.#taken = undefined;
  }

  /** The log took something back; of what its producers sent it then need know only the last batch of each. */
  get hasRolledBack(): boolean {
    return this.#refused.length > 0;
  }

  /** The log says that everything below is on the disk. */
  claimed(endOffset: number): void {
    const claim = Math.min(endOffset, this.#claimLimit);
    if (claim <= this.#durableEnd) return;
    this.#durableEnd = claim;
    this.#taken = undefined;
  }

  startMoving(startOffset: number): void {
    if (startOffset <= this.#startAtMost) return;
    this.#startAtMost = startOffset;
    this.#taken = undefined;
  }

  startMoved(startOffset: number): void {
    this.startMoving(startOffset);
    this.#startAtLeast = Math.max(this.#startAtLeast, startOffset);
    this.#taken = undefined;
  }

  /** Called before the log is asked to cut; answers the offset it must cut at, a batch boundary. */
  truncating(offset: number): number {
    const cut = this.#batches.find((batch) => batch.lastOffset >= offset)?.baseOffset ?? offset;
    this.#leaving = this.#batches.filter((batch) => batch.baseOffset >= cut);
    this.#batches = this.#batches.filter((batch) => batch.baseOffset < cut);
    this.#durableEnd = Math.min(this.#durableEnd, cut);
    this.#claimLimit = cut;
    this.#taken = undefined;
    return cut;
  }

  truncated(endOffset: number): void {
    this.#leaving = [];
    this.#claimLimit = Infinity;
    this.#highestEnd = endOffset;
    this.#taken = undefined;
  }

  /** Like `truncating`, but nothing at all need be left, and the log goes on at `startOffset`. */
  restarting(startOffset: number): void {
    this.#leaving = this.#batches;
    this.#batches = [];
    this.#durableEnd = 0;
    this.#claimLimit = 0;
    this.#highestEnd = Math.max(this.#highestEnd, startOffset);
    this.startMoving(startOffset);
    this.#taken = undefined;
  }

  restarted(startOffset: number): void {
    this.#startAtLeast = startOffset;
    this.#startAtMost = startOffset;
    this.truncated(startOffset);
  }

  /** The last batches of a producer in the current history, newest last. */
  lastOf(producerId: number, count: number): readonly ModelBatch[] {
    return this.#batches.filter((batch) => batch.producerId === producerId).slice(-count);
  }

  expectation(): Expectation {
    this.#taken ??= {
      batches: this.#batches,
      leaving: [...this.#refused, ...this.#leaving],
      durableEnd: this.#durableEnd,
      highestEnd: this.#highestEnd,
      startAtLeast: this.#startAtLeast,
      startAtMost: this.#startAtMost,
    };
    return this.#taken;
  }
}
