// Finds a record by its timestamp inside one batch. Contract: exact where the batch can be opened; a compressed batch without
// codecs at hand answers its first offset, which is at or before the record sought. Rejects a batch that cannot be read.

import { TidemarkError, type LeaderEpoch, type Offset } from '@tidemark/core';
import {
  batchBaseOffset,
  batchCompression,
  batchLeaderEpoch,
  batchMaxTimestamp,
  RecordCursor,
  type Codecs,
} from '@tidemark/record';

export interface TimestampedOffset {
  readonly offset: Offset;
  readonly timestampMs: number;
  readonly leaderEpoch: LeaderEpoch;
}

const NO_CODECS = {} as Codecs;

/** The first record in the batch at or above `fromOffset` whose timestamp is at or above `timestampMs`. */
export function findRecordByTime(
  batch: Uint8Array,
  timestampMs: number,
  fromOffset: number,
  codecs: Codecs | undefined,
): TimestampedOffset | undefined {
  if (codecs === undefined && batchCompression(batch) !== 'none') {
    return {
      offset: Math.max(batchBaseOffset(batch), fromOffset) as Offset,
      timestampMs: batchMaxTimestamp(batch),
      leaderEpoch: batchLeaderEpoch(batch),
    };
  }
  const cursor = new RecordCursor({ codecs: codecs ?? NO_CODECS });
  cursor.load(batch, fromOffset);
  while (cursor.next()) {
    if (cursor.timestampMs >= timestampMs) {
      const { offset, leaderEpoch } = cursor;
      return { offset, timestampMs: cursor.timestampMs, leaderEpoch };
    }
  }
  if (cursor.failure !== undefined) throw TidemarkError.from(cursor.failure);
  return undefined;
}
