// Opens what is on the disk of one partition: takes a cleanly closed log as it is, and after any other stop checks the part
// past the recovery point, cuts off what is torn there, and brings indexes, epochs and producer state up to the end.
// Contract: opening twice in a row finds the same log; whatever is kept is synced before anything is appended behind it.

import { TidemarkError } from '@tidemark/core';
import { batchLeaderEpoch } from '@tidemark/record';
import { readWholeFile } from './atomic-file.ts';
import { decodeEpochCheckpoint } from './checkpoint-file.ts';
import { replayHeaders } from './header-replay.ts';
import { LeaderEpochCache } from './leader-epoch-cache.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import { rebuildProducers } from './producer-rebuild.ts';
import { ProducerState } from './producer-state.ts';
import {
  DELETED_SUFFIX,
  LEADER_EPOCH_FILE,
  parseSegmentFile,
  segmentFileName,
  TEMPORARY_SUFFIX,
} from './segment-files.ts';
import { endOfSegment } from './segment-end.ts';
import { SegmentList } from './segment-list.ts';
import { loadTrustedIndexes, readFirstTimestamp, scanSegment } from './segment-recovery.ts';
import { removeIfThere } from './segment-removal.ts';
import { MAX_RELATIVE_OFFSET, newSegment, Segment } from './segment.ts';
import { finishSwaps } from './segment-swap.ts';
import { removeSnapshots } from './snapshot-files.ts';

const MAX_EPOCH_FILE_BYTES = 64 * 1024 * 1024;

export interface RecoveryOptions {
  readonly name: string;
  readonly directory: string;
  readonly config: LogConfig;
  /** The folder was closed cleanly: nothing is checked. */
  readonly isClean: boolean;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  /** Below it segments may have been cleaned, so that one need not begin where the one before ends. 0: none were. */
  readonly cleanedEndOffset: number;
  /** Some part of it may have been cleaned, here or where it was copied from. */
  readonly mayHaveGaps: boolean;
  readonly onProgress: (scannedBytes: number) => void;
}

/** What opening a log found and did. */
export interface RecoveryReport {
  readonly clean: boolean;
  readonly scannedBytes: number;
  /** Cut off the end: torn or corrupt, past the recovery point. */
  readonly truncatedBytes: number;
  readonly removedSegments: number;
  /** Why the log was cut, if it was. */
  readonly fault: string;
  /** Batches below the recovery point whose content is damaged; reading them answers CORRUPT_MESSAGE. */
  readonly damagedBatches: number;
  /** Offsets below the recovery point that are gone. */
  readonly lostOffsets: number;
}

export interface RecoveredLog {
  readonly segments: SegmentList;
  readonly logStartOffset: number;
  readonly endOffset: number;
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerState;
  readonly report: RecoveryReport;
}

export async function recoverLog(context: LogContext, options: RecoveryOptions): Promise<RecoveredLog> {
  return new Recovery(context, options).run();
}

class Recovery {
  readonly #context: LogContext;
  readonly #options: RecoveryOptions;
  readonly #segments = new SegmentList();
  readonly #producers: ProducerState;
  #epochs = new LeaderEpochCache();
  #scannedBytes = 0;
  #truncatedBytes = 0;
  #removedSegments = 0;
  #damagedBatches = 0;
  #fault = '';

  constructor(context: LogContext, options: RecoveryOptions) {
    this.#context = context;
    this.#options = options;
    this.#producers = new ProducerState(context.maxProducerIds);
  }

