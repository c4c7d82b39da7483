// Metadata records as record batches: one batch per proposal, one record per metadata record, no key, the record's frame as
// the value, never compressed. Kafka's own tools list such a log, if not the contents of its values.

import { decodeRecord, encodeRecord, type MetadataRecord } from '@tidemark/controller';
import {
  failure,
  offset,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type TimestampMs,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import { defaultLogConfig, type LogConfig } from '@tidemark/log';
import {
  BATCH_HEADER_BYTES,
  BatchBuilder,
  readBatchHeader,
  RecordCursor,
  type ValidatedBatch,
} from '@tidemark/record';
import { noCodecs } from './quorum/entry-batches.ts';

/** The metadata log's topic and folder, as Kafka calls them. */
export const METADATA_TOPIC = '__cluster_metadata' as TopicName;
export const METADATA_LOG_NAME = `${METADATA_TOPIC}-0`;
/** Kafka's id for it: a UUID of 127 zeros and a one. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ' as TopicId;

/** Records at consecutive offsets. */
export interface MetadataRecords {
  readonly baseOffset: Offset;
  readonly records: readonly MetadataRecord[];
}

/** Always on disk before it counts. What is kept behind the image is for its owner to say: here, everything. */
export const metadataLogConfig: LogConfig = {
  ...defaultLogConfig,
  retentionMs: -1,
  retentionBytes: -1,
  segmentMs: Number.MAX_SAFE_INTEGER,
  flushPolicy: 'ack',
};

export interface EncodedBatch {
  readonly bytes: Uint8Array;
  readonly batches: readonly [ValidatedBatch];
}

/** The bytes are nobody else's and may be handed over to the log. */
export function encodeMetadataBatch(
  records: readonly MetadataRecord[],
  timestampMs: TimestampMs,
  leaderEpoch: LeaderEpoch,
): EncodedBatch {
  const values = records.map(encodeRecord);
  const valueBytes = values.reduce((sum, value) => sum + value.length, 0);
  const builder = new BatchBuilder({ capacityBytes: BATCH_HEADER_BYTES + valueBytes + 16 * values.length });
  for (const value of values) builder.append(timestampMs, null, value);
  const bytes = builder.build({ leaderEpoch });
  return { bytes, batches: [{ at: 0, ...readBatchHeader(bytes, 0) }] };
}

/**
 * The records of whole batches from `fromOffset` on. CORRUPT_MESSAGE or UNSUPPORTED_VERSION, with the offset, at the first
 * one that cannot be read: what follows it would be applied to the wrong image.
 */
export function decodeMetadataBatches(
  bytes: Uint8Array,
  fromOffset: Offset,
): ({ readonly ok: true } & MetadataRecords) | Failure {
  const records: MetadataRecord[] = [];
  const cursor = new RecordCursor({ codecs: noCodecs });
  cursor.load(bytes, fromOffset);
  while (cursor.next()) {
    const at = cursor.offset;
    const expected = fromOffset + records.length;
    if (at !== expected) {
      return failure(
        'CORRUPT_MESSAGE',
        `The metadata log goes on at offset ${at} where ${expected} must be.`,
      );
    }
    const decoded = decodeRecord(cursor.value() ?? new Uint8Array(0));
    if (!decoded.ok) return failure(decoded.error, `Offset ${at}: ${decoded.message}`);
    records.push(decoded.record);
  }
  if (cursor.failure !== undefined) return cursor.failure;
  return { ok: true, baseOffset: offset(fromOffset), records };
}
