// DeleteTopics, by name, by id, or by both, which then must belong together: a client that means the topic it looked at does
// not delete another that has taken its name since (KIP-516).

import { failure, isInternalTopic, type Failure, type TopicId } from '@tidemark/core';
import type {
  DeleteTopic,
  DeleteTopicResult,
  DeleteTopicsCommand,
  DeleteTopicsResponse,
} from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import type { MetadataImage, TopicImage } from '../metadata-image.ts';

export function deleteTopics(
  { topics }: DeleteTopicsCommand,
  { image }: CommandContext,
): Handled<DeleteTopicsResponse> {
  const found = topics.map((topic) => findTopic(topic, image));
  const times = new Map<TopicId, number>();
  for (const topic of found) if ('id' in topic) times.set(topic.id, (times.get(topic.id) ?? 0) + 1);
  const results = found.map((topic, index): DeleteTopicResult => {
    if (!('id' in topic)) return { ...topic, ...topics[index] };
    if (times.get(topic.id)! > 1) {
      const message = `The request names topic ${topic.name} more than once.`;
      return { ...failure('INVALID_REQUEST', message), name: topic.name, topicId: topic.id };
    }
    return { ok: true, name: topic.name, topicId: topic.id };
  });
  return handled(
    { topics: results },
    results.flatMap((result) =>
      result.ok ? [{ type: 'removeTopic', topicId: result.topicId } as const] : [],
    ),
  );
}

function findTopic({ name, topicId }: DeleteTopic, image: MetadataImage): TopicImage | Failure {
  if (name === undefined && topicId === undefined) {
    return failure('INVALID_REQUEST', 'A topic to delete needs a name or an id.');
  }
  const topic = topicId === undefined ? image.topicByName(name!) : image.topicById(topicId);
  if (topic === undefined) {
    return topicId === undefined
      ? failure('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${name}.`)
      : failure('UNKNOWN_TOPIC_ID', `There is no topic with the id ${topicId}.`);
  }
  if (name !== undefined && name !== topic.name) {
    return failure(
      'INCONSISTENT_TOPIC_ID',
      `The id ${topic.id} belongs to topic ${topic.name}, not ${name}.`,
    );
  }
  if (isInternalTopic(topic.name)) {
    const message = `${topic.name} holds the groups and offsets of the whole cluster and cannot be deleted.`;
    return failure('INVALID_TOPIC_EXCEPTION', message);
  }
  return topic;
}
