// Encodes records into one batch, in one buffer that grows and is used again: no object per record, the header built in
// place in front of them. Contract: what `build` answers is a view of the builder's own memory, valid until `reset` or the
// next `append`; whoever sends it keeps the builder until the send is done. Appending after a build is allowed.

import {
  invariant,
  type LeaderEpoch,
  type Offset,
  type TimestampMs,
  writeInt16,
  writeInt32,
  writeInt64,
} from '@tidemark/core';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCH_OVERHEAD_BYTES,
  batchField,
  computeBatchCrc,
  CONTROL_BIT,
  LOG_APPEND_TIME_BIT,
  TRANSACTIONAL_BIT,
} from './batch-header.ts';
import { compressionCode, type Codecs, type CompressionType } from './compression-type.ts';
import { headersBytes, viewOf, writeHeaders, type RecordHeader } from './record-header.ts';
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts';

/** The batch length is an int32, so no batch is larger, whatever the limits say. */
export const MAX_BATCH_BYTES = 2 ** 31 - 1;
const NO_HEADERS: readonly RecordHeader[] = [];

export interface BatchBuilderOptions {
  /** Memory to begin with, header included. More is taken when a batch needs it, up to 2^31 - 1 bytes. */
  readonly capacityBytes: number;
}

export interface BuildOptions {
  /** 'none' unless given; anything else needs `codecs`. */
  readonly compression?: CompressionType | undefined;
  readonly codecs?: Codecs | undefined;
  /** -1 each unless given: not an idempotent producer. */
  readonly producerId?: number | undefined;
  readonly producerEpoch?: number | undefined;
  readonly baseSequence?: number | undefined;
  readonly isTransactional?: boolean | undefined;
  readonly isControl?: boolean | undefined;
  /** -1 unless given: a leader stamps it. */
  readonly leaderEpoch?: LeaderEpoch | number | undefined;
  /** 0 unless given: a leader stamps it. */
  readonly baseOffset?: Offset | number | undefined;
  /** Makes this the time of all records, instead of the one each was appended with. */
  readonly logAppendTimeMs?: TimestampMs | undefined;
}

export class BatchBuilder {
  #bytes: Uint8Array;
  #packed: Uint8Array | undefined;
  #size = BATCH_HEADER_BYTES;
  #count = 0;
  #baseTimestamp = -1;
  #maxTimestamp = -1;

  constructor(options: BatchBuilderOptions) {
    this.#bytes = new Uint8Array(Math.max(options.capacityBytes, BATCH_HEADER_BYTES));
  }

  /** Bytes of the batch so far, header included, before compression. */
  get sizeBytes(): number {
    return this.#size;
  }

  get recordCount(): number {
    return this.#count;
  }

  /** Bytes of memory the builder holds. */
  get capacityBytes(): number {
    return this.#bytes.length + (this.#packed?.length ?? 0);
  }

