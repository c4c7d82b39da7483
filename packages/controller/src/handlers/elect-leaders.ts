// ElectLeaders (KIP-460): somebody asks for the preferred leader, or for any leader at the price of records. BalanceLeaders: the
// controller gives preferred leaders back by itself, broker by broker, where others lead too much for them.

import { failure, type BrokerConfig, type BrokerId, type Failure } from '@tidemark/core';
import type {
  BalancedLeaders,
  ElectLeadersCommand,
  ElectLeadersResponse,
  TopicPartitionName,
  TopicPartitionResult,
} from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import { applyPartitionChange } from '../image-builder.ts';
import type { MetadataImage, PartitionImage, TopicImage } from '../metadata-image.ts';
import { NO_LEADER, type PartitionChangeRecord } from '../metadata-record.ts';
import { changePartition } from '../partition-change.ts';
import { MAX_SETTLED_PARTITIONS, topicsOf } from '../partition-settling.ts';
import { TopicRules } from '../topic-rules.ts';
import { MAX_CHANGED_PARTITIONS } from './alter-partition.ts';

export function electLeaders(
  { election, partitions }: ElectLeadersCommand,
  { image, config }: CommandContext,
): Handled<ElectLeadersResponse> {
  const rules = new TopicRules(config, image, (id) => image.isActive(id));
  const records: PartitionChangeRecord[] = [];
  const seen = new Set<string>();
  const elect = ({ topic: name, partition }: TopicPartitionName): TopicPartitionResult => {
    const refuse = (refusal: Failure) => ({ ...refusal, topic: name, partition });
    const topic = image.topicByName(name);
    const before = topic?.partitions[partition];
    if (topic === undefined || before === undefined) return refuse(failure('UNKNOWN_TOPIC_OR_PARTITION'));
    const key = `${name}-${partition}`;
    if (seen.has(key)) return refuse(failure('INVALID_REQUEST', 'The request names it more than once.'));
    seen.add(key);
    const wanted = election === 'preferred' ? before.replicas[0] : before.leader;
    if (before.leader === wanted && wanted !== NO_LEADER) return refuse(failure('ELECTION_NOT_NEEDED'));
    if (records.length >= MAX_CHANGED_PARTITIONS) return refuse(failure('OPERATION_NOT_ATTEMPTED'));
    const isr = before.isr.filter((id) => image.isActive(id));
    const record = changePartition(topic.id, before, { isr, election }, rules.of(topic));
    const leader = record === undefined ? before.leader : applyPartitionChange(before, record).leader;
    if (election === 'preferred' && leader !== wanted) {
      return refuse(failure('PREFERRED_LEADER_NOT_AVAILABLE'));
    }
    if (leader === NO_LEADER) return refuse(failure('ELIGIBLE_LEADERS_NOT_AVAILABLE'));
    records.push(record!);
    return { ok: true, topic: name, partition };
  };
  if (partitions !== undefined) return handled({ partitions: partitions.map(elect) }, records);
  const results: TopicPartitionResult[] = [];
  for (const named of allPartitions(image)) {
    const result = elect(named);
    if (result.ok || result.error !== 'ELECTION_NOT_NEEDED') results.push(result);
  }
  return handled({ partitions: results }, records);
}

function* allPartitions(image: MetadataImage): Iterable<TopicPartitionName> {
  for (const { name, partitions } of image.topics()) {
    for (const { partition } of partitions) yield { topic: name, partition };
  }
}

export function balanceLeaders({ image, config }: CommandContext): Handled<BalancedLeaders> {
  const rules = new TopicRules(config, image, (id) => image.isActive(id));
  const records: PartitionChangeRecord[] = [];
  for (const preferred of imbalancedBrokers(image, config)) {
    for (const topic of topicsOf(image, image.holdings(preferred).topics)) {
      for (const partition of givenBack(topic, preferred)) {
        if (records.length >= MAX_SETTLED_PARTITIONS) return handled({ changed: records.length }, records);
        const wanted = { election: 'preferred' } as const;
        const record = changePartition(topic.id, partition, wanted, rules.of(topic));
        if (record !== undefined) records.push(record);
      }
    }
  }
  return handled({ changed: records.length }, records);
}

/** Brokers that are there while others lead more than leader.imbalance.per.broker.percentage of what prefers them. */
export function imbalancedBrokers(image: MetadataImage, config: BrokerConfig): readonly BrokerId[] {
  const percentage = config.get('leader.imbalance.per.broker.percentage');
  return image
    .brokers()
    .map(({ id }) => id)
    .filter((id) => {
      const { prefers, prefersInVain } = image.holdings(id);
      return image.isActive(id) && prefersInVain * 100 > prefers * percentage;
    });
}

function givenBack({ partitions }: TopicImage, preferred: BrokerId): readonly PartitionImage[] {
  return partitions.filter(
    ({ replicas, leader, isr }) =>
      replicas[0] === preferred && leader !== preferred && isr.includes(preferred),
  );
}
