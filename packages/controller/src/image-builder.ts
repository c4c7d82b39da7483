// Replay: records onto an image. A builder collects the changes of many records, so that adding 10,000 partitions to one
// topic copies its list once and not 10,000 times; `build` closes it into an image.
//
// A record that does not fit (a partition of an unknown topic) is a bug in whoever wrote it or a log that was tampered
// with: an invariant, not an operating error.

import {
  invariant,
  unreachable,
  type BrokerId,
  type LeaderEpoch,
  type PartitionEpoch,
  type TopicId,
} from '@tidemark/core';
import { applyAccess } from './access-records.ts';
import {
  metricName,
  MetadataImage,
  type BrokerImage,
  type ImageParts,
  type PartitionImage,
  type TopicImage,
} from './metadata-image.ts';
import { IndexUpdate, type ReplicaIndex } from './replica-index.ts';
import type {
  BrokerConfigRecord,
  MetadataRecord,
  PartitionChangeRecord,
  PartitionRecord,
  TopicConfigRecord,
  TopicRecord,
} from './metadata-record.ts';

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** A topic with changes. `partitions` belongs to the draft alone once it was touched. */
interface TopicDraft {
  readonly before: TopicImage;
  partitions: PartitionImage[] | undefined;
  configs: Map<string, string> | undefined;
}

export class ImageBuilder {
  readonly #parts: Draft<ImageParts>;
  readonly #drafts = new Map<TopicId, TopicDraft>();
  #index: ReplicaIndex;
  #indexUpdate: IndexUpdate;
  /** Brokers in controlled shutdown, with the offset of the last record that took something from them. */
  readonly #leaving: Map<BrokerId, number>;

  constructor(base: MetadataImage) {
    this.#parts = { ...base.parts };
    this.#index = base.index;
    this.#indexUpdate = new IndexUpdate(base.index);
    this.#leaving = new Map(
      base.brokers().flatMap(({ id, inControlledShutdown, controlledShutdownOffset }) => {
        return inControlledShutdown ? [[id, controlledShutdownOffset] as const] : [];
      }),
    );
  }

  /** `offset` is the record's in the metadata log; it must rise. */
  apply(record: MetadataRecord, offset: number): void {
    const parts = this.#parts;
    invariant(offset > parts.offset, 'metadata record replayed out of order', {
      offset,
      after: parts.offset,
    });
    parts.offset = offset;
    switch (record.type) {
      case 'cluster':
        parts.clusterId = record.clusterId;
        return;
      case 'featureLevel':
        parts.features = new Map(parts.features).set(record.feature, record.level);
        return;
      case 'registerBroker': {
        const { brokerId, brokerEpoch, incarnationId, endpoints, rack, fenced, directoryId } = record;
        const soFar = { inControlledShutdown: false, controlledShutdownOffset: -1 };
        this.#leaving.delete(brokerId);
        const own = { id: brokerId, epoch: brokerEpoch, incarnationId, endpoints, rack, fenced, directoryId };
        this.#putBroker({ ...own, ...soFar });
        return;
      }
      case 'brokerChange': {
        const broker = parts.brokers.get(record.brokerId);
        invariant(broker?.epoch === record.brokerEpoch, 'change of an unknown broker', { ...record });
        const { fenced = broker.fenced, inControlledShutdown = broker.inControlledShutdown } = record;
        if (record.inControlledShutdown) this.#leaving.set(broker.id, offset);
        this.#putBroker({ ...broker, fenced, inControlledShutdown });
        return;
      }
      case 'unregisterBroker': {
        const { brokerId, brokerEpoch } = record;
        invariant(parts.brokers.get(brokerId)?.epoch === brokerEpoch, 'an unknown broker goes', {
          ...record,
        });
        this.#leaving.delete(brokerId);
        const brokers = new Map(parts.brokers);
        brokers.delete(brokerId);
        parts.brokers = brokers;
        return;
      }
      case 'topic':
        this.#addTopic(record);
        return;
      case 'removeTopic':
        this.#removeTopic(record.topicId);
        return;
      case 'partition':
        this.#addPartition(record);
        return;
      case 'partitionChange':
        this.#changePartition(record, offset);
        return;
      case 'topicConfig':
        this.#setTopicConfig(record);
        return;
      case 'brokerConfig':
        this.#setBrokerConfig(record);
        return;
      case 'producerIds':
        invariant(record.nextProducerId >= parts.nextProducerId, 'producer ids given twice', { ...record });
        parts.nextProducerId = record.nextProducerId;
        return;
      case 'scramCredential':
      case 'removeScramCredential':
      case 'acl':
      case 'removeAcl':
      case 'clientQuota':
        parts.access = applyAccess(parts.access, record);
        return;
      default:
        unreachable(record);
    }
  }

  /** The image with everything applied so far. The builder may go on from there. */
  build(): MetadataImage {
    for (const [id, { before, partitions, configs }] of this.#drafts) {
      const topic: TopicImage = {
        name: before.name,
        id,
        partitions: partitions ?? before.partitions,
        configs: configs ?? before.configs,
      };
      this.#parts.topics = this.#parts.topics.set(id, topic);
      this.#indexUpdate.topic(id, before.partitions, topic.partitions);
    }
    this.#drafts.clear();
    for (const [id, controlledShutdownOffset] of this.#leaving) {
      const broker = this.#parts.brokers.get(id)!;
      if (broker.controlledShutdownOffset === controlledShutdownOffset) continue;
      this.#putBroker({ ...broker, controlledShutdownOffset });
    }
    this.#index = this.#indexUpdate.build();
    this.#indexUpdate = new IndexUpdate(this.#index);
    return new MetadataImage({ ...this.#parts }, this.#index);
  }

  #putBroker(broker: BrokerImage): void {
    const brokers = new Map(this.#parts.brokers).set(broker.id, broker);
    this.#parts.brokers = new Map([...brokers].sort(([a], [b]) => a - b));
  }

  #addTopic({ topicId, name }: TopicRecord): void {
    const parts = this.#parts;
    const key = metricName(name);
    invariant(parts.topicIds.get(key) === undefined, 'two topics of one name', { name });
    invariant(parts.topics.get(topicId) === undefined, 'two topics of one id', { topicId });
    const topic: TopicImage = { name, id: topicId, partitions: [], configs: new Map() };
    parts.topicIds = parts.topicIds.set(key, topicId);
    parts.topics = parts.topics.set(topicId, topic);
  }

  #removeTopic(id: TopicId): void {
    const { before, partitions } = this.#draft(id);
    const parts = this.#parts;
    parts.partitionCount -= (partitions ?? before.partitions).length;
    parts.topicIds = parts.topicIds.delete(metricName(before.name));
    parts.topics = parts.topics.delete(id);
    this.#indexUpdate.topic(id, before.partitions, []);
    this.#drafts.delete(id);
  }

  #addPartition(record: PartitionRecord): void {
    const { topicId, partition, replicas, isr, leader, leaderEpoch, partitionEpoch } = record;
    const partitions = this.#ownPartitions(topicId);
    invariant(partition === partitions.length, 'a partition out of turn', { topicId, partition });
    partitions.push({
      partition,
      replicas,
      isr,
      leader,
      leaderEpoch,
      partitionEpoch,
      elr: [],
      lastKnownElr: [],
      leaderRecoveryState: 'recovered',
      addingReplicas: [],
      removingReplicas: [],
    });
    this.#parts.partitionCount++;
  }

  #changePartition(record: PartitionChangeRecord, offset: number): void {
    const { topicId, partition } = record;
    const partitions = this.#ownPartitions(topicId);
    const before = partitions[partition];
    invariant(before !== undefined, 'change of an unknown partition', { topicId, partition });
    const after = applyPartitionChange(before, record);
    partitions[partition] = after;
    for (const id of this.#leaving.keys()) {
      if (before.isr.includes(id) && !after.isr.includes(id)) this.#leaving.set(id, offset);
    }
  }

  #setTopicConfig({ topicId, name, value }: TopicConfigRecord): void {
    const draft = this.#draft(topicId);
    draft.configs ??= new Map(draft.before.configs);
    setOrDelete(draft.configs, name, value);
  }

  #setBrokerConfig({ brokerId, name, value }: BrokerConfigRecord): void {
    const parts = this.#parts;
    const before = brokerId === null ? parts.allBrokersConfigs : (parts.brokerConfigs.get(brokerId) ?? []);
    const configs = new Map(before);
    setOrDelete(configs, name, value);
    if (brokerId === null) parts.allBrokersConfigs = configs;
    else parts.brokerConfigs = withConfigs(parts.brokerConfigs, brokerId, configs);
  }

  #draft(id: TopicId): TopicDraft {
    let draft = this.#drafts.get(id);
    if (draft === undefined) {
      const before = this.#parts.topics.get(id);
      invariant(before !== undefined, 'a record of an unknown topic', { topicId: id });
      draft = { before, partitions: undefined, configs: undefined };
      this.#drafts.set(id, draft);
    }
    return draft;
  }

  #ownPartitions(id: TopicId): PartitionImage[] {
    const draft = this.#draft(id);
    draft.partitions ??= [...draft.before.partitions];
    return draft.partitions;
  }
}

