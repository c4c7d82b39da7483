import { expect } from 'chai';
import type { BrokerEpoch, BrokerId, Offset } from '@tidemark/core';
import { CLUSTER_ID, SESSION_MS, TestCluster, uuid } from './cluster.ts';

/** Brokers that are there: heard, caught up. */
function liveCluster(count: number, options?: Parameters<typeof TestCluster.withBrokers>[1]): TestCluster {
  const cluster = TestCluster.withBrokers(count, options);
  for (let id = 1; id <= count; id++) cluster.heartbeat(id);
  return cluster;
}

const states = (response: ReturnType<TestCluster['heartbeat']>) => {
  if (!response.ok) return response.error;
  const { fenced, inControlledShutdown, shouldShutDown } = response.response;
  return [fenced && 'fenced', inControlledShutdown && 'leaving', shouldShutDown && 'may stop']
    .filter((word) => word !== false)
    .join();
};

describe('registering', () => {
  it('is refused to another process while the one before was heard within its session', () => {
    const cluster = liveCluster(2);
    expect(cluster.tryRegister(1)).to.include({ error: 'DUPLICATE_BROKER_REGISTRATION' });
    cluster.nowMs += SESSION_MS - 1;
    expect(cluster.tryRegister(1)).to.include({ error: 'DUPLICATE_BROKER_REGISTRATION' });
    cluster.nowMs += 1;
    expect(cluster.tryRegister(1).ok).to.equal(true);
  });

  it('is open at once when the one before is fenced, or has said that it goes', () => {
    const cluster = liveCluster(2);
    cluster.fence(1);
    expect(cluster.tryRegister(1).ok).to.equal(true);
    cluster.heartbeat(2, { wantShutDown: true });
    expect(cluster.tryRegister(2).ok).to.equal(true);
    expect(cluster.image.broker(2)).to.deep.include({
      inControlledShutdown: false,
      controlledShutdownOffset: -1,
    });
  });

  it('keeps the log folder, and refuses an id that is none', () => {
    const cluster = liveCluster(1);
    expect(cluster.image.broker(1)!.directoryId).to.equal(uuid(1));
    const result = cluster.run({
      type: 'registerBroker',
      clusterId: CLUSTER_ID,
      brokerId: 9 as BrokerId,
      incarnationId: uuid(3),
      endpoints: [],
      rack: '',
      directoryId: 'here',
      previousBrokerEpoch: -1,
      flushPolicy: 'ack',
    });
    expect(result).to.include({ error: 'INVALID_REQUEST' });
  });
});

