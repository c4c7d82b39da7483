// Which partitions are not as they should be: without a leader, below min.insync.replicas, or short of replicas. Pure; one pass over
// all partitions.

import {
  brokerConfigWith,
  minInsyncReplicas,
  topicConfigOf,
  type BrokerConfig,
  type TopicConfig,
} from '@tidemark/core';
import { NO_LEADER, type MetadataImage, type PartitionImage } from '@tidemark/controller';

/** Partitions of one kind: all are counted, the first few named. */
export interface PartitionCount {
  readonly count: number;
  /** `topic-partition`. */
  readonly first: readonly string[];
}

export interface PartitionHealth {
  /** Without a leader. */
  readonly offline: PartitionCount;
  /** Led, but with fewer in-sync replicas than min.insync.replicas: acks=all is refused. */
  readonly underMinIsr: PartitionCount;
  /** With fewer in-sync replicas than replicas, and none of the above. */
  readonly underReplicated: PartitionCount;
}

const MAX_NAMED = 5;

class Counter implements PartitionCount {
  count = 0;
  readonly first: string[] = [];

  add(topic: string, { partition }: PartitionImage): void {
    this.count += 1;
    if (this.first.length < MAX_NAMED) this.first.push(`${topic}-${partition}`);
  }
}

/** A replica that a move has added and that is not in sync yet is no loss (as Kafka's UnderReplicatedPartitions). */
function isUnderReplicated({ replicas, isr, addingReplicas }: PartitionImage): boolean {
  return replicas.some((id) => !isr.includes(id) && !addingReplicas.includes(id));
}

/** `config` is the asked node's own; what was set at run time for all brokers and for the topic comes on top. */
export function partitionHealth(image: MetadataImage, config: BrokerConfig): PartitionHealth {
  const common = brokerConfigWith(config, image.brokerConfigs(''), new Map());
  const withoutOverrides = topicConfigOf(common, new Map());
  const offline = new Counter();
  const underMinIsr = new Counter();
  const underReplicated = new Counter();
  for (const { name, partitions, configs } of image.topics()) {
    const topic: TopicConfig = configs.size === 0 ? withoutOverrides : topicConfigOf(common, configs);
    for (const partition of partitions) {
      const { isr, replicas, leader } = partition;
      if (leader === NO_LEADER) offline.add(name, partition);
      else if (isr.length < minInsyncReplicas(topic, replicas.length)) underMinIsr.add(name, partition);
      else if (isUnderReplicated(partition)) underReplicated.add(name, partition);
    }
  }
  return { offline, underMinIsr, underReplicated };
}
