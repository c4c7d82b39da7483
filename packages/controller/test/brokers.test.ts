import { expect } from 'chai';
import type { BrokerEpoch, BrokerId } from '@tidemark/core';
import { CLUSTER_ID, TestCluster, uuid } from './cluster.ts';

const b1 = 1 as BrokerId;

describe('a cluster’s identity', () => {
  it('is given once, and the same again is no news', () => {
    const cluster = new TestCluster();
    expect(cluster.must({ type: 'registerCluster', clusterId: 'x' })).to.deep.equal({
      clusterId: 'x',
      metadataVersion: 1,
    });
    expect(cluster.records).to.have.length(2);
    expect(cluster.image.clusterId).to.equal('x');
    expect(cluster.must({ type: 'registerCluster', clusterId: 'x' }).metadataVersion).to.equal(1);
    expect(cluster.records).to.have.length(0);
  });

  it('keeps a node with the folder of another cluster out', () => {
    const cluster = TestCluster.withBrokers(1);
    expect(cluster.run({ type: 'registerCluster', clusterId: 'other' })).to.include({
      error: 'INCONSISTENT_CLUSTER_ID',
    });
    const register = {
      type: 'registerBroker',
      clusterId: 'other',
      brokerId: b1,
      incarnationId: uuid(1),
      endpoints: [],
      rack: '',
      directoryId: uuid(1),
      previousBrokerEpoch: -1,
      flushPolicy: 'ack',
    } as const;
    expect(cluster.run(register)).to.include({ error: 'INCONSISTENT_CLUSTER_ID' });
    expect(cluster.run({ ...register, clusterId: CLUSTER_ID, incarnationId: 'x' })).to.include({
      error: 'INVALID_REQUEST',
    });
    expect(cluster.run({ type: 'registerCluster', clusterId: '' })).to.include({ error: 'INVALID_REQUEST' });
  });
});

describe('a broker', () => {
  it('gets a new, higher epoch with each incarnation, and the same one when it repeats itself', () => {
    const cluster = TestCluster.withBrokers(0);
    const first = cluster.register(1, 'rack', 7);
    expect(cluster.image.broker(1)).to.deep.include({
      id: 1,
      epoch: first.brokerEpoch,
      rack: 'rack',
      fenced: true,
    });
    expect(first.brokerEpoch, 'the offset of its record').to.equal(cluster.image.offset);
    expect(cluster.register(1, 'rack', 7)).to.deep.equal(first);
    expect(cluster.records).to.have.length(0);
    const second = cluster.register(1, 'rack', 8);
    expect(second.brokerEpoch).to.be.above(first.brokerEpoch);
  });

  it('of an earlier incarnation has no say any more', () => {
    const cluster = TestCluster.withBrokers(1);
    const stale = cluster.image.broker(1)!.epoch;
    cluster.start(1);
    for (const type of ['fenceBroker', 'unfenceBroker', 'allocateProducerIds'] as const) {
      expect(cluster.run({ type, brokerId: b1, brokerEpoch: stale })).to.include({
        error: 'STALE_BROKER_EPOCH',
      });
      expect(cluster.run({ type, brokerId: 9 as BrokerId, brokerEpoch: stale })).to.include({
        error: 'BROKER_ID_NOT_REGISTERED',
      });
    }
  });

  it('that is fenced leaves the in-sync replicas, and its partitions get leaders from those that remain', () => {
    const cluster = TestCluster.withBrokers(3);
    const assignments = [
      { partition: 0, replicas: [1, 2, 3] },
      { partition: 1, replicas: [2, 1, 3] },
    ];
    cluster.create({ name: 'a', assignments });
    cluster.fence(1);
    expect(cluster.partition('a', 0)).to.deep.include({
      leader: 2,
      isr: [2, 3],
      leaderEpoch: 1,
      partitionEpoch: 1,
    });
    expect(cluster.partition('a', 1), 'its leader stays').to.deep.include({
      leader: 2,
      isr: [2, 3],
      leaderEpoch: 0,
      partitionEpoch: 1,
    });
  });

  it('that was the last in sync stays eligible, because it surely has every record', () => {
    const cluster = TestCluster.withBrokers(3);
    cluster.create({ name: 'a', assignments: [{ partition: 0, replicas: [1, 2, 3] }] });
    cluster.fence(3);
    cluster.fence(2);
    expect(cluster.partition('a'), 'below min.insync.replicas').to.deep.include({ isr: [1], elr: [2] });
    cluster.fence(1);
    expect(cluster.partition('a')).to.deep.include({ leader: -1, isr: [], elr: [1, 2], lastKnownElr: [1] });
    cluster.start(3);
    expect(cluster.partition('a'), '3 is back, but left in sync before').to.deep.include({
      leader: -1,
      isr: [],
    });
    const { epoch } = cluster.image.broker(1)!;
    cluster.must({ type: 'unfenceBroker', brokerId: b1, brokerEpoch: epoch });
    expect(cluster.partition('a')).to.deep.include({ leader: 1, isr: [1], elr: [2], lastKnownElr: [] });
    expect(cluster.partition('a').leaderRecoveryState).to.equal('recovered');
  });

  it('alone in its cluster leads again after a restart, under a higher leader epoch', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a', partitionCount: 2 });
    cluster.register(1, '', 7, cluster.image.broker(1)!.epoch);
    expect(cluster.partition('a', 1)).to.deep.include({ leader: -1, isr: [], elr: [1], leaderEpoch: 1 });
    const { id, epoch } = cluster.image.broker(1)!;
    cluster.must({ type: 'unfenceBroker', brokerId: id, brokerEpoch: epoch });
    expect(cluster.partition('a', 1)).to.deep.include({
      leader: 1,
      isr: [1],
      leaderEpoch: 2,
      partitionEpoch: 2,
    });
    expect(cluster.must({ type: 'unfenceBroker', brokerId: id, brokerEpoch: epoch })).to.deep.equal({
      fenced: false,
    });
    expect(cluster.records, 'unfenced already').to.have.length(0);
  });
});

describe('producer ids', () => {
  it('come in blocks of 1000 that never overlap, whoever asks', () => {
    const cluster = TestCluster.withBrokers(2);
    const allocate = (id: number) => {
      const brokerEpoch: BrokerEpoch = cluster.image.broker(id)!.epoch;
      return cluster.must({ type: 'allocateProducerIds', brokerId: id as BrokerId, brokerEpoch });
    };
    expect(
      [allocate(1), allocate(2), allocate(1)].map(({ firstProducerId }) => firstProducerId),
    ).to.deep.equal([0, 1000, 2000]);
    expect(allocate(2).length).to.equal(1000);
  });
});
