import { expect } from 'chai';
import {
  brokerConfigs,
  brokerConfigWith,
  checkBrokerOverrides,
  checkTopicOverrides,
  describeProblems,
  descriptors,
  minInsyncReplicas,
  resolveConfig,
  topicConfigOf,
  topicConfigs,
  topicToBrokerConfig,
} from '@tidemark/core';

const overrides = (record: Record<string, string>) => new Map(Object.entries(record));
const none = overrides({});

function broker(file = '') {
  const result = resolveConfig(brokerConfigs, { file });
  if (!result.ok) throw new Error(describeProblems(result.problems));
  return result.config;
}

describe('topic configs', () => {
  it('are layered: topic, this node, all nodes, the node’s file, default', () => {
    const node = brokerConfigWith(
      broker('log.retention.ms=1\nlog.retention.bytes=1\nlog.segment.bytes=2000000\nmessage.max.bytes=1'),
      overrides({ 'log.retention.ms': '2', 'log.retention.bytes': '2', 'log.segment.bytes': '3000000' }),
      overrides({ 'log.retention.ms': '3', 'log.retention.bytes': '3' }),
    );
    const topic = topicConfigOf(node, overrides({ 'retention.ms': '4' }));
    expect(topic.get('retention.ms')).to.equal(4);
    expect(topic.source('retention.ms').kind).to.equal('dynamic-topic');
    expect(topic.get('retention.bytes')).to.equal(3);
    expect(topic.source('retention.bytes').kind).to.equal('dynamic-broker');
    expect(topic.get('segment.bytes')).to.equal(3_000_000);
    expect(topic.source('segment.bytes').kind).to.equal('dynamic-default');
    expect(topic.get('max.message.bytes')).to.equal(1);
    expect(topic.source('max.message.bytes').kind).to.equal('file');
    expect(topic.get('index.interval.bytes')).to.equal(4096);
    expect(topic.source('index.interval.bytes').kind).to.equal('default');
  });

  it('agree with the broker table about which key overrides which', () => {
    const byBroker = descriptors(brokerConfigs).flatMap(({ name, topicOverride }) =>
      topicOverride === undefined ? [] : [[topicOverride, name]],
    );
    expect(Object.fromEntries(byBroker)).to.deep.equal(topicToBrokerConfig);
    for (const { name, brokerDefault, scope } of descriptors(topicConfigs)) {
      expect([brokerDefault, scope], name).to.deep.equal([
        topicToBrokerConfig[name as keyof typeof topicToBrokerConfig],
        'topic',
      ]);
    }
  });

  it('refuse what this version cannot do, and say why', () => {
    const say = (record: Record<string, string>, factor?: number) =>
      describeProblems(checkTopicOverrides(overrides(record), factor));
    expect(say({ 'retention.ms': '1000', 'cleanup.policy': 'delete' })).to.equal('');
    expect(say({ 'cleanup.policy': 'compact', 'delete.retention.ms': '5' })).to.equal('');
    expect(say({ 'cleanup.policy': 'compact,delete' })).to.equal('');
    expect(say({ 'cleanup.policy': 'shred' })).to.contain('cleanup.policy');
    expect(say({ 'compression.type': 'zstd' })).to.contain('Brokers never recompress');
    expect(say({ 'log.retention.ms': '1' })).to.contain('For a topic it is called retention.ms.');
    expect(say({ 'min.insync.replicas': '2' }, 1)).to.contain('is above the topic’s replication factor (1)');
    expect(say({ 'min.insync.replicas': '2' }, 2)).to.equal('');
  });

  it('of brokers can be changed at run time only where the key says so', () => {
    const say = (record: Record<string, string>) =>
      describeProblems(checkBrokerOverrides(overrides(record), 'dynamic-default'));
    expect(say({ 'log.retention.ms': '1000' })).to.equal('');
    expect(say({ 'node.id': '2' })).to.contain('cannot be changed while the process runs');
    expect(say({ 'log.retention.ms': '-2' })).to.contain('below the smallest value, -1');
  });

  it('ask for two in-sync replicas of three or more, for one of fewer, unless somebody says otherwise', () => {
    const open = topicConfigOf(broker(), none);
    expect([1, 2, 3, 5].map((count) => minInsyncReplicas(open, count))).to.deep.equal([1, 1, 2, 2]);
    const strict = topicConfigOf(broker('min.insync.replicas=3'), none);
    expect([1, 2, 3, 5].map((count) => minInsyncReplicas(strict, count))).to.deep.equal([1, 2, 3, 3]);
    const lax = topicConfigOf(broker(), overrides({ 'min.insync.replicas': '1' }));
    expect(minInsyncReplicas(lax, 3)).to.equal(1);
  });
});
