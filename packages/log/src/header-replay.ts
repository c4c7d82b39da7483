// Goes over the batch headers of a log between two offsets, across segments. Contract: calls `visit` for each whole batch in
// order; trusts what it reads (no CRC), and rejects with CORRUPT_MESSAGE where the chain of batches breaks.

import { TidemarkError } from '@tidemark/core';
import { batchBaseOffset, batchLastOffset } from '@tidemark/record';
import { BatchScanner } from './batch-scanner.ts';
import type { LogContext } from './log-context.ts';
import type { SegmentList } from './segment-list.ts';

export type HeaderVisitor = (bytes: Uint8Array, at: number, baseOffset: number, lastOffset: number) => void;

/** Batches that begin at or above `from` and end below `to`. */
export async function replayHeaders(
  context: LogContext,
  segments: SegmentList,
  from: number,
  to: number,
  visit: HeaderVisitor,
): Promise<void> {
  let buffer: Uint8Array | undefined;
  for (let index = Math.max(segments.floorIndex(from), 0); index < segments.count; index++) {
    const segment = segments.at(index)!;
    if (segment.baseOffset >= to) return;
    const { offsets } = await context.indexes.load(segment, segments.endOffsetOf(index, to));
    const held = await context.files.hold(segment.path);
    try {
      const position = offsets.lookup(from);
      const options = { position, checkCrc: false, endOffset: to, buffer };
      const scanner = new BatchScanner(held.file, segment.sizeBytes, options);
      for (let step = scanner.next(); step !== 'end'; step = scanner.next()) {
        if (step === 'fill') await scanner.fill();
        else if (step === 'corrupt') {
          const where = `${segment.path} at byte ${scanner.position}`;
          throw new TidemarkError('CORRUPT_MESSAGE', `The batch in ${where}: ${scanner.fault}.`);
        } else {
          const baseOffset = batchBaseOffset(scanner.bytes, scanner.at);
          const lastOffset = batchLastOffset(scanner.bytes, scanner.at);
          if (lastOffset >= to) break;
          if (baseOffset >= from) visit(scanner.bytes, scanner.at, baseOffset, lastOffset);
        }
      }
      buffer = scanner.buffer;
    } finally {
      await held.release();
    }
  }
}
