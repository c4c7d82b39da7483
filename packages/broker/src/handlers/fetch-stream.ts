// LogService.FetchStream: batches are pushed as they become readable, as far as the reader's credit reaches. While HTTP/2 takes
// one push the next one is read, and no more than that: a reader that stops reading holds two pushes in memory.

import { isFailure } from '@tidemark/core';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { checkAddress, MalformedRequest, UndecodableRequest } from '@tidemark/rpc';
import type { FetchAnswer, FetchPartitionOutput, FetchStreamRequestOutput } from '@tidemark/rpc';
import type { FetchSession, SessionPush } from '@tidemark/runtime';
import type { BrokerContext } from '../broker-context.ts';
import { callEnded, endWhenClosing, endWith, writeMessage } from '../grpc-call.ts';
import { ANONYMOUS_CALLER, callerOf } from '../security/callers.ts';
import { topicPermission, type TopicPermission } from '../security/topic-permission.ts';
import { traceParentOf } from '../tracing.ts';
import { fetchAnswerOf } from './fetch-answers.ts';
import { checkFetchPartition } from './fetch.ts';
import { watchStall } from './stalled-reader.ts';

const DEFAULT_PUSH_BYTES = 1024 * 1024;

interface Push {
  readonly results: readonly FetchAnswer[];
}
type Call = ServerDuplexStream<FetchStreamRequestOutput | UndecodableRequest, Push>;

export function fetchStream(context: BrokerContext): (call: Call) => void {
  const metrics = context.metrics.rpc('FetchStream');
  return (call) => {
    const session = context.replicas.openFetchSession();
    const permission = topicPermission(context, call, 'read');
    const ended = callEnded(call);
    endWhenClosing(context, call, ended);
    metrics.streams += 1;
    void ended.then(() => {
      metrics.streams -= 1;
      session.close();
    });
    call.on('data', (message: FetchStreamRequestOutput | UndecodableRequest) => {
      try {
        if (message instanceof UndecodableRequest) throw new MalformedRequest(message.reason);
        instruct(context, session, message, permission);
        // Whatever is on its way already shows as much.
        if (message.probe && !call.cancelled && call.writableLength === 0) call.write({ results: [] });
      } catch (thrown) {
        session.close();
        endWith(context, call, thrown);
      }
    });
    // The reader will give no more credit: what it gave is still pushed, until it cancels.
    push(context, session, call, permission).catch((thrown: unknown) => endWith(context, call, thrown));
  };
}

/** Takes over one message of the reader. */
function instruct(
  context: BrokerContext,
  session: FetchSession,
  message: FetchStreamRequestOutput,
  permission: TopicPermission,
): void {
  const { creditBytes, maxBytes, minBytes, maxWaitMs } = message;
  for (const [name, value] of Object.entries({ creditBytes, maxBytes, minBytes, maxWaitMs })) {
    if (value < 0 || !Number.isSafeInteger(value))
      throw new MalformedRequest(`${name} ${value} is out of range`);
  }
  const serverMax = context.config.get('fetch.max.bytes');
  session.limit({
    ...(maxBytes > 0 ? { maxBytes: Math.min(maxBytes, serverMax) } : {}),
    ...(minBytes > 0 ? { minBytes: Math.min(minBytes, serverMax) } : {}),
    ...(maxWaitMs > 0 ? { maxWaitMs } : {}),
  });
  for (const reference of message.remove) {
    const address = checkAddress(reference);
    if ('ok' in address) throw new MalformedRequest(address.message);
    session.remove(address);
  }
  for (const wire of message.add) add(session, wire, permission);
  session.grant(creditBytes);
}

function add(session: FetchSession, wire: FetchPartitionOutput, permission: TopicPermission): void {
  const address = checkAddress(wire);
  const checked = 'ok' in address ? address : (permission(wire) ?? checkFetchPartition(wire, address));
  if (isFailure(checked)) {
    // What cannot even be named is answered under the names it came with.
    const { topic, topicId, partition } = wire;
    session.refuse({ topic, topicId, partition }, checked, wire.positionId);
    return;
  }
  session.add({
    ...checked,
    maxBytes: wire.partitionMaxBytes === 0 ? DEFAULT_PUSH_BYTES : checked.maxBytes,
    positionId: wire.positionId,
  });
}

async function push(
  context: BrokerContext,
  session: FetchSession,
  call: Call,
  permission: TopicPermission,
): Promise<void> {
  const metrics = context.metrics.rpc('FetchStream');
  const traceParent = traceParentOf(call.metadata);
  const budget = context.replicas.responseBudget;
  const quota = context.quotas.of(callerOf(call) ?? ANONYMOUS_CALLER);
  // What may not be sent yet is not read: it would hold memory that others need.
  const nextAllowed = async (): Promise<readonly SessionPush[] | undefined> => {
    await quota.ready('consumer_byte_rate', () => call.cancelled);
    return session.next();
  };
  const next = () => (quota.waitMs('consumer_byte_rate') > 0 ? nextAllowed() : session.next());
  let upcoming = next();
  for (;;) {
    const pushes = await upcoming;
    if (pushes === undefined) return;
    let bytes = 0;
    for (const each of pushes) bytes += each.sizeBytes;
    quota.use('consumer_byte_rate', bytes);
    upcoming = next();
    if (call.cancelled) {
      budget.giveBack(bytes);
      continue;
    }
    const startedMs = context.clock.monotonicMs();
    const span = context.tracing.fetch('push', traceParent);
    const stalled = watchStall(context, call);
    try {
      await writeMessage(call, { results: pushes.map((each) => answerOf(each, permission)) });
    } finally {
      stalled();
      budget.giveBack(bytes);
      metrics.responseBytes += bytes;
    }
    const failed = pushes.find((each) => each.failure !== undefined)?.failure;
    metrics.observe(context.clock.monotonicMs() - startedMs, failed !== undefined);
    span?.end({ 'tidemark.partitions': pushes.length, 'tidemark.bytes': bytes }, failed?.error);
  }
}

/** What a reader may no longer read is not sent, although it was read for him. */
function answerOf(each: SessionPush, permission: TopicPermission): FetchAnswer {
  const { topic = '', topicId = '', partition } = each;
  const wire = { topic, topicId, partition };
  return fetchAnswerOf(wire, each.positionId, permission(wire) ?? each);
}
