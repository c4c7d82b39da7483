// The configs a topic may carry: those that override a broker config and those that only topics have. How the layers come together:
// topic override > broker config set at run time for one node > for all nodes > the node's own file > default (as Kafka).

import { brokerConfigs, brokerSpecs, type BrokerConfig, type BrokerSpecs } from './broker-configs.ts';
import { Config, configTable, type ConfigKeys, type ConfigSetting } from './config.ts';
import type { ConfigName, ConfigSpec } from './descriptor.ts';
import type { ConfigProblem, ConfigSource } from './problem.ts';
import { topicOnlySpecs } from './replication-throttle.ts';
import { checkSetting } from './resolve.ts';

/** Overridden broker configs by topic config. */
export const topicToBrokerConfig = {
  'cleanup.policy': 'log.cleanup.policy',
  'compression.type': 'compression.type',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  'file.delete.delay.ms': 'log.segment.delete.delay.ms',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'flush.policy': 'flush.policy',
  'index.interval.bytes': 'log.index.interval.bytes',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'max.message.bytes': 'message.max.bytes',
  'message.timestamp.after.max.ms': 'log.message.timestamp.after.max.ms',
  'message.timestamp.before.max.ms': 'log.message.timestamp.before.max.ms',
  'message.timestamp.type': 'log.message.timestamp.type',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  'min.insync.replicas': 'min.insync.replicas',
  'retention.bytes': 'log.retention.bytes',
  'retention.ms': 'log.retention.ms',
  'segment.bytes': 'log.segment.bytes',
  'segment.index.bytes': 'log.index.size.max.bytes',
  'segment.ms': 'log.roll.ms',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
} as const satisfies Record<string, ConfigName<BrokerSpecs>>;

type OverridingName = keyof typeof topicToBrokerConfig;
export type TopicConfigName = OverridingName | keyof typeof topicOnlySpecs;
export type TopicSpecs = {
  readonly [N in OverridingName]: BrokerSpecs[(typeof topicToBrokerConfig)[N]];
} & typeof topicOnlySpecs;
export type TopicConfig = Config<TopicSpecs>;

const topicSpecs = {
  ...Object.fromEntries(
    Object.entries(topicToBrokerConfig).map(([name, brokerName]) => {
      const inherited = Object.entries(brokerSpecs[brokerName]).filter(
        ([field]) => field !== 'topicOverride',
      );
      const own: Partial<ConfigSpec> = { scope: 'topic', brokerDefault: brokerName, dynamic: true };
      return [name, { ...Object.fromEntries(inherited), ...own }];
    }),
  ),
  ...topicOnlySpecs,
} as unknown as TopicSpecs;

export const topicConfigs = configTable<TopicSpecs>({
  title: 'topic',
  specs: topicSpecs,
  elsewhere: {
    ...Object.fromEntries(
      Object.entries(topicToBrokerConfig).map(([name, broker]) => [
        broker,
        `For a topic it is called ${name}.`,
      ]),
    ),
    'segment.jitter.ms': 'Segments are closed without jitter in this version; remove it.',
    preallocate: 'Segment files are never preallocated; remove it.',
  },
});

/** The overrides as they are kept in the metadata: key and text. */
export type ConfigOverrides = ReadonlyMap<string, string>;

/**
 * Checks a topic's overrides as a whole: known keys, legal values, and no acknowledgement that the replication factor
 * makes impossible. `replicationFactor` is undefined when it is not decided yet.
 */
export function checkTopicOverrides(
  overrides: ConfigOverrides,
  replicationFactor?: number,
): readonly ConfigProblem[] {
  const source: ConfigSource = { kind: 'dynamic-topic', where: 'topic config' };
  const { settings, problems } = checkOverrides(topicConfigs, overrides, source);
  const minimum = settings.get('min.insync.replicas')?.value;
  if (typeof minimum === 'number' && replicationFactor !== undefined && minimum > replicationFactor) {
    const cause = `is above the topic’s replication factor (${replicationFactor}), so that no write could be acknowledged`;
    const remedy = 'Lower it, or give the topic more replicas.';
    return [...problems, { name: 'min.insync.replicas', value: String(minimum), source, cause, remedy }];
  }
  return problems;
}

/**
 * Checks broker configs set at run time: known, dynamic and legal. Contradictions with what a node has in its own file
 * are that node's to refuse.
 */
export function checkBrokerOverrides(
  overrides: ConfigOverrides,
  kind: 'dynamic-default' | 'dynamic-broker',
): readonly ConfigProblem[] {
  const source: ConfigSource = { kind, where: 'broker config set at run time' };
  const { problems } = checkOverrides(brokerConfigs, overrides, source);
  const fixed = [...overrides].flatMap(([name, value]) => {
    const spec = Object.hasOwn(brokerSpecs, name) ? brokerSpecs[name as keyof BrokerSpecs] : undefined;
    if (spec === undefined || spec.dynamic) return [];
    const cause = 'cannot be changed while the process runs';
    const remedy = 'Set it in the node’s file or environment and restart the node.';
    return [{ name, value, source, cause, remedy }];
  });
  return [...problems, ...fixed];
}

/** The node's configuration with what was set at run time for all nodes and for this one. Illegal entries are skipped. */
export function brokerConfigWith(
  base: BrokerConfig,
  allNodes: ConfigOverrides,
  thisNode: ConfigOverrides,
): BrokerConfig {
  const where = 'broker config set at run time';
  return base
    .overlaid(checkOverrides(brokerConfigs, allNodes, { kind: 'dynamic-default', where }).settings)
    .overlaid(checkOverrides(brokerConfigs, thisNode, { kind: 'dynamic-broker', where }).settings);
}

/** A topic's configuration on a node: the overrides over the node's (already combined) configuration. */
export function topicConfigOf(broker: BrokerConfig, overrides: ConfigOverrides): TopicConfig {
  const inherited = new Map<string, ConfigSetting>();
  for (const [name, brokerName] of Object.entries(topicToBrokerConfig)) {
    const setting = broker.setting(brokerName);
    if (setting !== undefined) inherited.set(name, setting);
  }
  const source: ConfigSource = { kind: 'dynamic-topic', where: 'topic config' };
  return new Config(topicConfigs, inherited).overlaid(
    checkOverrides(topicConfigs, overrides, source).settings,
  );
}

/**
 * The in-sync replicas that acks=all needs for a partition of so many replicas: the configured number, never above the
 * replicas there are; where nobody configured one, 2 of 3 or more and else 1.
 */
export function minInsyncReplicas(config: TopicConfig, replicaCount: number): number {
  if (!config.isSet('min.insync.replicas')) return replicaCount >= 3 ? 2 : 1;
  return Math.min(config.get('min.insync.replicas'), replicaCount);
}

function checkOverrides(
  table: ConfigKeys,
  overrides: ConfigOverrides,
  source: ConfigSource,
): { settings: Map<string, ConfigSetting>; problems: ConfigProblem[] } {
  const settings = new Map<string, ConfigSetting>();
  const problems: ConfigProblem[] = [];
  for (const [name, value] of overrides) {
    const checked = checkSetting(table, name, value, source);
    if ('cause' in checked) problems.push(checked);
    else settings.set(name, checked);
  }
  return { settings, problems };
}
