// Writes a group coordinator's records: one batch for each output, in the order of the outputs, as a producer with acks=all would.
// Nothing is awaited here: the next batch may be appended while this one is on its way to the disk and to the followers.

import { failure, type Failure, type LeaderEpoch, type Offset, type TimestampMs } from '@tidemark/core';
import { encodeGroupRecord, type GroupRecord } from '@tidemark/group';
import { BatchBuilder, validateBatches, type Codecs } from '@tidemark/record';
import type { Appended, Partition } from '../partition.ts';

/** What a record takes in a batch besides its key and value, at most. */
const FRAME_BYTES = 36;
const HEADER_BYTES = 61;

export type GroupWrite = Appended & { readonly sizeBytes: number };

export function appendGroupRecords(
  partition: Partition,
  leaderEpoch: LeaderEpoch,
  records: readonly GroupRecord[],
  timestampMs: TimestampMs,
  codecs: Codecs,
): GroupWrite | Failure {
  const refused = partition.checkLeader(leaderEpoch) ?? partition.checkAppend('all');
  if (refused !== undefined) return refused;
  const { maxBatchBytes } = partition.settings;
  let capacityBytes = HEADER_BYTES;
  const encoded = [];
  for (const record of records) {
    const { key, value } = encodeGroupRecord(record);
    encoded.push({ key, value });
    capacityBytes += FRAME_BYTES + key.length + (value?.length ?? 0);
    // Before more of it is built: the frames take less than what is counted for them, so this is no close call.
    if (capacityBytes > maxBatchBytes + FRAME_BYTES * encoded.length) {
      return failure(
        'MESSAGE_TOO_LARGE',
        `what group ${record.groupId} stores at once is more than max.message.bytes (${maxBatchBytes}) of ${partition.topic} allows`,
      );
    }
  }
  const builder = new BatchBuilder({ capacityBytes });
  for (const { key, value } of encoded) builder.append(timestampMs, key, value);
  const bytes = builder.build();
  const valid = validateBatches(bytes, {
    maxBatchBytes,
    maxInflatedBytes: maxBatchBytes,
    codecs,
    requireKeys: true,
  });
  if (!valid.ok) return valid;
  const appended = partition.append(bytes, valid.batches);
  return appended.ok ? { ...appended, sizeBytes: bytes.length } : appended;
}

/** What an append may answer that is no word for a client of a group, in one that is. */
export function groupWriteError({ error }: Failure): Failure['error'] {
  // The log is cut, full, or has too much to write already: a moment later it may be different.
  const isPassing = error === 'THROTTLING_QUOTA_EXCEEDED' || error === 'REPLICA_NOT_AVAILABLE';
  return isPassing || error === 'LEADER_NOT_AVAILABLE' ? 'COORDINATOR_NOT_AVAILABLE' : error;
}

/** A write that waits for the high watermark. */
export interface PendingWrite {
  readonly baseOffset: Offset;
  readonly endOffset: Offset;
  readonly sizeBytes: number;
}
