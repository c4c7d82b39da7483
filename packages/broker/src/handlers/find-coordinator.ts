// GroupService.FindCoordinator. Any broker answers. The first call in a cluster has `__consumer_offsets` created.

import { failure, isFailure, OFFSETS_TOPIC, type Failure } from '@tidemark/core';
import type { TopicImage } from '@tidemark/controller';
import { partitionFor } from '@tidemark/group';
import {
  failureDetail,
  MalformedRequest,
  type Coordinator,
  type FindCoordinatorRequestOutput,
  type FindCoordinatorResponse,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import { MAX_GROUPS } from './group-requests.ts';
import { clientEndpoint } from './metadata-answers.ts';

/** How long the controller may take to create the topic; the client asks again after that. */
const CREATION_MS = 5_000;

export async function findCoordinator(
  context: BrokerContext,
  { groupIds }: FindCoordinatorRequestOutput,
): Promise<FindCoordinatorResponse> {
  if (groupIds.length > MAX_GROUPS) {
    throw new MalformedRequest(`the request names ${groupIds.length} groups and may name ${MAX_GROUPS}`);
  }
  const isAsked = groupIds.some((groupId) => groupId !== '');
  const topic = isAsked ? await context.offsetsTopic.ensure(CREATION_MS) : failure('INVALID_GROUP_ID');
  return { coordinators: groupIds.map((groupId) => coordinatorOf(context, topic, groupId)) };
}

function coordinatorOf(context: BrokerContext, topic: TopicImage | Failure, groupId: string): Coordinator {
  const refuse = (refused: Failure): Coordinator => ({
    groupId,
    error: failureDetail(refused),
    nodeId: -1,
    host: '',
    port: -1,
  });
  if (groupId === '') return refuse(failure('INVALID_GROUP_ID'));
  if (isFailure(topic)) return refuse(topic);
  const index = partitionFor(groupId, topic.partitions.length);
  const { leader } = topic.partitions[index]!;
  const broker = context.metadata.image.broker(leader);
  if (leader === -1 || broker === undefined) {
    const message = `${OFFSETS_TOPIC}-${index}, which the group is kept in, has no leader at the moment: bring back a broker of its in-sync replicas`;
    return refuse(failure('COORDINATOR_NOT_AVAILABLE', message));
  }
  const endpoint = clientEndpoint(broker, context.listenerName);
  return { groupId, nodeId: leader, host: endpoint?.host ?? '', port: endpoint?.port ?? 0 };
}
