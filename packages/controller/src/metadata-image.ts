// The cluster's metadata at one offset of the metadata log. Immutable, with structural sharing: a reader keeps an image as
// long as it likes, and the next one costs what has changed. Only replay (image-builder.ts) makes new ones.

import type {
  BrokerEpoch,
  BrokerId,
  LeaderEpoch,
  PartitionEpoch,
  PartitionIndex,
  ProducerId,
  TopicId,
  TopicName,
} from '@tidemark/core';
import { NO_ACCESS, type AccessImage } from './access.ts';
import type { Endpoint, LeaderId, LeaderRecoveryState } from './metadata-record.ts';
import { EMPTY_INDEX, IndexUpdate, NO_HOLDINGS, type Holdings, type ReplicaIndex } from './replica-index.ts';
import { PersistentMap } from './persistent-map.ts';

export interface PartitionImage {
  readonly partition: PartitionIndex;
  /** The preferred leader first. */
  readonly replicas: readonly BrokerId[];
  readonly isr: readonly BrokerId[];
  /** `NO_LEADER` (-1) when no replica may lead. */
  readonly leader: LeaderId;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  /** Eligible leader replicas (KIP-966): out of sync, yet with every committed record. Disjoint from `isr`. */
  readonly elr: readonly BrokerId[];
  /** The last leader, or another replica where its disk is gone, from when `isr` became empty until there is a leader again; else empty. */
  readonly lastKnownElr: readonly BrokerId[];
  readonly leaderRecoveryState: LeaderRecoveryState;
  /** Replicas a reassignment under way has added and will remove (KIP-455); both are in `replicas`. */
  readonly addingReplicas: readonly BrokerId[];
  readonly removingReplicas: readonly BrokerId[];
}

export interface TopicImage {
  readonly name: TopicName;
  readonly id: TopicId;
  /** `partitions[i].partition` is `i`. At least one. */
  readonly partitions: readonly PartitionImage[];
  /** The topic's own configs; what it does not name comes from the broker's. */
  readonly configs: ReadonlyMap<string, string>;
}

export interface BrokerImage {
  readonly id: BrokerId;
  readonly epoch: BrokerEpoch;
  readonly incarnationId: string;
  readonly endpoints: readonly Endpoint[];
  /** Empty when it has none. */
  readonly rack: string;
  /** Kept from leading and from in-sync replicas. */
  readonly fenced: boolean;
  /** Of its log folder; empty when an older version registered it. */
  readonly directoryId: string;
  /** It has asked to shut down, and is kept from leading and from in-sync replicas until its next incarnation. */
  readonly inControlledShutdown: boolean;
  /**
   * While in controlled shutdown: the offset of the last record that took something from it. It may stop once it leads nothing
   * and every live broker has applied that record. Else -1.
   */
  readonly controlledShutdownOffset: number;
}

/** What an image is made of; the builder's business. */
export interface ImageParts {
  readonly offset: number;
  readonly clusterId: string;
  readonly features: ReadonlyMap<string, number>;
  readonly brokers: ReadonlyMap<BrokerId, BrokerImage>;
  readonly topics: PersistentMap<TopicId, TopicImage>;
  /** By the name as metrics have it, which no two topics may share; see `metricName`. */
  readonly topicIds: PersistentMap<string, TopicId>;
  readonly partitionCount: number;
  readonly allBrokersConfigs: ReadonlyMap<string, string>;
  readonly brokerConfigs: ReadonlyMap<BrokerId, ReadonlyMap<string, string>>;
  readonly nextProducerId: ProducerId;
  readonly access: AccessImage;
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map();

/**
 * Metric names turn `.` into `_`, so `a.b` and `a_b` would report under one name; Kafka refuses the second of two such
 * topics (`Topic.hasCollision`), and so do we.
 */
export function metricName(topic: string): string {
  return topic.replaceAll('.', '_');
}

export class MetadataImage {
  readonly parts: ImageParts;
  #index: ReplicaIndex | undefined;

  /** `index`, when the maker has kept it up to date; else it is worked out when it is asked for. */
  constructor(parts: ImageParts, index?: ReplicaIndex) {
    this.parts = parts;
    this.#index = index;
  }

  /** Before the first record. */
  static empty(): MetadataImage {
    return new MetadataImage(
      {
        offset: -1,
        clusterId: '',
        features: new Map(),
        brokers: new Map(),
        topics: PersistentMap.empty(),
        topicIds: PersistentMap.empty(),
        partitionCount: 0,
        allBrokersConfigs: NO_CONFIGS,
        brokerConfigs: new Map(),
        nextProducerId: 0 as ProducerId,
        access: NO_ACCESS,
      },
      EMPTY_INDEX,
    );
  }

  /** Of the last record in it; -1 before the first. */
  get offset(): number {
    return this.parts.offset;
  }

  /** Empty until the cluster is registered. */
  get clusterId(): string {
    return this.parts.clusterId;
  }

  /** 0 for a feature that is not in use. */
  featureLevel(feature: string): number {
    return this.parts.features.get(feature) ?? 0;
  }

  get topicCount(): number {
    return this.parts.topics.size;
  }

  /** Of all topics together. */
  get partitionCount(): number {
    return this.parts.partitionCount;
  }

  /** In no particular order, but always the same one for the same topics. */
  topics(): Iterable<TopicImage> {
    return this.parts.topics.values();
  }

  topicByName(name: string): TopicImage | undefined {
    const topic = this.topicByMetricName(name);
    return topic?.name === name ? topic : undefined;
  }

  /** The topic of this name or of one that metrics could not tell from it. */
  topicByMetricName(name: string): TopicImage | undefined {
    const id = this.parts.topicIds.get(metricName(name));
    return id === undefined ? undefined : this.parts.topics.get(id);
  }

  topicById(id: TopicId): TopicImage | undefined {
    return this.parts.topics.get(id);
  }

  /** In the order of their ids. */
  brokers(): readonly BrokerImage[] {
    return [...this.parts.brokers.values()];
  }

  broker(id: number): BrokerImage | undefined {
    return this.parts.brokers.get(id as BrokerId);
  }

  /** The topic's own configs; empty for a topic that does not exist. */
  topicConfigs(name: string): ReadonlyMap<string, string> {
    return this.topicByName(name)?.configs ?? NO_CONFIGS;
  }

  /** Broker configs set at run time: for one broker, or with '' those for all. */
  brokerConfigs(id: BrokerId | ''): ReadonlyMap<string, string> {
    return id === '' ? this.parts.allBrokersConfigs : (this.parts.brokerConfigs.get(id) ?? NO_CONFIGS);
  }

  /** Credentials, ACLs and quotas. */
  get access(): AccessImage {
    return this.parts.access;
  }

  /** Which broker holds what. */
  get index(): ReplicaIndex {
    this.#index ??= indexOf(this.topics());
    return this.#index;
  }

  holdings(id: BrokerId): Holdings {
    return this.index.brokers.get(id) ?? NO_HOLDINGS;
  }

  /** Whether it may lead and be in sync: registered, neither fenced nor shutting down. */
  isActive(id: BrokerId): boolean {
    const broker = this.parts.brokers.get(id);
    return broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
  }

  /** The first producer id not yet given to a broker. */
  get nextProducerId(): ProducerId {
    return this.parts.nextProducerId;
  }
}

/** From scratch, by walking all partitions. */
export function indexOf(topics: Iterable<TopicImage>): ReplicaIndex {
  const update = new IndexUpdate(EMPTY_INDEX);
  for (const { id, partitions } of topics) update.topic(id, [], partitions);
  return update.build();
}
