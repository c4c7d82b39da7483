// LogService.Produce: one request, one answer. It waits for its share of the memory for requests in flight before it is checked.

import { TidemarkError } from '@tidemark/core';
import type { ProduceRequestOutput, ProduceResponseAnswer } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import type { CallerQuotas } from '../quotas/client-quotas.ts';
import { ANONYMOUS_CALLER } from '../security/callers.ts';
import { topicPermission } from '../security/topic-permission.ts';
import { recordBytes, startProduce } from './produce-partitions.ts';

export async function produce(
  context: BrokerContext,
  request: ProduceRequestOutput,
  info: UnaryCallInfo,
): Promise<ProduceResponseAnswer> {
  const { call, caller = ANONYMOUS_CALLER, traceParent } = info;
  const receivedMs = context.clock.monotonicMs();
  const bytes = recordBytes(request);
  const quota = context.quotas.of(caller);
  if (quota.waitMs('producer_byte_rate') > 0) await allowed(context, quota, bytes, info);
  const budget = context.replicas.requestBudget;
  if (!(await budget.take(bytes))) {
    throw new TidemarkError(
      'THROTTLING_QUOTA_EXCEEDED',
      'too many requests wait for memory: try again later',
    );
  }
  context.metrics.rpc('Produce').requestBytes += bytes;
  let released: Promise<void> | undefined;
  try {
    const arrival = { bytes, receivedMs, traceParent };
    const started = startProduce(context, request, arrival, topicPermission(context, call, 'write'));
    released = started.released;
    const answer = await started.answer;
    const throttleMs = quota.use('producer_byte_rate', bytes);
    return throttleMs === 0 ? answer : { ...answer, throttleMs };
  } finally {
    // A request that timed out may still be in the write queue: its bytes are given back when the log is done with them.
    void (released ?? Promise.resolve()).then(() => budget.giveBack(bytes));
  }
}

/** Resolves when the caller may produce again. What waits meanwhile is bounded. */
async function allowed(
  { quotas }: BrokerContext,
  quota: CallerQuotas,
  bytes: number,
  call: UnaryCallInfo,
): Promise<void> {
  const ready = quotas.readyHeld(quota, 'producer_byte_rate', bytes, () => call.cancelled);
  if (ready === undefined) {
    throw new TidemarkError('THROTTLING_QUOTA_EXCEEDED', 'too many throttled requests wait: try again later');
  }
  await ready;
}
