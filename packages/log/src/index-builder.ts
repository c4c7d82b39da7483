// Builds the indexes of a segment anew from its log, for when the files are missing or cannot be right.
// Contract: gives the same entries as appending the batches one by one did; reads headers only and trusts them, and stops at
// the first thing that is no batch, for what is behind it cannot be found by offset either.

import type { DiskFile } from '@tidemark/core';
import { batchLastOffset, batchMaxTimestamp } from '@tidemark/record';
import { BatchScanner } from './batch-scanner.ts';
import { Segment } from './segment.ts';
import { SegmentIndexes } from './segment-indexes.ts';

export async function buildIndexes(file: DiskFile, segment: Segment): Promise<SegmentIndexes> {
  const replay = new Segment(segment.directory, segment.baseOffset, segment.indexIntervalBytes, 0);
  const indexes = new SegmentIndexes(segment.baseOffset);
  replay.indexes = indexes;
  const scanner = new BatchScanner(file, segment.sizeBytes, {
    checkCrc: false,
    expectedOffset: segment.baseOffset,
  });
  for (;;) {
    const step = scanner.next();
    if (step === 'fill') await scanner.fill();
    else if (step === 'batch') {
      const { bytes, at } = scanner;
      replay.account(batchLastOffset(bytes, at), batchMaxTimestamp(bytes, at), scanner.sizeBytes);
    } else break;
  }
  replay.finishTimeIndex();
  return indexes;
}
