// The configs of a broker that coordinates consumer groups. Kafka's names and values.

import type { Config, ConfigRule } from './config.ts';
import { int, long } from './descriptor.ts';
import type { BrokerSpecs } from './broker-configs.ts';

const MIB = 1_048_576;

export const groupSpecs = {
  'group.min.session.timeout.ms': int(6_000, {
    min: 1,
    unit: 'ms',
    doc: 'Shortest session a member may ask for. Short ones notice a dead member sooner and cost more heartbeats.',
  }),
  'group.max.session.timeout.ms': int(1_800_000, {
    min: 1,
    unit: 'ms',
    doc: 'Longest session a member may ask for.',
  }),
  'group.initial.rebalance.delay.ms': int(3_000, {
    unit: 'ms',
    doc: 'How long a group that was empty waits for more members before its first generation begins.',
  }),
  'group.coordinator.append.linger.ms': int(5, {
    max: 1_000,
    unit: 'ms',
    doc: 'While a batch of `__consumer_offsets` is on its way to the in-sync replicas, what groups store gathers for the next one: until that batch is committed, and no longer than this. With nothing on its way nobody waits. 0: batches are not waited for.',
  }),
  'group.max.size': int(2 ** 31 - 1, {
    min: 1,
    doc: 'Most members of one group.',
  }),
  'offset.metadata.max.bytes': int(4_096, {
    doc: 'Longest text a commit may carry with an offset, in bytes.',
  }),
  'offsets.retention.minutes': int(10_080, {
    min: 1,
    doc: 'How long the offsets of a group without members are kept, in minutes; and those of a topic that a group does not read any more.',
  }),
  'offsets.retention.check.interval.ms': long(600_000, {
    min: 1,
    max: 2 ** 31 - 1,
    unit: 'ms',
    doc: 'How often offsets past their retention are looked for.',
  }),
  'offsets.commit.timeout.ms': int(5_000, {
    min: 1,
    unit: 'ms',
    doc: 'How long what a group stores may take to be committed by the in-sync replicas. After that the outcome is unknown, and the client tries again.',
  }),
  'offsets.topic.num.partitions': int(50, {
    min: 1,
    doc: 'Partitions of `__consumer_offsets`: over so many leaders the groups are spread. It counts when the topic is created, with the first group, and cannot be changed later.',
  }),
  'offsets.topic.replication.factor': int(3, {
    min: 1,
    max: 32767,
    derivedDefault: '3; 1 on a node that is the only voter of its cluster',
    doc: 'Replicas of each partition of `__consumer_offsets`. It counts when the topic is created; as long as there are fewer brokers there are no groups.',
  }),
  'offsets.topic.segment.bytes': int(100 * MIB, {
    min: MIB,
    unit: 'bytes',
    doc: 'Size at which a segment of `__consumer_offsets` is closed. A new coordinator reads what is not compacted away, so it is smaller than that of other topics.',
  }),
};

export const groupRules: readonly ConfigRule<BrokerSpecs>[] = [
  (config: Config<BrokerSpecs>) => {
    const longest = config.get('group.max.session.timeout.ms');
    return config.get('group.min.session.timeout.ms') <= longest
      ? []
      : [
          config.problem(
            'group.min.session.timeout.ms',
            `is above group.max.session.timeout.ms (${longest}), so that no member could join`,
            'Lower it, or raise group.max.session.timeout.ms.',
          ),
        ];
  },
];
