import { expect } from 'chai';
import { topicIdFromBytes, type BrokerEpoch, type BrokerId, type PartitionIndex } from '@tidemark/core';
import { TestCluster } from './cluster.ts';

const b = (id: number) => id as BrokerId;

/** Topic a has replicas 1, 2 and 3; two must be in sync. */
function cluster3(): TestCluster {
  const cluster = TestCluster.withBrokers(3, { file: 'min.insync.replicas=2' });
  for (const id of [1, 2, 3]) cluster.heartbeat(id);
  cluster.create({ name: 'a', assignments: [{ partition: 0, replicas: [1, 2, 3] }] });
  return cluster;
}

/** Broker `id` cannot open its replica of partition 0; answers how many partitions changed. */
function report(cluster: TestCluster, id: number, topics = ['a']): number {
  const partitions = topics.map((name) => {
    const topicId = cluster.image.topicByName(name)?.id ?? topicIdFromBytes(new Uint8Array(16));
    return { topicId, partition: 0 as PartitionIndex };
  });
  const brokerEpoch = cluster.image.broker(id)!.epoch;
  return cluster.must({ type: 'reportOfflineReplicas', brokerId: b(id), brokerEpoch, partitions }).changed;
}

describe('a broker that cannot open a replica', () => {
  it('leads no more where another one is in sync, and is neither in sync nor eligible', () => {
    const cluster = cluster3();
    expect(report(cluster, 1)).to.equal(1);
    expect(cluster.partition('a')).to.include({
      leader: 2,
      leaderEpoch: 1,
      leaderRecoveryState: 'recovered',
    });
    expect(cluster.partition('a')).to.deep.include({ isr: [2, 3], elr: [] });
    expect(report(cluster, 1), 'told again').to.equal(0);
    expect(report(cluster, 2)).to.equal(1);
    expect(cluster.partition('a')).to.deep.include({ isr: [3], elr: [], leader: 3 });
  });

  it('leaves the in-sync replicas as a follower, and its leader keeps its epoch', () => {
    const cluster = cluster3();
    expect(report(cluster, 3)).to.equal(1);
    expect(cluster.partition('a')).to.deep.include({ isr: [1, 2], elr: [], leader: 1, leaderEpoch: 0 });
  });

  it('makes room for an eligible replica when nobody else is in sync', () => {
    const cluster = cluster3();
    cluster.fence(2);
    cluster.fence(3);
    expect(cluster.partition('a')).to.deep.include({ isr: [1], elr: [3], leader: 1 });
    expect(report(cluster, 1), 'nobody is there').to.equal(0);
    expect(cluster.partition('a')).to.deep.include({ isr: [1], elr: [3], leader: 1 });
    cluster.heartbeat(3);
    expect(report(cluster, 1), 'told again').to.equal(1);
    expect(cluster.partition('a')).to.deep.include({ isr: [3], elr: [], leader: 3 });
  });

  it('leaves the eligible replicas, so that it is not elected with what it lacks', () => {
    const cluster = cluster3();
    cluster.fence(2);
    cluster.fence(3);
    cluster.heartbeat(3);
    expect(report(cluster, 3)).to.equal(1);
    expect(cluster.partition('a')).to.deep.include({ isr: [1], elr: [], leader: 1 });
    cluster.fence(1);
    expect(cluster.partition('a')).to.deep.include({ isr: [], elr: [1], leader: -1 });
  });

  it('stays where nobody else may lead without loss, also where that would be allowed', () => {
    const cluster = TestCluster.withBrokers(2, { file: 'unclean.leader.election.enable=true' });
    for (const id of [1, 2]) cluster.heartbeat(id);
    cluster.create({ name: 'a', assignments: [{ partition: 0, replicas: [1, 2] }] });
    cluster.create({ name: 'alone', assignments: [{ partition: 0, replicas: [1] }] });
    expect(report(cluster, 2)).to.equal(1);
    expect(report(cluster, 1, ['a', 'alone'])).to.equal(0);
    expect(cluster.partition('a')).to.deep.include({ isr: [1], leader: 1 });
    expect(cluster.partition('alone')).to.deep.include({ isr: [1], leader: 1 });
  });

  it('comes back when its leader proposes it', () => {
    const cluster = cluster3();
    report(cluster, 1);
    cluster.must({ type: 'balanceLeaders' });
    cluster.must({ type: 'electLeaders', election: 'preferred' });
    cluster.doDuties();
    expect(cluster.partition('a').leader, 'out of sync it is not preferred').to.equal(2);
    const { leaderEpoch, partitionEpoch, partition } = cluster.partition('a');
    const newIsr = [1, 2, 3].map((id) => ({ brokerId: b(id), brokerEpoch: cluster.image.broker(id)!.epoch }));
    const proposal = { topicId: cluster.image.topicByName('a')!.id, partition, leaderEpoch, partitionEpoch };
    cluster.must({
      type: 'alterPartition',
      brokerId: b(2),
      brokerEpoch: cluster.image.broker(2)!.epoch,
      partitions: [{ ...proposal, newIsr }],
    });
    expect(cluster.partition('a').isr).to.deep.equal([1, 2, 3]);
  });

  it('is refused from an earlier incarnation; what is gone or named twice is passed over', () => {
    const cluster = cluster3();
    const brokerEpoch = (cluster.image.broker(1)!.epoch - 1) as BrokerEpoch;
    const command = { type: 'reportOfflineReplicas', brokerId: b(1), brokerEpoch, partitions: [] } as const;
    expect(cluster.run(command)).to.include({ error: 'STALE_BROKER_EPOCH' });
    expect(report(cluster, 1, ['gone', 'a', 'a'])).to.equal(1);
  });
});
