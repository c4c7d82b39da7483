// What a member says when it joins, what the leader makes of what all of them said, and what a member reads in its answer: Kafka's
// ConsumerProtocol, by the assignors of `group`. Synchronous.
import { TidemarkError, invariant } from '@tidemark/core';
import {
  assignorMembers,
  cooperativeStickyAssignor,
  decodeAssignment,
  encodeAssignment,
  encodeStickyUserData,
  encodeSubscription,
  rangeAssignor,
  roundRobinAssignor,
  stickyAssignor,
} from '@tidemark/group';
import type { Assignor, AssignorMember, JoinedMember, TopicPartition as GroupPlace } from '@tidemark/group';
import type { TopicPartition } from '../leader-calls.ts';

const assignors: readonly Assignor[] = [
  rangeAssignor,
  roundRobinAssignor,
  stickyAssignor,
  cooperativeStickyAssignor,
];

export interface Ownership {
  /** What it still has. */
  readonly owned: readonly TopicPartition[];
  /** What it had last, whether it still has it or not. */
  readonly before: readonly TopicPartition[];
  /** In which generation it got them; -1: in none. */
  readonly generation: number;
}

/** Partition numbers of this package are plain; those of `group` are checked to be what they are by whoever reads them. */
const places = (partitions: readonly TopicPartition[]): readonly GroupPlace[] =>
  partitions as readonly GroupPlace[];

/** What the member tells each assignor, in its order of preference. */
export function joinProtocols(
  names: readonly string[],
  topics: readonly string[],
  { owned, before, generation }: Ownership,
): { readonly name: string; readonly metadata: Uint8Array }[] {
  return names.map((name) => {
    const userData =
      name === 'sticky' && generation >= 0
        ? encodeStickyUserData({ ownedPartitions: places(before), generation })
        : undefined;
    const subscription = { topics, userData, ownedPartitions: places(owned), generation, rack: undefined };
    return { name, metadata: encodeSubscription(subscription) };
  });
}

export interface GroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string;
  readonly metadata: Uint8Array;
}

/** The members' subscriptions, read. Throws what one of them made unreadable. */
export function subscriptionsOf(members: readonly GroupMember[]): readonly AssignorMember[] {
  const joined = members.map(({ memberId, groupInstanceId, metadata }) => ({
    memberId,
    instanceId: groupInstanceId === '' ? undefined : groupInstanceId,
    metadata,
  }));
  const read = assignorMembers(joined as unknown as readonly JoinedMember[]);
  if (!read.ok) throw TidemarkError.from(read);
  return read.members;
}

export function topicsOf(members: readonly AssignorMember[]): readonly string[] {
  return [...new Set(members.flatMap(({ topics }) => topics))].sort();
}

/** One for each member. `counts`: partitions by topic, of those that exist. */
export function computeAssignments(
  protocol: string,
  members: readonly AssignorMember[],
  counts: ReadonlyMap<string, number>,
): { readonly memberId: string; readonly assignment: Uint8Array }[] {
  const assignor = assignors.find(({ name }) => name === protocol);
  invariant(assignor !== undefined, 'the coordinator chose a protocol this member did not offer', {
    protocol,
  });
  return [...assignor.assign(counts, members)].map(([memberId, partitions]) => ({
    memberId,
    assignment: encodeAssignment({ partitions, userData: undefined }),
  }));
}

export function assignedPartitions(bytes: Uint8Array): readonly TopicPartition[] {
  const decoded = decodeAssignment(bytes);
  if (!decoded.ok) throw TidemarkError.from(decoded);
  return decoded.assignment.partitions.map(({ topic, partition }) => ({ topic, partition }));
}

export const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** Those of `all` that are not in `others`. */
export function without<T extends TopicPartition>(
  all: readonly T[],
  others: readonly TopicPartition[],
): readonly T[] {
  const names = new Set(others.map(nameOf));
  return all.filter((each) => !names.has(nameOf(each)));
}
