// Goes over the records of fetched bytes, batch after batch, without an object for each: `next` moves, the fields tell.
// Contract: answers only records that are whole and in order; stops at the first thing wrong with `failure` set, never
// throws on bad bytes, never inflates a batch beyond the bound. `key()`, `value()` and header values are views, valid as
// long as the bytes given to `load` (or, for a compressed batch, until garbage collection: they keep their batch alive).

import {
  failure,
  type ErrorName,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type TimestampMs,
} from '@tidemark/core';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchAttributes,
  batchBaseOffset,
  batchBaseTimestamp,
  batchCrcIsValid,
  batchField,
  batchLastOffsetDelta,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchRecordCount,
  batchSizeBytes,
  COMPRESSION_MASK,
  CONTROL_BIT,
  LOG_APPEND_TIME_BIT,
  readBatchHeader,
  type BatchHeader,
} from './batch-header.ts';
import { compressionFromCode, type Codecs } from './compression-type.ts';
import { RecordFrame } from './record-frame.ts';
import { readHeaders, viewOf, type RecordHeader } from './record-header.ts';

/** 64 MiB, for a cursor that is not told otherwise: well above what a batch of the largest usual size inflates to. */
export const DEFAULT_MAX_INFLATED_BYTES = 64 * 1024 * 1024;

export interface RecordCursorOptions {
  readonly codecs: Codecs;
  /** Bound for each compressed batch. 64 MiB unless given. Beyond it: `failure` MESSAGE_TOO_LARGE. */
  readonly maxInflatedBytes?: number | undefined;
  /** Kafka's `check.crcs`. True unless given. */
  readonly checkCrcs?: boolean | undefined;
  /** Whether records of control batches (transaction markers) are shown. False unless given: they are passed over. */
  readonly showControlRecords?: boolean | undefined;
}

export class RecordCursor {
  readonly #codecs: Codecs;
  readonly #maxInflatedBytes: number;
  readonly #checkCrcs: boolean;
  readonly #showControlRecords: boolean;
  readonly #frame = new RecordFrame();

  #source: Uint8Array = new Uint8Array(0);
  #sourceAt = 0;
  #fromOffset = 0;
  #failure: Failure | undefined;
  #nextOffset = -1;

  // The batch the cursor is in: its header in #source at #batchAt, its records in #records from #at to #end.
  #batchAt = -1;
  #records: Uint8Array = this.#source;
  #at = 0;
  #end = 0;
  #left = 0;
  #baseOffset = 0;
  #lastOffsetDelta = 0;
  #baseTimestamp = 0;
  #appendTimestamp = -1;
  #offsetDelta = -1;

  constructor(options: RecordCursorOptions) {
    this.#codecs = options.codecs;
    this.#maxInflatedBytes = options.maxInflatedBytes ?? DEFAULT_MAX_INFLATED_BYTES;
    this.#checkCrcs = options.checkCrcs ?? true;
    this.#showControlRecords = options.showControlRecords ?? false;
  }

  /** Starts over with these bytes, which begin with a batch. Records below `fromOffset` are passed over. */
  load(bytes: Uint8Array, fromOffset: Offset | number = 0): void {
    // One kind of array for the hot loops, whatever subclass came in.
    this.#source = viewOf(bytes, 0, bytes.length);
    this.#sourceAt = 0;
    this.#fromOffset = fromOffset;
    this.#failure = undefined;
    this.#nextOffset = -1;
    this.#batchAt = -1;
    this.#left = 0;
    this.#offsetDelta = -1;
  }

