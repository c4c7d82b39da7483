import { expect } from 'chai';
import type { BrokerId } from '@tidemark/core';
import { SESSION_MS, TestCluster } from './cluster.ts';

const unregister = (cluster: TestCluster, id: number) =>
  cluster.run({ type: 'unregisterBroker', brokerId: id as BrokerId });

/** Brokers 1 to 4 heard, with a topic on the first three. */
function clusterOfFour(): TestCluster {
  const cluster = TestCluster.withBrokers(4);
  for (const id of [1, 2, 3, 4]) cluster.heartbeat(id);
  cluster.create({ name: 'orders', assignments: [{ partition: 0, replicas: [3, 1, 2] }] });
  return cluster;
}

describe('unregistering a broker', () => {
  it('takes one that is gone and has nothing out of the list, with its own configuration', () => {
    const cluster = clusterOfFour();
    cluster.must({
      type: 'alterConfigs',
      resources: [
        {
          resource: { type: 'broker', name: '4' },
          changes: [{ name: 'leader.replication.throttled.rate', value: '1000' }],
        },
      ],
      validateOnly: false,
    });
    expect(cluster.image.brokerConfigs(4 as BrokerId).size).to.equal(1);
    cluster.pass(SESSION_MS + 1, 1, 2, 3);
    expect(unregister(cluster, 4).ok).to.equal(true);
    expect(cluster.image.brokers().map(({ id }) => id)).to.deep.equal([1, 2, 3]);
    expect(cluster.image.brokerConfigs(4 as BrokerId).size).to.equal(0);
    expect(unregister(cluster, 4)).to.include({ error: 'BROKER_ID_NOT_REGISTERED' });
  });

  it('is refused while it is not fenced, and while it is heard although it is', () => {
    const cluster = clusterOfFour();
    expect(unregister(cluster, 4)).to.include({ error: 'INVALID_REQUEST' });
    // It stops in an orderly way: fenced at once, and heard a moment ago.
    cluster.heartbeat(4, { wantFence: true, wantShutDown: true });
    expect(cluster.image.broker(4)!.fenced).to.equal(true);
    const heard = unregister(cluster, 4);
    expect(heard).to.include({ error: 'INVALID_REQUEST' });
    expect(heard.ok ? '' : heard.message).to.contain('was heard a moment ago');
    // Nobody listens at its address any more: the session need not run out.
    cluster.sessions.refused(4 as BrokerId, cluster.nowMs);
    expect(unregister(cluster, 4).ok).to.equal(true);
  });

  it('is refused while it has replicas, leading or not, in sync or not', () => {
    const cluster = clusterOfFour();
    cluster.pass(SESSION_MS + 1, 1, 2, 4);
    expect(cluster.partition('orders').isr).not.to.include(3);
    const refused = unregister(cluster, 3);
    expect(refused).to.deep.include({
      error: 'INVALID_REQUEST',
      message: 'Broker 3 has 1 replica, of orders. Move them to other brokers first.',
    });
    // Also while the move away from it is under way.
    cluster.must({
      type: 'reassignPartitions',
      partitions: [{ topic: 'orders', partition: 0, replicas: [4, 1, 2] }],
      allowReplicationFactorChange: false,
    });
    expect(unregister(cluster, 3)).to.include({ error: 'INVALID_REQUEST' });
    expect(cluster.image.broker(3)).not.to.equal(undefined);
  });

  it('keeps a process out that still runs as that broker, and lets the id begin anew', () => {
    const cluster = clusterOfFour();
    const before = cluster.image.broker(4)!.epoch;
    cluster.pass(SESSION_MS + 1, 1, 2, 3);
    expect(unregister(cluster, 4).ok).to.equal(true);
    expect(cluster.heartbeat(4)).to.include({ error: 'BROKER_ID_NOT_REGISTERED' });
    const { brokerEpoch } = cluster.register(4);
    expect(brokerEpoch).to.be.above(before);
    expect(cluster.run({ type: 'fenceBroker', brokerId: 4 as BrokerId, brokerEpoch: before })).to.include({
      error: 'STALE_BROKER_EPOCH',
    });
  });

  it('while it is in controlled shutdown leaves nothing of that behind', () => {
    const cluster = clusterOfFour();
    cluster.heartbeat(4, { wantShutDown: true });
    cluster.fence(4);
    cluster.pass(SESSION_MS + 1, 1, 2, 3);
    expect(unregister(cluster, 4).ok).to.equal(true);
    cluster.create({ name: 'more', partitionCount: 6, replicationFactor: 3 });
    cluster.register(4);
    expect(cluster.image.broker(4)).to.deep.include({
      ...{ inControlledShutdown: false, controlledShutdownOffset: -1 },
    });
  });
});
