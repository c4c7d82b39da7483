import { expect } from 'chai';
import { BrokerSessions, RecentRefusals } from '@tidemark/controller';
import type { BrokerEpoch, BrokerId, Offset } from '@tidemark/core';
import { TestCluster } from './cluster.ts';

const b = (id: number) => id as BrokerId;
const epoch = (value: number) => value as BrokerEpoch;
const offset = (value: number) => value as Offset;

describe('broker sessions', () => {
  it('last their length from the last sign of life, and not a millisecond longer', () => {
    const sessions = new BrokerSessions(9000);
    expect(sessions.isAlive(b(1), 0), 'never heard').to.equal(false);
    sessions.touch(b(1), epoch(5), 100);
    sessions.touch(b(2), epoch(6), 200);
    expect(sessions.isAlive(b(1), 9099)).to.equal(true);
    expect(sessions.expired(9099)).to.deep.equal([]);
    expect(sessions.nextDeadlineMs(100)).to.equal(9100);
    expect(sessions.isAlive(b(1), 9100)).to.equal(false);
    expect(sessions.expired(9100)).to.deep.equal([1]);
    expect(sessions.nextDeadlineMs(9100), 'that of the other').to.equal(9200);
    sessions.touch(b(1), epoch(5), 9100);
    expect(sessions.isAlive(b(1), 9100)).to.equal(true);
    expect(sessions.expired(20_000)).to.deep.equal([1, 2]);
    expect(sessions.nextDeadlineMs(20_000)).to.equal(undefined);
  });

  it('remember what the present incarnation has applied, and nothing an earlier one says', () => {
    const sessions = new BrokerSessions(9000);
    sessions.touch(b(1), epoch(5), 0, offset(7));
    sessions.touch(b(1), epoch(5), 1);
    expect(sessions.appliedOffset(b(1))).to.equal(7);
    sessions.touch(b(1), epoch(9), 2);
    expect(sessions.appliedOffset(b(1)), 'a new incarnation has applied nothing').to.equal(undefined);
    sessions.touch(b(1), epoch(5), 5000, offset(8));
    expect(sessions.appliedOffset(b(1))).to.equal(undefined);
    expect(sessions.deadlineMs(b(1)), 'not prolonged by the earlier one').to.equal(9002);
  });

  it('are full again for all who are not fenced when a controller becomes active', () => {
    const cluster = TestCluster.withBrokers(3);
    cluster.fence(3);
    const sessions = new BrokerSessions(9000);
    sessions.touch(b(3), cluster.image.broker(3)!.epoch, 0, offset(1));
    sessions.reset(cluster.image, 10_000);
    expect([1, 2, 3].map((id) => sessions.isAlive(b(id), 18_999))).to.deep.equal([true, true, false]);
    expect(sessions.expired(19_000)).to.deep.equal([1, 2]);
    expect(sessions.appliedOffset(b(3))).to.equal(undefined);
  });

  it('let the broker of the controller’s own process register at once after a restart', () => {
    const cluster = TestCluster.withBrokers(2);
    const sessions = new BrokerSessions(9000);
    sessions.reset(cluster.image, 0, { self: b(1) });
    expect(sessions.isAlive(b(1), 1), 'nobody else can be it').to.equal(false);
    expect(sessions.isAlive(b(2), 1)).to.equal(true);
    expect(sessions.expired(8999), 'and yet it is not fenced before its time').to.deep.equal([]);
    sessions.touch(b(1), cluster.image.broker(1)!.epoch, 5);
    expect(sessions.isAlive(b(1), 6), 'it was heard: it is no leftover').to.equal(true);
  });

  it('end before their time when a silent broker refuses connections, and then only', () => {
    const cluster = TestCluster.withBrokers(2);
    const sessions = new BrokerSessions(9000, 500);
    sessions.reset(cluster.image, 0);
    const { epoch: first } = cluster.image.broker(1)!;
    expect(sessions.refused(b(1), 1000), 'once').to.equal(false);
    expect(sessions.refused(b(1), 1499), 'twice, but not for long').to.equal(false);
    sessions.touch(b(1), first, 1499);
    expect(sessions.refused(b(1), 1600), 'it was heard since').to.equal(false);
    expect(sessions.refused(b(1), 2099)).to.equal(false);
    expect(sessions.expired(2099)).to.deep.equal([]);
    expect(sessions.refused(b(1), 2100)).to.equal(true);
    expect(sessions.expired(2100), 'and nobody else').to.deep.equal([1]);
    expect(sessions.refused(b(1), 2700), 'told once').to.equal(false);
    sessions.touch(b(1), first, 2800);
    expect(sessions.isAlive(b(1), 11_799), 'a sign of life begins a full session').to.equal(true);
    expect(sessions.refused(b(3), 2800), 'nobody knows it').to.equal(false);
  });

  it('tell who is silent: not heard for a while, or not yet by this controller', () => {
    const cluster = TestCluster.withBrokers(3);
    const sessions = new BrokerSessions(9000, 500);
    sessions.reset(cluster.image, 0);
    expect(sessions.silent(0, 3000), 'nobody was heard yet').to.deep.equal([1, 2, 3]);
    for (const id of [1, 2]) sessions.touch(b(id), cluster.image.broker(id)!.epoch, 1000 * id);
    expect(sessions.silent(3999, 3000)).to.deep.equal([3]);
    expect(sessions.silent(4000, 3000)).to.deep.equal([1, 3]);
    expect(sessions.silent(9000, 3000), 'the session of the third is over').to.deep.equal([1, 2]);
  });

  it('do not keep the next incarnation waiting when the one before refused a connection', () => {
    const cluster = TestCluster.withBrokers(2);
    const { sessions, nowMs } = cluster;
    sessions.reset(cluster.image, nowMs);
    expect(cluster.tryRegister(1)).to.include({ ok: false, error: 'DUPLICATE_BROKER_REGISTRATION' });
    const { epoch } = cluster.image.broker(1)!;
    sessions.refused(b(1), nowMs);
    sessions.touch(b(1), epoch, nowMs);
    expect(cluster.tryRegister(1), 'heard since').to.include({ ok: false });
    sessions.refused(b(1), nowMs);
    expect(cluster.tryRegister(1)).to.include({ ok: true });
    expect(cluster.image.broker(1)!.epoch).to.be.above(epoch);
  });

  it('are not ended by refusals when the time-out is 0, nor by those an earlier controller saw', () => {
    const cluster = TestCluster.withBrokers(1);
    const patient = new BrokerSessions(9000, 0);
    patient.reset(cluster.image, 0);
    for (const nowMs of [1, 2000, 8999]) expect(patient.refused(b(1), nowMs)).to.equal(false);
    expect(patient.isAlive(b(1), 8999)).to.equal(true);
    const sessions = new BrokerSessions(9000, 500);
    sessions.reset(cluster.image, 0);
    sessions.refused(b(1), 100);
    sessions.reset(cluster.image, 1000);
    expect(sessions.refused(b(1), 1100)).to.equal(false);
    expect(sessions.expired(1100)).to.deep.equal([]);
  });

  it('are shorter for who refused connections while the controller before was being replaced', () => {
    const cluster = TestCluster.withBrokers(3);
    const refusals = new RecentRefusals(500);
    for (const nowMs of [1000, 1400, 1800]) refusals.add(b(1), nowMs);
    for (const nowMs of [1000, 1600, 1900]) refusals.add(b(2), nowMs);
    refusals.add(b(3), 1000);
    const sessions = new BrokerSessions(9000, 500);
    sessions.reset(cluster.image, 2000, { refusals });
    expect(sessions.expired(2000), 'half a second of refusals without a gap').to.deep.equal([1]);
    expect(sessions.isAlive(b(2), 2000), 'refused a moment ago').to.equal(false);
    expect(sessions.isAlive(b(3), 2000), 'may have started again since').to.equal(true);
    expect(sessions.refused(b(2), 2099)).to.equal(false);
    expect(sessions.refused(b(2), 2100), 'counted from what was seen before').to.equal(true);
  });

  it('of the controller before began when it was heard last, and has half of it left', () => {
    const cluster = TestCluster.withBrokers(3);
    const sessions = new BrokerSessions(9000, 500);
    sessions.reset(cluster.image, 20_000, { before: { id: b(2), heardMs: 17_500 } });
    expect(cluster.image.brokers().map(({ id }) => sessions.deadlineMs(id))).to.deep.equal([
      29_000, 26_500, 29_000,
    ]);
    sessions.reset(cluster.image, 20_000, { before: { id: b(2), heardMs: 3_000 } });
    expect(sessions.deadlineMs(b(2))).to.equal(24_500);
    sessions.touch(b(2), cluster.image.broker(b(2))!.epoch, 21_000);
    expect(sessions.deadlineMs(b(2)), 'one that is heard is alive').to.equal(30_000);
  });
});
