// A produce request from the wire to the replica manager and back, for the unary call and the stream alike. Everything up to the
// append happens inside the call, so that a stream's requests are appended in the order they came.

import { failure, type Failure, isFailure } from '@tidemark/core';
import { BatchBuilder } from '@tidemark/record';
import {
  answerPartitions,
  checkEpoch,
  failureDetail,
  MalformedRequest,
  type PartitionAddress,
  type ProduceAnswer,
  type ProducePartitionOutput,
  type ProduceRequestOutput,
  type ProduceResponseAnswer,
} from '@tidemark/rpc';
import type { AcksLevel, ProduceOutcome, ProducePartition } from '@tidemark/runtime';
import type { BrokerContext } from '../broker-context.ts';
import type { TopicPermission } from '../security/topic-permission.ts';
import type { ProduceSpan } from '../tracing.ts';

/** What `timeout_ms` 0 means: Kafka's request.timeout.ms of a producer. */
const DEFAULT_TIMEOUT_MS = 30_000;

export interface StartedProduce {
  readonly acks: AcksLevel;
  readonly answer: Promise<ProduceResponseAnswer>;
  /** When the log is done with the request's bytes. */
  readonly released: Promise<void>;
}

function acksLevel(acks: ProduceRequestOutput['acks']): AcksLevel | Failure {
  switch (acks) {
    case 'ACKS_NONE':
      return 'none';
    case 'ACKS_LEADER':
      return 'leader';
    case 'ACKS_UNSPECIFIED':
    case 'ACKS_ALL':
      return 'all';
    default:
      return failure(
        'INVALID_REQUIRED_ACKS',
        `acks ${acks as string} is none of ACKS_NONE, ACKS_LEADER, ACKS_ALL`,
      );
  }
}

/** One uncompressed batch of plain records. */
function batchOf(records: ProducePartitionOutput['records'], nowMs: number): Uint8Array | Failure {
  let bytes = 128;
  for (const { key, value, headers } of records) {
    bytes += 32 + (key?.length ?? 0) + (value?.length ?? 0) + headers.length * 32;
  }
  const builder = new BatchBuilder({ capacityBytes: bytes });
  for (const { key, value, headers, timestampMs = nowMs } of records) {
    if (!Number.isSafeInteger(timestampMs) || timestampMs < 0) {
      return failure('INVALID_TIMESTAMP', `timestamp_ms ${timestampMs} is not 0 to 2^53 - 1`);
    }
    const pairs = headers.map((header) => ({ key: header.key, value: header.value ?? null }));
    builder.append(timestampMs, key ?? null, value ?? null, pairs);
  }
  return builder.build();
}

function checkPartition(
  wire: ProducePartitionOutput,
  address: PartitionAddress,
  nowMs: number,
): ProducePartition | Failure {
  const currentLeaderEpoch = checkEpoch(wire.currentLeaderEpoch, 'current_leader_epoch');
  if (isFailure(currentLeaderEpoch)) return currentLeaderEpoch;
  if (wire.records.length === 0) return { address, currentLeaderEpoch, bytes: wire.batches };
  if (wire.batches.length > 0) {
    return failure('INVALID_REQUEST', 'a partition has both batches and records; send one of them');
  }
  const bytes = batchOf(wire.records, nowMs);
  return isFailure(bytes) ? bytes : { address, currentLeaderEpoch, bytes };
}

export function produceAnswerOf(
  wire: ProducePartitionOutput,
  result: ProduceOutcome | Failure,
): ProduceAnswer {
  const outcome = isFailure(result) ? undefined : result;
  const failed = isFailure(result) ? result : outcome?.failure;
  const receipt = outcome?.receipt;
  return {
    topic: outcome?.topic ?? wire.topic,
    topicId: outcome?.topicId ?? wire.topicId,
    partition: wire.partition,
    ...(failed === undefined ? {} : { error: failureDetail(failed) }),
    baseOffset: receipt?.baseOffset ?? -1,
    logAppendTimeMs: receipt?.logAppendTimeMs ?? -1,
    logStartOffset: receipt?.logStartOffset ?? -1,
    leaderEpoch: receipt?.leaderEpoch ?? -1,
    inSyncReplicas: receipt?.inSyncReplicas ?? [],
    onDisk: receipt?.onDisk ?? false,
    duplicate: receipt?.duplicate ?? false,
    ...(outcome?.leaderHint === undefined ? {} : { currentLeader: outcome.leaderHint }),
  };
}

/** What is known of a request besides what it says. */
export interface ProduceArrival {
  readonly bytes: number;
  /** On the monotonic clock. */
  readonly receivedMs: number;
  readonly traceParent: string | undefined;
}

/** Checks and appends at once; the answer comes when `acks` is satisfied. Throws `MalformedRequest`. */
export function startProduce(
  context: BrokerContext,
  request: ProduceRequestOutput,
  arrival: ProduceArrival,
  permission: TopicPermission,
): StartedProduce {
  if (request.timeoutMs < 0) throw new MalformedRequest(`timeout_ms ${request.timeoutMs} is negative`);
  const acks = acksLevel(request.acks);
  const nowMs = context.clock.wallMs();
  const trace = context.tracing.produce(arrival.traceParent, arrival.receivedMs);
  let released: Promise<void> = Promise.resolve();
  const results = answerPartitions(
    request.partitions,
    (wire, address) => (isFailure(acks) ? acks : (permission(wire) ?? checkPartition(wire, address, nowMs))),
    (partitions) => {
      const production = context.replicas.produce({
        acks: isFailure(acks) ? 'all' : acks,
        timeoutMs: request.timeoutMs === 0 ? DEFAULT_TIMEOUT_MS : request.timeoutMs,
        partitions,
        trace,
      });
      released = production.released;
      return production.outcomes;
    },
    produceAnswerOf,
  );
  if (trace !== undefined) endWith(trace, results, arrival.bytes);
  return {
    acks: isFailure(acks) ? 'all' : acks,
    answer: results.then((answers) => ({ results: answers, throttleMs: 0 })),
    released,
  };
}

function endWith(trace: ProduceSpan, results: Promise<readonly ProduceAnswer[]>, bytes: number): void {
  results.then(
    (answers) => {
      const failed = answers.find(({ error }) => error !== undefined)?.error?.name;
      trace.end({ 'tidemark.partitions': answers.length, 'tidemark.bytes': bytes }, failed);
    },
    (thrown: unknown) => trace.end({ 'tidemark.bytes': bytes }, String(thrown)),
  );
}

/** Of a plain record, and of each header of it. */
const OBJECT_BYTES = 64;

/** Bytes of records in a request, headers included: what counts against the budget of bytes in flight. */
export function recordBytes(request: ProduceRequestOutput): number {
  let bytes = 0;
  for (const partition of request.partitions) {
    bytes += partition.batches.length;
    for (const { key, value, headers } of partition.records) {
      bytes += OBJECT_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
      for (const header of headers) bytes += OBJECT_BYTES + header.key.length + (header.value?.length ?? 0);
    }
  }
  return bytes;
}
