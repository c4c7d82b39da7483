// ReassignPartitions (KIP-455): other replicas for partitions, or an end to that. A new target replaces the one under way: what
// only the old one had added goes at once.

import { failure, type BrokerId, type Failure } from '@tidemark/core';
import type {
  PartitionReassignment,
  ReassignPartitionsCommand,
  ReassignPartitionsResponse,
  TopicPartitionResult,
} from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import type { MetadataImage, PartitionImage } from '../metadata-image.ts';
import type { PartitionChangeRecord } from '../metadata-record.ts';
import { changePartition, type WantedChange } from '../partition-change.ts';
import { originalReplicas } from '../reassignment.ts';
import { isReassigning } from '../replica-index.ts';
import { TopicRules } from '../topic-rules.ts';
import { MAX_CHANGED_PARTITIONS } from './alter-partition.ts';

type Planned = { readonly ok: true; readonly wanted: WantedChange } | Failure;

export function reassignPartitions(
  { partitions, allowReplicationFactorChange }: ReassignPartitionsCommand,
  { image, config }: CommandContext,
): Handled<ReassignPartitionsResponse> {
  const rules = new TopicRules(config, image, (id) => image.isActive(id));
  const records: PartitionChangeRecord[] = [];
  const seen = new Set<string>();
  const results = partitions.map((wanted): TopicPartitionResult => {
    const { topic: name, partition } = wanted;
    const refuse = (refusal: Failure) => ({ ...refusal, topic: name, partition });
    const key = `${name}-${partition}`;
    if (seen.has(key)) return refuse(failure('INVALID_REQUEST', 'The request names it more than once.'));
    seen.add(key);
    const topic = image.topicByName(name);
    const before = topic?.partitions[partition];
    if (topic === undefined || before === undefined) return refuse(failure('UNKNOWN_TOPIC_OR_PARTITION'));
    if (records.length >= MAX_CHANGED_PARTITIONS) return refuse(failure('OPERATION_NOT_ATTEMPTED'));
    const planned = plan(wanted, before, allowReplicationFactorChange, image);
    if (!planned.ok) return refuse(planned);
    const record = changePartition(topic.id, before, planned.wanted, rules.of(topic));
    if (record !== undefined) records.push(record);
    return { ok: true, topic: name, partition };
  });
  return handled({ partitions: results }, records);
}

function plan(
  { replicas: target }: PartitionReassignment,
  before: PartitionImage,
  allowFactorChange: boolean,
  image: MetadataImage,
): Planned {
  const original = originalReplicas(before);
  if (target === undefined) {
    if (!isReassigning(before)) return failure('NO_REASSIGNMENT_IN_PROGRESS');
    return withReplicas(before, original, [], []);
  }
  const refusal = refuseTarget(target, original, allowFactorChange, image);
  if (refusal !== undefined) return refusal;
  const wanted = target as readonly BrokerId[];
  const adding = wanted.filter((id) => !original.includes(id));
  const removing = original.filter((id) => !wanted.includes(id));
  return withReplicas(before, [...wanted, ...removing], adding, removing);
}

function withReplicas(
  before: PartitionImage,
  replicas: readonly BrokerId[],
  adding: readonly BrokerId[],
  removing: readonly BrokerId[],
): Planned {
  const isr = before.isr.filter((id) => replicas.includes(id));
  // Those an election without loss would choose from now, and nobody after them: who comes next may lack what they have.
  const holders = [before.isr, before.elr, before.lastKnownElr].find((ids) => ids.length > 0) ?? [];
  // Kafka refuses as well, unless unclean elections are allowed; an operator can add the replica to the target instead.
  if (holders.length > 0 && !holders.some((id) => replicas.includes(id))) {
    return failure(
      'INVALID_REPLICA_ASSIGNMENT',
      `Only replicas that would go surely have every record (${holders.join()}): records would be lost.`,
    );
  }
  return { ok: true, wanted: { replicas, isr, adding, removing } };
}

function refuseTarget(
  target: readonly number[],
  original: readonly BrokerId[],
  allowFactorChange: boolean,
  image: MetadataImage,
): Failure | undefined {
  const refuse = (message: string) => failure('INVALID_REPLICA_ASSIGNMENT', message);
  if (target.length === 0) return refuse('A partition has at least one replica.');
  if (new Set(target).size < target.length) return refuse(`[${target.join()}] has a broker twice.`);
  const unknown = target.find((id) => image.broker(id) === undefined);
  if (unknown !== undefined) return refuse(`Broker ${unknown} is not registered.`);
  if (allowFactorChange || target.length === original.length) return undefined;
  return failure(
    'INVALID_REPLICATION_FACTOR',
    `The partition has ${original.length} replicas and would have ${target.length}.`,
  );
}
