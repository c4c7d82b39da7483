// Whether a segment may go: by size, by age, or because it is wholly below the log's start (UnifiedLog.deleteOldSegments).
// Contract: asked from the oldest segment on, stopping at the first that stays; never yes for what the high watermark has not
// passed. The caller rolls the active segment first if that is to go.

import type { LogConfig } from './log-config.ts';

export interface RetentionCandidate {
  readonly sizeBytes: number;
  readonly endOffset: number;
  /** The largest timestamp in it; -1 when no batch has one, and then its age is not known. */
  readonly largestTimestamp: number;
}

export interface RetentionNow {
  readonly nowMs: number;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  /** Size of the log from this segment on, in bytes. */
  readonly remainingBytes: number;
}

export function isExpired(
  segment: RetentionCandidate,
  limits: Pick<LogConfig, 'retentionMs' | 'retentionBytes'>,
  now: RetentionNow,
): boolean {
  if (segment.endOffset > now.highWatermark) return false;
  if (segment.endOffset <= now.logStartOffset) return true;
  if (limits.retentionBytes >= 0 && now.remainingBytes - segment.sizeBytes >= limits.retentionBytes)
    return true;
  return (
    limits.retentionMs >= 0 &&
    segment.largestTimestamp >= 0 &&
    now.nowMs - segment.largestTimestamp > limits.retentionMs
  );
}
