// Sticky: as even as it can be, and as little moved as that allows (KIP-54). Under the cooperative protocol (KIP-429) a partition that has
// to move is given to nobody at first: its owner gives it up, everybody joins again, and then it goes where it should.
//
// Contract: no move of one partition would make the result more even; with equal subscriptions sizes differ by one at most. A result that is
// fed back comes out again.

import type { PartitionIndex } from '@tidemark/core';
import type { MemberId } from '../group-ids.ts';
import type { TopicPartition } from '../group-request.ts';
import { offsetKey as keyOf } from '../offset-key.ts';
import {
  compare,
  sortedMembers,
  subscribersByTopic,
  type AssignedPartitions,
  type Assignor,
  type AssignorMember,
  type PartitionCounts,
} from './assignor.ts';

interface Holding {
  readonly memberId: MemberId;
  readonly topics: ReadonlySet<string>;
  partitions: TopicPartition[];
}

interface Claims {
  /** Who keeps it, if anybody: the only one, or the one of the newest generation. */
  readonly keeper: ReadonlyMap<string, MemberId>;
  readonly claimants: ReadonlyMap<string, ReadonlySet<MemberId>>;
}

export const stickyAssignor: Assignor = {
  name: 'sticky',
  assign: (counts, members) => assignSticky(counts, members, claimsOf(members)),
};

export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  assign: (counts, members) => {
    const claims = claimsOf(members);
    const assigned = assignSticky(counts, members, claims);
    const mayHave = (memberId: MemberId, place: TopicPartition): boolean => {
      const key = keyOf(place);
      if (claims.keeper.get(key) === memberId) return true;
      const claimants = claims.claimants.get(key);
      // Two that claim it in one generation both give it up.
      return claimants === undefined || (claimants.size === 1 && claimants.has(memberId));
    };
    return new Map(
      [...assigned].map(([memberId, places]) => [
        memberId,
        places.filter((place) => mayHave(memberId, place)),
      ]),
    );
  },
};

function claimsOf(members: readonly AssignorMember[]): Claims {
  const keeper = new Map<string, MemberId>();
  const newest = new Map<string, number>();
  const claimants = new Map<string, Set<MemberId>>();
  for (const { memberId, ownedPartitions, generation } of members) {
    for (const key of new Set(ownedPartitions.map(keyOf))) {
      const others = claimants.get(key);
      if (others === undefined) claimants.set(key, new Set([memberId]));
      else others.add(memberId);
      const known = newest.get(key) ?? -Infinity;
      if (generation > known) keeper.set(key, memberId);
      else if (generation === known) keeper.delete(key);
      newest.set(key, Math.max(generation, known));
    }
  }
  return { keeper, claimants };
}

function assignSticky(
  counts: PartitionCounts,
  members: readonly AssignorMember[],
  { keeper }: Claims,
): AssignedPartitions {
  const sorted = sortedMembers(members);
  const holdings = sorted.map(({ memberId, topics }): Holding => ({
    memberId,
    topics: new Set(topics),
    partitions: [],
  }));
  const byMember = new Map(holdings.map((holding) => [holding.memberId, holding]));
  const takers = new Map(
    [...subscribersByTopic(counts, sorted)].map(([topic, subscribers]) => [
      topic,
      subscribers.map(({ memberId }) => byMember.get(memberId)!),
    ]),
  );
  const free: TopicPartition[] = [];
  for (const topic of takers.keys()) {
    for (let partition = 0; partition < counts.get(topic)!; partition++) {
      const place = { topic, partition: partition as PartitionIndex };
      const owner = byMember.get(keeper.get(keyOf(place)) ?? ('' as MemberId));
      if (owner?.topics.has(topic) === true) owner.partitions.push(place);
      else free.push(place);
    }
  }
  // Those that few can take first: the others fill up what is left uneven.
  const choice = (place: TopicPartition): number => takers.get(place.topic)!.length;
  for (const place of free.sort((one, other) => choice(one) - choice(other))) {
    fewest(takers.get(place.topic)!).partitions.push(place);
  }
  balance(holdings, keeper);
  for (const { partitions } of holdings) {
    partitions.sort((one, other) => compare(one.topic, other.topic) || one.partition - other.partition);
  }
  return new Map(holdings.map(({ memberId, partitions }) => [memberId, partitions]));
}

function fewest(holdings: readonly Holding[]): Holding {
  let least = holdings[0]!;
  for (const holding of holdings) {
    if (holding.partitions.length < least.partitions.length) least = holding;
  }
  return least;
}

/** Every move makes the sum of the squares of the sizes smaller, so there is an end. */
function balance(holdings: readonly Holding[], keeper: ReadonlyMap<string, MemberId>): void {
  const size = (holding: Holding): number => holding.partitions.length;
  for (;;) {
    const bySize = [...holdings].sort((one, other) => size(one) - size(other));
    if (!bySize.some((to) => bySize.findLast((from) => move(from, to, keeper)) !== undefined)) return;
  }
}

/** Moves one partition if that makes the two more even; rather one that `from` did not have before. */
function move(from: Holding, to: Holding, keeper: ReadonlyMap<string, MemberId>): boolean {
  if (from.partitions.length <= to.partitions.length + 1) return false;
  const canMove = ({ topic }: TopicPartition): boolean => to.topics.has(topic);
  const isNew = (place: TopicPartition): boolean => keeper.get(keyOf(place)) !== from.memberId;
  const place =
    from.partitions.findLast((each) => canMove(each) && isNew(each)) ?? from.partitions.findLast(canMove);
  if (place === undefined) return false;
  from.partitions = from.partitions.filter((each) => each !== place);
  to.partitions.push(place);
  return true;
}
