// CreateTopics: checks each new topic against the image and against the topics of the same request before it, places its
// partitions and answers its records. One that is refused leaves no trace; the others go on.

import {
  checkTopicOverrides,
  describeProblems,
  failure,
  isTopicName,
  topicIdFromBytes,
  type Failure,
  type Prng,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import type {
  CreatedTopic,
  CreateTopicsCommand,
  CreateTopicsResponse,
  FailedTopic,
  NewTopic,
} from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import { metricName, type MetadataImage, type TopicImage } from '../metadata-image.ts';
import type { MetadataRecord } from '../metadata-record.ts';
import { PartitionQuota } from '../partition-quota.ts';
import {
  automaticPlacement,
  manualPlacement,
  partitionRecord,
  type Placement,
} from '../replica-assignment.ts';

/** The folder of the metadata log has this name. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['__cluster_metadata']);

export function createTopics(
  { topics, validateOnly }: CreateTopicsCommand,
  context: CommandContext,
): Handled<CreateTopicsResponse> {
  const quota = new PartitionQuota(context);
  const newNames = new Map<string, string>();
  const records: MetadataRecord[] = [];
  const named = new Map<string, number>();
  const drawn = new Set<TopicId>();
  for (const { name } of topics) named.set(name, (named.get(name) ?? 0) + 1);

  const results = topics.map((topic): CreatedTopic | FailedTopic => {
    const { name } = topic;
    const known = topic.topicId === undefined ? undefined : context.image.topicById(topic.topicId);
    if (known?.name === name && !validateOnly) return existing(known);
    const refusal = refuseName(name, named, newNames, context.image);
    if (refusal !== undefined) return { ...refusal, name };
    const placement = place(topic, quota, context);
    if (!placement.ok) return { ...placement, name };
    const { replicas } = placement;
    const replicationFactor = replicas[0]!.length;
    const problems = checkTopicOverrides(topic.configs, replicationFactor);
    if (problems.length > 0) return { ...failure('INVALID_CONFIG', describeProblems(problems)), name };

    quota.take(replicas.length);
    newNames.set(metricName(name), name);
    const result = { ok: true, name, partitionCount: replicas.length, replicationFactor } as const;
    if (validateOnly) return { ...result, topicId: undefined };
    const topicId =
      topic.topicId !== undefined && known === undefined && !drawn.has(topic.topicId)
        ? topic.topicId
        : drawTopicId(context.prng, context.image);
    drawn.add(topicId);
    records.push({ type: 'topic', topicId, name: name as TopicName });
    for (const [key, value] of topic.configs) {
      records.push({ type: 'topicConfig', topicId, name: key, value: value.trim() });
    }
    replicas.forEach((ids, index) => records.push(partitionRecord(context.image, topicId, index, ids)));
    return { ...result, topicId };
  });
  return handled({ topics: results }, records);
}

/** The command was carried out before, and is asked again by somebody who did not hear of it. */
function existing({ id, name, partitions }: TopicImage): CreatedTopic {
  const replicationFactor = partitions[0]!.replicas.length;
  return { ok: true, name, topicId: id, partitionCount: partitions.length, replicationFactor };
}

function refuseName(
  name: string,
  named: ReadonlyMap<string, number>,
  newNames: ReadonlyMap<string, string>,
  image: MetadataImage,
): Failure | undefined {
  if (!isTopicName(name)) return failure('INVALID_TOPIC_EXCEPTION');
  if (RESERVED_NAMES.has(name)) {
    return failure('INVALID_TOPIC_EXCEPTION', `The name ${name} is reserved.`);
  }
  if ((named.get(name) ?? 0) > 1) {
    return failure('INVALID_REQUEST', `The request names topic ${name} more than once.`);
  }
  const taken = image.topicByMetricName(name)?.name ?? newNames.get(metricName(name));
  if (taken === name) return failure('TOPIC_ALREADY_EXISTS', `Topic ${name} exists.`);
  if (taken === undefined) return undefined;
  return failure(
    'INVALID_TOPIC_EXCEPTION',
    `The name ${name} collides with topic ${taken}: metrics could not tell "." and "_" apart.`,
  );
}

function place(topic: NewTopic, quota: PartitionQuota, context: CommandContext): Placement {
  const { partitionCount, replicationFactor, assignments } = topic;
  const { config, image } = context;
  if (assignments.length > 0) {
    if (partitionCount > 0 || replicationFactor > 0) {
      return failure('INVALID_REQUEST', 'Give either the two counts or the assignments, not both.');
    }
    return quota.wouldRefuse(assignments.length) ?? manualPlacement(image, assignments, 0, undefined);
  }
  if (!Number.isInteger(partitionCount) || partitionCount < 0) {
    return failure('INVALID_PARTITIONS', `A topic has at least one partition, not ${partitionCount}.`);
  }
  if (!Number.isInteger(replicationFactor) || replicationFactor < 0 || replicationFactor > 32767) {
    return failure(
      'INVALID_REPLICATION_FACTOR',
      `The replication factor is from 1 to 32767, not ${replicationFactor}.`,
    );
  }
  const count = partitionCount || config.get('num.partitions');
  // Before placing: a request for 2^31 partitions must not be worked out first and refused then.
  return (
    quota.wouldRefuse(count) ??
    automaticPlacement(context, count, replicationFactor || defaultFactor(context))
  );
}

/** What somebody configured; else 3, or as many as there are brokers. */
function defaultFactor({ config, image }: CommandContext): number {
  const factor = config.get('default.replication.factor');
  if (config.isSet('default.replication.factor')) return factor;
  return Math.max(1, Math.min(factor, image.brokers().length));
}

/** A random UUID (RFC 9562, version 4) no topic has, and that does not start with "-", which a shell takes for a flag. */
export function drawTopicId(prng: Prng, image: MetadataImage): TopicId {
  for (;;) {
    const bytes = prng.bytes(16);
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    const id = topicIdFromBytes(bytes);
    if (!id.startsWith('-') && image.topicById(id) === undefined) return id;
  }
}
