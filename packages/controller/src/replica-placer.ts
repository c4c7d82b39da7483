// Where new partitions go. Each partition's replicas are spread over as many racks as possible; leaders, and then replicas,
// are evened out over the brokers of the request; ties are broken at random, so that topics of one partition do not all land on
// the first broker, and the partitions a broker leads have their second replicas spread over the others.
//
// The goals are those of Kafka's StripedReplicaPlacer: racks first, then unfenced before fenced brokers within a rack, and
// the first replica (the preferred leader) always unfenced.

import { invariant, type BrokerId, type Prng } from '@tidemark/core';
import type { BrokerImage } from './metadata-image.ts';

interface Candidate {
  readonly broker: BrokerImage;
  leaders: number;
  replicas: number;
}

/**
 * Replicas for `partitionCount` partitions, the preferred leader first. The caller has checked that there are at least
 * `replicationFactor` brokers and that one of them is not fenced.
 */
export function placeReplicas(
  brokers: readonly BrokerImage[],
  partitionCount: number,
  replicationFactor: number,
  prng: Prng,
): readonly (readonly BrokerId[])[] {
  invariant(brokers.length >= replicationFactor, 'more replicas than brokers');
  const candidates = brokers.map((broker): Candidate => ({ broker, leaders: 0, replicas: 0 }));
  return Array.from({ length: partitionCount }, () => placeOne(candidates, replicationFactor, prng));
}

function placeOne(
  candidates: readonly Candidate[],
  replicationFactor: number,
  prng: Prng,
): readonly BrokerId[] {
  const chosen = new Set<Candidate>();
  const inRack = new Map<string, number>();
  for (let slot = 0; slot < replicationFactor; slot++) {
    const rank = ({ broker, leaders, replicas }: Candidate): readonly number[] =>
      slot === 0 ? [leaders, replicas] : [inRack.get(broker.rack) ?? 0, broker.fenced ? 1 : 0, replicas];
    const open = candidates.filter(
      (candidate) => !chosen.has(candidate) && (slot > 0 || !candidate.broker.fenced),
    );
    const next = lowest(open, rank, prng);
    invariant(next !== undefined, 'all brokers are fenced');
    chosen.add(next);
    inRack.set(next.broker.rack, (inRack.get(next.broker.rack) ?? 0) + 1);
    next.replicas++;
    if (slot === 0) next.leaders++;
  }
  return [...chosen].map(({ broker }) => broker.id);
}

/** The member whose rank comes first; among equals any, with the same probability. */
function lowest<T>(members: readonly T[], rank: (member: T) => readonly number[], prng: Prng): T | undefined {
  let best: readonly number[] | undefined;
  let equals: T[] = [];
  for (const member of members) {
    const own = rank(member);
    const order = best === undefined ? -1 : compare(own, best);
    if (order < 0) {
      best = own;
      equals = [member];
    } else if (order === 0) {
      equals.push(member);
    }
  }
  return equals.length < 2 ? equals[0] : equals[prng.below(equals.length)];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < a.length; at++) {
    const difference = a[at]! - b[at]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
