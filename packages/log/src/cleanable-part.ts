// How much of a compacted log could be cleaned, and whether it is time (Kafka's LogCleanerManager). Contract: only whole segments,
// never the active one, none that the high watermark has not passed, none past the durable recovery point (behind it a gap between
// two segments would look like a torn one), none with records younger than `min.compaction.lag.ms`.

import type { LogContext, LogState } from './log-context.ts';
import type { Segment } from './segment.ts';
import type { TimeLookup } from './time-lookup.ts';

export interface CleanablePart {
  /** From the first on, in order; all of it that may be cleaned, the clean part included. */
  readonly segments: readonly Segment[];
  /** Where the clean part ends. */
  readonly firstDirtyOffset: number;
  /** Where the last of the segments ends. */
  readonly endOffset: number;
  /** Bytes that no cleaning has gone over, as a part of all these bytes. */
  readonly dirtyRatio: number;
  /** The ratio is above `min.cleanable.dirty.ratio`, or a record has waited for `max.compaction.lag.ms`. */
  readonly isDue: boolean;
}

const DEFAULT_DIRTY_RATIO = 0.5;

/** Undefined: nothing is dirty, or nothing of it may be cleaned yet. */
export async function cleanablePart(
  context: LogContext,
  state: LogState,
  times: TimeLookup,
  highWatermark: number,
  nowMs: number,
): Promise<CleanablePart | undefined> {
  const { segments, config, flushedOffset, logStartOffset, name, nextOffset } = state;
  const recoveryPoint = await context.durableRecoveryPoint(name);
  const limit = Math.min(highWatermark, flushedOffset, recoveryPoint);
  const lagMs = config.minCompactionLagMs ?? 0;
  const firstDirtyOffset = firstDirtyOf(context, state);
  const part: Segment[] = [];
  let endOffset = logStartOffset;
  let cleanBytes = 0;
  let dirtyBytes = 0;
  let oldestDirtyMs = Infinity;
  for (const [index, segment] of segments.all().entries()) {
    const next = segments.at(index + 1);
    // The next one's file must be there: if nothing is left at the end of this one, its name says where the log ends.
    if (next === undefined || !next.isCreated) break;
    const end = segments.endOffsetOf(index, nextOffset);
    if (end > limit) break;
    const isDirty = end > firstDirtyOffset;
    const newestMs = isDirty && lagMs > 0 ? await times.largestTimestamp(segment) : -1;
    if (lagMs > 0 && isDirty && newestMs > nowMs - lagMs) break;
    if (isDirty) {
      dirtyBytes += segment.sizeBytes;
      const firstMs = await times.firstTimestamp(segment);
      if (firstMs >= 0) oldestDirtyMs = Math.min(oldestDirtyMs, firstMs);
    } else cleanBytes += segment.sizeBytes;
    part.push(segment);
    endOffset = end;
  }
  if (dirtyBytes === 0) return undefined;
  const dirtyRatio = dirtyBytes / (cleanBytes + dirtyBytes);
  const isOverdue = nowMs - oldestDirtyMs > (config.maxCompactionLagMs ?? Infinity);
  const isDue = isOverdue || dirtyRatio > (config.minCleanableDirtyRatio ?? DEFAULT_DIRTY_RATIO);
  return { segments: part, firstDirtyOffset, endOffset, dirtyRatio, isDue };
}

/** A checkpoint that cannot be right (a log that was made anew, a file from a backup) makes everything dirty, which is always safe. */
function firstDirtyOf(context: LogContext, state: LogState): number {
  const { logStartOffset, nextOffset, name } = state;
  const saved = context.firstDirtyOffset(name) ?? 0;
  return saved > nextOffset ? logStartOffset : Math.max(saved, logStartOffset);
}