  /** Moves to the next record. False at the end, and at the first thing wrong: then `failure` says what. */
  next(): boolean {
    for (;;) {
      while (this.#left > 0) {
        if (!this.#readRecord()) return false;
        if (this.#baseOffset + this.#offsetDelta >= this.#fromOffset) return true;
      }
      if (!this.#enterBatch()) return false;
    }
  }

  /** Why `next` answered false; undefined at a regular end. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Bytes at the end that are not a whole batch (a fetch may cut the last one off). Meaningful after a regular end. */
  get trailingBytes(): number {
    return this.#source.length - this.#sourceAt;
  }

  /**
   * Where to go on reading: behind the record the cursor is at, or behind the last batch once that is done, which counts
   * offsets that hold no record any more. -1 before anything was read.
   */
  get nextOffset(): Offset {
    return this.#nextOffset as Offset;
  }

  get offset(): Offset {
    return (this.#baseOffset + this.#offsetDelta) as Offset;
  }

  /** -1: none. For a LogAppendTime batch, the broker's time. */
  get timestampMs(): TimestampMs {
    return this.#appendTimestamp >= 0
      ? this.#appendTimestamp
      : this.#baseTimestamp + this.#frame.timestampDelta;
  }

  get leaderEpoch(): LeaderEpoch {
    return batchLeaderEpoch(this.#source, this.#batchAt);
  }

  get isControl(): boolean {
    return (batchAttributes(this.#source, this.#batchAt) & CONTROL_BIT) !== 0;
  }

  /** -1: null. */
  get keyLength(): number {
    return this.#frame.keyLength;
  }

  /** -1: null. */
  get valueLength(): number {
    return this.#frame.valueLength;
  }

  get headerCount(): number {
    return this.#frame.headerCount;
  }

  key(): Uint8Array | null {
    const { keyAt, keyLength } = this.#frame;
    return keyLength < 0 ? null : viewOf(this.#records, keyAt, keyLength);
  }

  value(): Uint8Array | null {
    const { valueAt, valueLength } = this.#frame;
    return valueLength < 0 ? null : viewOf(this.#records, valueAt, valueLength);
  }

  headers(): RecordHeader[] {
    return this.#frame.headerCount === 0 ? [] : readHeaders(this.#records, this.#frame);
  }

  /** The header of the batch the cursor is in. */
  batch(): BatchHeader {
    return readBatchHeader(this.#source, this.#batchAt);
  }

  #readRecord(): boolean {
    const next = this.#frame.read(this.#records, this.#at, this.#end);
    if (next < 0) {
      return this.#stop('CORRUPT_MESSAGE', `a record after delta ${this.#offsetDelta}: ${this.#frame.fault}`);
    }
    const delta = this.#frame.offsetDelta;
    if (delta <= this.#offsetDelta || delta > this.#lastOffsetDelta) {
      const range = `above ${this.#offsetDelta} and up to ${this.#lastOffsetDelta}`;
      return this.#stop('CORRUPT_MESSAGE', `a record has offset delta ${delta}, where it must be ${range}`);
    }
    this.#offsetDelta = delta;
    this.#at = next;
    this.#left -= 1;
    if (this.#left > 0) {
      this.#nextOffset = this.#baseOffset + delta + 1;
      return true;
    }
    if (next !== this.#end) {
      return this.#stop('CORRUPT_MESSAGE', `${this.#end - next} bytes follow the last record`);
    }
    this.#nextOffset = this.#baseOffset + this.#lastOffsetDelta + 1;
    return true;
  }

  /** Goes to the next batch that has something to show. False at the end or on a failure. */
  #enterBatch(): boolean {
    if (this.#failure !== undefined) return false;
    const source = this.#source;
    for (;;) {
      const at = this.#sourceAt;
      const remaining = source.length - at;
      if (remaining < BATCH_HEADER_BYTES) return false;
      const size = batchSizeBytes(source, at);
      this.#batchAt = at;
      if (size < BATCH_HEADER_BYTES) return this.#stop('CORRUPT_MESSAGE', `its length is ${size} bytes`);
      if (batchMagic(source, at) !== BATCH_MAGIC) {
        return this.#stop('CORRUPT_MESSAGE', `its magic is ${batchMagic(source, at)}, not 2`);
      }
      if (size > remaining) return false;
      this.#baseOffset = batchBaseOffset(source, at);
      this.#lastOffsetDelta = batchLastOffsetDelta(source, at);
      const lastOffset = this.#baseOffset + this.#lastOffsetDelta;
      if (this.#baseOffset < 0 || this.#lastOffsetDelta < 0 || !Number.isSafeInteger(lastOffset)) {
        return this.#stop('CORRUPT_MESSAGE', 'its offsets are out of range');
      }
      if (this.#checkCrcs && !batchCrcIsValid(source, at)) {
        return this.#stop('CORRUPT_MESSAGE', 'its CRC does not match its bytes');
      }
      const attributes = batchAttributes(source, at);
      const isHidden = (attributes & CONTROL_BIT) !== 0 && !this.#showControlRecords;
      if (isHidden || lastOffset < this.#fromOffset || batchRecordCount(source, at) === 0) {
        this.#sourceAt = at + size;
        this.#nextOffset = Math.max(this.#nextOffset, lastOffset + 1);
        continue;
      }
      return this.#openBatch(at, size, attributes);
    }
  }

  #openBatch(at: number, size: number, attributes: number): boolean {
    const source = this.#source;
    const compression = compressionFromCode(attributes & COMPRESSION_MASK);
    if (compression === undefined) {
      const code = attributes & COMPRESSION_MASK;
      return this.#stop('UNSUPPORTED_COMPRESSION_TYPE', `its compression has code ${code}, which is unknown`);
    }
    if (compression === 'none') {
      this.#records = source;
      this.#at = at + BATCH_HEADER_BYTES;
      this.#end = at + size;
    } else {
      const packed = viewOf(source, at + BATCH_HEADER_BYTES, size - BATCH_HEADER_BYTES);
      const inflated = this.#codecs[compression].decompress(packed, this.#maxInflatedBytes);
      if (!inflated.ok) return this.#stop(inflated.error, inflated.message);
      this.#records = viewOf(inflated.bytes, 0, inflated.bytes.length);
      this.#at = 0;
      this.#end = inflated.bytes.length;
    }
    this.#left = batchRecordCount(source, at);
    if (this.#left < 0) return this.#stop('CORRUPT_MESSAGE', `it counts ${this.#left} records`);
    this.#baseTimestamp = batchBaseTimestamp(source, at);
    this.#appendTimestamp = (attributes & LOG_APPEND_TIME_BIT) === 0 ? -1 : batchMaxTimestamp(source, at);
    this.#offsetDelta = -1;
    this.#sourceAt = at + size;
    return true;
  }

  #stop(error: ErrorName, fault: string): false {
    this.#left = 0;
    const where = `The batch at byte ${this.#batchAt + batchField.baseOffset} (base offset ${batchBaseOffset(this.#source, this.#batchAt)})`;
    this.#failure = failure(error, `${where} cannot be read: ${fault}.`);
    return false;
  }
}
