import { expect } from 'chai';
import { isTopicId, type BrokerId, type TopicId } from '@tidemark/core';
import { newTopic, TestCluster, uuid } from './cluster.ts';

const configs = (record: Record<string, string>) => new Map(Object.entries(record));

describe('creating topics', () => {
  it('takes the defaults of the cluster: one partition, three replicas', () => {
    const cluster = TestCluster.withBrokers(3);
    const [orders] = cluster.create({ name: 'orders' });
    expect(orders).to.deep.include({ ok: true, name: 'orders', partitionCount: 1, replicationFactor: 3 });
    const topic = cluster.image.topicByName('orders')!;
    expect(isTopicId(topic.id)).to.equal(true);
    const { replicas, isr, leader, leaderEpoch, partitionEpoch } = topic.partitions[0]!;
    expect([...replicas].sort()).to.deep.equal([1, 2, 3]);
    expect(isr).to.deep.equal(replicas);
    expect([leader, leaderEpoch, partitionEpoch]).to.deep.equal([replicas[0], 0, 0]);
  });

  it('on fewer brokers than three replicates as far as it can, unless somebody asked for a number', () => {
    expect(TestCluster.withBrokers(2).create({ name: 'a' })[0]).to.include({ replicationFactor: 2 });
    const asked = TestCluster.withBrokers(2, { file: 'default.replication.factor=3' });
    expect(asked.createErrors({ name: 'a' })).to.deep.equal(['INVALID_REPLICATION_FACTOR']);
    expect(asked.createErrors({ name: 'a', replicationFactor: 3 })).to.deep.equal([
      'INVALID_REPLICATION_FACTOR',
    ]);
    expect(asked.createErrors({ name: 'a', replicationFactor: 2 })).to.deep.equal(['ok']);
  });

  it('answers each topic for itself, in the order they were asked', () => {
    const cluster = TestCluster.withBrokers(3, { file: 'num.partitions=2' });
    cluster.create({ name: 'taken' });
    const errors = cluster.createErrors(
      { name: 'good' },
      { name: 'taken' },
      { name: 'bad name' },
      { name: '..' },
      { name: '__cluster_metadata' },
      { name: 'twice' },
      { name: 'twice' },
      { name: 'negative', partitionCount: -1 },
      { name: 'fraction', partitionCount: 1.5 },
      { name: 'factor', replicationFactor: -1 },
      { name: 'config', configs: configs({ 'retention.ms': '-7' }) },
      { name: 'also-good', partitionCount: 5 },
    );
    expect(errors).to.deep.equal([
      'ok',
      'TOPIC_ALREADY_EXISTS',
      'INVALID_TOPIC_EXCEPTION',
      'INVALID_TOPIC_EXCEPTION',
      'INVALID_TOPIC_EXCEPTION',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'INVALID_PARTITIONS',
      'INVALID_PARTITIONS',
      'INVALID_REPLICATION_FACTOR',
      'INVALID_CONFIG',
      'ok',
    ]);
    expect([...cluster.image.topics()].map(({ name }) => name).sort()).to.deep.equal([
      'also-good',
      'good',
      'taken',
    ]);
    expect(cluster.image.partitionCount).to.equal(2 + 2 + 5);
  });

  it('refuses a name that metrics could not tell from another, of the cluster or of the same request', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a.b' });
    expect(cluster.createErrors({ name: 'a_b' }, { name: 'x_y.z' }, { name: 'x.y_z' })).to.deep.equal([
      'INVALID_TOPIC_EXCEPTION',
      'ok',
      'INVALID_TOPIC_EXCEPTION',
    ]);
    const [result] = cluster.create({ name: 'a_b' });
    expect(result).to.have.property('message').that.contains('collides with topic a.b');
  });

  it('keeps the configs it is given and says what is wrong with others', () => {
    const cluster = TestCluster.withBrokers(3);
    cluster.create({ name: 'a', configs: configs({ 'retention.ms': ' 1000 ', 'flush.policy': 'os' }) });
    expect([...cluster.image.topicConfigs('a')]).to.deep.equal([
      ['retention.ms', '1000'],
      ['flush.policy', 'os'],
    ]);
    const [shredded] = cluster.create({ name: 'b', configs: configs({ 'cleanup.policy': 'shred' }) });
    expect(shredded).to.have.property('message').that.contains('cleanup.policy');
    const strict = configs({ 'min.insync.replicas': '3' });
    expect(cluster.createErrors({ name: 'c', configs: strict, replicationFactor: 2 })).to.deep.equal([
      'INVALID_CONFIG',
    ]);
    expect(cluster.createErrors({ name: 'c', configs: strict, replicationFactor: 3 })).to.deep.equal(['ok']);
  });

  it('only validates when only that is asked: the same answer but for the id, and no record', () => {
    const cluster = TestCluster.withBrokers(3);
    const topics = [
      newTopic({ name: 'a', partitionCount: 4 }),
      newTopic({ name: 'a.b' }),
      newTopic({ name: 'a_b' }),
    ];
    const { topics: results } = cluster.must({ type: 'createTopics', topics, validateOnly: true });
    expect(results[0]).to.deep.equal({
      ok: true,
      name: 'a',
      topicId: undefined,
      partitionCount: 4,
      replicationFactor: 3,
    });
    expect(results.map((result) => result.ok)).to.deep.equal([true, true, false]);
    expect(cluster.records).to.deep.equal([]);
  });

  it('holds one request and the whole cluster to their limits, before anything is worked out', () => {
    const file = 'max.partitions.per.request=10\nmax.cluster.partitions=15';
    const cluster = TestCluster.withBrokers(1, { file });
    expect(
      cluster.createErrors(
        { name: 'a', partitionCount: 6 },
        { name: 'b', partitionCount: 5 },
        { name: 'c', partitionCount: 4 },
        { name: 'd', partitionCount: 2 ** 31 - 1 },
      ),
    ).to.deep.equal(['ok', 'POLICY_VIOLATION', 'ok', 'POLICY_VIOLATION']);
    expect(cluster.createErrors({ name: 'e', partitionCount: 6 })).to.deep.equal(['POLICY_VIOLATION']);
    expect(cluster.createErrors({ name: 'e', partitionCount: 5 })).to.deep.equal(['ok']);
  });

  it('does not count a refused topic against the limits', () => {
    const cluster = TestCluster.withBrokers(1, { file: 'max.partitions.per.request=10' });
    const bad = configs({ 'retention.ms': 'soon' });
    expect(
      cluster.createErrors({ name: 'a', partitionCount: 9, configs: bad }, { name: 'b', partitionCount: 9 }),
    ).to.deep.equal(['INVALID_CONFIG', 'ok']);
  });

  it('knows a request that is repeated by the id it gave the topic', () => {
    const cluster = TestCluster.withBrokers(3);
    const topicId = uuid(7) as TopicId;
    const first = cluster.create({ name: 'once', topicId, partitionCount: 2 })[0]!;
    expect(first).to.deep.include({ ok: true, topicId, partitionCount: 2 });
    expect(cluster.create({ name: 'once', topicId, partitionCount: 2 })[0]).to.deep.equal(first);
    expect(cluster.records).to.have.length(0);
    // Another's topic of that name is another's, and an id that is taken is not taken again.
    expect(cluster.create({ name: 'once' })[0]).to.include({ error: 'TOPIC_ALREADY_EXISTS' });
    const [other, twin] = cluster.create({ name: 'other', topicId }, { name: 'twin', topicId });
    expect(
      new Set([topicId, ...[other, twin].map((each) => each?.ok === true && each.topicId)]),
    ).to.have.length(3);
  });

  it('puts partitions where the request says, if they can be there', () => {
    const cluster = TestCluster.withBrokers(3);
    cluster.fence(3);
    const create = (name: string, ...assignments: readonly (readonly [number, readonly number[]])[]) =>
      cluster.create({
        name,
        assignments: assignments.map(([partition, replicas]) => ({ partition, replicas })),
      })[0]!;
    expect(create('good', [1, [3, 2]], [0, [1, 3]])).to.include({ partitionCount: 2, replicationFactor: 2 });
    expect(cluster.partition('good', 0)).to.deep.include({ replicas: [1, 3], isr: [1], leader: 1 });
    expect(cluster.partition('good', 1)).to.deep.include({ replicas: [3, 2], isr: [2], leader: 2 });
    const bad = [
      create('x', [1, [1]]),
      create('x', [0, [1]], [0, [2]]),
      create('x', [0, [1]], [2, [2]]),
      create('x', [0, []]),
      create('x', [0, [1, 2]], [1, [1]]),
      create('x', [0, [1, 1]]),
      create('x', [0, [9]]),
      create('x', [0, [3]]),
    ];
    for (const result of bad) expect(result).to.have.property('error', 'INVALID_REPLICA_ASSIGNMENT');
    const both = { name: 'x', partitionCount: 1, assignments: [{ partition: 0, replicas: [1] }] };
    expect(cluster.createErrors(both)).to.deep.equal(['INVALID_REQUEST']);
  });

  it('is not possible while no broker can lead', () => {
    expect(TestCluster.withBrokers(0).createErrors({ name: 'a' })).to.deep.equal([
      'INVALID_REPLICATION_FACTOR',
    ]);
    const cluster = TestCluster.withBrokers(1);
    cluster.fence(1);
    expect(cluster.createErrors({ name: 'a' })).to.deep.equal(['INVALID_REPLICATION_FACTOR']);
  });
});

