// Reads a segment after a stop, from a place that is known to be good to its end, and brings its bookkeeping up to that.
// Contract: what is past the recovery point and is not a whole, valid batch that follows the one before is cut off; what is
// below it was synced once, so damage there is counted and left for readers to meet, never cut.

import { TidemarkError, type DiskFile } from '@tidemark/core';
import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchLastOffset,
  batchLeaderEpoch,
  batchMaxTimestamp,
} from '@tidemark/record';
import { BatchScanner, SCAN_BYTES } from './batch-scanner.ts';
import type { LeaderEpochCache } from './leader-epoch-cache.ts';
import type { LogContext } from './log-context.ts';
import { replayProducer } from './producer-rebuild.ts';
import type { ProducerState } from './producer-state.ts';
import { loadIndexes, SegmentIndexes } from './segment-indexes.ts';
import type { Segment } from './segment.ts';
import { readFully } from './write-fully.ts';

export interface SegmentScan {
  /** The offset behind the last good batch. */
  endOffset: number;
  scannedBytes: number;
  /** Bytes behind it that are no log; not cut off yet. */
  excessBytes: number;
  /** Why the scan stopped before the end. */
  fault: string;
  damagedBatches: number;
}

export interface SegmentScanOptions {
  readonly recoveryPoint: number;
  readonly checkCrc: boolean;
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerState;
  /** Batches that end below are in the producer state already. */
  readonly producersFrom: number;
  readonly onProgress: (scannedBytes: number) => void;
}

/**
 * Loads the indexes of a segment up to its last entry below `offset`, where a scan may begin; empty ones, to begin at 0, when
 * there is none or the files are not right. Answers the offset behind which the scan begins.
 */
export async function loadTrustedIndexes(
  context: LogContext,
  segment: Segment,
  offset: number,
): Promise<void> {
  const { directory, baseOffset, sizeBytes } = segment;
  const loaded = await loadIndexes(context.disk, directory, { baseOffset, sizeBytes, endOffset: Infinity });
  const indexes = loaded ?? new SegmentIndexes(baseOffset);
  const known = indexes.offsets.countBelow(offset);
  indexes.truncateTo(known === 0 ? baseOffset : indexes.offsets.offsetAt(known - 1) + 1);
  segment.indexes = indexes;
}

/** Scans from the last index entry to the end of the file. Leaves the file as it is. */
export async function scanSegment(
  context: LogContext,
  segment: Segment,
  options: SegmentScanOptions,
): Promise<SegmentScan> {
  const held = await context.files.hold(segment.path);
  try {
    const fileBytes = segment.sizeBytes;
    const trusted = await verifiedStart(segment, held.file, fileBytes);
    const scanner = new BatchScanner(held.file, fileBytes, {
      position: segment.sizeBytes,
      checkCrc: options.checkCrc,
      ...(trusted ? {} : { expectedOffset: segment.baseOffset }),
    });
    const scan: SegmentScan = {
      endOffset: segment.baseOffset,
      scannedBytes: 0,
      excessBytes: 0,
      fault: '',
      damagedBatches: 0,
    };
    await scanBatches(segment, scanner, scan, options);
    scan.excessBytes = fileBytes - segment.sizeBytes;
    return scan;
  } finally {
    await held.release();
  }
}

async function scanBatches(
  segment: Segment,
  scanner: BatchScanner,
  scan: SegmentScan,
  options: SegmentScanOptions,
): Promise<void> {
  const { epochs, producers } = options;
  for (;;) {
    const step = scanner.next();
    if (step === 'end') return;
    if (step === 'fill') {
      options.onProgress(scan.scannedBytes);
      await scanner.fill();
      continue;
    }
    const { bytes, at } = scanner;
    const epoch = step === 'batch' ? batchLeaderEpoch(bytes, at) : -1;
    const goesBack = step === 'batch' && epoch < (epochs.latest?.epoch ?? -1);
    if (step === 'corrupt' || (goesBack && scan.endOffset >= options.recoveryPoint)) {
      scan.fault = goesBack ? `its leader epoch is ${epoch}, below the one before` : scanner.fault;
      if (scan.endOffset >= options.recoveryPoint) return;
      if (!scanner.skipCorrupt()) {
        const where = `${segment.path} at byte ${scanner.position}, offset ${scan.endOffset}`;
        const message =
          `${where} is damaged (${scan.fault}) although everything below offset ${options.recoveryPoint} was ` +
          'synced. The log cannot be opened past it: restore the file, or remove the replica to copy it anew.';
        throw new TidemarkError('CORRUPT_MESSAGE', message);
      }
      scan.damagedBatches += 1;
    }
    const baseOffset = batchBaseOffset(bytes, at);
    const lastOffset = batchLastOffset(bytes, at);
    segment.account(lastOffset, batchMaxTimestamp(bytes, at), scanner.sizeBytes);
    epochs.assign(batchLeaderEpoch(bytes, at), baseOffset);
    // A batch that holds the offset (a recovery point lowered to a log start may be inside one) is not in the state yet.
    if (lastOffset >= options.producersFrom) replayProducer(producers, bytes, at, baseOffset, lastOffset);
    scan.endOffset = lastOffset + 1;
    scan.scannedBytes += scanner.sizeBytes;
  }
}

/**
 * Sets the segment's bookkeeping to where its last index entry is, if there is a batch that ends as the entry says; else to
 * the beginning, with empty indexes. Answers whether it is the former.
 */
async function verifiedStart(segment: Segment, file: DiskFile, fileBytes: number): Promise<boolean> {
  const indexes = segment.indexes ?? new SegmentIndexes(segment.baseOffset);
  const { offsets, times } = indexes;
  const entry = offsets.count - 1;
  segment.bytesSinceIndexEntry = 0;
  if (entry >= 0) {
    const scanner = new BatchScanner(file, fileBytes, {
      position: offsets.positionAt(entry),
      checkCrc: false,
      buffer: new Uint8Array(Math.min(SCAN_BYTES, 4096)),
    });
    let step = scanner.next();
    for (; step === 'fill'; step = scanner.next()) await scanner.fill();
    if (step === 'batch' && batchLastOffset(scanner.bytes, scanner.at) === offsets.offsetAt(entry)) {
      const last = times.count - 1;
      segment.indexes = indexes;
      segment.sizeBytes = offsets.positionAt(entry);
      segment.maxTimestamp = last < 0 ? -1 : times.timestampAt(last);
      segment.maxTimestampOffset = last < 0 ? segment.baseOffset : times.offsetAt(last);
      return true;
    }
  }
  segment.indexes = new SegmentIndexes(segment.baseOffset);
  segment.sizeBytes = 0;
  segment.maxTimestamp = -1;
  segment.maxTimestampOffset = segment.baseOffset;
  return false;
}

/** For the roll by time: the largest timestamp of the segment's first batch; -1 when it has none. */
export async function readFirstTimestamp(context: LogContext, segment: Segment): Promise<number> {
  if (segment.sizeBytes < BATCH_HEADER_BYTES) return -1;
  const held = await context.files.hold(segment.path);
  try {
    const header = new Uint8Array(BATCH_HEADER_BYTES);
    const read = await readFully(held.file, header, 0);
    return read < header.length ? -1 : batchMaxTimestamp(header, 0);
  } finally {
    await held.release();
  }
}
