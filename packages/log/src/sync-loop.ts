// Makes written data durable: one sync in flight at a time, which covers everything written before it began.
// Contract: rolled segments and the folder's new names are synced before the end they lead to counts as flushed. While the log is
// cut nothing is synced: an end from before the cut would count as flushed after it. After a failed sync the folder is offline and
// no file of it is ever synced again (Rebello et al., ATC'20).

import { invariant, TidemarkError } from '@tidemark/core';
import { isOffline, type LogContext, type LogState } from './log-context.ts';
import { deferred, type Deferred } from './mutex.ts';

interface Waiter {
  readonly offset: number;
  readonly done: Deferred;
}

export class SyncLoop {
  readonly #context: LogContext;
  readonly #state: LogState;
  readonly #onFlushed: () => void;
  #running: Promise<void> | undefined;
  #isRequested = false;
  #isHeld = false;
  #waiters: Waiter[] = [];

  constructor(context: LogContext, state: LogState, onFlushed: () => void) {
    this.#context = context;
    this.#state = state;
    this.#onFlushed = onFlushed;
  }

  /** Everything written so far is to be synced. */
  request(): void {
    this.#isRequested = true;
    if (!this.#isHeld) this.#running ??= this.#run();
  }

  /** Resolves when nothing is synced; nothing is from then on, until `release`. */
  hold(): Promise<void> {
    this.#isHeld = true;
    return this.idle();
  }

  /** What was requested meanwhile is done now. */
  release(): void {
    this.#isHeld = false;
    if (this.#isRequested) this.request();
  }

  /** When everything below `offset` is durable. The caller sees to it that it gets written, and tells `wrote`. */
  async through(offset: number): Promise<void> {
    if (this.#context.offline !== undefined) throw TidemarkError.from(this.#context.offline);
    if (this.#state.flushedOffset >= offset) return;
    const waiter = { offset, done: deferred() };
    this.#waiters.push(waiter);
    if (this.#state.writtenOffset >= offset) this.request();
    await waiter.done.promise;
  }

  /** More was written: somebody may wait for it. */
  wrote(): void {
    const { writtenOffset } = this.#state;
    if (this.#waiters.some(({ offset }) => offset <= writtenOffset)) this.request();
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** What these waited for will not be written. */
  rejectAbove(offset: number, error: Error): void {
    const gone = this.#waiters.filter((waiter) => waiter.offset > offset);
    this.#waiters = this.#waiters.filter((waiter) => waiter.offset <= offset);
    for (const waiter of gone) waiter.done.reject(error);
  }

  async #run(): Promise<void> {
    // Writes that end in this turn of the event loop are covered too.
    await Promise.resolve();
    while (this.#isRequested && !this.#isHeld) {
      this.#isRequested = false;
      const target = this.#state.writtenOffset;
      if (isOffline(this.#context)) break;
      try {
        await this.#sync(target);
      } catch (error) {
        this.#context.goOffline(error);
        break;
      }
      if (isOffline(this.#context)) break;
      invariant(target <= this.#state.writtenOffset, 'the log was cut while it was synced');
      if (target > this.#state.flushedOffset) this.#state.flushedOffset = target;
      this.#onFlushed();
      this.#wake();
    }
    this.#running = undefined;
  }

  async #sync(target: number): Promise<void> {
    const { segments, flushedOffset, directory } = this.#state;
    if (target > flushedOffset) {
      // Taken together before the first wait: retention may shorten the list meanwhile.
      const first = Math.max(segments.floorIndex(flushedOffset), 0);
      const files = segments.slice(first, segments.floorIndex(target - 1) + 1).map(({ file }) => file);
      for (const held of files) await held?.file.sync();
    }
    if (this.#state.isDirectoryDirty) {
      this.#state.isDirectoryDirty = false;
      await this.#context.disk.syncDirectory(directory);
    }
  }

  #wake(): void {
    const { flushedOffset } = this.#state;
    const done = this.#waiters.filter(({ offset }) => offset <= flushedOffset);
    if (done.length === 0) return;
    this.#waiters = this.#waiters.filter(({ offset }) => offset > flushedOffset);
    for (const waiter of done) waiter.done.resolve();
  }
}
