// GroupService.CommitOffsets. Offsets of partitions that there are not go no further; the others stand or fall by the group.

import { failure, type Failure, type PartitionIndex } from '@tidemark/core';
import type { MetadataImage } from '@tidemark/controller';
import type { Generation } from '@tidemark/group';
import {
  failureDetail,
  type CommitOffsetsRequestOutput,
  type CommitOffsetsResponse,
  type OffsetToCommitOutput,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import { asked, groupIdOf, instanceIdOf, memberIdOf, partitionResult } from './group-requests.ts';

export async function commitOffsets(
  context: BrokerContext,
  request: CommitOffsetsRequestOutput,
  call: UnaryCallInfo,
): Promise<CommitOffsetsResponse> {
  const { image } = context.replicas;
  const refused = request.offsets.map((offset) => checkPartition(image, offset));
  const known = request.offsets.filter((_, at) => refused[at] === undefined);
  const response = await asked<'commitOffsets'>(context, call, {
    type: 'commitOffsets',
    groupId: groupIdOf(request.groupId),
    memberId: memberIdOf(request.memberId),
    instanceId: instanceIdOf(request.groupInstanceId),
    generation: request.generationId as Generation,
    offsets: known.map(({ topic, partition, offset, leaderEpoch, metadata }) => ({
      topic,
      partition: partition as PartitionIndex,
      offset,
      leaderEpoch: leaderEpoch ?? -1,
      metadata,
    })),
  });
  if (!response.ok) return { error: failureDetail(response) };
  let next = 0;
  return {
    results: request.offsets.map((offset, at) =>
      partitionResult(offset, refused[at] ?? response.partitions[next++]!.outcome),
    ),
  };
}

function checkPartition(
  image: MetadataImage,
  { topic, partition }: OffsetToCommitOutput,
): Failure | undefined {
  const found = image.topicByName(topic);
  if (found?.partitions[partition] !== undefined) return undefined;
  const message = `there is no partition ${partition} of a topic ${JSON.stringify(topic.slice(0, 249))}`;
  return failure('UNKNOWN_TOPIC_OR_PARTITION', message);
}
