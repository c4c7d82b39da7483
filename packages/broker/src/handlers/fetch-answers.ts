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
 * The records from the wanted offset on, in place of the batches. Inflated records count against the limit too: decoding stops at
 * `maxBytes` after at least one record, and the client goes on from the last offset it got.
 */
export function decoded(
  context: BrokerContext,
  wire: FetchPartitionOutput,
  answer: FetchAnswer,
  maxBytes: number,
): FetchAnswer {
  if (answer.sizeBytes === 0) return answer;
  const cursor = new RecordCursor({
    codecs: context.codecs,
    maxInflatedBytes: context.config.get('max.inflated.batch.bytes'),
  });
  const records: FetchedRecordAnswer[] = [];
  let bytes = 0;
  cursor.load(Buffer.concat(answer.parts, answer.sizeBytes), wire.fetchOffset);
  while (bytes < maxBytes && cursor.next()) {
    const key = cursor.key();
    const value = cursor.value();
    records.push({
      offset: cursor.offset,
      timestampMs: cursor.timestampMs,
      key,
      value,
      headers: cursor.headers(),
    });
    bytes += 64 + (key?.length ?? 0) + (value?.length ?? 0);
  }
  const broken = cursor.failure;
  const plain = { ...answer, parts: NO_PARTS, sizeBytes: 0, records };
  if (broken === undefined || records.length > 0) return plain;
  return { ...plain, error: failureDetail(failure(broken.error, broken.message)) };
}
