// AdminService.ListPartitionReassignments: the moves that are under way, from the metadata.

import type { TopicImage } from '@tidemark/controller';
import type {
  ListPartitionReassignmentsRequestOutput,
  ListPartitionReassignmentsResponse,
  OngoingReassignment,
} from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { whenCurrent } from './linearizable.ts';

export async function listPartitionReassignments(
  context: QuorumContext,
  request: ListPartitionReassignmentsRequestOutput,
): Promise<ListPartitionReassignmentsResponse> {
  const error = await whenCurrent(context, request);
  if (error !== undefined) return { error };
  const { image } = context.metadata;
  if (request.partitions.length === 0) {
    const topics = [...image.topics()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return { reassignments: topics.flatMap((topic) => movesOf(topic)) };
  }
  return {
    reassignments: request.partitions.flatMap(({ topic: name, partition }) => {
      const topic = image.topicByName(name);
      return topic === undefined ? [] : movesOf(topic, partition);
    }),
  };
}

function movesOf({ name, id, partitions }: TopicImage, only?: number): OngoingReassignment[] {
  const moves: OngoingReassignment[] = [];
  for (const { partition, replicas, addingReplicas, removingReplicas } of partitions) {
    if (only !== undefined && partition !== only) continue;
    if (addingReplicas.length + removingReplicas.length === 0) continue;
    moves.push({
      topic: name,
      topicId: id,
      partition,
      replicas: [...replicas],
      addingReplicas: [...addingReplicas],
      removingReplicas: [...removingReplicas],
    });
  }
  return moves;
}