describe('an unclean restart (rule 8, KIP-966)', () => {
  const assignments = [{ partition: 0, replicas: [1, 2, 3] }];

  it('takes the broker out of the ISR and the ELR of everything', () => {
    const cluster = liveCluster(3);
    cluster.create({ name: 'a', assignments });
    cluster.fence(3);
    cluster.fence(2);
    expect(cluster.partition('a')).to.deep.include({ isr: [1], elr: [2] });
    cluster.register(2, '', 77, -1);
    expect(cluster.partition('a'), 'it may have lost what was committed').to.deep.include({
      isr: [1],
      elr: [],
    });
    cluster.nowMs += SESSION_MS;
    cluster.register(1, '', 78, cluster.image.broker(1)!.epoch - 1);
    expect(cluster.partition('a'), 'the epoch of another incarnation is no proof').to.deep.include({
      isr: [],
      elr: [],
      lastKnownElr: [1],
    });
  });

  it('costs nothing where what counts as held is on disk: a power failure of all leaves all of them eligible', () => {
    const cluster = liveCluster(3);
    cluster.flushPolicy = 'ack';
    cluster.create({ name: 'a', assignments });
    cluster.nowMs += SESSION_MS;
    for (const id of [1, 2, 3]) cluster.register(id, '', 70 + id);
    cluster.heartbeat(3);
    const { leader, isr, leaderRecoveryState } = cluster.partition('a');
    expect({ leader, isr, leaderRecoveryState }).to.deep.equal({
      leader: 3,
      isr: [3],
      leaderRecoveryState: 'recovered',
    });
  });

  it('takes out who comes back on another disk, whatever it says', () => {
    const cluster = liveCluster(3);
    cluster.flushPolicy = 'ack';
    cluster.create({ name: 'a', assignments });
    cluster.fence(3);
    cluster.fence(2);
    cluster.disks.set(2, 99);
    cluster.register(2, '', 77);
    expect(cluster.partition('a')).to.deep.include({ isr: [1], elr: [] });
  });

  it('goes by what the topic or all brokers were told, before what the broker was', () => {
    const cluster = liveCluster(3);
    cluster.flushPolicy = 'ack';
    cluster.create({ name: 'a', assignments, configs: new Map([['flush.policy', 'os']]) });
    cluster.create({ name: 'b', assignments });
    cluster.fence(3);
    cluster.fence(2);
    cluster.register(2, '', 77);
    expect(cluster.partition('a'), 'its records were in the page cache').to.deep.include({
      isr: [1],
      elr: [],
    });
    expect(cluster.partition('b')).to.deep.include({ isr: [1], elr: [2] });
  });

  it('goes by what was set at run time for that very broker, before what all brokers were told', () => {
    const cluster = liveCluster(3);
    cluster.flushPolicy = 'ack';
    cluster.create({ name: 'a', assignments });
    cluster.create({ name: 'b', assignments, configs: new Map([['flush.policy', 'ack']]) });
    const tell = (name: string, value: string) => {
      const resource = { type: 'broker', name } as const;
      const resources = [{ resource, changes: [{ name: 'flush.policy', value }] }];
      cluster.must({ type: 'alterConfigs', resources, validateOnly: false });
    };
    tell('', 'ack');
    tell('2', 'os');
    cluster.fence(3);
    cluster.fence(2);
    cluster.register(2, '', 77);
    expect(cluster.partition('a'), 'its records were in the page cache').to.deep.include({
      isr: [1],
      elr: [],
    });
    expect(cluster.partition('b'), 'what the topic says comes first').to.deep.include({ isr: [1], elr: [2] });
    tell('', 'os');
    tell('3', 'ack');
    cluster.create({ name: 'c', assignments: [{ partition: 0, replicas: [1] }] });
    cluster.nowMs += SESSION_MS;
    cluster.register(1, '', 78);
    expect(cluster.partition('c'), 'nothing else was told this one').to.deep.include({ isr: [], elr: [] });
  });

  it('a clean one keeps it eligible', () => {
    const cluster = liveCluster(3);
    cluster.create({ name: 'a', assignments });
    cluster.fence(3);
    cluster.fence(2);
    cluster.register(2, '', 77, cluster.image.broker(2)!.epoch);
    expect(cluster.partition('a')).to.deep.include({ isr: [1], elr: [2] });
    cluster.fence(1);
    cluster.heartbeat(2);
    expect(cluster.partition('a')).to.deep.include({ leader: 2, isr: [2], elr: [1] });
  });

  it('of the last replica that had everything: it leads again, and the image says that records may be gone', () => {
    const cluster = liveCluster(3);
    cluster.create({ name: 'a', assignments });
    for (const id of [3, 2, 1]) cluster.fence(id);
    cluster.register(2, '', 77);
    cluster.register(1, '', 78);
    expect(cluster.partition('a')).to.deep.include({ leader: -1, isr: [], elr: [], lastKnownElr: [1] });
    cluster.heartbeat(2);
    expect(cluster.partition('a'), '2 was not the last leader').to.deep.include({ leader: -1 });
    cluster.heartbeat(1);
    expect(cluster.partition('a')).to.deep.include({
      leader: 1,
      isr: [1],
      leaderRecoveryState: 'recovering',
    });
  });

  it('on an empty disk, of the last replica that had everything: whoever else has records leads before it', () => {
    const cluster = liveCluster(3);
    cluster.flushPolicy = 'ack';
    cluster.create({ name: 'a', assignments: [{ partition: 0, replicas: [1, 2] }] });
    cluster.create({ name: 'b', assignments: [{ partition: 0, replicas: [1] }] });
    cluster.fence(2);
    cluster.heartbeat(2);
    expect(cluster.partition('a'), 'one is enough of two').to.deep.include({ leader: 1, isr: [1], elr: [] });
    cluster.disks.set(1, 99);
    cluster.nowMs += SESSION_MS;
    for (const id of [2, 3]) cluster.heartbeat(id);
    cluster.register(1, '', 77);
    cluster.heartbeat(1);
    cluster.doDuties();
    expect(cluster.partition('a'), '1 would cut 2 down to nothing').to.deep.include({
      leader: 2,
      isr: [2],
      leaderRecoveryState: 'recovering',
    });
    expect(cluster.partition('b'), 'there is nobody else').to.deep.include({ leader: 1, isr: [1] });
  });

  it('on an empty disk, of a last leader that everybody waited for, ends the waiting', () => {
    const cluster = liveCluster(3);
    cluster.create({ name: 'a', assignments });
    for (const id of [3, 2, 1]) cluster.fence(id);
    cluster.register(2, '', 77);
    cluster.register(1, '', 78);
    cluster.heartbeat(3);
    expect(cluster.partition('a')).to.deep.include({ leader: -1, isr: [], elr: [], lastKnownElr: [1] });
    cluster.disks.set(1, 99);
    cluster.register(1, '', 79);
    cluster.heartbeat(1);
    cluster.doDuties();
    expect(cluster.partition('a')).to.deep.include({
      leader: 3,
      isr: [3],
      leaderRecoveryState: 'recovering',
    });
  });

  it('is known by its marker even when the broker was fenced in between and everything is settled later', () => {
    const cluster = liveCluster(1);
    for (let batch = 0; batch < 3; batch++) cluster.create({ name: `t${batch}`, partitionCount: 1000 });
    cluster.fence(1);
    expect(cluster.records, 'bounded').to.have.length(1001);
    cluster.register(1, '', 5);
    expect(cluster.image.holdings(1 as BrokerId)).to.include({ inSync: 0, eligible: 0, leads: 0 });
    cluster.heartbeat(1);
    cluster.doDuties();
    expect(cluster.image.holdings(1 as BrokerId)).to.include({ inSync: 3000, leads: 3000 });
  });
});

