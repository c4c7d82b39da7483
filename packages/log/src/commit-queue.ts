// What waits to be written: appends in order, gathered into groups of which each becomes one write (or two, around a roll).
// Contract: bounded in bytes by the admission of appends; a group remembers how the log was before it, so that a failed write
// takes it and everything behind it back.

import type { EpochEntry } from './checkpoint-file.ts';
import type { LogState } from './log-context.ts';
import { deferred, type Deferred } from './mutex.ts';
import type { Segment, SegmentMark } from './segment.ts';

/** Parts that go into one segment, one after another. */
export interface Run {
  readonly segment: Segment;
  readonly position: number;
  readonly parts: Uint8Array[];
}

export interface QueuedAppend {
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly isOwned: boolean;
}

/** The producer state at the base offset of a new segment. */
export interface RollSnapshot {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface Group {
  readonly mark: SegmentMark;
  readonly baseOffset: number;
  /** The newest leader epoch before the group. */
  readonly epochBefore: EpochEntry | undefined;
  readonly runs: Run[];
  readonly appends: QueuedAppend[];
  readonly snapshots: RollSnapshot[];
  readonly written: Deferred;
  endOffset: number;
  sizeBytes: number;
}

type QueuedLog = Pick<LogState, 'segments' | 'epochs' | 'nextOffset'>;

/** Parts in one gathered write: what the kernel takes in one call. */
const MAX_PARTS = 1024;

export class CommitQueue {
  readonly #maxWriteBytes: number;
  readonly #groups: Group[] = [];
  #inFlight: Group | undefined;
  #pendingBytes = 0;

  constructor(maxWriteBytes: number) {
    this.#maxWriteBytes = maxWriteBytes;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get isEmpty(): boolean {
    return this.#groups.length === 0 && this.#inFlight === undefined;
  }

  /** The segment that is active again if what waits cannot be written; undefined: nothing waits. */
  get revertible(): Segment | undefined {
    return (this.#inFlight ?? this.#groups[0])?.mark.segment;
  }

  /** The group the next append of `sizeBytes` goes into; a new one when the last is full or being written. */
  open(log: QueuedLog, sizeBytes: number): Group {
    const last = this.#groups.at(-1);
    if (
      last !== undefined &&
      last.sizeBytes + sizeBytes <= this.#maxWriteBytes &&
      last.appends.length < MAX_PARTS
    ) {
      return last;
    }
    const { nextOffset } = log;
    const group: Group = {
      mark: log.segments.active.mark(),
      baseOffset: nextOffset,
      epochBefore: log.epochs.latest,
      runs: [],
      appends: [],
      snapshots: [],
      written: deferred(),
      endOffset: nextOffset,
      sizeBytes: 0,
    };
    this.#groups.push(group);
    return group;
  }

  added(group: Group, append: QueuedAppend): void {
    group.appends.push(append);
    group.endOffset = append.endOffset;
    group.sizeBytes += append.bytes.length;
    this.#pendingBytes += append.bytes.length;
  }

  /** The oldest group, to be written. `settle` ends this. */
  take(): Group | undefined {
    this.#inFlight = this.#groups.shift();
    return this.#inFlight;
  }

  /** The group in flight is written. */
  settle(): void {
    this.#pendingBytes -= this.#inFlight?.sizeBytes ?? 0;
    this.#inFlight = undefined;
  }

  /** Takes out everything, the group in flight first. */
  takeAll(): Group[] {
    const groups = this.#inFlight === undefined ? this.#groups : [this.#inFlight, ...this.#groups];
    const all = [...groups];
    this.#groups.length = 0;
    this.#inFlight = undefined;
    this.#pendingBytes = 0;
    return all;
  }

  /** When the batch that ends at `lastOffset` is written: for the answer to a retry that finds it still queued. */
  writtenPromise(lastOffset: number): Promise<void> | undefined {
    if (this.#inFlight !== undefined && lastOffset < this.#inFlight.endOffset) {
      return this.#inFlight.written.promise;
    }
    return this.#groups.find((group) => lastOffset < group.endOffset)?.written.promise;
  }
}

/** Puts bytes at the end of the group's last run, or of a new one when the segment is another. */
export function addPart(group: Group, segment: Segment, position: number, bytes: Uint8Array): void {
  const run = group.runs.at(-1);
  if (run !== undefined && run.segment === segment) run.parts.push(bytes);
  else group.runs.push({ segment, position, parts: [bytes] });
}
