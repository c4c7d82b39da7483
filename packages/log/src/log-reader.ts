// Reads whole batches from an offset on: from the tail in memory at once, else by one index lookup and one sequential read.
// Contract: never cuts a batch, never answers one that ends at or above the limit, never answers a batch from the disk whose
// offsets, lengths or CRC do not check out: that is CORRUPT_MESSAGE, for what is below the recovery point was synced once.

import { DiskError, failure, type Failure, type Offset } from '@tidemark/core';
import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchCrcIsValid,
  batchLastOffset,
  batchMagic,
  batchSizeBytes,
} from '@tidemark/record';
import { MAX_BATCH_BYTES } from './log-config.ts';
import { closedLog, type LogContext, type LogState } from './log-context.ts';
import type { Segment } from './segment.ts';
import { readFully } from './write-fully.ts';

export interface ReadOptions {
  /** Bytes to answer at most, unless `atLeastOne` and the first batch is larger. */
  readonly maxBytes: number;
  /** Only batches whose last offset is below this, e.g. the high watermark. */
  readonly upTo: Offset;
  /** Answer the first batch even if it is larger than `maxBytes` (KIP-74). */
  readonly atLeastOne: boolean;
}

export interface ReadBatches {
  readonly ok: true;
  /** Whole batches, in order; the first may begin below the offset that was asked for. Not to be changed. */
  readonly parts: readonly Uint8Array[];
  readonly sizeBytes: number;
  /** Where to read on; the offset asked for when there is nothing. */
  readonly nextOffset: Offset;
}

export type ReadResult = ReadBatches | Failure;

/** How much of what lies between the index entry and the wanted batch one read takes along. */
const MAX_LEAD_BYTES = 64 * 1024;

export class LogReader {
  readonly #context: LogContext;
  readonly #state: LogState;

  constructor(context: LogContext, state: LogState) {
    this.#context = context;
    this.#state = state;
  }

  read(offset: number, options: ReadOptions): ReadResult | Promise<ReadResult> {
    const refused = this.#refusal(offset);
    if (refused !== undefined) return refused;
    const { tail, writtenOffset } = this.#state;
    const limit = Math.min(options.upTo, writtenOffset);
    if (offset >= limit) return answer([], 0, offset);
    if (offset >= tail.startOffset) {
      const range = tail.read(offset, limit, options.maxBytes, options.atLeastOne);
      return answer(range.parts, range.sizeBytes, range.nextOffset);
    }
    return this.#readDisk(offset, limit, options);
  }

  #refusal(offset: number): Failure | undefined {
    const { logStartOffset, writtenOffset, name, isReleased } = this.#state;
    if (isReleased) return closedLog(name);
    if (this.#context.offline !== undefined) return this.#context.offline;
    if (offset >= logStartOffset && offset <= writtenOffset) return undefined;
    const message = `Offset ${offset} is not in ${name}, which holds ${logStartOffset} to ${writtenOffset}.`;
    return failure('OFFSET_OUT_OF_RANGE', message);
  }

