// Where a segment that is not the last one ends, found by its last index entry and the few batches behind it, whatever its size.
// Contract: answers only what the batches themselves say; undefined where that cannot be told without reading all of it.

import { DiskError, readInt32, type Disk } from '@tidemark/core';
import { batchLastOffset } from '@tidemark/record';
import { BatchScanner } from './batch-scanner.ts';
import type { LogContext } from './log-context.ts';
import { OFFSET_INDEX_ENTRY_BYTES } from './offset-index.ts';
import { segmentFileName } from './segment-files.ts';
import type { Segment } from './segment.ts';
import { readFully } from './write-fully.ts';

/** More than this behind the last entry is no segment that was finished: `index.interval.bytes` and a large batch. */
const MAX_READ_BYTES = 8 * 1024 * 1024;

/** The offset behind its last batch. */
export async function endOfSegment(context: LogContext, segment: Segment): Promise<number | undefined> {
  const entry = await lastEntry(context.disk, segment);
  if (entry === undefined || segment.sizeBytes - entry.position > MAX_READ_BYTES) return undefined;
  const held = await context.files.hold(segment.path);
  try {
    const options = { position: entry.position, checkCrc: false };
    const scanner = new BatchScanner(held.file, segment.sizeBytes, options);
    let endOffset: number | undefined;
    for (let step = scanner.next(); step !== 'end'; step = scanner.next()) {
      if (step === 'corrupt') return undefined;
      if (step === 'fill') await scanner.fill();
      else {
        const lastOffset = batchLastOffset(scanner.bytes, scanner.at);
        if (endOffset === undefined && entry.offset !== undefined && lastOffset !== entry.offset)
          return undefined;
        endOffset = lastOffset + 1;
      }
    }
    return endOffset;
  } finally {
    await held.release();
  }
}

/** The last entry of the offset index; the beginning of the segment when there is none yet; undefined: there is no index. */
async function lastEntry(
  disk: Disk,
  { directory, baseOffset }: Segment,
): Promise<{ readonly offset: number | undefined; readonly position: number } | undefined> {
  let file;
  try {
    file = await disk.open(`${directory}/${segmentFileName(baseOffset, 'index')}`, 'read');
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const size = await file.sizeBytes();
    if (size === 0) return { offset: undefined, position: 0 };
    if (size % OFFSET_INDEX_ENTRY_BYTES !== 0) return undefined;
    const bytes = new Uint8Array(OFFSET_INDEX_ENTRY_BYTES);
    const read = await readFully(file, bytes, size - OFFSET_INDEX_ENTRY_BYTES);
    if (read < bytes.length) return undefined;
    return { offset: baseOffset + readInt32(bytes, 0), position: readInt32(bytes, 4) };
  } finally {
    await file.close();
  }
}
