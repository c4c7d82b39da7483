// What the replica manager read, as it goes on the wire: batches as they are stored, or records decoded for clients without a
// batch codec.

import { failure, type Failure, isFailure } from '@tidemark/core';
import { RecordCursor } from '@tidemark/record';
import {
  failureDetail,
  type FetchAnswer,
  type FetchedRecordAnswer,
  type FetchPartitionOutput,
} from '@tidemark/rpc';
import type { SessionPush } from '@tidemark/runtime';
import type { BrokerContext } from '../broker-context.ts';

const NO_PARTS: readonly Uint8Array[] = [];

/** An outcome of the long poll or of a push. */
type Outcome = Omit<SessionPush, 'positionId'>;

export interface WireNames {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

export function fetchAnswerOf(wire: WireNames, positionId: number, result: Outcome | Failure): FetchAnswer {
  const outcome = isFailure(result) ? undefined : result;
  const failed = isFailure(result) ? result : outcome?.failure;
  return {
    topic: outcome?.topic ?? wire.topic,
    topicId: outcome?.topicId ?? wire.topicId,
    partition: wire.partition,
    ...(failed === undefined ? {} : { error: failureDetail(failed) }),
    highWatermark: outcome?.highWatermark ?? -1,
    // Without transactions everything below the high watermark is stable.
    lastStableOffset: outcome?.highWatermark ?? -1,
    logStartOffset: outcome?.logStartOffset ?? -1,
    leaderEpoch: outcome?.leaderEpoch ?? -1,
    parts: outcome?.parts ?? NO_PARTS,
    sizeBytes: outcome?.sizeBytes ?? 0,
    ...(outcome?.leaderHint === undefined ? {} : { currentLeader: outcome.leaderHint }),
    positionId,
  };
}

/**
 * Most bytes of decoded records in one answer, of all its partitions together, whatever the client asks: a small record is a few bytes in
 * a batch and some hundreds as an object. Who wants more at a time takes batches.
 */
export const MAX_DECODED_BYTES = 1024 * 1024;
/** Of a record, and of each header of it. */
const OBJECT_BYTES = 64;

/** What one answer may still decode. */
export interface DecodeAllowance {
  leftBytes: number;
}

/**
 * The records from the wanted offset on, in place of the batches. Decoding stops when the allowance is used up, after at least one record
 * of the first partition that has any; the client goes on from the last offset it got.
 */
export function decoded(
  context: BrokerContext,
  wire: FetchPartitionOutput,
  answer: FetchAnswer,
  allowance: DecodeAllowance,
): FetchAnswer {
  if (answer.sizeBytes === 0) return answer;
  if (allowance.leftBytes <= 0) return { ...answer, parts: NO_PARTS, sizeBytes: 0, records: [] };
  const cursor = new RecordCursor({
    codecs: context.codecs,
    maxInflatedBytes: context.config.get('max.inflated.batch.bytes'),
  });
  const records: FetchedRecordAnswer[] = [];
  cursor.load(Buffer.concat(answer.parts, answer.sizeBytes), wire.fetchOffset);
  while (allowance.leftBytes > 0 && cursor.next()) {
    const key = cursor.key();
    const value = cursor.value();
    const headers = cursor.headers();
    records.push({
      offset: cursor.offset,
      timestampMs: cursor.timestampMs,
      key,
      value,
      headers,
    });
    allowance.leftBytes -= OBJECT_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
    for (const header of headers)
      allowance.leftBytes -= OBJECT_BYTES + header.key.length + (header.value?.length ?? 0);
  }
  const broken = cursor.failure;
  const plain = { ...answer, parts: NO_PARTS, sizeBytes: 0, records };
  if (broken === undefined || records.length > 0) return plain;
  return { ...plain, error: failureDetail(failure(broken.error, broken.message)) };
}
