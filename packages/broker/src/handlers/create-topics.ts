// AdminService.CreateTopics. It answers once this broker hosts its partitions of the new topics, so that a client that creates a
// topic can write to it with its next request.

import { isFailure, isInternalTopic } from '@tidemark/core';
import type { NewTopic } from '@tidemark/controller';
import {
  errorDetail,
  failureDetail,
  type CreateTopicResult,
  type CreateTopicsRequestOutput,
  type CreateTopicsResponse,
  type NewTopicOutput,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { decided, whenHosted } from './decided.ts';
import { withinTime } from './within-time.ts';

function newTopic(wire: NewTopicOutput): NewTopic {
  return {
    name: wire.name,
    partitionCount: wire.partitionCount,
    replicationFactor: wire.replicationFactor,
    assignments: wire.assignments.map(({ partition, brokerIds }) => ({ partition, replicas: brokerIds })),
    configs: new Map(Object.entries(wire.configs)),
  };
}

export async function createTopics(
  context: NodeContext,
  request: CreateTopicsRequestOutput,
): Promise<CreateTopicsResponse> {
  const topics = request.topics.filter(({ name }) => !isInternalTopic(name));
  const { results } = await create(context, { ...request, topics });
  let next = 0;
  return {
    results: request.topics.map(({ name }) => (isInternalTopic(name) ? refusal(name) : results![next++]!)),
  };
}

function refusal(name: string): CreateTopicResult {
  const message = `${name} is created by the brokers when the first group comes; set offsets.topic.num.partitions and offsets.topic.replication.factor before`;
  return { name, error: errorDetail('INVALID_TOPIC_EXCEPTION', message) };
}

async function create(
  context: NodeContext,
  { validateOnly, timeoutMs, topics }: CreateTopicsRequestOutput,
): Promise<CreateTopicsResponse> {
  if (topics.length === 0) return { results: [] };
  const created = await withinTime(context.clock, timeoutMs, async () => {
    const command = { type: 'createTopics', topics: topics.map(newTopic), validateOnly } as const;
    const response = await decided(context, command, timeoutMs);
    if (isFailure(response)) return response;
    const ids = response.topics.flatMap((topic) =>
      topic.ok && topic.topicId !== undefined ? [topic.topicId] : [],
    );
    await whenHosted(context, ids);
    return response;
  });
  if (created === 'late') {
    const error = errorDetail(
      'REQUEST_TIMED_OUT',
      'the topics are being created still; describe them to see',
    );
    return { results: topics.map(({ name }) => ({ name, error })) };
  }
  if (isFailure(created)) {
    return { results: topics.map(({ name }) => ({ name, error: failureDetail(created) })) };
  }
  return {
    results: created.topics.map((topic): CreateTopicResult =>
      topic.ok
        ? {
            name: topic.name,
            topicId: topic.topicId ?? '',
            partitionCount: topic.partitionCount,
            replicationFactor: topic.replicationFactor,
          }
        : { name: topic.name, error: failureDetail(topic) },
    ),
  };
}
