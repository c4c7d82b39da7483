// The 61-byte header of a record batch v2 (org.apache.kafka.common.record.DefaultRecordBatch), field by field without
// allocating, or whole as an object. Contract: the caller guarantees 61 bytes at `at`; nothing here checks what they say,
// `validateBatches` does. The CRC covers the attributes to the end, so base offset and leader epoch may be rewritten freely.

import {
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from '@tidemark/core';
import type { LeaderEpoch, Offset, ProducerEpoch, ProducerId, TimestampMs } from '@tidemark/core';
import { compressionFromCode, type CompressionType } from './compression-type.ts';
import { crc32c } from './crc32c.ts';

export const BATCH_HEADER_BYTES = 61;
/** Base offset and batch length: what comes before the bytes that the batch length counts. */
export const BATCH_OVERHEAD_BYTES = 12;
export const BATCH_MAGIC = 2;

/** Where each field begins, from the first byte of the batch. */
export const batchField = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

export const COMPRESSION_MASK = 0x07;
export const LOG_APPEND_TIME_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;
/** Set by compaction alone: the base timestamp then is the time after which tombstones may go (KIP-534). */
export const DELETE_HORIZON_BIT = 0x40;

export type TimestampType = 'CreateTime' | 'LogAppendTime';

export interface BatchHeader {
  readonly baseOffset: Offset;
  /** Bytes after the batch length field. */
  readonly batchLength: number;
  /** -1 until a leader has stamped it. */
  readonly partitionLeaderEpoch: LeaderEpoch;
  readonly crc: number;
  readonly attributes: number;
  /** An unknown code reads as 'none'; `validateBatches` refuses it. */
  readonly compression: CompressionType;
  readonly timestampType: TimestampType;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: TimestampMs;
  readonly maxTimestamp: TimestampMs;
  /** -1: not from an idempotent producer. */
  readonly producerId: ProducerId;
  readonly producerEpoch: ProducerEpoch;
  readonly baseSequence: number;
  readonly recordCount: number;
  readonly lastOffset: Offset;
  /** The whole batch: 12 + batchLength. */
  readonly sizeBytes: number;
}

/** Size of the whole batch, from its first 12 bytes. Below 61 it is not a batch. */
export const batchSizeBytes = (bytes: Uint8Array, at = 0): number =>
  BATCH_OVERHEAD_BYTES + readInt32(bytes, at + batchField.batchLength);
export const batchBaseOffset = (bytes: Uint8Array, at = 0): Offset =>
  readInt64(bytes, at + batchField.baseOffset) as Offset;
export const batchLastOffset = (bytes: Uint8Array, at = 0): Offset =>
  (readInt64(bytes, at + batchField.baseOffset) +
    readInt32(bytes, at + batchField.lastOffsetDelta)) as Offset;
export const batchLeaderEpoch = (bytes: Uint8Array, at = 0): LeaderEpoch =>
  readInt32(bytes, at + batchField.partitionLeaderEpoch) as LeaderEpoch;
export const batchMagic = (bytes: Uint8Array, at = 0): number => (bytes[at + batchField.magic]! << 24) >> 24;
export const batchCrc = (bytes: Uint8Array, at = 0): number => readUint32(bytes, at + batchField.crc);
export const batchAttributes = (bytes: Uint8Array, at = 0): number =>
  readInt16(bytes, at + batchField.attributes);
export const batchLastOffsetDelta = (bytes: Uint8Array, at = 0): number =>
  readInt32(bytes, at + batchField.lastOffsetDelta);
export const batchBaseTimestamp = (bytes: Uint8Array, at = 0): TimestampMs =>
  readInt64(bytes, at + batchField.baseTimestamp);
export const batchMaxTimestamp = (bytes: Uint8Array, at = 0): TimestampMs =>
  readInt64(bytes, at + batchField.maxTimestamp);
export const batchProducerId = (bytes: Uint8Array, at = 0): ProducerId =>
  readInt64(bytes, at + batchField.producerId) as ProducerId;
export const batchProducerEpoch = (bytes: Uint8Array, at = 0): ProducerEpoch =>
  readInt16(bytes, at + batchField.producerEpoch) as ProducerEpoch;
export const batchBaseSequence = (bytes: Uint8Array, at = 0): number =>
  readInt32(bytes, at + batchField.baseSequence);
export const batchRecordCount = (bytes: Uint8Array, at = 0): number =>
  readInt32(bytes, at + batchField.recordCount);
export const batchIsControl = (bytes: Uint8Array, at = 0): boolean =>
  (batchAttributes(bytes, at) & CONTROL_BIT) !== 0;
export const batchIsTransactional = (bytes: Uint8Array, at = 0): boolean =>
  (batchAttributes(bytes, at) & TRANSACTIONAL_BIT) !== 0;
/** `undefined` for an unknown code. */
export const batchCompression = (bytes: Uint8Array, at = 0): CompressionType | undefined =>
  compressionFromCode(batchAttributes(bytes, at) & COMPRESSION_MASK);

/** The whole header as an object. The caller guarantees 61 bytes at `at`. */
export function readBatchHeader(bytes: Uint8Array, at = 0): BatchHeader {
  const attributes = batchAttributes(bytes, at);
  const batchLength = readInt32(bytes, at + batchField.batchLength);
  return {
    baseOffset: batchBaseOffset(bytes, at),
    batchLength,
    partitionLeaderEpoch: batchLeaderEpoch(bytes, at),
    crc: batchCrc(bytes, at),
    attributes,
    compression: compressionFromCode(attributes & COMPRESSION_MASK) ?? 'none',
    timestampType: (attributes & LOG_APPEND_TIME_BIT) === 0 ? 'CreateTime' : 'LogAppendTime',
    isTransactional: (attributes & TRANSACTIONAL_BIT) !== 0,
    isControl: (attributes & CONTROL_BIT) !== 0,
    lastOffsetDelta: batchLastOffsetDelta(bytes, at),
    baseTimestamp: batchBaseTimestamp(bytes, at),
    maxTimestamp: batchMaxTimestamp(bytes, at),
    producerId: batchProducerId(bytes, at),
    producerEpoch: batchProducerEpoch(bytes, at),
    baseSequence: batchBaseSequence(bytes, at),
    recordCount: batchRecordCount(bytes, at),
    lastOffset: batchLastOffset(bytes, at),
    sizeBytes: BATCH_OVERHEAD_BYTES + batchLength,
  };
}

/** CRC32C over the attributes to the end of the batch. The caller guarantees that the whole batch is there. */
export function computeBatchCrc(bytes: Uint8Array, at = 0): number {
  return crc32c(bytes, at + batchField.attributes, at + batchSizeBytes(bytes, at));
}

/** The caller guarantees that the whole batch is there. */
export function batchCrcIsValid(bytes: Uint8Array, at = 0): boolean {
  return computeBatchCrc(bytes, at) === batchCrc(bytes, at);
}

/** What a leader does to a batch it appends. The CRC does not cover these two fields, so nothing else changes. */
export function rewriteBatch(
  bytes: Uint8Array,
  at: number,
  baseOffset: Offset,
  leaderEpoch: LeaderEpoch,
): void {
  writeInt64(bytes, at + batchField.baseOffset, baseOffset);
  writeInt32(bytes, at + batchField.partitionLeaderEpoch, leaderEpoch);
}

/**
 * For topics with `message.timestamp.type=LogAppendTime`: every record of the batch then has `timestampMs` as its time.
 * The records keep what the client wrote; readers look at the attribute. Computes the CRC anew.
 */
export function rewriteTimestampToLogAppendTime(
  bytes: Uint8Array,
  at: number,
  timestampMs: TimestampMs,
): void {
  writeInt16(bytes, at + batchField.attributes, batchAttributes(bytes, at) | LOG_APPEND_TIME_BIT);
  writeInt64(bytes, at + batchField.maxTimestamp, timestampMs);
  writeInt32(bytes, at + batchField.crc, computeBatchCrc(bytes, at));
}

/** For a producer whose epoch was raised with batches still unsent (KIP-360). Computes the CRC anew. */
export function rewriteProducerState(
  bytes: Uint8Array,
  at: number,
  producerId: ProducerId,
  producerEpoch: ProducerEpoch,
  baseSequence: number,
): void {
  writeInt64(bytes, at + batchField.producerId, producerId);
  writeInt16(bytes, at + batchField.producerEpoch, producerEpoch);
  writeInt32(bytes, at + batchField.baseSequence, baseSequence);
  writeInt32(bytes, at + batchField.crc, computeBatchCrc(bytes, at));
}