/** The partition after a change; see PartitionChangeRecord for what it does to the epochs. */
export function applyPartitionChange(before: PartitionImage, change: PartitionChangeRecord): PartitionImage {
  const { leader } = change;
  return {
    partition: before.partition,
    replicas: change.replicas ?? before.replicas,
    isr: change.isr ?? before.isr,
    leader: leader ?? before.leader,
    leaderEpoch: (before.leaderEpoch + (leader === undefined ? 0 : 1)) as LeaderEpoch,
    partitionEpoch: (before.partitionEpoch + 1) as PartitionEpoch,
    elr: change.elr ?? before.elr,
    lastKnownElr: change.lastKnownElr ?? before.lastKnownElr,
    leaderRecoveryState: change.leaderRecoveryState ?? before.leaderRecoveryState,
    addingReplicas: change.addingReplicas ?? before.addingReplicas,
    removingReplicas: change.removingReplicas ?? before.removingReplicas,
  };
}

/** The image after one record. For more than one use a builder. */
export function applyRecord(image: MetadataImage, record: MetadataRecord, offset: number): MetadataImage {
  return applyRecords(image, [record], offset);
}

/** The image after records at consecutive offsets. */
export function applyRecords(
  image: MetadataImage,
  records: readonly MetadataRecord[],
  baseOffset: number,
): MetadataImage {
  if (records.length === 0) return image;
  const builder = new ImageBuilder(image);
  records.forEach((record, index) => builder.apply(record, baseOffset + index));
  return builder.build();
}

function setOrDelete(map: Map<string, string>, name: string, value: string | null): void {
  if (value === null) map.delete(name);
  else map.set(name, value);
}

function withConfigs(
  all: ReadonlyMap<BrokerId, ReadonlyMap<string, string>>,
  id: BrokerId,
  configs: ReadonlyMap<string, string>,
): ReadonlyMap<BrokerId, ReadonlyMap<string, string>> {
  const next = new Map(all);
  if (configs.size === 0) next.delete(id);
  else next.set(id, configs);
  return next;
}