describe('a heartbeat', () => {
  it('unfences a broker that wants it and has applied its own registration (rule 9, KIP-841)', () => {
    const cluster = liveCluster(1);
    const { brokerEpoch } = cluster.register(2);
    expect(states(cluster.heartbeat(2, { wantFence: true }))).to.equal('fenced');
    const behind = cluster.heartbeat(2, { appliedOffset: brokerEpoch as number as Offset });
    expect(states(behind), 'its own record is the next').to.equal('fenced');
    expect(behind).to.have.nested.property('response.caughtUp', false);
    const caughtUp = cluster.heartbeat(2, { appliedOffset: (brokerEpoch + 1) as Offset });
    expect(states(caughtUp)).to.equal('');
    expect(caughtUp).to.have.nested.property('response.caughtUp', true);
    expect(cluster.image.broker(2)!.fenced).to.equal(false);
    expect(states(cluster.heartbeat(2))).to.equal('');
    expect(cluster.records, 'no news').to.have.length(0);
    expect(states(cluster.heartbeat(2, { wantFence: true }))).to.equal('fenced');
    expect(cluster.image.broker(2)!.fenced).to.equal(true);
  });

  it('of an earlier incarnation, or of a stranger, is refused and changes nothing', () => {
    const cluster = liveCluster(2);
    const brokerEpoch = (cluster.image.broker(1)!.epoch - 1) as BrokerEpoch;
    expect(states(cluster.heartbeat(1, { brokerEpoch, wantFence: true }))).to.equal('STALE_BROKER_EPOCH');
    expect(states(cluster.heartbeat(9))).to.equal('BROKER_ID_NOT_REGISTERED');
    expect(cluster.image.broker(1)!.fenced).to.equal(false);
  });

  it('does not unfence a broker before everything it led has gone to others', () => {
    const cluster = liveCluster(2);
    cluster.create({ name: 'a', partitionCount: 3000, replicationFactor: 2 });
    cluster.fence(1);
    const unsettled = cluster.image.holdings(1 as BrokerId).inSync;
    expect(unsettled).to.equal(2000);
    expect(states(cluster.heartbeat(1))).to.equal('fenced');
    expect(cluster.doDuties()).to.deep.equal(['settlePartitions', 'settlePartitions']);
    expect(states(cluster.heartbeat(1))).to.equal('');
  });
});

