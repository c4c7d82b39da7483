// CreatePartitions: more partitions for a topic, with as many replicas as the ones it has. Never fewer: the records of a
// partition would have nowhere to go. Records with a key may land on another partition afterwards, as in Kafka.

import { failure, isInternalTopic, type BrokerId, type Failure } from '@tidemark/core';
import type {
  CreatePartitionsCommand,
  CreatePartitionsResponse,
  CreatePartitionsResult,
  NewPartitions,
} from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import type { MetadataRecord } from '../metadata-record.ts';
import type { TopicImage } from '../metadata-image.ts';
import { PartitionQuota } from '../partition-quota.ts';
import { originalReplicas } from '../reassignment.ts';
import { automaticPlacement, manualPlacement, partitionRecord } from '../replica-assignment.ts';

export function createPartitions(
  { topics, validateOnly }: CreatePartitionsCommand,
  context: CommandContext,
): Handled<CreatePartitionsResponse> {
  const quota = new PartitionQuota(context);
  const times = new Map<string, number>();
  for (const { name } of topics) times.set(name, (times.get(name) ?? 0) + 1);
  const records: MetadataRecord[] = [];
  const results = topics.map((wanted): CreatePartitionsResult => {
    const { name } = wanted;
    const refuse = (refusal: Failure) => ({ ...refusal, name });
    if (times.get(name)! > 1) {
      return refuse(failure('INVALID_REQUEST', `The request names topic ${name} more than once.`));
    }
    const topic = context.image.topicByName(name);
    if (topic === undefined) {
      return refuse(failure('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${name}.`));
    }
    if (isInternalTopic(name)) {
      // Groups would be looked for in other partitions than they are in.
      const message = `The partitions of ${name} decide who coordinates a group; their number cannot change.`;
      return refuse(failure('INVALID_TOPIC_EXCEPTION', message));
    }
    const placed = place(topic, wanted, quota, context);
    if (!placed.ok) return refuse(placed);
    placed.replicas.forEach((ids, index) =>
      records.push(partitionRecord(context.image, topic.id, topic.partitions.length + index, ids)),
    );
    return { ok: true, name };
  });
  return handled({ topics: results }, validateOnly ? [] : records);
}

function place(
  topic: TopicImage,
  { totalCount, assignments }: NewPartitions,
  quota: PartitionQuota,
  context: CommandContext,
): { readonly ok: true; readonly replicas: readonly (readonly BrokerId[])[] } | Failure {
  const existing = topic.partitions.length;
  // While it is reassigned, the first partition has more.
  const factor = originalReplicas(topic.partitions[0]!).length;
  const added = totalCount - existing;
  if (!Number.isInteger(totalCount) || added <= 0) {
    const message =
      added === 0
        ? `Topic ${topic.name} has ${existing} partitions already.`
        : `Topic ${topic.name} has ${existing} partitions, and can only get more: not ${totalCount}.`;
    return failure('INVALID_PARTITIONS', message);
  }
  const manual = assignments.length > 0;
  if (manual && assignments.length !== added) {
    return failure(
      'INVALID_REPLICA_ASSIGNMENT',
      `${added} partitions are added, but ${assignments.length} are assigned.`,
    );
  }
  // Checked before it is worked out, taken only once it has been found possible.
  const overQuota = quota.wouldRefuse(added);
  if (overQuota !== undefined) return overQuota;
  const placement = manual
    ? manualPlacement(context.image, assignments, existing, factor)
    : automaticPlacement(context, added, factor);
  if (placement.ok) quota.take(added);
  return placement;
}
