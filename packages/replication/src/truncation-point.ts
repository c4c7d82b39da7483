// Where a follower cuts its log when the leader says that their histories diverge (rule 1; KIP-101, KIP-279; Kafka's
// AbstractFetcherThread.getOffsetTruncationState). By epochs alone, never by the high watermark: that of a follower is late, and
// cutting at it lost committed records.

import type { Offset } from '@tidemark/core';
import type { Diverging } from './fetch-decision.ts';
import type { FollowerLog } from './partition-view.ts';

/**
 * An upper bound of what the two logs share, below the follower's end. Where the follower has nothing of the epoch the leader named,
 * its own next lower one ends before the leader's does or has diverged by there; asking again from that point brings the two further.
 */
export function truncationPoint(log: FollowerLog, { epoch, endOffset }: Omit<Diverging, 'type'>): Offset {
  const { nextOffset, latestEpoch } = log;
  // The end of the latest epoch includes what is queued to be written. An epoch above it, or a log without epochs, says nothing.
  const own = epoch === latestEpoch ? undefined : log.endOffsetForEpoch(epoch);
  return least(own?.endOffset ?? nextOffset, least(endOffset, nextOffset));
}

function least(one: Offset, other: Offset): Offset {
  return one < other ? one : other;
}
