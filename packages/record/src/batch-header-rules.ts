// The rules on a batch's header fields, once its CRC says that they are what was sent. Each is Kafka's own
// (org.apache.kafka.storage.internals.log.LogValidator, ProducerAppendInfo) or closes what Kafka leaves to the reader.

import type { BatchFault, ValidationRules } from './batch-validation.ts';
import {
  BATCH_HEADER_BYTES,
  COMPRESSION_MASK,
  CONTROL_BIT,
  DELETE_HORIZON_BIT,
  LOG_APPEND_TIME_BIT,
  TRANSACTIONAL_BIT,
  type BatchHeader,
} from './batch-header.ts';
import { compressionFromCode } from './compression-type.ts';
import { MIN_RECORD_BYTES } from './record-frame.ts';

const KNOWN_BITS =
  COMPRESSION_MASK | LOG_APPEND_TIME_BIT | TRANSACTIONAL_BIT | CONTROL_BIT | DELETE_HORIZON_BIT;

const invalid = (text: string): BatchFault => ({ error: 'INVALID_RECORD', text });
const untimely = (text: string): BatchFault => ({ error: 'INVALID_TIMESTAMP', text });

export function headerFault(batch: BatchHeader, rules: ValidationRules): BatchFault | undefined {
  const fromClient = rules.origin !== 'replica';
  return (
    attributesFault(batch, fromClient, rules.acceptControlBatches ?? !fromClient) ??
    (fromClient ? clientCountFault(batch) : replicaCountFault(batch)) ??
    spaceFault(batch) ??
    timestampFault(batch, fromClient, rules) ??
    producerFault(batch)
  );
}

function attributesFault(
  batch: BatchHeader,
  fromClient: boolean,
  controlAccepted: boolean,
): BatchFault | undefined {
  const unknown = batch.attributes & ~KNOWN_BITS;
  if (unknown !== 0) {
    const bits = `0x${(unknown & 0xffff).toString(16)}`;
    return invalid(`sets attribute bits ${bits}, which have no meaning yet. Leave them 0.`);
  }
  const code = batch.attributes & COMPRESSION_MASK;
  if (compressionFromCode(code) === undefined) {
    const text = `has compression code ${code}. Known are 0 none, 1 gzip, 2 snappy, 3 lz4 and 4 zstd.`;
    return { error: 'UNSUPPORTED_COMPRESSION_TYPE', text };
  }
  if (batch.isControl && !controlAccepted) {
    return invalid('is a control batch, which only a coordinator may write. Send data batches.');
  }
  if (!fromClient) return undefined;
  if (batch.timestampType === 'LogAppendTime') {
    return untimely('says LogAppendTime, which only a broker may. Send CreateTime batches.');
  }
  if ((batch.attributes & DELETE_HORIZON_BIT) !== 0) {
    return invalid('has a delete horizon, which only compaction sets. Leave attribute bit 6 at 0.');
  }
  return undefined;
}

function clientCountFault(batch: BatchHeader): BatchFault | undefined {
  const { recordCount, lastOffsetDelta } = batch;
  if (recordCount < 1) {
    return invalid(`counts ${recordCount} records. A batch has at least one.`);
  }
  if (recordCount !== lastOffsetDelta + 1) {
    return invalid(
      `counts ${recordCount} records and ends at offset delta ${lastOffsetDelta}. The delta must be the count less one.`,
    );
  }
  return undefined;
}

function replicaCountFault(batch: BatchHeader): BatchFault | undefined {
  const { recordCount, lastOffsetDelta, baseOffset, lastOffset } = batch;
  if (baseOffset < 0 || lastOffsetDelta < 0 || !Number.isSafeInteger(lastOffset)) {
    return invalid(
      `has base offset ${baseOffset} and last offset delta ${lastOffsetDelta}, which no leader assigns. Check the leader's log.`,
    );
  }
  // Compaction keeps an empty batch for its producer state, and takes records out of others.
  if (recordCount < 0 || recordCount > lastOffsetDelta + 1) {
    return invalid(
      `counts ${recordCount} records in ${lastOffsetDelta + 1} offsets. There cannot be more records than offsets.`,
    );
  }
  return undefined;
}

/** Before anything is inflated or walked, so that a count of two billion in 100 bytes costs nothing. */
function spaceFault(batch: BatchHeader): BatchFault | undefined {
  if (batch.compression !== 'none') return undefined;
  const bytes = batch.sizeBytes - BATCH_HEADER_BYTES;
  if (batch.recordCount * MIN_RECORD_BYTES <= bytes) return undefined;
  return invalid(
    `counts ${batch.recordCount} records in ${bytes} bytes. A record has at least ${MIN_RECORD_BYTES}.`,
  );
}

function timestampFault(
  batch: BatchHeader,
  fromClient: boolean,
  rules: ValidationRules,
): BatchFault | undefined {
  const { baseTimestamp, maxTimestamp } = batch;
  for (const timestamp of [baseTimestamp, maxTimestamp]) {
    if (timestamp < -1 || !Number.isSafeInteger(timestamp)) {
      return untimely(
        `has timestamp ${timestamp}. Timestamps are milliseconds from 0 to 2^53 - 1, or -1 for none.`,
      );
    }
  }
  // After compaction or with the broker's time in it, the base is no longer the first record's time.
  if (!fromClient) return undefined;
  if (maxTimestamp < baseTimestamp) {
    return untimely(
      `has max timestamp ${maxTimestamp} before its base timestamp ${baseTimestamp}. Set it to the largest of its records.`,
    );
  }
  const latest = rules.latestTimestampMs ?? Number.MAX_SAFE_INTEGER;
  if (maxTimestamp > latest) {
    return untimely(
      `has max timestamp ${maxTimestamp}, after the latest that the topic accepts, ${latest} (message.timestamp.after.max.ms). Check the clock of the sender.`,
    );
  }
  return undefined;
}

/**
 * Id, epoch and sequence come together or not at all. Without an id, 0 for the other two passes like -1: they mean nothing
 * then, and some clients leave them at 0.
 */
function producerFault(batch: BatchHeader): BatchFault | undefined {
  const { producerId, producerEpoch, baseSequence } = batch;
  const values = `producer id ${producerId}, epoch ${producerEpoch}, base sequence ${baseSequence}`;
  if (producerId < -1 || !Number.isSafeInteger(producerId)) {
    return invalid(`has ${values}. An id is from 0 to 2^53 - 1, or -1 for none.`);
  }
  if (producerId >= 0) {
    // A control batch is no message of the producer's, so it carries no sequence.
    const isComplete = producerEpoch >= 0 && (baseSequence >= 0 || (batch.isControl && baseSequence === -1));
    return isComplete ? undefined : invalid(`has ${values}. Set all three, or all to -1.`);
  }
  if (producerEpoch > 0 || producerEpoch < -1 || baseSequence > 0 || baseSequence < -1) {
    return invalid(`has ${values}. Set all three, or all to -1.`);
  }
  if (batch.isTransactional) {
    return invalid('is transactional without a producer id. Get one with InitProducerId.');
  }
  return undefined;
}
