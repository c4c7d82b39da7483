// Moves the start of a log up and lets the segments below it go. Contract: the new start is durable before the first file is
// renamed, so that a crash never leaves a hole in the middle; with a full disk, where that cannot be written, the segments go one
// by one instead, each rename synced before the next. Files are removed `file.delete.delay.ms` after they were renamed.

import { DiskError, MAX_TIMER_MS, type Timer } from '@tidemark/core';
import { hasRetention } from './log-config.ts';
import { isDiskFull, type LogContext, type LogState } from './log-context.ts';
import { isExpired } from './retention.ts';
import { removeIfThere, renameToDeleted } from './segment-removal.ts';
import type { Segment } from './segment.ts';
import type { TimeLookup } from './time-lookup.ts';

export class LogRetention {
  readonly #context: LogContext;
  readonly #state: LogState;
  readonly #times: TimeLookup;
  readonly #timers = new Set<Timer>();

  constructor(context: LogContext, state: LogState, times: TimeLookup) {
    this.#context = context;
    this.#state = state;
    this.#times = times;
  }

  /** Whether everything, the active segment too, is past its time. */
  async isActiveExpired(nowMs: number, highWatermark: number): Promise<boolean> {
    const { segments } = this.#state;
    if (segments.active.sizeBytes === 0) return false;
    return (await this.#countExpired(nowMs, highWatermark)) === segments.count;
  }

  /**
   * Removes what is past its time; answers how many segments. None from `revertible()` on: a full disk may take the log back to that
   * one, as long as something waits to be written.
   */
  async run(nowMs: number, highWatermark: number, revertible: () => Segment | undefined): Promise<number> {
    const { segments } = this.#state;
    const expired = await this.#countExpired(nowMs, highWatermark);
    // Asked after the wait. What is queued from now on can be taken back no further than to what is the active segment now.
    const last = revertible() ?? segments.active;
    const count = Math.min(expired, segments.floorIndex(last.baseOffset));
    if (count === 0) return 0;
    await this.#remove(count, segments.at(count)!.baseOffset);
    return count;
  }

  /** Moves the log's start up to `offset`. */
  async startAt(offset: number): Promise<void> {
    const { segments, flushedOffset, logStartOffset } = this.#state;
    if (offset <= logStartOffset) {
      // It may have been moved there while the disk was full; nothing is written if it is durable.
      if (logStartOffset > 0) await this.#saveStart();
      return;
    }
    let count = 0;
    while (count < segments.count - 1) {
      const endOffset = segments.at(count + 1)!.baseOffset;
      if (endOffset > offset || endOffset >= flushedOffset) break;
      count += 1;
    }
    const isDurable = await this.#remove(count, offset);
    // Whoever asked for it is told that it may not last, and asks again once there is room.
    if (!isDurable) await this.#saveStart();
  }

  /** What is still to be removed is found when the log is opened again. */
  cancel(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  async #countExpired(nowMs: number, highWatermark: number): Promise<number> {
    const { segments, config, logStartOffset, nextOffset } = this.#state;
    // A compacted log lets go only of what is below its start.
    const limits = hasRetention(config) ? config : { retentionMs: -1, retentionBytes: -1 };
    let remainingBytes = segments.sizeBytes;
    let count = 0;
    for (const [index, segment] of segments.all().entries()) {
      const endOffset = segments.endOffsetOf(index, nextOffset);
      const largestTimestamp = limits.retentionMs < 0 ? -1 : await this.#times.largestTimestamp(segment);
      const candidate = { sizeBytes: segment.sizeBytes, endOffset, largestTimestamp };
      const now = { nowMs, logStartOffset, highWatermark, remainingBytes };
      // Compaction may have left nothing in a segment: it goes with the next one that does.
      if (segment.sizeBytes === 0 && segment !== segments.active) continue;
      if (segment.sizeBytes === 0 || !isExpired(candidate, limits, now)) break;
      remainingBytes -= segment.sizeBytes;
      count = index + 1;
    }
    return count;
  }

  /** Answers whether the new start is durable, apart from the segments that are gone. */
  async #remove(count: number, logStartOffset: number): Promise<boolean> {
    const { segments, epochs } = this.#state;
    this.#state.logStartOffset = Math.max(this.#state.logStartOffset, logStartOffset);
    epochs.truncateFromStart(this.#state.logStartOffset);
    let isDurable = true;
    try {
      await this.#saveStart();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      // Otherwise a full disk could never be emptied by retention.
      isDurable = false;
    }
    const removed = segments.removeFirst(count);
    const steps = isDurable ? [removed] : removed.map((segment) => [segment]);
    for (const step of steps) await this.#rename(step);
    if (count > 0) {
      this.#state.durableStartOffset = Math.max(this.#state.durableStartOffset, segments.first.baseOffset);
    }
    return isDurable;
  }

  async #saveStart(): Promise<void> {
    const { name, logStartOffset } = this.#state;
    await this.#context.saveLogStart(name, logStartOffset);
    this.#state.durableStartOffset = logStartOffset;
  }

  async #rename(segments: readonly Segment[]): Promise<void> {
    if (segments.length === 0) return;
    const { disk } = this.#context;
    let paths: string[];
    try {
      paths = await renameToDeleted(this.#context, segments);
      await disk.syncDirectory(this.#state.directory);
    } catch (error) {
      if (error instanceof DiskError) this.#context.goOffline(error);
      throw error;
    }
    this.removeLater(paths);
  }

  /** Removes files that carry another name already, after `file.delete.delay.ms`. */
  removeLater(paths: readonly string[]): void {
    const { clock } = this.#context;
    const delayMs = Math.min(this.#state.config.fileDeleteDelayMs, MAX_TIMER_MS);
    const timer = clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      void this.#removeFiles(paths);
    });
    this.#timers.add(timer);
  }

  async #removeFiles(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      try {
        await removeIfThere(this.#context.disk, path);
      } catch (error) {
        this.#context.warn(`${path} could not be removed; the next start tries again.`, error);
      }
    }
  }
}
