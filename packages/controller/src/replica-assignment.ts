// The records of new partitions, placed by the controller or as the request says, and the rules for the latter.

import { failure, type BrokerId, type Failure, type LeaderEpoch, type PartitionEpoch } from '@tidemark/core';
import type { PartitionIndex, TopicId } from '@tidemark/core';
import type { ReplicaAssignment } from './command.ts';
import type { CommandContext } from './context.ts';
import type { MetadataImage } from './metadata-image.ts';
import type { PartitionRecord } from './metadata-record.ts';
import { placeReplicas } from './replica-placer.ts';

export type Placement = { readonly ok: true; readonly replicas: readonly (readonly BrokerId[])[] } | Failure;

/** Places partitions over the registered brokers that are not shutting down, fenced ones included, as long as one can lead. */
export function automaticPlacement(
  { image, prng }: CommandContext,
  partitionCount: number,
  replicationFactor: number,
): Placement {
  // As Kafka: a broker that shuts down gets nothing new, one that is fenced may come back.
  const brokers = image.brokers().filter(({ inControlledShutdown }) => !inControlledShutdown);
  if (replicationFactor > brokers.length) {
    return failure(
      'INVALID_REPLICATION_FACTOR',
      `The replication factor is ${replicationFactor}, but only ${brokers.length} broker${brokers.length === 1 ? ' is' : 's are'} registered and not shutting down.`,
    );
  }
  if (brokers.every(({ fenced }) => fenced)) {
    return failure('INVALID_REPLICATION_FACTOR', 'All brokers are fenced: none could lead a new partition.');
  }
  return { ok: true, replicas: placeReplicas(brokers, partitionCount, replicationFactor, prng) };
}

/**
 * Checks assignments for the partitions `first` .. and brings them into their order: consecutive, all with
 * `replicationFactor` replicas (or all with as many as the first), on registered brokers, each broker once, one able to lead.
 */
export function manualPlacement(
  image: MetadataImage,
  assignments: readonly ReplicaAssignment[],
  first: number,
  replicationFactor: number | undefined,
): Placement {
  const refuse = (message: string) => failure('INVALID_REPLICA_ASSIGNMENT', message);
  const sorted = assignments.toSorted((a, b) => a.partition - b.partition);
  const factor = replicationFactor ?? sorted[0]?.replicas.length ?? 0;
  for (const [index, { partition, replicas }] of sorted.entries()) {
    if (partition !== first + index) {
      const found =
        index > 0 && partition === sorted[index - 1]!.partition ? 'appears twice' : 'does not follow';
      return refuse(`Partitions must be assigned from ${first} on without a gap, but ${partition} ${found}.`);
    }
    if (replicas.length === 0) return refuse(`Partition ${partition} has no replicas.`);
    if (replicas.length !== factor) {
      return refuse(`Partition ${partition} has ${replicas.length} replicas where it must have ${factor}.`);
    }
    if (new Set(replicas).size < replicas.length) return refuse(`Partition ${partition} has a broker twice.`);
    const unknown = replicas.find((id) => image.broker(id) === undefined);
    if (unknown !== undefined) {
      return refuse(`Partition ${partition} is assigned to broker ${unknown}, which is not registered.`);
    }
    if (!replicas.some((id) => image.isActive(id as BrokerId))) {
      return refuse(`All brokers of partition ${partition} are fenced or shutting down: none could lead it.`);
    }
  }
  return { ok: true, replicas: sorted.map(({ replicas }) => replicas as readonly BrokerId[]) };
}

/** The first leader is the first replica that is active (neither fenced nor shutting down); in sync are all that are. */
export function partitionRecord(
  image: MetadataImage,
  topicId: TopicId,
  partition: number,
  replicas: readonly BrokerId[],
): PartitionRecord {
  const isr = replicas.filter((id) => image.isActive(id));
  return {
    type: 'partition',
    topicId,
    partition: partition as PartitionIndex,
    replicas,
    isr,
    leader: isr[0] ?? -1,
    leaderEpoch: 0 as LeaderEpoch,
    partitionEpoch: 0 as PartitionEpoch,
  };
}
