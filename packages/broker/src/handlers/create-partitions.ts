// AdminService.CreatePartitions: more partitions for topics that exist. Answers once this broker hosts its share.

import { isFailure } from '@tidemark/core';
import {
  errorDetail,
  failureDetail,
  type CreatePartitionsRequestOutput,
  type CreatePartitionsResponse,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { decided, whenHosted } from './decided.ts';
import { withinTime } from './within-time.ts';

export async function createPartitions(
  context: NodeContext,
  request: CreatePartitionsRequestOutput,
): Promise<CreatePartitionsResponse> {
  const { topics, timeoutMs, validateOnly } = request;
  const response = await withinTime(context.clock, timeoutMs, async () => {
    const command = {
      type: 'createPartitions' as const,
      topics: topics.map(({ name, totalCount, assignments }) => ({
        name,
        totalCount,
        assignments: assignments.map(({ partition, brokerIds }) => ({ partition, replicas: brokerIds })),
      })),
      validateOnly,
    };
    const made = await decided(context, command, timeoutMs);
    const known = topics.flatMap(({ name }) => context.metadata.image.topicByName(name)?.id ?? []);
    await whenHosted(context, known);
    return made;
  });
  if (response === 'late') {
    const error = errorDetail('REQUEST_TIMED_OUT', 'the partitions are being created still');
    return { results: topics.map(({ name }) => ({ name, error })) };
  }
  if (isFailure(response)) {
    return { results: topics.map(({ name }) => ({ name, error: failureDetail(response) })) };
  }
  return {
    results: response.topics.map((topic) =>
      topic.ok ? { name: topic.name } : { name: topic.name, error: failureDetail(topic) },
    ),
  };
}
