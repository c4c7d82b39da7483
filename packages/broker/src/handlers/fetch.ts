// LogService.Fetch: the long poll. The memory of the answer is given back when the answer has left, or the client has.

import { failure, type Failure, isFailure, TidemarkError } from '@tidemark/core';
import {
  answerPartitions,
  checkEpoch,
  checkOffset,
  MalformedRequest,
  type FetchPartitionOutput,
  type FetchRequestOutput,
  type FetchResponseAnswer,
  type PartitionAddress,
} from '@tidemark/rpc';
import {
  sizeOf,
  type FetchAnswer as Fetched,
  type FetchOutcome,
  type FetchPartition,
} from '@tidemark/runtime';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import { ANONYMOUS_CALLER } from '../security/callers.ts';
import { topicPermission } from '../security/topic-permission.ts';
import { decoded, fetchAnswerOf, MAX_DECODED_BYTES, type DecodeAllowance } from './fetch-answers.ts';
import { watchStall } from './stalled-reader.ts';

/** What `partition_max_bytes` 0 means: Kafka's max.partition.fetch.bytes. */
export const DEFAULT_PARTITION_BYTES = 1024 * 1024;
/** Longest wait, in milliseconds: a client that asks for more is better served by asking again. */
const MAX_WAIT_MS = 5 * 60_000;
/** As many as a stream may have. */
const MAX_PARTITIONS = 10_000;

export function checkFetchPartition(
  wire: FetchPartitionOutput,
  address: PartitionAddress,
): FetchPartition | Failure {
  const fetchOffset = checkOffset(wire.fetchOffset, 'fetch_offset');
  if (isFailure(fetchOffset)) return fetchOffset;
  const currentLeaderEpoch = checkEpoch(wire.currentLeaderEpoch, 'current_leader_epoch');
  if (isFailure(currentLeaderEpoch)) return currentLeaderEpoch;
  if (wire.partitionMaxBytes < 0) {
    return failure('INVALID_REQUEST', `partition_max_bytes ${wire.partitionMaxBytes} is negative`);
  }
  const maxBytes = wire.partitionMaxBytes === 0 ? DEFAULT_PARTITION_BYTES : wire.partitionMaxBytes;
  return { address, currentLeaderEpoch, fetchOffset, maxBytes };
}

export async function fetch(
  context: BrokerContext,
  request: FetchRequestOutput,
  call: UnaryCallInfo,
): Promise<FetchResponseAnswer> {
  for (const [name, value] of [
    ['max_wait_ms', request.maxWaitMs],
    ['min_bytes', request.minBytes],
    ['max_bytes', request.maxBytes],
  ] as const) {
    if (value < 0) throw new MalformedRequest(`${name} ${value} is negative`);
  }
  const { length } = request.partitions;
  if (length === 0) throw new MalformedRequest('the request names no partition');
  if (length > MAX_PARTITIONS) {
    throw new MalformedRequest(`the request names ${length} partitions and may name ${MAX_PARTITIONS}`);
  }
  const span = context.tracing.fetch('fetch', call.traceParent);
  if (span === undefined) return fetched(context, request, call);
  const ended = { 'tidemark.partitions': request.partitions.length };
  try {
    const answer = await fetched(context, request, call);
    const bytes = answer.results.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const failed = answer.results.find(({ error }) => error !== undefined)?.error?.name;
    span.end({ ...ended, 'tidemark.bytes': bytes }, failed);
    return answer;
  } catch (thrown) {
    span.end(ended, String(thrown));
    throw thrown;
  }
}

async function fetched(
  context: BrokerContext,
  request: FetchRequestOutput,
  call: UnaryCallInfo,
): Promise<FetchResponseAnswer> {
  const permission = topicPermission(context, call.call, 'read');
  const quota = context.quotas.of(call.caller ?? ANONYMOUS_CALLER);
  if (quota.waitMs('consumer_byte_rate') > 0) {
    await quota.ready('consumer_byte_rate', () => call.cancelled);
  }
  let throttleMs = 0;
  const serverMax = context.config.get('fetch.max.bytes');
  const wanted = request.maxBytes === 0 ? serverMax : Math.min(request.maxBytes, serverMax);
  const maxBytes = request.decodeRecords ? Math.min(wanted, MAX_DECODED_BYTES) : wanted;
  const allowance: DecodeAllowance = { leftBytes: maxBytes };
  const results = await answerPartitions(
    request.partitions,
    (wire, address) => permission(wire) ?? checkFetchPartition(wire, address),
    async (partitions): Promise<readonly (FetchOutcome | Failure)[]> => {
      const fetching = context.replicas.fetch({
        // A partition refused at the edge is news enough to answer at once.
        maxWaitMs:
          partitions.length < request.partitions.length ? 0 : Math.min(request.maxWaitMs, MAX_WAIT_MS),
        minBytes: request.minBytes,
        maxBytes,
        partitions,
      });
      call.onEnd(() => fetching.cancel());
      const answer = await fetching.answer;
      if (isFailure(answer)) throw TidemarkError.from(answer);
      throttleMs = Math.max(answer.throttleMs, quota.use('consumer_byte_rate', sizeOf(answer.outcomes)));
      giveBackWhenSent(context, call, answer);
      return answer.outcomes.length === 0 ? partitions.map(() => cancelled) : answer.outcomes;
    },
    (wire, result) => {
      const answer = fetchAnswerOf(wire, wire.positionId, result);
      return request.decodeRecords ? decoded(context, wire, answer, allowance) : answer;
    },
  );
  return { results, throttleMs };
}

const cancelled = failure('REQUEST_TIMED_OUT', 'the wait was cut short');

function giveBackWhenSent(context: BrokerContext, call: UnaryCallInfo, answer: Fetched): void {
  const bytes = sizeOf(answer.outcomes);
  context.metrics.rpc('Fetch').responseBytes += bytes;
  if (bytes === 0) return;
  const stalled = watchStall(context, call.call);
  call.onEnd(() => {
    stalled();
    context.replicas.responseBudget.giveBack(bytes);
  });
}
