import { expect } from 'chai';
import type { ConfigResource } from '@tidemark/controller';
import { TestCluster } from './cluster.ts';

const topic = (name: string): ConfigResource => ({ type: 'topic', name });
const broker = (name: string): ConfigResource => ({ type: 'broker', name });

function alter(
  cluster: TestCluster,
  resource: ConfigResource,
  changes: Readonly<Record<string, string | undefined>>,
  validateOnly = false,
) {
  const list = Object.entries(changes).map(([name, value]) => ({ name, value }));
  const command = { type: 'alterConfigs', resources: [{ resource, changes: list }], validateOnly } as const;
  return cluster.must(command).resources[0]!;
}

describe('altering configs', () => {
  it('sets, changes and removes a topic’s overrides and leaves the others alone', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a' });
    alter(cluster, topic('a'), { 'retention.ms': '1', 'segment.bytes': '2000000' });
    alter(cluster, topic('a'), { 'retention.ms': '2', 'segment.bytes': undefined, 'flush.policy': 'os' });
    expect(Object.fromEntries(cluster.image.topicConfigs('a'))).to.deep.equal({
      'retention.ms': '2',
      'flush.policy': 'os',
    });
  });

  it('writes nothing for what is so already', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a' });
    alter(cluster, topic('a'), { 'retention.ms': '1' });
    alter(cluster, topic('a'), { 'retention.ms': ' 1 ', 'segment.ms': undefined });
    expect(cluster.records).to.deep.equal([]);
  });

  it('takes all changes of a resource or none, and each resource for itself', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a' }, { name: 'b' });
    const change = (name: string, value: string) => ({ name, value });
    const { resources } = cluster.must({
      type: 'alterConfigs',
      resources: [
        { resource: topic('a'), changes: [change('retention.ms', '1'), change('segment.bytes', 'big')] },
        { resource: topic('b'), changes: [change('retention.ms', '1')] },
        { resource: topic('none'), changes: [change('retention.ms', '1')] },
      ],
      validateOnly: false,
    });
    expect(resources.map((result) => (result.ok ? 'ok' : result.error))).to.deep.equal([
      'INVALID_CONFIG',
      'ok',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ]);
    expect(cluster.image.topicConfigs('a').size).to.equal(0);
    expect(cluster.image.topicConfigs('b').size).to.equal(1);
  });

  it('sets brokers’ configs for all or for one, if they can change at run time', () => {
    const cluster = TestCluster.withBrokers(2);
    expect(alter(cluster, broker(''), { 'log.retention.ms': '1' }).ok).to.equal(true);
    expect(alter(cluster, broker('2'), { 'log.retention.ms': '2' }).ok).to.equal(true);
    expect(cluster.image.brokerConfigs('').get('log.retention.ms')).to.equal('1');
    expect(cluster.image.brokerConfigs(cluster.image.broker(2)!.id).get('log.retention.ms')).to.equal('2');
    expect(alter(cluster, broker(''), { 'node.id': '4' })).to.include({ error: 'INVALID_CONFIG' });
    expect(alter(cluster, broker('9'), { 'log.retention.ms': '1' })).to.include({
      error: 'BROKER_ID_NOT_REGISTERED',
    });
    expect(alter(cluster, broker('one'), { 'log.retention.ms': '1' })).to.include({
      error: 'INVALID_REQUEST',
    });
  });

  it('refuses what no write could satisfy, and what it does not know, with what to do', () => {
    const cluster = TestCluster.withBrokers(2);
    cluster.create({ name: 'a', replicationFactor: 2 });
    const refused = alter(cluster, topic('a'), { 'min.insync.replicas': '3' });
    expect(refused).to.have.property('message').that.contains('replication factor (2)');
    const unknown = alter(cluster, topic('a'), { 'retention.sm': '3' });
    expect(unknown).to.have.property('message').that.contains('Did you mean retention.ms?');
  });

  it('refuses a resource or a key named twice', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a' });
    const changes = [{ name: 'retention.ms', value: '1' }];
    const twice = { resource: topic('a'), changes };
    const both = cluster.must({ type: 'alterConfigs', resources: [twice, twice], validateOnly: false });
    expect(both.resources.map((result) => result.ok)).to.deep.equal([false, false]);
    const doubled = { resource: topic('a'), changes: [...changes, ...changes] };
    const one = cluster.must({ type: 'alterConfigs', resources: [doubled], validateOnly: false });
    expect(one.resources[0]).to.include({ error: 'INVALID_REQUEST' });
  });

  it('only validates when only that is asked', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a' });
    expect(alter(cluster, topic('a'), { 'retention.ms': '1' }, true).ok).to.equal(true);
    expect(alter(cluster, topic('a'), { 'retention.ms': 'x' }, true).ok).to.equal(false);
    expect(cluster.records).to.deep.equal([]);
  });
});