  async #readDisk(offset: number, limit: number, options: ReadOptions): Promise<ReadResult> {
    const { segments, truncations, cutting } = this.#state;
    if (cutting !== undefined) {
      await cutting;
      return this.read(offset, options);
    }
    const index = segments.floorIndex(offset);
    const segment = segments.at(index);
    if (segment === undefined) return this.#corrupt(offset, 'no segment holds it');
    const endOffset = segments.endOffsetOf(index, this.#state.nextOffset);
    let result: ReadResult | 'passed';
    try {
      result = await this.#readSegment(segment, endOffset, offset, Math.min(limit, endOffset), options);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      // The segment was deleted or cleaned, or the log truncated, while this waited.
      if (this.#state.truncations !== truncations) return this.read(offset, options);
      const refused = this.#refusal(offset);
      if (refused !== undefined) return refused;
      return failure('KAFKA_STORAGE_ERROR', `${segment.path} cannot be read: ${error.message}.`);
    }
    if (this.#state.truncations !== truncations) return this.read(offset, options);
    if (result !== 'passed') return result;
    // Compaction took out what was left of this segment: the next batch is in a later one.
    if (endOffset >= limit) return answer([], 0, offset);
    const later = await this.read(endOffset, options);
    return later.ok && later.sizeBytes === 0 ? answer([], 0, offset) : later;
  }

  async #readSegment(
    segment: Segment,
    endOffset: number,
    offset: number,
    limit: number,
    options: ReadOptions,
  ): Promise<ReadResult | 'passed'> {
    const { offsets } = await this.#context.indexes.load(segment, endOffset);
    const position = offsets.lookup(offset);
    const lead = Math.min(offsets.positionAfter(offset) - position, MAX_LEAD_BYTES);
    const held = await this.#context.files.hold(segment.path);
    try {
      const want = Math.min(segment.sizeBytes - position, Math.max(options.maxBytes, 0) + lead);
      const walk = new BatchWalk(offset, limit, options, this.#context.verifyReads);
      let at = position;
      let bytes = new Uint8Array(Math.max(want, BATCH_HEADER_BYTES));
      for (;;) {
        const filled = await readFully(held.file, bytes, at);
        const wanted = walk.over(bytes.subarray(0, filled));
        if (wanted === 0) break;
        // The batch sought begins in or behind what was read: read again, from its first byte.
        const fileEnd = filled < bytes.length ? at + filled : Infinity;
        at += walk.at;
        if (at === segment.sizeBytes && walk.fault === '') return 'passed';
        if (at + wanted > Math.min(segment.sizeBytes, fileEnd)) {
          return this.#corrupt(offset, `${segment.path} ends within the batch at byte ${at}`);
        }
        const remaining = segment.sizeBytes - at;
        bytes = new Uint8Array(Math.max(wanted, Math.min(remaining, Math.max(options.maxBytes, 0))));
        walk.at = 0;
      }
      if (walk.fault !== '' && walk.sizeBytes === 0) {
        return this.#corrupt(offset, `the batch at byte ${at + walk.at} of ${segment.path}: ${walk.fault}`);
      }
      return answer(walk.sizeBytes === 0 ? [] : [walk.batches], walk.sizeBytes, walk.nextOffset);
    } finally {
      await held.release();
    }
  }

  #corrupt(offset: number, fault: string): Failure {
    const { name } = this.#state;
    return failure('CORRUPT_MESSAGE', `Offset ${offset} of ${name} cannot be read from the disk: ${fault}.`);
  }
}

function answer(parts: readonly Uint8Array[], sizeBytes: number, nextOffset: number): ReadBatches {
  return { ok: true, parts, sizeBytes, nextOffset: nextOffset as Offset };
}

/** Finds the batches to answer in bytes that begin with a batch at or before the one sought. */
class BatchWalk {
  readonly #limit: number;
  readonly #options: ReadOptions;
  readonly #checkCrc: boolean;
  #expected: number | undefined;
  /** Where in the bytes the walk is. */
  at = 0;
  nextOffset: number;
  sizeBytes = 0;
  batches: Uint8Array = new Uint8Array(0);
  fault = '';

  constructor(offset: number, limit: number, options: ReadOptions, checkCrc: boolean) {
    this.nextOffset = offset;
    this.#limit = limit;
    this.#options = options;
    this.#checkCrc = checkCrc;
  }

  /** Answers 0 when done; else how many bytes from `at` on it needs to find even the first batch. */
  over(bytes: Uint8Array): number {
    let from = -1;
    while (this.nextOffset < this.#limit) {
      const left = bytes.length - this.at;
      if (left < BATCH_HEADER_BYTES) {
        if (from < 0) return BATCH_HEADER_BYTES;
        break;
      }
      const size = batchSizeBytes(bytes, this.at);
      const fault = this.#structureFault(bytes, size);
      if (fault !== '') {
        this.fault = fault;
        break;
      }
      const lastOffset = batchLastOffset(bytes, this.at);
      if (lastOffset < this.nextOffset) {
        this.#expected = lastOffset + 1;
        this.at += size;
        if (this.at > bytes.length) return BATCH_HEADER_BYTES;
        continue;
      }
      if (lastOffset >= this.#limit) break;
      const isFirst = from < 0;
      if (this.sizeBytes + size > this.#options.maxBytes && !(isFirst && this.#options.atLeastOne)) break;
      if (size > left) {
        if (isFirst) return size;
        break;
      }
      if (this.#checkCrc && !batchCrcIsValid(bytes, this.at)) {
        this.fault = 'its CRC does not match its bytes';
        break;
      }
      if (isFirst) from = this.at;
      this.#expected = lastOffset + 1;
      this.nextOffset = lastOffset + 1;
      this.sizeBytes += size;
      this.at += size;
    }
    if (from >= 0) this.batches = bytes.subarray(from, from + this.sizeBytes);
    return 0;
  }

  #structureFault(bytes: Uint8Array, size: number): string {
    if (size < BATCH_HEADER_BYTES || size > MAX_BATCH_BYTES) return `its length is ${size} bytes`;
    if (batchMagic(bytes, this.at) !== 2) return `its magic is ${batchMagic(bytes, this.at)}, not 2`;
    const base = batchBaseOffset(bytes, this.at);
    if (this.#expected !== undefined && base < this.#expected) {
      return `its base offset is ${base}, below ${this.#expected}`;
    }
    if (batchLastOffset(bytes, this.at) < base) return 'its last offset is below its base offset';
    return '';
  }
}
