// Where a follower cuts its log when the leader says that their histories diverge (rule 1; KIP-101, KIP-279; Kafka's
// AbstractFetcherThread.getOffsetTruncationState). By epochs alone, never by the high watermark: that of a follower is late, and
// cutting at it lost committed records.

import type { Offset } from '@tidemark/core';
import type { Diverging } from './fetch-decision.ts';
import type { FollowerLog } from './partition-view.ts';

/**
 * The end of what the two logs may share. When the follower has nothing of the epoch the leader named, that is the end of its own
 * next lower one, and asking again from there brings the two further.
 */
export function truncationPoint(log: FollowerLog, { epoch, endOffset }: Omit<Diverging, 'type'>): Offset {
  const { nextOffset, latestEpoch } = log;
  const own = epoch === latestEpoch ? { epoch, endOffset: nextOffset } : log.endOffsetForEpoch(epoch);
  // Above everything in this log, or a log without epochs: the leader's end is all there is to go by.
  if (own === undefined) return least(endOffset, nextOffset);
  if (own.epoch !== epoch) return least(own.endOffset, nextOffset);
  return least(own.endOffset, least(endOffset, nextOffset));
}

function least(one: Offset, other: Offset): Offset {
  return one < other ? one : other;
}
