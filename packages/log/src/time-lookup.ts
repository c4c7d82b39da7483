// Offsets by time: the first record at or after a timestamp, and the record with the largest (Kafka's ListOffsets).
// Contract: the time index narrows it to a place in one segment, a scan of batch headers finds the batch, and only that batch
// is opened. What is queued but not written is not seen.

import { DiskError, TidemarkError } from '@tidemark/core';
import { batchLastOffset, batchMaxTimestamp } from '@tidemark/record';
import { BatchScanner } from './batch-scanner.ts';
import { closedLog, storageError, type LogContext, type LogState } from './log-context.ts';
import { findRecordByTime, type TimestampedOffset } from './record-time.ts';
import { readFirstTimestamp } from './segment-recovery.ts';
import type { Segment } from './segment.ts';
import type { TimeIndex } from './time-index.ts';

export class TimeLookup {
  readonly #context: LogContext;
  readonly #state: LogState;

  constructor(context: LogContext, state: LogState) {
    this.#context = context;
    this.#state = state;
  }

  /** The first record below `upTo` whose timestamp is at or after `timestampMs`. */
  atOrAfter(timestampMs: number, upTo: number): Promise<TimestampedOffset | undefined> {
    return this.#settled(() => this.#atOrAfter(timestampMs, upTo));
  }

  async #atOrAfter(timestampMs: number, upTo: number): Promise<TimestampedOffset | undefined> {
    const limit = Math.min(upTo, this.#state.writtenOffset);
    for (const segment of this.#state.segments.all()) {
      if (segment.baseOffset >= limit) break;
      const endOffset = this.#endOffsetOf(segment);
      if (endOffset <= this.#state.logStartOffset) continue;
      if ((await this.largestTimestamp(segment)) < timestampMs) continue;
      const { times } = await this.#context.indexes.load(segment, endOffset);
      let from = Math.max(times.lookup(timestampMs), this.#state.logStartOffset);
      for (;;) {
        const batch = await this.#scan(segment, from, limit, (maxTimestamp) => maxTimestamp >= timestampMs);
        if (batch === undefined) break;
        const record = findRecordByTime(batch, timestampMs, this.#state.logStartOffset, this.#context.codecs);
        if (record !== undefined) return record.offset < upTo ? record : undefined;
        // The batch that the log starts inside of may have it only below the start.
        from = batchLastOffset(batch) + 1;
      }
    }
    return undefined;
  }

  /** The first record with the largest timestamp in the log (KIP-734). */
  maximum(): Promise<TimestampedOffset | undefined> {
    return this.#settled(() => this.#maximum());
  }

  async #maximum(): Promise<TimestampedOffset | undefined> {
    const limit = this.#state.writtenOffset;
    let best: Segment | undefined;
    let largest = -1;
    for (const segment of this.#state.segments.all()) {
      if (segment.baseOffset >= limit || this.#endOffsetOf(segment) <= this.#state.logStartOffset) continue;
      const timestamp = await this.#largestWritten(segment, limit);
      if (timestamp > largest) {
        largest = timestamp;
        best = segment;
      }
    }
    return best === undefined ? undefined : this.#atOrAfter(largest, limit);
  }

  /** The largest timestamp in the segment, queued batches included; -1: none. */
  async largestTimestamp(segment: Segment): Promise<number> {
    if (segment.maxTimestamp !== undefined) return segment.maxTimestamp;
    const { times } = await this.#context.indexes.load(segment, this.#endOffsetOf(segment));
    return noteLargest(segment, times);
  }

  /** The largest timestamp of the segment's first batch; -1: none. */
  async firstTimestamp(segment: Segment): Promise<number> {
    if (segment.firstTimestamp < 0) segment.firstTimestamp = await readFirstTimestamp(this.#context, segment);
    return segment.firstTimestamp;
  }

  /** Looks again when segments were cleaned, cut or removed under the search. */
  async #settled<T>(search: () => Promise<T>): Promise<T> {
    const state = this.#state;
    for (;;) {
      await state.cutting;
      if (state.isReleased) throw TidemarkError.from(closedLog(state.name));
      const { truncations } = state;
      const { first } = state.segments;
      try {
        const found = await search();
        if (state.truncations === truncations) return found;
      } catch (error) {
        if (state.truncations === truncations && state.segments.first === first) {
          throw error instanceof DiskError ? storageError(error) : error;
        }
      }
    }
  }

  async #largestWritten(segment: Segment, limit: number): Promise<number> {
    const largest = await this.largestTimestamp(segment);
    if (segment.maxTimestampOffset < limit) return largest;
    let written = -1;
    await this.#scan(segment, segment.baseOffset, limit, (maxTimestamp) => {
      written = Math.max(written, maxTimestamp);
      return false;
    });
    return written;
  }

  #endOffsetOf(segment: Segment): number {
    const { segments, nextOffset } = this.#state;
    return segments.endOffsetOf(segments.floorIndex(segment.baseOffset), nextOffset);
  }

  /** The first batch from the one that holds `from` on that passes, as a copy. */
  async #scan(
    segment: Segment,
    from: number,
    limit: number,
    passes: (maxTimestamp: number) => boolean,
  ): Promise<Uint8Array | undefined> {
    const { offsets } = await this.#context.indexes.load(segment, this.#endOffsetOf(segment));
    const position = offsets.lookup(from);
    const held = await this.#context.files.hold(segment.path);
    try {
      const options = { checkCrc: false, position, endOffset: limit };
      const scanner = new BatchScanner(held.file, segment.sizeBytes, options);
      for (;;) {
        const step = scanner.next();
        if (step === 'end') return undefined;
        if (step === 'corrupt') {
          const where = `${segment.path} at byte ${scanner.position}`;
          throw new TidemarkError('CORRUPT_MESSAGE', `The batch in ${where}: ${scanner.fault}.`);
        }
        if (step === 'fill') await scanner.fill();
        else {
          const { bytes, at } = scanner;
          if (batchLastOffset(bytes, at) < from || !passes(batchMaxTimestamp(bytes, at))) continue;
          return bytes.slice(at, at + scanner.sizeBytes);
        }
      }
    } finally {
      await held.release();
    }
  }
}

function noteLargest(segment: Segment, times: TimeIndex): number {
  // Known by now, if the segment was cut meanwhile: then the index says less.
  if (segment.maxTimestamp === undefined) {
    const last = times.count - 1;
    segment.maxTimestamp = last < 0 ? -1 : times.timestampAt(last);
    segment.maxTimestampOffset = last < 0 ? segment.baseOffset : times.offsetAt(last);
  }
  return segment.maxTimestamp;
}
