import { expect } from 'chai';
import type { ElectLeadersCommand } from '@tidemark/controller';
import type { BrokerId } from '@tidemark/core';
import { TestCluster } from './cluster.ts';

function liveCluster(count: number, file = ''): TestCluster {
  const cluster = TestCluster.withBrokers(count, { file });
  for (let id = 1; id <= count; id++) cluster.heartbeat(id);
  return cluster;
}

/** The leader proposes all replicas that are active. */
function catchUp(cluster: TestCluster, topic: string): void {
  const { id: topicId, partitions } = cluster.image.topicByName(topic)!;
  for (const { partition, leader, leaderEpoch, partitionEpoch, replicas } of partitions) {
    if (leader === -1) continue;
    const brokerEpoch = cluster.image.broker(leader)!.epoch;
    const newIsr = replicas
      .filter((id) => cluster.image.isActive(id))
      .map((brokerId) => ({ brokerId, brokerEpoch: cluster.image.broker(brokerId)!.epoch }));
    const proposal = { topicId, partition, leaderEpoch, partitionEpoch, newIsr };
    cluster.must({ type: 'alterPartition', brokerId: leader, brokerEpoch, partitions: [proposal] });
  }
}

type Options = Omit<ElectLeadersCommand, 'type' | 'election'>;

function elect(cluster: TestCluster, election: 'preferred' | 'unclean', options: Options = {}) {
  return cluster
    .must({ type: 'electLeaders', election, ...options })
    .partitions.map((result) => `${result.topic}-${result.partition} ${result.ok ? 'ok' : result.error}`);
}

const bounce = (cluster: TestCluster, id: number) => {
  cluster.fence(id);
  cluster.heartbeat(id);
};

describe('electing preferred leaders (KIP-460)', () => {
  it('gives each partition its answer', () => {
    const cluster = liveCluster(3);
    const assignments = [
      { partition: 0, replicas: [1, 2] },
      { partition: 1, replicas: [2, 3] },
      { partition: 2, replicas: [1, 3] },
    ];
    cluster.create({ name: 'a', assignments });
    bounce(cluster, 1);
    const partitions = [0, 1, 2, 3, 0].map((partition) => ({ topic: 'a', partition }));
    expect(elect(cluster, 'preferred', { partitions: partitions.slice(0, 3) })).to.deep.equal([
      'a-0 PREFERRED_LEADER_NOT_AVAILABLE',
      'a-1 ELECTION_NOT_NEEDED',
      'a-2 PREFERRED_LEADER_NOT_AVAILABLE',
    ]);
    expect(cluster.records).to.have.length(0);
    catchUp(cluster, 'a');
    expect(elect(cluster, 'preferred', { partitions })).to.deep.equal([
      'a-0 ok',
      'a-1 ELECTION_NOT_NEEDED',
      'a-2 ok',
      'a-3 UNKNOWN_TOPIC_OR_PARTITION',
      'a-0 INVALID_REQUEST',
    ]);
    expect(cluster.partition('a', 0)).to.include({ leader: 1, leaderEpoch: 2 });
  });

  it('for all partitions answers only for those that needed one', () => {
    const cluster = liveCluster(2);
    cluster.create({ name: 'a', partitionCount: 10, replicationFactor: 2 });
    bounce(cluster, 1);
    catchUp(cluster, 'a');
    const answers = elect(cluster, 'preferred');
    expect(answers).to.have.length(5);
    expect(answers.every((answer) => answer.endsWith(' ok'))).to.equal(true);
    expect(elect(cluster, 'preferred')).to.deep.equal([]);
  });
});

describe('electing a leader at the price of records', () => {
  it('happens when an operator asks for it, and only without a leader', () => {
    const cluster = liveCluster(2);
    cluster.create({ name: 'a', assignments: [{ partition: 0, replicas: [1, 2] }] });
    cluster.fence(2);
    const all = { partitions: [{ topic: 'a', partition: 0 }] };
    expect(elect(cluster, 'unclean', all)).to.deep.equal(['a-0 ELECTION_NOT_NEEDED']);
    cluster.fence(1);
    expect(elect(cluster, 'unclean', all)).to.deep.equal(['a-0 ELIGIBLE_LEADERS_NOT_AVAILABLE']);
    cluster.heartbeat(2);
    expect(cluster.partition('a')).to.deep.include({ leader: -1, elr: [1] });
    expect(elect(cluster, 'unclean', all)).to.deep.equal(['a-0 ok']);
    expect(cluster.partition('a')).to.deep.include({
      leader: 2,
      isr: [2],
      elr: [],
      leaderRecoveryState: 'recovering',
    });
  });

  it('happens by itself where unclean.leader.election.enable says so, for the topic or for all', () => {
    const cluster = liveCluster(2);
    const assignments = [{ partition: 0, replicas: [1, 2] }];
    cluster.create({ name: 'a', assignments }, { name: 'b', assignments }, { name: 'c', assignments });
    cluster.fence(2);
    cluster.fence(1);
    const allow = (resource: { type: 'topic' | 'broker'; name: string }, value: string) => {
      const changes = [{ name: 'unclean.leader.election.enable', value }];
      const command = {
        type: 'alterConfigs',
        resources: [{ resource, changes }],
        validateOnly: false,
      } as const;
      return cluster.must(command).resources[0]!;
    };
    allow({ type: 'topic', name: 'a' }, 'true');
    cluster.heartbeat(2);
    const leaders = () => ['a', 'b', 'c'].map((name) => cluster.partition(name).leader);
    expect(leaders()).to.deep.equal([2, -1, -1]);
    allow({ type: 'topic', name: 'c' }, 'false');
    allow({ type: 'broker', name: '' }, 'true');
    cluster.sessions.reset(cluster.image, cluster.nowMs);
    cluster.doDuties();
    expect(leaders(), 'the topic’s own word counts more').to.deep.equal([2, 2, -1]);
    expect(allow({ type: 'broker', name: '1' }, 'true')).to.include({ error: 'INVALID_CONFIG' });
  });
});

