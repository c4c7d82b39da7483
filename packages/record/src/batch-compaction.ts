// Takes records out of a batch, as compaction does (Kafka's MemoryRecords.filterTo). Contract: base offset, last offset delta,
// leader epoch, producer id, epoch and base sequence stay, and so do the offsets of the records that are kept; the largest timestamp,
// the count and the CRC are computed anew; what was compressed is compressed with the same codec. The input is not changed. A batch
// with a tombstone gets a delete horizon when it is first cleaned: attribute bit 6, and the base timestamp says when (KIP-534).

import { failure, type Failure, writeInt16, writeInt32, writeInt64 } from '@tidemark/core';
import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  batchField,
  COMPRESSION_MASK,
  computeBatchCrc,
  DELETE_HORIZON_BIT,
  LOG_APPEND_TIME_BIT,
  readBatchHeader,
  type BatchHeader,
} from './batch-header.ts';
import { compressionFromCode, type Codecs } from './compression-type.ts';
import { RecordFrame } from './record-frame.ts';
import { viewOf } from './record-header.ts';
import { varlongBytes, writeVarint, writeVarlong } from './varint.ts';

/** A record of the batch being gone over: only until the next one. */
export interface CompactedRecord {
  /** The inflated records; the key is in them. */
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly keyAt: number;
  /** -1: no key. */
  readonly keyLength: number;
  readonly isTombstone: boolean;
}

export interface CompactionRules {
  readonly codecs: Codecs | undefined;
  /** For a compressed batch, in bytes. */
  readonly maxInflatedBytes: number;
  readonly isKept: (record: CompactedRecord) => boolean;
  /** For tombstones that are met for the first time. */
  readonly deleteHorizonMs: number;
}

export type CompactedBatch =
  | { readonly ok: true; readonly kept: 'all' | 'none' }
  /** In memory of its own. */
  | { readonly ok: true; readonly kept: 'some'; readonly bytes: Uint8Array }
  | Failure;

export const batchHasDeleteHorizon = (header: BatchHeader): boolean =>
  (header.attributes & DELETE_HORIZON_BIT) !== 0;

/** Calls back for every record of one whole batch. Answers why it cannot be read. */
export function forEachRecord(
  batch: Uint8Array,
  rules: Pick<CompactionRules, 'codecs' | 'maxInflatedBytes'>,
  visit: (record: CompactedRecord) => void,
): Failure | undefined {
  return new Walk(batch, rules).run((record) => visit(record));
}

/** What of one whole batch is kept. */
export function compactBatch(batch: Uint8Array, rules: CompactionRules): CompactedBatch {
  const walk = new Walk(batch, rules);
  const kept: number[] = [];
  const seen = { count: 0, hasTombstone: false, largestDelta: -Infinity };
  const fault = walk.run((record, at, end) => {
    seen.count += 1;
    if (!rules.isKept(record)) return;
    kept.push(at, end);
    if (record.isTombstone) seen.hasTombstone = true;
    seen.largestDelta = Math.max(seen.largestDelta, walk.frame.timestampDelta);
  });
  if (fault !== undefined) return fault;
  const { header, records } = walk;
  const setsHorizon = seen.hasTombstone && !batchHasDeleteHorizon(header);
  if (kept.length === 0) return { ok: true, kept: 'none' };
  if (kept.length === 2 * seen.count && !setsHorizon) return { ok: true, kept: 'all' };
  const baseTimestamp = setsHorizon ? rules.deleteHorizonMs : header.baseTimestamp;
  const shift = header.baseTimestamp - baseTimestamp;
  const plain = shift === 0 ? copied(records, kept) : shifted(records, kept, shift);
  const { compression } = header;
  const packed = compression === 'none' ? plain : rules.codecs![compression].compress(plain);
  const isLogAppendTime = (header.attributes & LOG_APPEND_TIME_BIT) !== 0;
  const bytes = withHeader(batch, packed, {
    attributes: header.attributes | (setsHorizon ? DELETE_HORIZON_BIT : 0),
    baseTimestamp,
    maxTimestamp: isLogAppendTime ? header.maxTimestamp : header.baseTimestamp + seen.largestDelta,
    recordCount: kept.length / 2,
  });
  return { ok: true, kept: 'some', bytes };
}

/** The batch without records, for its producer's sequence and the log's end (Kafka's writeEmptyHeader). */
export function emptiedBatch(batch: Uint8Array): Uint8Array {
  const { attributes, maxTimestamp } = readBatchHeader(batch);
  const kept = attributes & ~COMPRESSION_MASK & ~DELETE_HORIZON_BIT;
  return withHeader(batch, new Uint8Array(0), {
    attributes: kept,
    baseTimestamp: -1,
    maxTimestamp,
    recordCount: 0,
  });
}

