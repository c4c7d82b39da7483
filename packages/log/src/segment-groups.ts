// Which neighbouring segments are cleaned into one, so that a log does not end up as many small files (Kafka's
// Cleaner.groupSegmentsBySize). Contract: order is kept; a group, taken as it is before the cleaning, is within `segment.bytes`,
// `segment.index.bytes` and what int32 offsets can span; a segment that is larger is a group of its own.

import type { LogConfig } from './log-config.ts';
import { MAX_RELATIVE_OFFSET, MAX_SEGMENT_BYTES, type Segment } from './segment.ts';

export interface GroupedSegment {
  readonly segment: Segment;
  /** Behind its last offset. */
  readonly endOffset: number;
  readonly indexBytes: number;
}

export function groupSegments(
  segments: readonly GroupedSegment[],
  config: Pick<LogConfig, 'segmentBytes' | 'segmentIndexBytes'>,
): GroupedSegment[][] {
  const maxBytes = Math.min(config.segmentBytes, MAX_SEGMENT_BYTES);
  const groups: GroupedSegment[][] = [];
  let bytes = 0;
  let indexBytes = 0;
  for (const each of segments) {
    const group = groups.at(-1);
    const isIn =
      group !== undefined &&
      bytes + each.segment.sizeBytes <= maxBytes &&
      indexBytes + each.indexBytes <= config.segmentIndexBytes &&
      each.endOffset - 1 - group[0]!.segment.baseOffset <= MAX_RELATIVE_OFFSET;
    if (isIn) group.push(each);
    else {
      groups.push([each]);
      bytes = 0;
      indexBytes = 0;
    }
    bytes += each.segment.sizeBytes;
    indexBytes += each.indexBytes;
  }
  return groups;
}
