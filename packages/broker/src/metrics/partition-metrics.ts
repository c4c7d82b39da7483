// Partition by partition, bounded by `metrics.max.partitions`. Kafka's names come from the leader alone, so that sums over the nodes
// count a partition once; a partition without a leader is told by the active controller. Each family is built in a turn of its own:
// a page of ten thousand partitions must not hold up requests.

import { setImmediate } from 'node:timers/promises';
import { NO_LEADER } from '@tidemark/controller';
import type { ReplicaDescription } from '@tidemark/runtime';
import type { NodeContext } from '../broker-context.ts';
import type { Exposition } from './exposition.ts';

interface LedPartition {
  readonly labels: string;
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** Undefined where nobody leads. */
  readonly replica: ReplicaDescription | undefined;
}

interface HeldReplica {
  readonly labels: string;
  readonly replica: ReplicaDescription;
}

const labelsOf = (topic: string, partition: number): string => `{topic="${topic}",partition="${partition}"}`;

export async function writePartitionMetrics(page: Exposition, context: NodeContext): Promise<void> {
  const limit = context.config.get('metrics.max.partitions');
  const all = context.replicas?.describeReplicas() ?? [];
  const isShown = limit > 0 && all.length <= limit;
  page.family(
    'tidemark_partition_metrics_shown',
    'gauge',
    '1 when partitions are shown one by one, 0 when there are more than metrics.max.partitions.',
    [`tidemark_partition_metrics_shown ${isShown ? 1 : 0}`],
  );
  const held: HeldReplica[] = isShown
    ? all.map((replica) => ({ labels: labelsOf(replica.topic, replica.partition), replica }))
    : [];
  const led = isShown ? [...ledPartitions(context, held), ...offlinePartitions(context, limit)] : [];
  for (const [name, help, value] of LED) {
    await setImmediate();
    page.family(name, 'gauge', help, samples(name, led, value));
  }
  for (const [name, help, value] of HELD) {
    await setImmediate();
    page.family(name, 'gauge', help, samples(name, held, value));
  }
}

function* samples<T extends { readonly labels: string }>(
  name: string,
  rows: readonly T[],
  value: (row: T) => number | undefined,
): Iterable<string> {
  for (const row of rows) {
    const sample = value(row);
    if (sample !== undefined) yield `${name}${row.labels} ${sample}`;
  }
}

function* ledPartitions(
  { metadata, self }: NodeContext,
  held: readonly HeldReplica[],
): Iterable<LedPartition> {
  for (const { labels, replica } of held) {
    const image = metadata.image.topicById(replica.topicId)?.partitions[replica.partition];
    if (image?.leader !== self) continue;
    yield { labels, leader: image.leader, replicas: image.replicas, isr: image.isr, replica };
  }
}

function* offlinePartitions({ metadata }: NodeContext, limit: number): Iterable<LedPartition> {
  if (!metadata.isActive) return;
  let left = limit;
  for (const topic of metadata.image.topics()) {
    for (const { partition, leader, replicas, isr } of topic.partitions) {
      if (leader !== NO_LEADER || left-- <= 0) continue;
      yield { labels: labelsOf(topic.name, partition), leader, replicas, isr, replica: undefined };
    }
  }
}

type Family<T> = readonly [name: string, help: string, value: (of: T) => number | undefined];

const LED: readonly Family<LedPartition>[] = [
  [
    'kafka_topic_partition_current_offset',
    'Current Offset of a Broker at Topic/Partition',
    ({ replica }) => replica?.highWatermark,
  ],
  [
    'kafka_topic_partition_oldest_offset',
    'Oldest Offset of a Broker at Topic/Partition',
    ({ replica }) => replica?.logStartOffset,
  ],
  ['kafka_topic_partition_leader', 'Leader Broker ID of this Topic/Partition', ({ leader }) => leader],
  [
    'kafka_topic_partition_leader_is_preferred',
    '1 if Topic/Partition is using the Preferred Broker',
    ({ leader, replicas }) => (leader === replicas[0] ? 1 : 0),
  ],
  [
    'kafka_topic_partition_replicas',
    'Number of Replicas for this Topic/Partition',
    ({ replicas }) => replicas.length,
  ],
  [
    'kafka_topic_partition_in_sync_replica',
    'Number of In-Sync Replicas for this Topic/Partition',
    ({ isr }) => isr.length,
  ],
  [
    'kafka_topic_partition_under_replicated_partition',
    '1 if Topic/Partition is under Replicated',
    ({ isr, replicas }) => (isr.length < replicas.length ? 1 : 0),
  ],
  [
    'tidemark_partition_follower_lag_records',
    'Records of the leader that its furthest follower does not have.',
    ({ replica }) => (replica === undefined ? undefined : followerLag(replica)),
  ],
];

const HELD: readonly Family<HeldReplica>[] = [
  [
    'tidemark_partition_size_bytes',
    'Bytes of the partition on this node.',
    ({ replica }) => replica.sizeBytes,
  ],
  [
    'tidemark_partition_unflushed_records',
    'Records written on this node but not yet on disk.',
    ({ replica }) => Math.max(0, replica.logEndOffset - replica.flushedOffset),
  ],
];

/** A follower that was not heard yet lacks everything. */
export function followerLag({ standing, logEndOffset, logStartOffset }: ReplicaDescription): number {
  if (standing.role !== 'leader') return 0;
  return standing.followers.reduce(
    (most, follower) => Math.max(most, logEndOffset - Math.max(follower.logEndOffset, logStartOffset)),
    0,
  );
}