describe('deleting topics', () => {
  it('by name, by id, or by both, which must belong together', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a' }, { name: 'b' }, { name: 'c' });
    const id = (name: string) => cluster.image.topicByName(name)!.id;
    const [a, b, c] = [id('a'), id('b'), id('c')];
    const { topics } = cluster.must({
      type: 'deleteTopics',
      topics: [
        { name: 'a' },
        { topicId: b },
        { name: 'wrong', topicId: c },
        { name: 'none' },
        { topicId: uuid(99) as TopicId },
        {},
      ],
    });
    expect(topics.map((result) => (result.ok ? [result.name, result.topicId] : result.error))).to.deep.equal([
      ['a', a],
      ['b', b],
      'INCONSISTENT_TOPIC_ID',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'UNKNOWN_TOPIC_ID',
      'INVALID_REQUEST',
    ]);
    expect([...cluster.image.topics()].map(({ name }) => name)).to.deep.equal(['c']);
  });

  it('refuses a topic that is named twice, once by name and once by id', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a' });
    const topicId = cluster.image.topicByName('a')!.id;
    const { topics } = cluster.must({ type: 'deleteTopics', topics: [{ name: 'a' }, { topicId }] });
    expect(topics.map((result) => result.ok || result.error)).to.deep.equal([
      'INVALID_REQUEST',
      'INVALID_REQUEST',
    ]);
    expect(cluster.image.topicCount).to.equal(1);
  });

  it('frees the name, and the next topic of that name has another id and no configs', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a.b', configs: configs({ 'retention.ms': '1' }) });
    const { id } = cluster.image.topicByName('a.b')!;
    cluster.must({ type: 'deleteTopics', topics: [{ name: 'a.b' }] });
    expect(cluster.createErrors({ name: 'a_b' }), 'no collision any more').to.deep.equal(['ok']);
    cluster.must({ type: 'deleteTopics', topics: [{ name: 'a_b' }] });
    cluster.create({ name: 'a.b' });
    expect(cluster.image.topicByName('a.b')!.id).not.to.equal(id);
    expect(cluster.image.topicConfigs('a.b').size).to.equal(0);
  });
});

