import { expect } from 'chai';
import { duties, FIRST_DUTIES, MAX_SETTLED_PARTITIONS } from '@tidemark/controller';
import type { BrokerId } from '@tidemark/core';
import { SESSION_MS, TestCluster } from './cluster.ts';

function liveCluster(count: number): TestCluster {
  const cluster = TestCluster.withBrokers(count);
  for (let id = 1; id <= count; id++) cluster.heartbeat(id);
  return cluster;
}

const ask = (cluster: TestCluster, state = FIRST_DUTIES) =>
  duties(cluster.image, cluster.sessions, cluster.nowMs, cluster.config, state);

describe('the duties of the active controller', () => {
  it('are to fence who was not heard, at the end of the session and not before', () => {
    const cluster = liveCluster(3);
    cluster.nowMs += 1000;
    cluster.heartbeat(1);
    expect(ask(cluster).commands).to.deep.equal([]);
    expect(ask(cluster).nextAtMs, 'when the first session ends').to.equal(cluster.nowMs - 1000 + SESSION_MS);
    cluster.nowMs += SESSION_MS - 1000;
    const { epoch } = cluster.image.broker(2)!;
    expect(ask(cluster).commands[0]).to.deep.equal({ type: 'fenceBroker', brokerId: 2, brokerEpoch: epoch });
    expect(cluster.doDuties()).to.deep.equal(['fenceBroker', 'fenceBroker']);
    expect(cluster.image.brokers().map(({ fenced }) => fenced)).to.deep.equal([false, true, true]);
    expect(ask(cluster).nextAtMs, 'the fenced ones count no more').to.equal(cluster.nowMs + 1000);
  });

  it('fence nobody for the length of a session after a change of controllers', () => {
    const cluster = liveCluster(2);
    cluster.nowMs += 10 * SESSION_MS;
    cluster.sessions.reset(cluster.image, cluster.nowMs);
    expect(cluster.doDuties()).to.deep.equal([]);
    cluster.nowMs += SESSION_MS;
    expect(cluster.doDuties()).to.deep.equal(['fenceBroker', 'fenceBroker']);
  });

  it('go on with many partitions in bounded steps, until there is nothing left', () => {
    const cluster = liveCluster(3);
    cluster.create({ name: 'a', partitionCount: 3500, replicationFactor: 3 });
    cluster.fence(1);
    const counts = [cluster.records.length];
    for (;;) {
      const { commands, nextAtMs } = ask(cluster);
      if (commands.length === 0) break;
      expect(nextAtMs, 'at once').to.equal(cluster.nowMs);
      cluster.must(commands[0]!);
      counts.push(cluster.records.length);
    }
    expect(counts).to.deep.equal([1 + MAX_SETTLED_PARTITIONS, 1000, 1000, 500]);
    expect(cluster.image.holdings(1 as BrokerId)).to.include({ inSync: 0, leads: 0 });
  });

  it('bring back partitions without a leader when one may lead again, in bounded steps', () => {
    const cluster = liveCluster(1);
    cluster.create({ name: 'a', partitionCount: 2500 });
    cluster.fence(1);
    cluster.doDuties();
    expect(ask(cluster).commands, 'nobody is there: nothing to do').to.deep.equal([]);
    cluster.heartbeat(1);
    expect(cluster.records).to.have.length(1001);
    expect(cluster.doDuties()).to.deep.equal(['settlePartitions', 'settlePartitions']);
    expect(cluster.image.holdings(1 as BrokerId).leads).to.equal(2500);
  });
});
