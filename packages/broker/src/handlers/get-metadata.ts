// ClusterService.GetMetadata: brokers, and of the topics asked for their partitions and leaders. With auto.create.topics.enable
// (off unless set) a topic that is asked for by name and does not exist is created first, as in Kafka.

import { isFailure, isTopicName } from '@tidemark/core';
import type { GetMetadataRequestOutput, GetMetadataResponse } from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { decided, whenHosted } from './decided.ts';
import { metadataAnswer } from './metadata-answers.ts';

export async function getMetadata(
  context: NodeContext,
  request: GetMetadataRequestOutput,
): Promise<GetMetadataResponse> {
  if (context.config.get('auto.create.topics.enable')) await createMissing(context, request);
  return metadataAnswer(context, request);
}

/** What cannot be created is told as missing: the answer then says that there is no such topic. */
async function createMissing(context: NodeContext, request: GetMetadataRequestOutput): Promise<void> {
  const { image } = context.metadata;
  const missing = request.topics.filter(
    ({ name, topicId }) =>
      topicId === '' && isTopicName(name) && !name.startsWith('__') && image.topicByName(name) === undefined,
  );
  if (missing.length === 0) return;
  const topics = missing.map(({ name }) => ({
    name,
    partitionCount: 0,
    replicationFactor: 0,
    assignments: [],
    configs: new Map<string, string>(),
  }));
  const created = await decided(context, { type: 'createTopics', topics, validateOnly: false }, 0);
  if (isFailure(created)) {
    context.log.warn({ failure: created }, 'topics could not be created automatically');
    return;
  }
  const ids = created.topics.flatMap((topic) => (topic.ok ? (topic.topicId ?? []) : []));
  await whenHosted(context, ids);
}
