// The metadata image as clients are told it.

import { type BrokerId, type Failure, isFailure, isInternalTopic } from '@tidemark/core';
import type { BrokerImage, Endpoint, MetadataImage, TopicImage } from '@tidemark/controller';
import { findTopicIn } from '@tidemark/runtime';
import {
  checkTopicId,
  checkTopicName,
  failureDetail,
  type Broker,
  type GetMetadataResponse,
  type TopicMetadata,
  type TopicRefOutput,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import type { TopicPermission } from '../security/topic-permission.ts';

export interface MetadataQuery {
  readonly topics: readonly TopicRefOutput[];
  readonly allTopics: boolean;
}

/** The address of the listener the client came by; brokers without one of that name are told by their first client listener. */
export function clientEndpoint(broker: BrokerImage, listenerName: string): Endpoint | undefined {
  return (
    broker.endpoints.find(({ name }) => name === listenerName) ??
    broker.endpoints.find(({ name }) => name.startsWith('CLIENT'))
  );
}

function brokerAnswer(broker: BrokerImage, listenerName: string): Broker {
  const endpoint = clientEndpoint(broker, listenerName);
  return {
    id: broker.id,
    host: endpoint?.host ?? '',
    port: endpoint?.port ?? 0,
    rack: broker.rack,
    fenced: broker.fenced,
  };
}

export function brokerAnswers(context: { readonly listenerName: string }, image: MetadataImage): Broker[] {
  return image.brokers().map((broker) => brokerAnswer(broker, context.listenerName));
}

function topicAnswer(image: MetadataImage, topic: TopicImage): TopicMetadata {
  const offline = (id: BrokerId): boolean => image.broker(id)?.fenced ?? true;
  return {
    name: topic.name,
    topicId: topic.id,
    internal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition) => ({
      partition: partition.partition,
      leaderId: partition.leader,
      leaderEpoch: partition.leaderEpoch,
      partitionEpoch: partition.partitionEpoch,
      replicas: [...partition.replicas],
      inSyncReplicas: [...partition.isr],
      offlineReplicas: partition.replicas.filter(offline),
      eligibleLeaderReplicas: [...partition.elr],
      lastKnownLeaderReplicas: [...partition.lastKnownElr],
      addingReplicas: [...partition.addingReplicas],
      removingReplicas: [...partition.removingReplicas],
      recovering: partition.leaderRecoveryState === 'recovering',
    })),
  };
}

function findTopic(context: NodeContext, reference: TopicRefOutput): TopicImage | Failure {
  const name = reference.name === '' ? undefined : checkTopicName(reference.name);
  if (isFailure(name)) return name;
  const id = reference.topicId === '' ? undefined : checkTopicId(reference.topicId);
  if (isFailure(id)) return id;
  return findTopicIn(context.metadata.image, name, id);
}

/** A topic is a few bytes in a request and as many as its partitions take in the answer, so each is told once, as in Kafka. */
function distinct(topics: readonly TopicRefOutput[]): readonly TopicRefOutput[] {
  return [...new Map(topics.map((topic) => [`${topic.name}/${topic.topicId}`, topic])).values()];
}

/** Without the topics that may not be seen; one that was asked for by name is refused. */
export function metadataAnswer(
  context: NodeContext,
  query: MetadataQuery,
  permission: TopicPermission,
): GetMetadataResponse {
  const { image } = context.metadata;
  const topics = query.allTopics
    ? [...image.topics()]
        .filter(({ name }) => permission({ topic: name, topicId: '' }) === undefined)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((topic) => topicAnswer(image, topic))
    : distinct(query.topics).map((reference): TopicMetadata => {
        const { name, topicId } = reference;
        const topic = permission({ topic: name, topicId }) ?? findTopic(context, reference);
        return isFailure(topic)
          ? { name: reference.name, topicId: reference.topicId, error: failureDetail(topic) }
          : topicAnswer(image, topic);
      });
  return {
    clusterId: context.clusterId,
    controllerId: context.metadata.leader?.nodeId ?? -1,
    brokers: brokerAnswers(context, image),
    topics,
    metadataOffset: image.offset,
  };
}
