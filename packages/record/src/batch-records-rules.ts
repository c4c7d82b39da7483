// The rules on the records of a batch: every frame ends where it says, there are as many as the header counts, they fill
// the batch to its last byte, their offsets rise and their timestamps are in range. Contract: looks at frames only, never
// into keys and values; for a compressed batch the codec is told the bound before it allocates anything.

import { failure, type Failure } from '@tidemark/core';
import { BATCH_HEADER_BYTES } from './batch-header.ts';
import type { BatchFault, ValidatedBatch, ValidationRules } from './batch-validation.ts';
import { MIN_RECORD_BYTES, RecordFrame } from './record-frame.ts';
import { viewOf } from './record-header.ts';

const invalid = (text: string): BatchFault => ({ error: 'INVALID_RECORD', text });

export function recordsFault(
  bytes: Uint8Array,
  batch: ValidatedBatch,
  rules: ValidationRules,
): BatchFault | undefined {
  if (rules.inspectRecords === false) return undefined;
  const start = batch.at + BATCH_HEADER_BYTES;
  const end = batch.at + batch.sizeBytes;
  if (batch.compression === 'none') return walkFault(bytes, start, end, batch, rules);

  const codec = rules.codecs[batch.compression];
  const packed = viewOf(bytes, start, end - start);
  const inflated = codec.decompress(packed, rules.maxInflatedBytes);
  if (!inflated.ok) return compressionFault(inflated, batch);
  // Stored as it is sent, it would stop other readers of the log at its offset.
  const refusal = rules.origin === 'replica' ? undefined : codec.kafkaRefusal?.(packed);
  if (refusal !== undefined)
    return invalid(`(${batch.compression}) could not be read by Kafka's clients: ${refusal}`);
  const plain = viewOf(inflated.bytes, 0, inflated.bytes.length);
  if (batch.recordCount * MIN_RECORD_BYTES > plain.length) {
    return invalid(
      `counts ${batch.recordCount} records in ${plain.length} inflated bytes. A record has at least ${MIN_RECORD_BYTES}.`,
    );
  }
  return walkFault(plain, 0, plain.length, batch, rules);
}

function walkFault(
  bytes: Uint8Array,
  start: number,
  end: number,
  batch: ValidatedBatch,
  rules: ValidationRules,
): BatchFault | undefined {
  const frame = new RecordFrame();
  const dense = rules.origin !== 'replica';
  const { recordCount, lastOffsetDelta, baseTimestamp } = batch;
  let at = start;
  let previous = -1;
  let minDelta = Number.MAX_VALUE;
  let maxDelta = -Number.MAX_VALUE;
  // Of the records that have a time: -1 says that one has none.
  let minTimedDelta = Number.MAX_VALUE;
  for (let index = 0; index < recordCount; index++) {
    at = frame.read(bytes, at, end);
    if (at < 0)
      return invalid(`has a broken record ${index} of ${recordCount}: ${frame.fault}. Encode it anew.`);
    if (frame.keyLength < 0 && rules.requireKeys === true && !batch.isControl) {
      return invalid(
        `has no key in record ${index} of ${recordCount}, and the topic is compacted (cleanup.policy). Give every record a key.`,
      );
    }
    const delta = frame.offsetDelta;
    if (dense ? delta !== index : delta <= previous || delta > lastOffsetDelta) {
      return invalid(
        `has offset delta ${delta} in record ${index}, after ${previous} and with ${lastOffsetDelta} as the last. Number the records 0, 1, 2 ...`,
      );
    }
    previous = delta;
    if (frame.timestampDelta < minDelta) minDelta = frame.timestampDelta;
    if (frame.timestampDelta < minTimedDelta && frame.timestampDelta >= -baseTimestamp) {
      minTimedDelta = frame.timestampDelta;
    }
    if (frame.timestampDelta > maxDelta) maxDelta = frame.timestampDelta;
  }
  if (at !== end) {
    return invalid(
      `has ${end - at} bytes after the last of its ${recordCount} records. Count all records, and nothing else.`,
    );
  }
  if (recordCount === 0) return undefined;
  const [smallest, largest] = [baseTimestamp + minDelta, baseTimestamp + maxDelta];
  return timestampsFault(batch, smallest, largest) ?? tooEarlyFault(baseTimestamp + minTimedDelta, rules);
}

/** The largest goes into the time index, so the header may not lie about it; a LogAppendTime batch has the broker's. */
function timestampsFault(batch: ValidatedBatch, smallest: number, largest: number): BatchFault | undefined {
  if (smallest < -1 || !Number.isSafeInteger(smallest) || !Number.isSafeInteger(largest)) {
    const text = `has records timed from ${smallest} to ${largest}. Timestamps are milliseconds from 0 to 2^53 - 1, or -1 for none.`;
    return { error: 'INVALID_TIMESTAMP', text };
  }
  if (batch.timestampType === 'CreateTime' && largest !== batch.maxTimestamp) {
    const text = `says that its max timestamp is ${batch.maxTimestamp}, and its records have ${largest}. Set it to the largest of its records.`;
    return { error: 'INVALID_TIMESTAMP', text };
  }
  return undefined;
}

/** `smallest`: of the records that have a time. */
function tooEarlyFault(smallest: number, rules: ValidationRules): BatchFault | undefined {
  const earliest = rules.earliestTimestampMs ?? -1;
  if (rules.origin !== 'replica' && smallest < earliest) {
    const text = `has a record of ${smallest}, before the earliest that the topic accepts, ${earliest} (message.timestamp.before.max.ms). Check the clock of the sender.`;
    return { error: 'INVALID_TIMESTAMP', text };
  }
  return undefined;
}

function compressionFault(inflated: Failure, batch: ValidatedBatch): BatchFault {
  const { error, message } = failure(inflated.error, inflated.message);
  return { error, text: `(${batch.compression}, ${batch.sizeBytes} bytes) cannot be inflated. ${message}` };
}
