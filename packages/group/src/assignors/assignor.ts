// What an assignor is: a pure function from who subscribes to what, and how many partitions there are, to who reads which. The leader of a
// group runs it; every client of a group must come to the same result, so nothing here depends on the order of the members.

import { type Failure } from '@tidemark/core';
import { decodeSubscription } from '../consumer-protocol.ts';
import type { InstanceId, MemberId } from '../group-ids.ts';
import type { JoinedMember, TopicPartition } from '../group-request.ts';
import { decodeStickyUserData } from './sticky-user-data.ts';

export interface AssignorMember {
  readonly memberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  readonly topics: readonly string[];
  /** What it had, or still has, and in which generation it got that; -1 when not known. */
  readonly ownedPartitions: readonly TopicPartition[];
  readonly generation: number;
}

/** By topic; a topic that does not exist is left out. */
export type PartitionCounts = ReadonlyMap<string, number>;

/** Everybody is in it, with or without partitions. */
export type AssignedPartitions = ReadonlyMap<MemberId, readonly TopicPartition[]>;

export interface Assignor {
  /** As it stands in `partition.assignment.strategy` and in a group's protocol. */
  readonly name: string;
  readonly assign: (counts: PartitionCounts, members: readonly AssignorMember[]) => AssignedPartitions;
}

/** Static members by instance id, so that a restart changes nothing, then the others by member id (Kafka's `MemberInfo`). */
export function sortedMembers(members: readonly AssignorMember[]): readonly AssignorMember[] {
  return [...members].sort((one, other) => {
    if (one.instanceId !== undefined && other.instanceId !== undefined) {
      return compare(one.instanceId, other.instanceId);
    }
    if (one.instanceId !== undefined) return -1;
    if (other.instanceId !== undefined) return 1;
    return compare(one.memberId, other.memberId);
  });
}

/** By UTF-16 code units, as Java compares. */
export function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Topics that somebody subscribes to and that exist, in order, each with who subscribes in the order of `sorted`. */
export function subscribersByTopic(
  counts: PartitionCounts,
  sorted: readonly AssignorMember[],
): ReadonlyMap<string, readonly AssignorMember[]> {
  const subscribers = new Map<string, AssignorMember[]>();
  for (const member of sorted) {
    for (const topic of new Set(member.topics)) {
      if (!counts.has(topic)) continue;
      const list = subscribers.get(topic);
      if (list === undefined) subscribers.set(topic, [member]);
      else list.push(member);
    }
  }
  return new Map([...subscribers].sort(([one], [other]) => compare(one, other)));
}

/** What the leader was told in its JoinGroup response, as input of an assignor. */
export function assignorMembers(
  members: readonly JoinedMember[],
): { readonly ok: true; readonly members: readonly AssignorMember[] } | Failure {
  const result: AssignorMember[] = [];
  for (const { memberId, instanceId, metadata } of members) {
    const decoded = decodeSubscription(metadata);
    if (!decoded.ok) return decoded;
    const { topics, ownedPartitions, generation, userData } = decoded.subscription;
    // Under the eager protocol a member gives up all before it joins; what it had is then in the sticky assignor's own data.
    const had = ownedPartitions.length === 0 ? decodeStickyUserData(userData) : undefined;
    result.push({ memberId, instanceId, topics, ownedPartitions, generation, ...had });
  }
  return { ok: true, members: result };
}
