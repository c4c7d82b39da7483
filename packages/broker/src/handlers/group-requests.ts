// What the handlers of consumer groups share: the way to the coordinator, and what a request may name.

import { failure, type Failure } from '@tidemark/core';
import type { GroupId, GroupReply, InstanceId, MemberId, Outcome, TopicPartition } from '@tidemark/group';
import { failureDetail, type GroupPartitionResult, type WireError } from '@tidemark/rpc';
import type { ResponseOf } from '@tidemark/runtime';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';

/** Groups one request may name: what is answered of each can be large. */
export const MAX_GROUPS = 1_000;

/** Asks the coordinator. A client that goes meanwhile leaves nothing behind here; what it began goes on. */
export function asked<T extends GroupReply['type']>(
  { groups }: BrokerContext,
  call: UnaryCallInfo,
  request: Parameters<typeof groups.ask<T>>[0],
): Promise<ResponseOf<T>> {
  const asking = groups.ask<T>(request);
  call.onEnd(() => asking.cancel());
  return asking.answer;
}

export const groupIdOf = (text: string): GroupId => text as GroupId;
export const memberIdOf = (text: string): MemberId => text as MemberId;
export const instanceIdOf = (text: string): InstanceId | undefined =>
  text === '' ? undefined : (text as InstanceId);

export function errorOf(outcome: Outcome): WireError | null {
  return outcome.ok ? null : failureDetail(outcome);
}

export function partitionResult(
  { topic, partition }: Pick<TopicPartition, 'topic'> & { readonly partition: number },
  outcome: Outcome,
): GroupPartitionResult {
  return { topic, partition, error: errorOf(outcome) };
}

/** Why a request that names these groups is refused as a whole. */
export function checkGroups(groupIds: readonly string[]): Failure | undefined {
  if (groupIds.length > MAX_GROUPS) {
    const message = `the request names ${groupIds.length} groups and may name ${MAX_GROUPS}: split it`;
    return failure('INVALID_REQUEST', message);
  }
  return new Set(groupIds).size === groupIds.length
    ? undefined
    : failure('INVALID_REQUEST', 'the request names a group more than once');
}

export function checkDistinct(
  partitions: readonly { topic: string; partition: number }[],
): Failure | undefined {
  const names = new Set(partitions.map(({ topic, partition }) => `${topic}/${partition}`));
  return names.size === partitions.length
    ? undefined
    : failure('INVALID_REQUEST', 'the request names a partition more than once');
}
