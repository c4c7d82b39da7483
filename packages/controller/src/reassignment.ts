// Reassignments (KIP-455): while one is under way the partition has the replicas it will have, the preferred leader first, then
// those that will go. `addingReplicas` and `removingReplicas` say which are which. It ends by itself, in whichever change makes
// the added replicas be in sync; see `changePartition`.

import type { BrokerId, TopicName } from '@tidemark/core';
import type { MetadataImage, PartitionImage } from './metadata-image.ts';
import { topicsOf } from './partition-settling.ts';
import { isReassigning } from './replica-index.ts';

export interface OngoingReassignment {
  readonly topic: TopicName;
  readonly partition: PartitionImage;
}

/** Those under way, topic by topic. Costs what is being reassigned, not what there is. */
export function listReassignments(image: MetadataImage): readonly OngoingReassignment[] {
  return [...topicsOf(image, image.index.reassigning)].flatMap(({ name, partitions }) =>
    partitions.filter(isReassigning).map((partition) => ({ topic: name, partition })),
  );
}

/** What the partition had before the reassignment under way, if one is, and has again when that is cancelled. */
export function originalReplicas({ replicas, addingReplicas }: PartitionImage): readonly BrokerId[] {
  return addingReplicas.length === 0 ? replicas : replicas.filter((id) => !addingReplicas.includes(id));
}

/** What it will have once it is done. */
export function targetReplicas({ replicas, removingReplicas }: PartitionImage): readonly BrokerId[] {
  return removingReplicas.length === 0 ? replicas : replicas.filter((id) => !removingReplicas.includes(id));
}