describe('adding partitions', () => {
  const add = (
    cluster: TestCluster,
    name: string,
    totalCount: number,
    replicas: readonly (readonly number[])[] = [],
  ) => {
    const first = cluster.image.topicByName(name)?.partitions.length ?? 0;
    const assignments = replicas.map((ids, i) => ({ partition: first + i, replicas: ids }));
    const topics = [{ name, totalCount, assignments }];
    const [result] = cluster.must({ type: 'createPartitions', topics, validateOnly: false }).topics;
    return result!.ok ? 'ok' : result!.error;
  };

  it('keeps those there are and gives the new ones as many replicas', () => {
    const cluster = TestCluster.withBrokers(3);
    cluster.create({ name: 'a', partitionCount: 2, replicationFactor: 2 });
    const before = cluster.image.topicByName('a')!.partitions;
    expect(add(cluster, 'a', 5)).to.equal('ok');
    const after = cluster.image.topicByName('a')!.partitions;
    expect(after.slice(0, 2)).to.deep.equal(before);
    expect(after.map(({ partition }) => partition)).to.deep.equal([0, 1, 2, 3, 4]);
    for (const { replicas } of after) expect(replicas).to.have.length(2);
  });

  it('can only add, for a topic there is, within the limits', () => {
    const cluster = TestCluster.withBrokers(2, { file: 'max.partitions.per.request=10' });
    cluster.create({ name: 'a', partitionCount: 3 });
    expect(add(cluster, 'a', 3)).to.equal('INVALID_PARTITIONS');
    expect(add(cluster, 'a', 2)).to.equal('INVALID_PARTITIONS');
    expect(add(cluster, 'a', 14)).to.equal('POLICY_VIOLATION');
    expect(add(cluster, 'none', 4)).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
    expect(add(cluster, 'a', 5, [[1, 2]])).to.equal('INVALID_REPLICA_ASSIGNMENT');
    expect(add(cluster, 'a', 4, [[1]])).to.equal('INVALID_REPLICA_ASSIGNMENT');
    expect(add(cluster, 'a', 4, [[2, 1]])).to.equal('ok');
    expect(cluster.partition('a', 3).replicas).to.deep.equal([2, 1]);
  });

  it('only validates when only that is asked', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a' });
    const topics = [{ name: 'a', totalCount: 4, assignments: [] }];
    expect(cluster.must({ type: 'createPartitions', topics, validateOnly: true }).topics[0]!.ok).to.equal(
      true,
    );
    expect(cluster.records).to.deep.equal([]);
  });
});

describe('the story of a whole topic', () => {
  it('spreads 12 partitions over 6 brokers in 3 racks, one replica a rack', () => {
    const cluster = TestCluster.withBrokers(6, { rackOf: (id) => `rack-${id % 3}` });
    cluster.create({ name: 'a', partitionCount: 12 });
    const leaders = new Map<BrokerId | -1, number>();
    for (const { replicas, leader } of cluster.image.topicByName('a')!.partitions) {
      expect(new Set(replicas.map((id) => id % 3)).size).to.equal(3);
      leaders.set(leader, (leaders.get(leader) ?? 0) + 1);
    }
    expect([...leaders.values()]).to.deep.equal([2, 2, 2, 2, 2, 2]);
  });
});