describe('controlled shutdown (rule 13)', () => {
  const assignments = [
    { partition: 0, replicas: [1, 2, 3] },
    { partition: 1, replicas: [2, 1, 3] },
  ];
  const leave = { wantShutDown: true };

  it('moves leaders away, leaves ISRs, and releases the broker once every live one has seen that', () => {
    const cluster = liveCluster(3);
    cluster.create({ name: 'a', assignments });
    expect(states(cluster.heartbeat(1, leave))).to.equal('leaving');
    expect(cluster.image.broker(1)).to.include({ fenced: false, inControlledShutdown: true });
    expect(cluster.partition('a', 0)).to.deep.include({ leader: 2, isr: [2, 3], elr: [] });
    expect(cluster.partition('a', 1)).to.deep.include({ leader: 2, isr: [2, 3], leaderEpoch: 0 });
    const moved = cluster.image.broker(1)!.controlledShutdownOffset;
    expect(moved, 'the last record that took something from it').to.equal(cluster.image.offset);
    expect(states(cluster.heartbeat(1, leave)), 'the others have not seen it').to.equal('leaving');
    cluster.heartbeat(2);
    cluster.heartbeat(3, { appliedOffset: moved as Offset });
    expect(states(cluster.heartbeat(1, leave)), '3 is one record behind').to.equal('leaving');
    cluster.heartbeat(3, { appliedOffset: (moved + 1) as Offset });
    expect(states(cluster.heartbeat(1, leave))).to.equal('fenced,may stop');
    expect(cluster.image.broker(1)).to.include({ fenced: true, inControlledShutdown: true });
    expect(states(cluster.heartbeat(1, leave)), 'the answer may have got lost').to.equal('fenced,may stop');
  });

  it('does not wait for brokers that are gone', () => {
    const cluster = liveCluster(3);
    cluster.create({ name: 'a', assignments });
    cluster.heartbeat(1, leave);
    cluster.heartbeat(2);
    cluster.nowMs += SESSION_MS - 1;
    cluster.heartbeat(2);
    cluster.heartbeat(1, leave);
    expect(states(cluster.heartbeat(1, leave)), 'the session of 3 still runs').to.equal('leaving');
    cluster.nowMs += 1;
    expect(states(cluster.heartbeat(1, leave))).to.equal('fenced,may stop');
  });

  it('takes as long as the moves take when they are many', () => {
    const cluster = liveCluster(2);
    cluster.create({ name: 'a', partitionCount: 5000, replicationFactor: 2 });
    cluster.heartbeat(1, leave);
    cluster.heartbeat(2);
    expect(states(cluster.heartbeat(1, leave)), 'it still leads').to.equal('leaving');
    cluster.doDuties();
    expect(states(cluster.heartbeat(1, leave)), '2 has to see the last of them').to.equal('leaving');
    cluster.heartbeat(2);
    expect(states(cluster.heartbeat(1, leave))).to.equal('fenced,may stop');
  });

  it('of the only broker stops its partitions, and they are led again, without loss, by its next incarnation', () => {
    const cluster = liveCluster(1);
    cluster.create({ name: 'a' });
    cluster.heartbeat(1, leave);
    expect(cluster.partition('a')).to.deep.include({ leader: -1, isr: [], elr: [1] });
    expect(states(cluster.heartbeat(1, leave))).to.equal('fenced,may stop');
    cluster.register(1, '', 99, cluster.image.broker(1)!.epoch);
    expect(states(cluster.heartbeat(1))).to.equal('');
    expect(cluster.partition('a')).to.deep.include({ leader: 1, isr: [1], leaderRecoveryState: 'recovered' });
  });

  it('keeps the broker out: it gets no new replicas to lead, and is not unfenced', () => {
    const cluster = liveCluster(3);
    cluster.heartbeat(1, leave);
    expect(cluster.createErrors({ name: 'a', replicationFactor: 3 })).to.deep.equal([
      'INVALID_REPLICATION_FACTOR',
    ]);
    cluster.create({ name: 'b', partitionCount: 10, replicationFactor: 2 });
    expect(cluster.image.holdings(1 as BrokerId).replicas).to.equal(0);
    cluster.create({ name: 'c', assignments: [{ partition: 0, replicas: [1, 2] }] });
    expect(cluster.partition('c')).to.deep.include({ leader: 2, isr: [2] });
    cluster.fence(1);
    expect(states(cluster.heartbeat(1))).to.equal('fenced,may stop');
  });
});
