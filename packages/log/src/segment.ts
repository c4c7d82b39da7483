// One segment of a log: where it begins, how large it is, and what an append does to its indexes.
// Contract: pure bookkeeping in memory, ahead of the disk by what is queued for writing; `mark` and `restore` take it back
// to where it was when those writes fail. Roll and index rules are Kafka's (LogSegment.append, LogSegment.shouldRoll).

import { invariant } from '@tidemark/core';
import { maxSegmentMs, type LogConfig } from './log-config.ts';
import type { HeldFile } from './open-files.ts';
import { segmentFileName } from './segment-files.ts';
import { SegmentIndexes } from './segment-indexes.ts';

/** Offsets in an index are int32, relative to the segment's base. */
export const MAX_RELATIVE_OFFSET = 2 ** 31 - 1;
/** Index positions are int32. */
export const MAX_SEGMENT_BYTES = 2 ** 31 - 1;

export interface SegmentMark {
  readonly segment: Segment;
  readonly sizeBytes: number;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly maxTimestampOffset: number;
  readonly bytesSinceIndexEntry: number;
  readonly offsetEntries: number;
  readonly timeEntries: number;
}

export class Segment {
  readonly baseOffset: number;
  readonly directory: string;
  /** `index.interval.bytes` as it was when the segment was begun or opened. */
  readonly indexIntervalBytes: number;
  /** Bytes of log, those still queued for writing included. */
  sizeBytes = 0;
  /** For the roll by time while no batch has a timestamp. */
  createdMs: number;
  /** Largest timestamp of the first batch; -1: none yet. */
  firstTimestamp = -1;
  /** Largest timestamp so far and the last offset of the batch that has it; -1: none. `undefined`: not loaded. */
  maxTimestamp: number | undefined = -1;
  maxTimestampOffset: number;
  bytesSinceIndexEntry = 0;
  /** In memory for the active segment and until a rolled one's files are written; else loaded when needed. */
  indexes: SegmentIndexes | undefined;
  /** Held while there is something to write or sync. */
  file: HeldFile | undefined;
  /** `.swap` while the segment, cleaned, is not under its own name yet. */
  fileSuffix = '';
  /** False until the file exists: it is made by the first write. */
  isCreated = false;

  constructor(directory: string, baseOffset: number, indexIntervalBytes: number, createdMs: number) {
    this.directory = directory;
    this.indexIntervalBytes = indexIntervalBytes;
    this.baseOffset = baseOffset;
    this.maxTimestampOffset = baseOffset;
    this.createdMs = createdMs;
  }

  get path(): string {
    return `${this.directory}/${segmentFileName(this.baseOffset, 'log')}${this.fileSuffix}`;
  }

  /** Whether a batch must go to the next segment. */
  shouldRoll(
    batch: { readonly sizeBytes: number; readonly lastOffset: number; readonly maxTimestamp: number },
    config: LogConfig,
    nowMs: number,
  ): boolean {
    const isFar = batch.lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET;
    if (this.sizeBytes === 0) return isFar;
    const limit = Math.min(config.segmentBytes, MAX_SEGMENT_BYTES);
    if (this.sizeBytes > limit - batch.sizeBytes) return true;
    const waitedMs =
      this.firstTimestamp >= 0 ? batch.maxTimestamp - this.firstTimestamp : nowMs - this.createdMs;
    if (waitedMs > maxSegmentMs(config)) return true;
    const indexes = this.#indexes();
    return (
      indexes.offsets.isFull(config.segmentIndexBytes) ||
      indexes.times.isFull(config.segmentIndexBytes) ||
      isFar
    );
  }

  /** Counts one more batch at the end. The caller has asked `shouldRoll`. */
  account(lastOffset: number, maxTimestamp: number, sizeBytes: number): void {
    if (this.maxTimestamp === undefined || maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = maxTimestamp;
      this.maxTimestampOffset = lastOffset;
    }
    if (this.sizeBytes === 0) this.firstTimestamp = maxTimestamp;
    if (this.bytesSinceIndexEntry > this.indexIntervalBytes) {
      const { offsets, times } = this.#indexes();
      offsets.append(lastOffset, this.sizeBytes);
      times.maybeAppend(this.maxTimestamp, this.maxTimestampOffset);
      this.bytesSinceIndexEntry = 0;
    }
    this.sizeBytes += sizeBytes;
    this.bytesSinceIndexEntry += sizeBytes;
  }

  /** The last entry of the time index: what the segment's largest timestamp is. At the roll and at a clean close. */
  finishTimeIndex(): void {
    if (this.maxTimestamp !== undefined && this.maxTimestamp >= 0) {
      this.#indexes().times.maybeAppend(this.maxTimestamp, this.maxTimestampOffset);
    }
  }

  mark(): SegmentMark {
    const { offsets, times } = this.#indexes();
    return {
      segment: this,
      sizeBytes: this.sizeBytes,
      firstTimestamp: this.firstTimestamp,
      maxTimestamp: this.maxTimestamp ?? -1,
      maxTimestampOffset: this.maxTimestampOffset,
      bytesSinceIndexEntry: this.bytesSinceIndexEntry,
      offsetEntries: offsets.count,
      timeEntries: times.count,
    };
  }

  restore(mark: SegmentMark): void {
    invariant(mark.segment === this, 'a mark belongs to its segment');
    this.sizeBytes = mark.sizeBytes;
    this.firstTimestamp = mark.firstTimestamp;
    this.maxTimestamp = mark.maxTimestamp;
    this.maxTimestampOffset = mark.maxTimestampOffset;
    this.bytesSinceIndexEntry = mark.bytesSinceIndexEntry;
    const { offsets, times } = this.#indexes();
    offsets.entries.count = mark.offsetEntries;
    times.entries.count = mark.timeEntries;
  }

  #indexes(): SegmentIndexes {
    invariant(this.indexes !== undefined, 'the indexes of a segment that is appended to are in memory');
    return this.indexes;
  }
}

/** A segment with nothing in it. */
export function newSegment(
  log: { readonly directory: string; readonly config: LogConfig },
  baseOffset: number,
  nowMs: number,
): Segment {
  const segment = new Segment(log.directory, baseOffset, log.config.indexIntervalBytes, nowMs);
  segment.indexes = new SegmentIndexes(baseOffset);
  return segment;
}
