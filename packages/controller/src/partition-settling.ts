// What the coming and going of brokers does to partitions: brokers that are fenced or shut down leave the in-sync replicas and
// lead no more; partitions without a leader get one when a replica that may lead is back.
//
// A command settles a bounded number of partitions, so that no batch of records grows with the cluster. What is left over can
// be told from the image alone, and the duties of the active controller go on with it. No broker is unfenced before.

import type { BrokerConfig, BrokerId, TopicId } from '@tidemark/core';
import type { MetadataImage, PartitionImage, TopicImage } from './metadata-image.ts';
import { NO_LEADER, type PartitionChangeRecord } from './metadata-record.ts';
import { changePartition, type PartitionRules, type WantedChange } from './partition-change.ts';
import { leaderCandidates, type TopicCounts } from './replica-index.ts';
import { TopicRules } from './topic-rules.ts';

/** Most partitions that one command of the controller's own changes. */
export const MAX_SETTLED_PARTITIONS = 1000;

/** `unknown`: an older version did not say which disk it had. */
export type Lost = 'disk' | 'unknown' | { readonly flushPolicy: 'ack' | 'os' };

/** The image as it will be with some brokers fenced or unfenced. */
export interface BrokerChange {
  readonly brokerId: BrokerId;
  readonly isActive: boolean;
  /**
   * It may have lost records: its disk, or what was not synced, which had counted as held unless flush.policy is `ack` (the broker's,
   * where the topic has none). All partitions concerned are then changed at once: nobody could tell later.
   */
  readonly lost?: Lost;
}

/** Changes to partitions that follow from `change`. */
export function settleBroker(
  image: MetadataImage,
  config: BrokerConfig,
  { brokerId, isActive, lost }: BrokerChange,
): readonly PartitionChangeRecord[] {
  const holdings = image.holdings(brokerId);
  const settling = new Settling(image, config, (id) => (id === brokerId ? isActive : image.isActive(id)));
  if (lost !== undefined) {
    if (holdings.inSync + holdings.eligible + holdings.couldLead > 0)
      settling.topics(holdings.topics, Infinity, { brokerId, lost });
  } else if (isActive) {
    settling.topics(image.index.leaderless, MAX_SETTLED_PARTITIONS);
  } else if (holdings.inSync > 0) {
    settling.topics(holdings.topics, MAX_SETTLED_PARTITIONS);
  }
  return settling.records;
}

/** Changes that earlier commands left over. */
export function settleLeftovers(
  image: MetadataImage,
  config: BrokerConfig,
): readonly PartitionChangeRecord[] {
  const settling = new Settling(image, config, (id) => image.isActive(id));
  for (const { id } of image.brokers()) {
    if (isUnsettled(image, id)) settling.topics(image.holdings(id).topics, MAX_SETTLED_PARTITIONS);
  }
  settling.topics(image.index.leaderless, MAX_SETTLED_PARTITIONS);
  return settling.records;
}

/** Whether the broker is out and yet in sync somewhere. */
export function isUnsettled(image: MetadataImage, id: BrokerId): boolean {
  const { inSync, leads } = image.holdings(id);
  return inSync + leads > 0 && !image.isActive(id);
}

/** Whether `settleLeftovers` would find anything. Looks at partitions only where unclean elections are allowed. */
export function hasLeftovers(image: MetadataImage, config: BrokerConfig): boolean {
  if (image.brokers().some(({ id }) => isUnsettled(image, id))) return true;
  const { leaderless } = image.index;
  if (leaderless.size === 0) return false;
  const active = image.brokers().filter(({ id }) => image.isActive(id));
  if (active.some(({ id }) => image.holdings(id).couldLead > 0)) return true;
  if (active.length === 0) return false;
  const rules = new TopicRules(config, image, (id) => image.isActive(id));
  for (const topic of topicsOf(image, leaderless)) {
    if (!rules.of(topic).mayElectUnclean) continue;
    const mayLead = ({ leader, replicas }: PartitionImage) =>
      leader === NO_LEADER && replicas.some((id) => image.isActive(id));
    if (topic.partitions.some(mayLead)) return true;
  }
  return false;
}

export function* topicsOf(image: MetadataImage, counts: TopicCounts): Iterable<TopicImage> {
  for (const [id] of counts.entries()) yield image.topicById(id)!;
}

interface Loser {
  readonly brokerId: BrokerId;
  readonly lost: Lost;
}

/** Whether a replica of such a topic may lack something that had counted as held. */
function mayLack(lost: Lost, { flushPolicy }: PartitionRules): boolean {
  return typeof lost === 'string' || (flushPolicy ?? lost.flushPolicy) !== 'ack';
}

class Settling {
  readonly records: PartitionChangeRecord[] = [];
  readonly #image: MetadataImage;
  readonly #isActive: (id: BrokerId) => boolean;
  readonly #rules: TopicRules;
  readonly #done = new Set<TopicId>();

  constructor(image: MetadataImage, config: BrokerConfig, isActive: (id: BrokerId) => boolean) {
    this.#image = image;
    const known = new Map<BrokerId, boolean>(image.brokers().map(({ id }) => [id, isActive(id)]));
    this.#isActive = (id) => known.get(id) === true;
    this.#rules = new TopicRules(config, image, this.#isActive);
  }

  /** Each topic once, until there are `limit` records in all. */
  topics(topics: TopicCounts, limit: number, loser?: Loser): void {
    for (const topic of topicsOf(this.#image, topics)) {
      if (this.records.length >= limit) return;
      if (this.#done.has(topic.id)) continue;
      this.#done.add(topic.id);
      this.#topic(topic, limit, loser);
    }
  }

  #topic(topic: TopicImage, limit: number, loser: Loser | undefined): void {
    const rules = this.#rules.of(topic);
    const unclean = loser !== undefined && mayLack(loser.lost, rules) ? loser.brokerId : undefined;
    const emptied = loser?.lost === 'disk' ? loser.brokerId : undefined;
    for (const partition of topic.partitions) {
      if (this.records.length >= limit) return;
      const wanted = this.#wanted(partition, rules, { unclean, emptied });
      const record = wanted && changePartition(topic.id, partition, wanted, rules);
      if (record !== undefined) this.records.push(record);
    }
  }

  /** Undefined when there is surely nothing to do: most partitions of a topic, most of the time. */
  #wanted(
    partition: PartitionImage,
    { mayElectUnclean }: PartitionRules,
    { unclean, emptied }: { readonly [K in 'unclean' | 'emptied']: BrokerId | undefined },
  ): WantedChange | undefined {
    const { isr, elr, lastKnownElr, leader, replicas } = partition;
    const isUnclean = unclean !== undefined && (isr.includes(unclean) || elr.includes(unclean));
    const isAwaitedInVain = emptied !== undefined && lastKnownElr.includes(emptied);
    if (!isUnclean && !isAwaitedInVain && isr.every(this.#isActive)) {
      if (leader !== NO_LEADER) return undefined;
      const candidates = mayElectUnclean ? replicas : leaderCandidates(partition);
      if (!candidates.some(this.#isActive)) return undefined;
    }
    return { isr: isr.filter(this.#isActive), emptied, ...(isUnclean ? { unclean } : {}) };
  }
}
