// The ids of this package. A generation is the number of a completed rebalance of a group; a member id is given by the coordinator, an
// instance id by the operator (KIP-345).

import type { Brand } from '@tidemark/core';

export type GroupId = Brand<string, 'GroupId'>;
/** Empty for a member that has none yet. */
export type MemberId = Brand<string, 'MemberId'>;
/** `group.instance.id` of a static member. */
export type InstanceId = Brand<string, 'InstanceId'>;
/** 0 before the first rebalance; -1 in a request means "not a member". */
export type Generation = Brand<number, 'Generation'>;
/** Names a request that waits for its answer; the runtime's to choose, unique while it waits. */
export type RequestId = Brand<number, 'RequestId'>;

export const NO_MEMBER_ID = '' as MemberId;
export const NO_GENERATION = -1 as Generation;

/**
 * The partition of `__consumer_offsets` whose leader coordinates the group: Kafka's `Utils.abs(groupId.hashCode()) % count`, so that
 * both put a group in the same place.
 */
export function partitionFor(groupId: string, partitionCount: number): number {
  let hash = 0;
  for (let at = 0; at < groupId.length; at++) hash = (Math.imul(31, hash) + groupId.charCodeAt(at)) | 0;
  // The smallest int32 has no positive counterpart; Kafka makes it 0.
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitionCount;
}
