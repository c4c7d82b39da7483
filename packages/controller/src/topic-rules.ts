// The configs of a topic that the controller itself decides by: min.insync.replicas and unclean.leader.election.enable, from the
// topic, else from what was set at run time for all brokers, else from the controller's own file.

import {
  brokerConfigWith,
  minInsyncReplicas,
  topicConfigOf,
  type BrokerConfig,
  type BrokerId,
  type TopicConfig,
} from '@tidemark/core';
import type { MetadataImage, TopicImage } from './metadata-image.ts';
import type { PartitionRules } from './partition-change.ts';

const RELEVANT = ['min.insync.replicas', 'unclean.leader.election.enable', 'flush.policy'] as const;

export class TopicRules {
  readonly #cluster: BrokerConfig;
  readonly #isActive: (id: BrokerId) => boolean;
  /** Topics with the same overrides share one. */
  readonly #byOverrides = new Map<string, PartitionRules>();
  readonly #withoutOverrides: PartitionRules;

  constructor(config: BrokerConfig, image: MetadataImage, isActive: (id: BrokerId) => boolean) {
    this.#cluster = brokerConfigWith(config, image.brokerConfigs(''), new Map());
    this.#isActive = isActive;
    this.#withoutOverrides = this.#rules(topicConfigOf(this.#cluster, new Map()), undefined);
  }

  of({ configs }: Pick<TopicImage, 'configs'>): PartitionRules {
    if (!RELEVANT.some((name) => configs.has(name))) return this.#withoutOverrides;
    const key = RELEVANT.map((name) => configs.get(name) ?? '').join();
    let rules = this.#byOverrides.get(key);
    if (rules === undefined) {
      const overrides = RELEVANT.flatMap((name) => {
        const value = configs.get(name);
        return value === undefined ? [] : ([[name, value]] as const);
      });
      rules = this.#rules(topicConfigOf(this.#cluster, new Map(overrides)), configs.get('flush.policy'));
      this.#byOverrides.set(key, rules);
    }
    return rules;
  }

  #rules(config: TopicConfig, flushPolicy: string | undefined): PartitionRules {
    return {
      flushPolicy: flushPolicyIn(flushPolicy),
      isActive: this.#isActive,
      minInSync: (replicaCount) => minInsyncReplicas(config, replicaCount),
      mayElectUnclean: config.get('unclean.leader.election.enable'),
    };
  }
}

/** `flush.policy` as it was set at run time: for this broker, else for all; undefined: its own file says. */
export function brokerFlushPolicy(image: MetadataImage, id: BrokerId): 'ack' | 'os' | undefined {
  const ofOne = image.brokerConfigs(id).get('flush.policy');
  return flushPolicyIn(ofOne) ?? flushPolicyIn(image.brokerConfigs('').get('flush.policy'));
}

/** An illegal entry is skipped, as the brokers do. */
function flushPolicyIn(value: string | undefined): 'ack' | 'os' | undefined {
  return value === 'ack' || value === 'os' ? value : undefined;
}