describe('min.insync.replicas that changes (rule 7, KIP-966)', () => {
  const set = (cluster: TestCluster, name: string, value: string) =>
    cluster.must({
      type: 'alterConfigs',
      resources: [{ resource: { type: 'topic', name }, changes: [{ name: 'min.insync.replicas', value }] }],
      validateOnly: false,
    });

  it('ends the eligibility of those who may miss what is committed from now on, and of nobody else', () => {
    const cluster = liveCluster(3);
    const assignments = [
      { partition: 0, replicas: [1, 2, 3] },
      { partition: 1, replicas: [2, 3, 1] },
    ];
    cluster.create({ name: 'a', assignments }, { name: 'b', assignments });
    for (const id of [3, 2]) cluster.fence(id);
    expect(cluster.partition('a')).to.deep.include({ isr: [1], elr: [2] });
    set(cluster, 'a', '1');
    expect(cluster.partition('a', 0)).to.deep.include({ isr: [1], elr: [], leaderEpoch: 0 });
    expect(cluster.partition('a', 1)).to.deep.include({ isr: [1], elr: [] });
    expect(cluster.partition('b', 0)).to.deep.include({ isr: [1], elr: [2] });
  });

  it('keeps those of a partition that nobody leads: nothing is committed there', () => {
    const cluster = liveCluster(3);
    cluster.create({ name: 'a', assignments: [{ partition: 0, replicas: [1, 2, 3] }] });
    for (const id of [3, 2, 1]) cluster.fence(id);
    set(cluster, 'a', '1');
    expect(cluster.partition('a')).to.deep.include({ isr: [], elr: [1, 2] });
  });
});

describe('the balance of leaders', () => {
  const file = 'leader.imbalance.check.interval.seconds=60\nleader.imbalance.per.broker.percentage=40';

  it('is looked at every so often, and moves what preferred leaders can take, where it is too much', () => {
    const cluster = liveCluster(2, file);
    cluster.create({ name: 'a', partitionCount: 10, replicationFactor: 2 });
    cluster.pass(1, 1, 2);
    bounce(cluster, 1);
    catchUp(cluster, 'a');
    const led = () => cluster.image.holdings(1 as BrokerId).leads;
    cluster.pass(59_000, 1, 2);
    expect(led(), 'not yet').to.equal(0);
    cluster.pass(2000, 1, 2);
    expect(led()).to.equal(5);
  });

  it('leaves a little imbalance alone, and all of it when it is turned off', () => {
    const cluster = liveCluster(2, file);
    const assignments = [1, 1, 1, 1, 1].map((id, partition) => ({ partition, replicas: [id, 2] }));
    cluster.create({ name: 'a', assignments });
    bounce(cluster, 1);
    catchUp(cluster, 'a');
    const three = { partitions: [0, 1, 2].map((partition) => ({ topic: 'a', partition })) };
    elect(cluster, 'preferred', three);
    cluster.pass(130_000, 1, 2);
    expect(cluster.image.holdings(1 as BrokerId).leads, '2 of 5 are 40 %').to.equal(3);
    const off = liveCluster(2, `${file}\nauto.leader.rebalance.enable=false`);
    off.create({ name: 'a', partitionCount: 10, replicationFactor: 2 });
    bounce(off, 1);
    catchUp(off, 'a');
    off.pass(130_000, 1, 2);
    expect(off.image.holdings(1 as BrokerId).leads).to.equal(0);
  });

  it('goes on soon when one pass was not enough', () => {
    const cluster = liveCluster(2, file);
    cluster.create({ name: 'a', partitionCount: 4000, replicationFactor: 2 });
    cluster.fence(1);
    cluster.pass(1, 2);
    cluster.heartbeat(1);
    catchUp(cluster, 'a');
    cluster.pass(60_000, 1, 2);
    expect(cluster.image.holdings(1 as BrokerId).leads, 'a thousand in the first pass').to.equal(1000);
    cluster.pass(2000, 1, 2);
    expect(cluster.image.holdings(1 as BrokerId).leads).to.equal(2000);
  });
});
