// Brings the producer state to what it was at an offset: the newest snapshot at or below it, then the headers from there on.
// Contract: afterwards the state is as if everything below the offset, and nothing else, had been appended.

import {
  batchBaseSequence,
  batchLastOffsetDelta,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
} from '@tidemark/record';
import { replayHeaders } from './header-replay.ts';
import type { LogContext } from './log-context.ts';
import type { ProducerState } from './producer-state.ts';
import type { SegmentList } from './segment-list.ts';
import { newestSnapshot } from './snapshot-files.ts';

/** Adds the batch whose header is at `at`. */
export function replayProducer(
  producers: ProducerState,
  bytes: Uint8Array,
  at: number,
  baseOffset: number,
  lastOffset: number,
): void {
  const producerId = batchProducerId(bytes, at);
  if (producerId < 0) return;
  const batch = {
    producerId,
    producerEpoch: batchProducerEpoch(bytes, at),
    baseSequence: batchBaseSequence(bytes, at),
    lastOffsetDelta: batchLastOffsetDelta(bytes, at),
    maxTimestamp: batchMaxTimestamp(bytes, at),
  };
  producers.add(batch, baseOffset, lastOffset, baseOffset);
}

/** Rebuilds the state as of `offset` from what is on the disk. */
export async function rebuildProducers(
  context: LogContext,
  log: { readonly directory: string; readonly segments: SegmentList; readonly producers: ProducerState },
  offset: number,
): Promise<void> {
  log.producers.clear();
  // From the first segment on, not from the log's start: batches below the start are no longer read, but their sequences are
  // what their producers go on from. A snapshot older than the first segment lacks what was sent in between, and a producer
  // that is not known may go on, while one known by an old sequence would be refused for ever.
  const firstOffset = log.segments.first.baseOffset;
  const newest = await newestSnapshot(context.disk, log.directory, offset);
  const snapshot = newest !== undefined && newest.offset >= firstOffset ? newest : undefined;
  for (const entry of snapshot?.entries ?? []) log.producers.restore(entry);
  const from = snapshot?.offset ?? firstOffset;
  if (from >= offset) return;
  await replayHeaders(context, log.segments, from, offset, (bytes, at, baseOffset, lastOffset) => {
    replayProducer(log.producers, bytes, at, baseOffset, lastOffset);
  });
}
