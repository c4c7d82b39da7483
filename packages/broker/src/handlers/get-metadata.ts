// ClusterService.GetMetadata: brokers, and of the topics asked for their partitions and leaders. With auto.create.topics.enable
// (off unless set) a topic that is asked for by name and does not exist is created first, as in Kafka.

import { isFailure, isTopicName } from '@tidemark/core';
import type { GetMetadataRequestOutput, GetMetadataResponse } from '@tidemark/rpc';
import { CLUSTER_RESOURCE } from '@tidemark/controller';
import type { NodeContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import { ANONYMOUS_CALLER, type Caller } from '../security/callers.ts';
import { topicPermission } from '../security/topic-permission.ts';
import { decided, whenHosted } from './decided.ts';
import { metadataAnswer } from './metadata-answers.ts';

export async function getMetadata(
  context: NodeContext,
  request: GetMetadataRequestOutput,
  { call, caller = ANONYMOUS_CALLER }: UnaryCallInfo,
): Promise<GetMetadataResponse> {
  if (context.config.get('auto.create.topics.enable')) await createMissing(context, request, caller);
  return metadataAnswer(context, request, topicPermission(context, call, 'describe'));
}

/** What cannot be created is told as missing: the answer then says that there is no such topic. */
async function createMissing(
  context: NodeContext,
  request: GetMetadataRequestOutput,
  caller: Caller,
): Promise<void> {
  const { image } = context.metadata;
  const mayCreate = (name: string): boolean =>
    context.authorizer.allows(caller, 'create', 'cluster', CLUSTER_RESOURCE) ||
    context.authorizer.allows(caller, 'create', 'topic', name);
  const missing = request.topics.filter(
    ({ name, topicId }) =>
      topicId === '' &&
      isTopicName(name) &&
      !name.startsWith('__') &&
      image.topicByName(name) === undefined &&
      mayCreate(name),
  );
  if (missing.length === 0) return;
  // As for topics that are created by request, and refused like those: the answer says that there is no such topic.
  const quota = context.quotas.of(caller);
  if (quota.waitMs('controller_mutation_rate') > 0) return;
  quota.use('controller_mutation_rate', missing.length * context.config.get('num.partitions'));
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
