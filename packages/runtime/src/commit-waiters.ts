// Who waits for a partition's high watermark, and how much becomes readable when it moves. Contract: a waiter is settled once; an
// append that was taken back counts for nothing. What is noted of appends is bounded however long nothing is committed: with too few
// replicas in sync, acks=1 goes on for days.

import type { Failure, Offset } from '@tidemark/core';

interface CommitWaiter {
  /** Everything below it must be committed. */
  readonly endOffset: Offset;
  readonly done: (failed: Failure | undefined) => void;
}

interface AppendedSpan {
  readonly endOffset: Offset;
  readonly bytes: number;
  /** How many of them: more than one where they are counted together. */
  readonly appends: number;
  /** It cannot be taken back any more. */
  isWritten: boolean;
}

/** Above so many spans neighbours are counted together: readers are woken once for all of them. */
const MAX_SPANS = 4096;

export class CommitWaiters {
  /** Appends above the high watermark, in order: how many bytes become readable when it passes them. */
  #uncommitted: AppendedSpan[] = [];
  #mergeAbove = MAX_SPANS;
  /** In the order of their end offsets, because appends are. */
  readonly #waiters: CommitWaiter[] = [];

  /** How much is noted of appends. */
  get spanCount(): number {
    return this.#uncommitted.length;
  }

  /** `written` rejects when the append is taken back. */
  appended(endOffset: Offset, bytes: number, written: Promise<void>): void {
    const span = { endOffset, bytes, appends: 1, isWritten: false };
    this.#uncommitted.push(span);
    if (this.#uncommitted.length > this.#mergeAbove) this.#merge();
    written.then(
      () => {
        span.isWritten = true;
      },
      () => {
        // A full disk takes the append back; its offsets are given out again, and its span must not stand before theirs.
        const at = this.#uncommitted.indexOf(span);
        if (at >= 0) this.#uncommitted.splice(at, 1);
      },
    );
  }

  /** Resolves when everything below `endOffset` is committed, or with why that will not be told. */
  wait(endOffset: Offset): Promise<Failure | undefined> {
    return new Promise((done) => {
      // A duplicate waits for an older offset than the newest append; then it goes where it belongs.
      let at = this.#waiters.length;
      while (at > 0 && this.#waiters[at - 1]!.endOffset > endOffset) at -= 1;
      this.#waiters.splice(at, 0, { endOffset, done });
    });
  }

  /** The high watermark is here now. Answers how many bytes of the appends here it has passed. */
  passed(highWatermark: Offset, outcome: () => Failure | undefined): number {
    const readable = takeWhile(this.#uncommitted, (span) => span.endOffset <= highWatermark);
    const committed = takeWhile(this.#waiters, (waiter) => waiter.endOffset <= highWatermark);
    if (committed.length > 0) {
      const failed = outcome();
      for (const waiter of committed) waiter.done(failed);
    }
    let bytes = 0;
    for (const span of readable) bytes += span.bytes;
    return bytes;
  }

  /** Those who wait are told why; what they wait for may still be committed. */
  refuse(why: Failure): void {
    for (const waiter of this.#waiters.splice(0)) waiter.done(why);
  }

  /** Nothing that waits will be told, and nothing more of what was appended counts. */
  fail(why: Failure): void {
    this.#uncommitted = [];
    this.refuse(why);
  }

  /**
   * Halves the spans at least, each to hold about as many appends, whatever was merged before. Those that are not written stay as
   * they are: the log takes only so many of them.
   */
  #merge(): void {
    const appends = this.#uncommitted.reduce((sum, span) => sum + span.appends, 0);
    const most = (4 * appends) / MAX_SPANS;
    const merged: AppendedSpan[] = [];
    for (const span of this.#uncommitted) {
      const last = merged.at(-1);
      if (last?.isWritten !== true || !span.isWritten || last.appends + span.appends > most) {
        merged.push(span);
        continue;
      }
      const { endOffset } = span;
      const [bytes, together] = [last.bytes + span.bytes, last.appends + span.appends];
      merged[merged.length - 1] = { endOffset, bytes, appends: together, isWritten: true };
    }
    this.#uncommitted = merged;
    // Where most are not written yet, not at every append.
    this.#mergeAbove = Math.max(MAX_SPANS, 2 * merged.length);
  }
}

/** Removes the leading elements for which `holds` and answers them. */
function takeWhile<T>(queue: T[], holds: (element: T) => boolean): T[] {
  let count = 0;
  while (count < queue.length && holds(queue[count]!)) count += 1;
  return count === 0 ? [] : queue.splice(0, count);
}