  async run(): Promise<RecoveredLog> {
    const { directory, recoveryPoint, isClean, logStartOffset } = this.#options;
    await this.#findSegments();
    if (this.#segments.count === 0) return this.#startAt(logStartOffset);
    const index = isClean ? this.#segments.count - 1 : Math.max(this.#segments.floorIndex(recoveryPoint), 0);
    const from = Math.max(recoveryPoint, this.#segments.at(index)!.baseOffset);
    if (!isClean && index > 0) await this.#checkBefore(index);
    await this.#prepare(index, from);
    const endOffset = await this.#scanFrom(index, from);
    const start = Math.max(logStartOffset, this.#segments.first.baseOffset);
    if (endOffset < start) {
      this.#warn(`ends at ${endOffset}, below its start ${start}, and begins anew there`);
      for (const segment of this.#segments.removeAfter(-1)) await this.#removeSegment(segment);
      return this.#startAt(start);
    }
    await removeSnapshots(this.#context.disk, directory, (offset) => offset > endOffset);
    this.#epochs.truncateFromStart(start);
    const { active } = this.#segments;
    active.firstTimestamp = await readFirstTimestamp(this.#context, active);
    return this.#result(start, endOffset);
  }

  /** Removes leftovers, and lists the segments that are not wholly below the log's start. */
  async #findSegments(): Promise<void> {
    const { disk, clock } = this.#context;
    const { directory, logStartOffset, config } = this.#options;
    await finishSwaps(disk, directory);
    const files = (await disk.list(directory)).filter(({ kind }) => kind === 'file');
    const bases: number[] = [];
    for (const { name } of files) {
      if (name.endsWith(DELETED_SUFFIX) || name.endsWith(TEMPORARY_SUFFIX)) {
        await disk.removeFile(`${directory}/${name}`);
      }
      const file = parseSegmentFile(name);
      if (file?.kind === 'log') bases.push(file.baseOffset);
    }
    bases.sort((a, b) => a - b);
    const kept = bases.filter((_, index) => {
      const next = bases[index + 1];
      return next === undefined || next > logStartOffset;
    });
    for (const { name } of files) {
      const file = parseSegmentFile(name);
      if (file !== undefined && file.kind !== 'snapshot' && !kept.includes(file.baseOffset)) {
        await disk.removeFile(`${directory}/${name}`);
      }
    }
    for (const baseOffset of kept) {
      const segment = new Segment(directory, baseOffset, config.indexIntervalBytes, clock.wallMs());
      const stat = await disk.stat(segment.path);
      segment.sizeBytes = stat?.sizeBytes ?? 0;
      segment.isCreated = true;
      segment.maxTimestamp = undefined;
      this.#segments.push(segment);
    }
  }

  /**
   * The segment in front of the part that is checked ends where that part begins. All of it counts as synced; where a disk has lost
   * segments all the same, readers would go over the hole without a word. Only this place is looked at: it costs the same however
   * long the log is, and what is lost of a log that is written to is what was written last.
   */
  async #checkBefore(index: number): Promise<void> {
    const { name, mayHaveGaps, logStartOffset } = this.#options;
    const [before, segment] = [this.#segments.at(index - 1)!, this.#segments.at(index)!];
    if (mayHaveGaps || segment.baseOffset - before.baseOffset > MAX_RELATIVE_OFFSET) return;
    const endOffset = await endOfSegment(this.#context, before);
    if (endOffset === undefined || endOffset === segment.baseOffset || endOffset < logStartOffset) return;
    const what =
      endOffset < segment.baseOffset
        ? `lacks the offsets from ${endOffset} to ${segment.baseOffset - 1}, which were synced`
        : `has the offsets from ${segment.baseOffset} to ${endOffset - 1} twice`;
    const message =
      `The log ${name} ${what}: ${before.path} ends at ${endOffset}, and the next segment is ${segment.path}. Nothing was changed. ` +
      'Restore the files, or remove the folder of this replica so that it is copied anew.';
    throw new TidemarkError('CORRUPT_MESSAGE', message);
  }

  /** Epochs and producer state as of where the scan begins. */
  async #prepare(index: number, from: number): Promise<void> {
    const { directory, logStartOffset, isClean } = this.#options;
    await loadTrustedIndexes(this.#context, this.#segments.at(index)!, isClean ? Infinity : from);
    const firstOffset = Math.max(this.#segments.first.baseOffset, logStartOffset);
    const path = `${directory}/${LEADER_EPOCH_FILE}`;
    const bytes = await readWholeFile(this.#context.disk, path, MAX_EPOCH_FILE_BYTES);
    const entries = bytes === undefined ? undefined : decodeEpochCheckpoint(bytes);
    this.#epochs = new LeaderEpochCache(entries);
    // What the file says of the part that is not checked yet, the batches there say better.
    if (!isClean) this.#epochs.truncateFromEnd(from);
    if (entries === undefined && from > firstOffset) {
      this.#warn('has no leader-epoch-checkpoint that can be read; its batches are asked');
      await replayHeaders(this.#context, this.#segments, firstOffset, from, (header, at, baseOffset) => {
        this.#epochs.assign(batchLeaderEpoch(header, at), baseOffset);
      });
    }
    const log = { directory, segments: this.#segments, producers: this.#producers };
    await rebuildProducers(this.#context, log, from);
  }

  /** Scans the segments from `index` on and cuts off what is no log. Answers the end of the log. */
  async #scanFrom(index: number, from: number): Promise<number> {
    const { recoveryPoint, isClean } = this.#options;
    let endOffset = this.#segments.at(index)!.baseOffset;
    let last = index;
    for (let at = index; at < this.#segments.count; at++) {
      const segment = this.#segments.at(at)!;
      if (at > index && !this.#follows(this.#segments.at(at - 1)!, segment, endOffset)) {
        this.#fault = `a segment begins at ${segment.baseOffset}, where ${endOffset} follows`;
        break;
      }
      const scan = await scanSegment(this.#context, segment, {
        recoveryPoint,
        checkCrc: !isClean,
        epochs: this.#epochs,
        producers: this.#producers,
        producersFrom: from,
        onProgress: (bytes) => this.#options.onProgress(this.#scannedBytes + bytes),
      });
      endOffset = scan.endOffset;
      last = at;
      this.#scannedBytes += scan.scannedBytes;
      this.#damagedBatches += scan.damagedBatches;
      if (at + 1 < this.#segments.count) segment.finishTimeIndex();
      if (scan.excessBytes === 0) continue;
      this.#fault = scan.fault;
      this.#truncatedBytes += scan.excessBytes;
      break;
    }
    const removed = this.#segments.removeAfter(last);
    for (const segment of removed) await this.#removeSegment(segment);
    if (!isClean || this.#truncatedBytes > 0) await this.#settle(index);
    return endOffset;
  }

  /**
   * Whether a segment may come behind one that ends at `endOffset`. A gap is either what the cleaner left, or so wide that the
   * batch behind it could not go into the segment before; any other is a write that the crash has taken.
   */
  #follows(before: Segment, segment: Segment, endOffset: number): boolean {
    const { recoveryPoint, cleanedEndOffset } = this.#options;
    if (segment.baseOffset <= endOffset) return segment.baseOffset === endOffset;
    if (segment.baseOffset <= Math.max(recoveryPoint, cleanedEndOffset)) return true;
    return segment.baseOffset - before.baseOffset > MAX_RELATIVE_OFFSET;
  }

  /** Cuts the last segment's file to its log and syncs everything that was scanned: it counts as flushed from here on. */
  async #settle(index: number): Promise<void> {
    const { disk, files } = this.#context;
    for (const segment of this.#segments.slice(index, this.#segments.count)) {
      const held = await files.hold(segment.path);
      try {
        if (segment === this.#segments.active) await held.file.truncate(segment.sizeBytes);
        await held.file.sync();
      } finally {
        await held.release();
      }
    }
    await disk.syncDirectory(this.#options.directory);
    if (this.#truncatedBytes > 0 || this.#removedSegments > 0) {
      this.#warn(
        `was cut at byte ${this.#segments.active.sizeBytes} of ${this.#segments.active.path}: ${this.#fault} ` +
          `(${this.#truncatedBytes} bytes and ${this.#removedSegments} later segments removed)`,
      );
    }
  }

  async #removeSegment(segment: Segment): Promise<void> {
    const { disk, files, indexes } = this.#context;
    this.#truncatedBytes += segment.sizeBytes;
    this.#removedSegments += 1;
    await indexes.retire(segment);
    await files.forget(segment.path);
    for (const kind of ['log', 'index', 'timeindex'] as const) {
      await removeIfThere(disk, `${this.#options.directory}/${segmentFileName(segment.baseOffset, kind)}`);
    }
  }

  async #startAt(offset: number): Promise<RecoveredLog> {
    const { disk, clock } = this.#context;
    const { directory } = this.#options;
    await removeSnapshots(disk, directory, () => true);
    this.#segments.push(newSegment(this.#options, offset, clock.wallMs()));
    this.#epochs = new LeaderEpochCache();
    this.#producers.clear();
    return this.#result(offset, offset);
  }

  #result(logStartOffset: number, endOffset: number): RecoveredLog {
    const lostOffsets = Math.max(0, this.#options.recoveryPoint - endOffset);
    if (lostOffsets > 0) this.#warn(`ends at ${endOffset}: ${lostOffsets} offsets that were synced are gone`);
    if (this.#damagedBatches > 0) this.#warn(`has ${this.#damagedBatches} damaged batches that were synced`);
    return {
      segments: this.#segments,
      logStartOffset,
      endOffset,
      epochs: this.#epochs,
      producers: this.#producers,
      report: {
        clean: this.#options.isClean,
        scannedBytes: this.#scannedBytes,
        truncatedBytes: this.#truncatedBytes,
        removedSegments: this.#removedSegments,
        fault: this.#fault,
        damagedBatches: this.#damagedBatches,
        lostOffsets,
      },
    };
  }

  #warn(what: string): void {
    this.#context.warn(`The log ${this.#options.name} ${what}.`);
  }
}
