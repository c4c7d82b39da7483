// ClusterService.GetMetadata: brokers, and of the topics asked for their partitions and leaders. With auto.create.topics.enable
// (off unless set) a topic that is asked for by name and does not exist is created first, as in Kafka.

import { isTopicName } from '@tidemark/core';
import { isFailure, type GetMetadataRequestOutput, type GetMetadataResponse } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import { metadataAnswer } from './metadata-answers.ts';

export async function getMetadata(
  context: BrokerContext,
  request: GetMetadataRequestOutput,
): Promise<GetMetadataResponse> {
  if (context.config.get('auto.create.topics.enable')) await createMissing(context, request);
  return metadataAnswer(context, request);
}

/** What cannot be created is told as missing: the answer then says that there is no such topic. */
async function createMissing(context: BrokerContext, request: GetMetadataRequestOutput): Promise<void> {
  const { image } = context.replicas;
  const missing = request.topics.filter(
    ({ name, topicId }) =>
      topicId === '' && isTopicName(name) && !name.startsWith('__') && image.topicByName(name) === undefined,
  );
  if (missing.length === 0) return;
  const created = await context.controller.submit({
    type: 'createTopics',
    topics: missing.map(({ name }) => ({
      name,
      partitionCount: 0,
      replicationFactor: 0,
      assignments: [],
      configs: new Map(),
    })),
    validateOnly: false,
  });
  if (isFailure(created)) {
    context.log.warn({ failure: created }, 'topics could not be created automatically');
    return;
  }
  for (const topic of created.topics) {
    if (topic.ok && topic.topicId !== undefined) await context.replicas.whenHosted(topic.topicId);
  }
}
