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
  logStartOffset: number,
): Promise<void> {
  log.producers.clear();
  const snapshot = await newestSnapshot(context.disk, log.directory, offset);
  for (const entry of snapshot?.entries ?? []) log.producers.restore(entry);
  const from = Math.max(snapshot?.offset ?? 0, logStartOffset);
  if (from >= offset) return;
  await replayHeaders(context, log.segments, from, offset, (bytes, at, baseOffset, lastOffset) => {
    replayProducer(log.producers, bytes, at, baseOffset, lastOffset);
  });
}
