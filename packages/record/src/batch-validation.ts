// What a broker checks before batches enter a log. A batch that lies about its lengths or counts would stop every consumer
// at its offset for ever, so nothing is believed: header, CRC, and the frame of every single record, inside compressed
// batches too. Contract: refuses with the error's name and a message of cause, value and remedy; changes nothing; allocates
// one header object a batch, and for a compressed batch at most `maxInflatedBytes`, given back before the next.

import { failure, type ErrorName, type Failure } from '@tidemark/core';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchMagic,
  batchSizeBytes,
  computeBatchCrc,
  readBatchHeader,
  type BatchHeader,
} from './batch-header.ts';
import { headerFault } from './batch-header-rules.ts';
import { recordsFault } from './batch-records-rules.ts';
import type { Codecs } from './compression-type.ts';
import { viewOf } from './record-header.ts';

export interface ValidationRules {
  /** `max.message.bytes`: the largest batch as sent, in bytes with its header. Beyond: MESSAGE_TOO_LARGE. */
  readonly maxBatchBytes: number;
  /** The most one compressed batch may inflate to, in bytes. Beyond: MESSAGE_TOO_LARGE. */
  readonly maxInflatedBytes: number;
  readonly codecs: Codecs;
  /**
   * 'client' unless given: offset deltas are 0, 1, 2 ... and every rule holds. 'replica' is for bytes a leader has accepted
   * already: offsets are assigned, compaction may have taken records out, control batches are ordinary.
   */
  readonly origin?: 'client' | 'replica' | undefined;
  /** True lets control batches in from a 'client': for the coordinator on this very node. */
  readonly acceptControlBatches?: boolean | undefined;
  /** True for a compacted topic: a record without a key, which compaction could only throw away, is INVALID_RECORD. */
  readonly requireKeys?: boolean | undefined;
  /** The most batches in one call. Unlimited unless given. Beyond: RECORD_LIST_TOO_LARGE. */
  readonly maxBatches?: number | undefined;
  /** Bounds for record timestamps (`message.timestamp.before.max.ms`, `.after.max.ms`). Beyond: INVALID_TIMESTAMP. */
  readonly earliestTimestampMs?: number | undefined;
  readonly latestTimestampMs?: number | undefined;
  /** False leaves out the walk over the records (and inflating). True unless given. */
  readonly inspectRecords?: boolean | undefined;
}

/** A batch that passed, and where in the bytes it begins. */
export type ValidatedBatch = BatchHeader & { readonly at: number };

export interface ValidatedBatches {
  readonly ok: true;
  /** At least one. */
  readonly batches: readonly ValidatedBatch[];
}

/** What is wrong with one batch: the error's name, and the end of the sentence "The batch at byte 0 ...". */
export interface BatchFault {
  readonly error: ErrorName;
  readonly text: string;
}

/**
 * Checks bytes that should be one batch or several, end to end. The first fault refuses them all.
 * CORRUPT_MESSAGE: cut off, CRC, framing, broken compression (sending again may help). INVALID_RECORD: intact bytes that
 * break a rule. MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_TIMESTAMP, UNSUPPORTED_COMPRESSION_TYPE: as named.
 */
export function validateBatches(input: Uint8Array, rules: ValidationRules): ValidatedBatches | Failure {
  const batches: ValidatedBatch[] = [];
  // One kind of array for the hot loops, whatever subclass came in.
  const bytes = viewOf(input, 0, input.length);
  if (bytes.length === 0) return failure('INVALID_RECORD', 'There is no batch. Send at least one.');
  for (let at = 0; at < bytes.length;) {
    if (rules.maxBatches !== undefined && batches.length === rules.maxBatches) {
      return failure(
        'RECORD_LIST_TOO_LARGE',
        `More than ${rules.maxBatches} batches for one partition. Send fewer in a request.`,
      );
    }
    const fault = framingFault(bytes, at, rules);
    if (fault !== undefined) return refuse(at, fault);
    const batch: ValidatedBatch = { at, ...readBatchHeader(bytes, at) };
    const broken = headerFault(batch, rules) ?? recordsFault(bytes, batch, rules);
    if (broken !== undefined) return refuse(at, broken);
    batches.push(batch);
    at += batch.sizeBytes;
  }
  return { ok: true, batches };
}

/** Is the batch all there, is it of this format, is it as it was sent? In this order: each makes the next one safe. */
function framingFault(bytes: Uint8Array, at: number, rules: ValidationRules): BatchFault | undefined {
  const left = bytes.length - at;
  if (left < BATCH_HEADER_BYTES) {
    const text = `is cut off: ${left} bytes are left, and a batch has at least 61. Send whole batches and nothing after them.`;
    return { error: 'CORRUPT_MESSAGE', text };
  }
  const magic = batchMagic(bytes, at);
  if (magic === 0 || magic === 1) {
    const text = `has the old message format ${magic}. Use a client that writes format 2 (Kafka 0.11 and later).`;
    return { error: 'INVALID_RECORD', text };
  }
  if (magic !== BATCH_MAGIC) {
    return {
      error: 'CORRUPT_MESSAGE',
      text: `has magic ${magic}, where 2 is known. Send record batches v2.`,
    };
  }
  const size = batchSizeBytes(bytes, at);
  if (size < BATCH_HEADER_BYTES) {
    const text = `says that it has ${size} bytes, and the header alone has 61. Send the batch again.`;
    return { error: 'CORRUPT_MESSAGE', text };
  }
  if (size > rules.maxBatchBytes) {
    const text = `has ${size} bytes, more than max.message.bytes = ${rules.maxBatchBytes}. Send smaller batches (batch.size) or raise max.message.bytes of the topic.`;
    return { error: 'MESSAGE_TOO_LARGE', text };
  }
  if (size > left) {
    const text = `says that it has ${size} bytes, and ${left} are left. Send whole batches.`;
    return { error: 'CORRUPT_MESSAGE', text };
  }
  const { crc } = readBatchHeader(bytes, at);
  const computed = computeBatchCrc(bytes, at);
  if (crc !== computed) {
    const text = `has CRC ${hex(crc)} in its header, and its bytes have ${hex(computed)}: it was damaged on its way. Send it again.`;
    return { error: 'CORRUPT_MESSAGE', text };
  }
  return undefined;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

function refuse(at: number, fault: BatchFault): Failure {
  return failure(fault.error, `The batch at byte ${at} ${fault.text}`);
}
