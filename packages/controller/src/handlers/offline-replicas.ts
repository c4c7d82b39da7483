// ReportOfflineReplicas: what a broker holds and cannot open. Kafka's controller does the same for the replicas of a failed log dir. Such
// a log is damaged or another's, and may lack records when it can be opened again: it is neither in sync nor eligible any more.
//
// A partition is changed only where another replica leads without loss then. So every change leaves fewer candidates, and brokers that
// report the same partition cannot hand it to each other for ever.

import type { BrokerId } from '@tidemark/core';
import type { ReportedOfflineReplicas, ReportOfflineReplicasCommand } from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import { applyPartitionChange } from '../image-builder.ts';
import type { LeaderId, PartitionChangeRecord } from '../metadata-record.ts';
import { changePartition } from '../partition-change.ts';
import { TopicRules } from '../topic-rules.ts';
import { MAX_CHANGED_PARTITIONS } from './alter-partition.ts';
import { checkedBroker } from './brokers.ts';

export function reportOfflineReplicas(
  { brokerId, brokerEpoch, partitions }: ReportOfflineReplicasCommand,
  { image, config }: CommandContext,
): Handled<ReportedOfflineReplicas> {
  const broker = checkedBroker(image, brokerId, brokerEpoch);
  if ('error' in broker) return broker;
  const isActive = (id: BrokerId): boolean => id !== brokerId && image.isActive(id);
  const rules = new TopicRules(config, image, isActive);
  const records: PartitionChangeRecord[] = [];
  const seen = new Set<string>();
  for (const { topicId, partition } of partitions) {
    if (records.length >= MAX_CHANGED_PARTITIONS) break;
    const key = `${topicId}-${partition}`;
    const topic = image.topicById(topicId);
    const before = topic?.partitions[partition];
    if (topic === undefined || before === undefined || seen.has(key)) continue;
    seen.add(key);
    const holders: readonly LeaderId[] = [...before.isr, ...before.elr];
    if (!holders.includes(brokerId)) continue;
    const wanted = { isr: before.isr.filter(isActive), unclean: brokerId };
    const record = changePartition(topicId, before, wanted, { ...rules.of(topic), mayElectUnclean: false });
    if (record !== undefined && holders.includes(applyPartitionChange(before, record).leader)) {
      records.push(record);
    }
  }
  return handled({ changed: records.length }, records);
}
