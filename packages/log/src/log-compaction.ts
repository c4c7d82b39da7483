// The cleanings of one log: runs a pass, swaps in what it made, notes how far the log is clean, and decides what a failure means.
// Contract: a disk that fails takes the folder offline; a full one ends the pass, and the log is as it was; a log with content that
// cannot be cleaned is reported once and left alone until it is opened again, as in Kafka.

import { DiskError, failure, TidemarkError, type Failure } from '@tidemark/core';
import type { CleanablePart } from './cleanable-part.ts';
import { CleaningPass, type CleaningResult } from './cleaning-pass.ts';
import { isDiskFull, storageError, type LogContext, type LogState } from './log-context.ts';
import { swapIn } from './segment-swap.ts';
import type { Segment } from './segment.ts';

export type CleaningReport =
  | ({ readonly type: 'cleaned' | 'interrupted'; readonly name: string } & CleaningResult)
  /** The disk is full; or others have removed the segments meanwhile. */
  | { readonly type: 'postponed' | 'overtaken'; readonly name: string }
  | { readonly type: 'uncleanable'; readonly name: string; readonly failure: Failure };

export interface CompactionHost {
  /** Closed, or being cut. */
  isClosed(): boolean;
  /** Runs work with no other maintenance going on. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  removeLater(paths: readonly string[]): void;
  /** Writes the indexes of segments that have them only in memory. */
  finishIndexes(): Promise<void>;
}

export class LogCompaction {
  readonly #context: LogContext;
  readonly #state: LogState;
  readonly #host: CompactionHost;
  #running: Promise<unknown> | undefined;
  #uncleanable: Failure | undefined;

  constructor(context: LogContext, state: LogState, host: CompactionHost) {
    this.#context = context;
    this.#state = state;
    this.#host = host;
  }

  get uncleanable(): Failure | undefined {
    return this.#uncleanable;
  }

  /** When no pass is under way; one that is not wanted any more ends soon. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async clean(part: CleanablePart, nowMs: number): Promise<CleaningReport> {
    await this.idle();
    // The folder may have another log of that name by now.
    if (this.#state.isReleased) return { type: 'overtaken', name: this.#state.name };
    const cleaning = this.#clean(part, nowMs);
    this.#running = cleaning.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await cleaning;
    } finally {
      this.#running = undefined;
    }
  }

  async #clean(part: CleanablePart, nowMs: number): Promise<CleaningReport> {
    const { name, segments } = this.#state;
    let { truncations } = this.#state;
    let expected: readonly Segment[] = part.segments;
    const isWanted = (): boolean =>
      this.#context.offline === undefined &&
      !this.#context.isCleaningStopped &&
      !this.#host.isClosed() &&
      this.#state.truncations === truncations &&
      segments.isRun(expected);
    const swap = (old: readonly Segment[], cleaned: Segment): Promise<boolean> =>
      this.#host.exclusively(async () => {
        if (!isWanted() || !(await this.#swap(old, cleaned))) return false;
        ({ truncations } = this.#state);
        expected = expected.flatMap((each) =>
          each === old[0] ? [cleaned] : old.includes(each) ? [] : [each],
        );
        return true;
      });
    const host = { context: this.#context, state: this.#state, isWanted, swap };
    try {
      await this.#begin(part.firstDirtyOffset, isWanted);
      const result = await new CleaningPass(host, part, nowMs).run();
      if (result.isComplete) await this.#finish(result.firstDirtyOffset, isWanted);
      return { type: result.isComplete ? 'cleaned' : 'interrupted', name, ...result };
    } catch (error) {
      return this.#failed(error, isWanted());
    } finally {
      if (this.#context.offline === undefined) await this.#host.exclusively(() => this.#host.finishIndexes());
    }
  }

  /** Half a swap leaves memory and disk apart: then nothing of this folder can be trusted until it is opened anew. */
  async #swap(old: readonly Segment[], cleaned: Segment): Promise<boolean> {
    try {
      const removed = await swapIn(this.#context, this.#state, old, cleaned);
      if (removed !== undefined) this.#host.removeLater(removed);
      return removed !== undefined;
    } catch (error) {
      if (error instanceof DiskError) this.#context.goOffline(error);
      throw error;
    }
  }

  /** That it is being cleaned is noted before it is: from then on a gap between two segments is no loss (see recovery). */
  async #begin(firstDirtyOffset: number, isWanted: () => boolean): Promise<void> {
    const { name } = this.#state;
    if (this.#context.firstDirtyOffset(name) === undefined) await this.#finish(firstDirtyOffset, isWanted);
  }

  async #finish(firstDirtyOffset: number, isWanted: () => boolean): Promise<void> {
    await this.#host.exclusively(async () => {
      // A truncation has lowered it meanwhile.
      if (!isWanted()) return;
      await this.#context.saveFirstDirtyOffset(this.#state.name, firstDirtyOffset);
    });
  }

  #failed(error: unknown, isWanted: boolean): CleaningReport {
    const { name } = this.#state;
    const cause = error instanceof TidemarkError ? error.cause : error;
    if (cause instanceof DiskError && cause.code === 'ENOENT' && !isWanted) {
      // Retention or a deletion has taken the segments away meanwhile.
      return { type: 'overtaken', name };
    }
    if (isDiskFull(cause) && this.#context.offline === undefined) {
      this.#context.warn(`The disk is full: ${name} is cleaned once there is room.`, error);
      return { type: 'postponed', name };
    }
    if (cause instanceof DiskError) {
      this.#context.goOffline(cause);
      throw storageError(cause);
    }
    if (!(error instanceof TidemarkError)) throw error;
    this.#uncleanable = failure(error.error, error.detail);
    this.#context.warn(`The log ${name} is not cleaned any more. ${error.detail}`, error);
    return { type: 'uncleanable', name, failure: this.#uncleanable };
  }
}