  /** What `sizeBytes` would grow by, exactly, if this record were appended now. */
  nextRecordBytes(
    timestampMs: TimestampMs,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): number {
    const delta = this.#count === 0 ? 0 : timestampMs - this.#baseTimestamp;
    const body = recordBodyBytes(delta, this.#count, key, value, headers);
    return varintBytes(body) + body;
  }

  /** `timestampMs` is an integer from -1 (none) to 2^53 - 1. The bytes are copied. */
  append(
    timestampMs: TimestampMs,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): void {
    invariant(Number.isSafeInteger(timestampMs) && timestampMs >= -1, 'a timestamp is an integer from -1');
    const delta = this.#count === 0 ? 0 : timestampMs - this.#baseTimestamp;
    const body = recordBodyBytes(delta, this.#count, key, value, headers);
    const end = this.#size + varintBytes(body) + body;
    if (end > this.#bytes.length) this.#grow(end);

    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#size, body);
    bytes[at++] = 0;
    at = writeVarlong(bytes, at, delta);
    at = writeVarint(bytes, at, this.#count);
    at = writeBytes(bytes, at, key);
    at = writeBytes(bytes, at, value);
    if (headers.length === 0) bytes[at++] = 0;
    else at = writeHeaders(bytes, at, headers);
    invariant(at === end, 'a record takes the bytes that were counted for it');

    if (this.#count === 0) this.#baseTimestamp = timestampMs;
    if (timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs;
    this.#count += 1;
    this.#size = end;
  }

  /** The finished batch. There must be a record in it. */
  build(options: BuildOptions = {}): Uint8Array {
    invariant(this.#count > 0, 'a batch has at least one record');
    const compression = options.compression ?? 'none';
    const target = compression === 'none' ? this.#bytes : this.#compress(compression, options.codecs);
    const size = compression === 'none' ? this.#size : target.length;

    let attributes = compressionCode(compression);
    if (options.logAppendTimeMs !== undefined) attributes |= LOG_APPEND_TIME_BIT;
    if (options.isTransactional === true) attributes |= TRANSACTIONAL_BIT;
    if (options.isControl === true) attributes |= CONTROL_BIT;
    writeInt64(target, batchField.baseOffset, options.baseOffset ?? 0);
    writeInt32(target, batchField.batchLength, size - BATCH_OVERHEAD_BYTES);
    writeInt32(target, batchField.partitionLeaderEpoch, options.leaderEpoch ?? -1);
    target[batchField.magic] = BATCH_MAGIC;
    writeInt16(target, batchField.attributes, attributes);
    writeInt32(target, batchField.lastOffsetDelta, this.#count - 1);
    writeInt64(target, batchField.baseTimestamp, this.#baseTimestamp);
    writeInt64(target, batchField.maxTimestamp, options.logAppendTimeMs ?? this.#maxTimestamp);
    writeInt64(target, batchField.producerId, options.producerId ?? -1);
    writeInt16(target, batchField.producerEpoch, options.producerEpoch ?? -1);
    writeInt32(target, batchField.baseSequence, options.baseSequence ?? -1);
    writeInt32(target, batchField.recordCount, this.#count);
    writeInt32(target, batchField.crc, computeBatchCrc(target, 0));
    return viewOf(target, 0, size);
  }

  /** Empties the builder and keeps its memory. Views from `build` are no longer valid. */
  reset(): void {
    this.#size = BATCH_HEADER_BYTES;
    this.#count = 0;
    this.#baseTimestamp = -1;
    this.#maxTimestamp = -1;
  }

  /** Room for the header, then the compressed records. The plain records stay, in case of another build. */
  #compress(compression: Exclude<CompressionType, 'none'>, codecs: Codecs | undefined): Uint8Array {
    invariant(codecs !== undefined, 'compression needs codecs', { compression });
    const packed = codecs[compression].compress(
      viewOf(this.#bytes, BATCH_HEADER_BYTES, this.#size - BATCH_HEADER_BYTES),
    );
    const size = BATCH_HEADER_BYTES + packed.length;
    if (this.#packed === undefined || this.#packed.length < size) {
      this.#packed = new Uint8Array(Math.max(size, this.#bytes.length));
    }
    this.#packed.set(packed, BATCH_HEADER_BYTES);
    return viewOf(this.#packed, 0, size);
  }

  #grow(needed: number): void {
    invariant(needed <= MAX_BATCH_BYTES, 'a batch has less than 2^31 bytes', { needed });
    const larger = new Uint8Array(Math.min(MAX_BATCH_BYTES, Math.max(needed, this.#bytes.length * 2)));
    larger.set(viewOf(this.#bytes, 0, this.#size));
    this.#bytes = larger;
  }
}

function recordBodyBytes(
  timestampDelta: number,
  offsetDelta: number,
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[],
): number {
  const fixed = 1 + varlongBytes(timestampDelta) + varintBytes(offsetDelta);
  const headersSize = headers.length === 0 ? 1 : headersBytes(headers);
  return fixed + lengthAndBytes(key) + lengthAndBytes(value) + headersSize;
}

function lengthAndBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintBytes(bytes.length) + bytes.length;
}

/** A loop beats `set` for the few bytes of a usual key. */
const SHORT = 32;

function writeBytes(target: Uint8Array, at: number, source: Uint8Array | null): number {
  if (source === null) return writeVarint(target, at, -1);
  const length = source.length;
  const next = writeVarint(target, at, length);
  if (length > SHORT) target.set(source, next);
  else for (let index = 0; index < length; index++) target[next + index] = source[index]!;
  return next + length;
}