function withHeader(
  batch: Uint8Array,
  records: Uint8Array,
  fields: Pick<BatchHeader, 'attributes' | 'baseTimestamp' | 'maxTimestamp' | 'recordCount'>,
): Uint8Array {
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + records.length);
  bytes.set(viewOf(batch, 0, BATCH_HEADER_BYTES));
  bytes.set(records, BATCH_HEADER_BYTES);
  writeInt32(bytes, batchField.batchLength, bytes.length - BATCH_OVERHEAD_BYTES);
  writeInt16(bytes, batchField.attributes, fields.attributes);
  writeInt64(bytes, batchField.baseTimestamp, fields.baseTimestamp);
  writeInt64(bytes, batchField.maxTimestamp, fields.maxTimestamp);
  writeInt32(bytes, batchField.recordCount, fields.recordCount);
  writeInt32(bytes, batchField.crc, computeBatchCrc(bytes, 0));
  return bytes;
}

function copied(records: Uint8Array, kept: readonly number[]): Uint8Array {
  let size = 0;
  for (let index = 0; index < kept.length; index += 2) size += kept[index + 1]! - kept[index]!;
  const bytes = new Uint8Array(size);
  let to = 0;
  for (let index = 0; index < kept.length; index += 2) {
    const length = kept[index + 1]! - kept[index]!;
    bytes.set(viewOf(records, kept[index]!, length), to);
    to += length;
  }
  return bytes;
}

/** The records with timestamps relative to another base; everything behind the timestamp is as it was. */
function shifted(records: Uint8Array, kept: readonly number[], shift: number): Uint8Array {
  const frame = new RecordFrame();
  // The length and the timestamp of a record take at most 5 and 10 bytes.
  let size = 0;
  for (let index = 0; index < kept.length; index += 2) size += kept[index + 1]! - kept[index]! + 15;
  const bytes = new Uint8Array(size);
  let to = 0;
  for (let index = 0; index < kept.length; index += 2) {
    const [at, end] = [kept[index]!, kept[index + 1]!];
    frame.read(records, at, end);
    const delta = frame.timestampDelta + shift;
    frame.varint(records, at, end);
    const attributesAt = frame.position;
    let restAt = attributesAt + 1;
    while (records[restAt]! >= 0x80) restAt++;
    restAt += 1;
    const rest = end - restAt;
    const body = 1 + varlongBytes(delta) + rest;
    to = writeVarint(bytes, to, body);
    bytes[to++] = records[attributesAt]!;
    to = writeVarlong(bytes, to, delta);
    bytes.set(viewOf(records, restAt, rest), to);
    to += rest;
  }
  return viewOf(bytes, 0, to);
}

class Walk {
  readonly header: BatchHeader;
  readonly frame = new RecordFrame();
  records: Uint8Array;
  readonly #rules: Pick<CompactionRules, 'codecs' | 'maxInflatedBytes'>;

  constructor(batch: Uint8Array, rules: Pick<CompactionRules, 'codecs' | 'maxInflatedBytes'>) {
    this.header = readBatchHeader(batch);
    this.#rules = rules;
    this.records = viewOf(batch, BATCH_HEADER_BYTES, this.header.sizeBytes - BATCH_HEADER_BYTES);
  }

  run(visit: (record: CompactedRecord, at: number, end: number) => void): Failure | undefined {
    const { header, frame } = this;
    const compression = compressionFromCode(header.attributes & COMPRESSION_MASK);
    if (compression === undefined) return this.#refuse('its compression is unknown');
    if (compression !== 'none' && header.recordCount > 0) {
      const codec = this.#rules.codecs?.[compression];
      if (codec === undefined) return this.#refuse(`there is no codec for ${compression}`);
      const inflated = codec.decompress(this.records, this.#rules.maxInflatedBytes);
      if (!inflated.ok) return this.#refuse(inflated.message);
      this.records = viewOf(inflated.bytes, 0, inflated.bytes.length);
    }
    const { records } = this;
    const record = { bytes: records, offset: 0, keyAt: 0, keyLength: -1, isTombstone: false };
    let at = 0;
    for (let left = header.recordCount; left > 0; left--) {
      const end = frame.read(records, at, records.length);
      if (end < 0) return this.#refuse(frame.fault);
      record.offset = header.baseOffset + frame.offsetDelta;
      record.keyAt = frame.keyAt;
      record.keyLength = frame.keyLength;
      record.isTombstone = frame.valueLength < 0;
      visit(record, at, end);
      at = end;
    }
    return at === records.length
      ? undefined
      : this.#refuse(`${records.length - at} bytes follow its records`);
  }

  #refuse(fault: string): Failure {
    const { baseOffset } = this.header;
    return failure('CORRUPT_MESSAGE', `The batch at offset ${baseOffset} cannot be compacted: ${fault}.`);
  }
}
