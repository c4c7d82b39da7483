// How soon a client goes to a new leader. Time here is the test's: whatever passes between the moment the leader is known and the
// moment it is asked was waited for in vain.
import { expect } from 'chai';
import type { Producer, Receipt } from '@tidemark/client';
import type { FakePartition } from './fake-cluster.ts';
import { numbered, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { quiet, until } from './test-clock.ts';

const config = { 'linger.ms': 0, 'batch.size': 1 };

describe('going to a new leader', () => {
  let fixture: Fixture;
  let log: FakePartition;
  beforeEach(async () => {
    fixture = await startFixture(2);
    log = fixture.cluster.addTopic('orders', 1).partitions[0]!;
  });
  afterEach(() => fixture.stop());

  const isWatched = (): boolean => fixture.cluster.broker(2).watches.size > 0;
  const started = async (): Promise<Producer<string, string>> => {
    const producer = fixture.producer({ config });
    await producer.send({ topic: 'orders', value: 'first' });
    return producer;
  };
  const send = (producer: Producer<string, string>, value = 'a'): Promise<Receipt> =>
    producer.send({ topic: 'orders', value });
  /** From here on nothing waits a moment: a pause that is not ended by news lasts for ever. */
  const stopTime = async (): Promise<number> => {
    fixture.clock.hurryMs = 0;
    await quiet();
    return fixture.clock.monotonicMs();
  };

  /** Broker 1 has refused the batch many times, and the client watches for another leader; time has stopped. */
  const attemptInVain = async (
    producer: Producer<string, string>,
  ): Promise<{ readonly sent: Promise<Receipt>; readonly stoppedMs: number }> => {
    fixture.cluster.onProduce = ({ broker }) => (broker.id === 1 ? 'LEADER_NOT_AVAILABLE' : 'store');
    const sent = send(producer);
    await until(() => fixture.cluster.attempts.length > 8);
    const stoppedMs = await stopTime();
    await until(() => fixture.cluster.brokers.some(({ watches }) => watches.size > 0));
    await quiet();
    return { sent, stoppedMs };
  };

  it('takes no time once the leader is known, though the last of many attempts has just failed', async () => {
    const producer = await started();
    const { sent, stoppedMs } = await attemptInVain(producer);
    const tries = fixture.cluster.attempts.length;
    log.electLeader(2);
    fixture.cluster.announce();
    expect(await sent).to.include({ offset: 1, leaderEpoch: 1 });
    expect(fixture.cluster.attempts.length - tries).to.equal(1);
    expect(fixture.clock.monotonicMs() - stoppedMs).to.equal(0);
  });

  it('takes no time once the leader is known when the old one is dead', async () => {
    const producer = await started();
    fixture.cluster.broker(1).stop();
    await until(() => producer.metrics.connectionsLost > 0);
    const sent = numbered(5).map((value) => send(producer, value));
    await until(() => producer.metrics.connectionsLost > 4 && isWatched());
    const stoppedMs = await stopTime();
    log.electLeader(2);
    fixture.cluster.announce();
    await Promise.all(sent);
    expect(fixture.clock.monotonicMs() - stoppedMs).to.equal(0);
    expect(log.values()).to.deep.equal(['first', ...numbered(5)]);
  });

  it('takes no time when the leader comes back under the same id', async () => {
    const producer = await started();
    fixture.cluster.onProduce = () => 'cut';
    const sent = send(producer);
    await until(() => producer.metrics.connectionsLost > 6);
    const stoppedMs = await stopTime();
    await until(() => fixture.cluster.brokers.some(({ watches }) => watches.size > 0));
    await quiet();
    fixture.cluster.onProduce = () => 'store';
    log.electLeader(1);
    fixture.cluster.announce();
    expect((await sent).leaderEpoch).to.equal(1);
    expect(fixture.clock.monotonicMs() - stoppedMs).to.equal(0);
  });

  it('takes a short pause when the new leader has yet to hear of its election', async () => {
    const producer = await started();
    const { sent, stoppedMs } = await attemptInVain(producer);
    fixture.cluster.onProduce = () => 'UNKNOWN_LEADER_EPOCH';
    const tries = fixture.cluster.attempts.length;
    log.electLeader(2);
    fixture.cluster.announce();
    await until(() => fixture.cluster.attempts.length > tries);
    await quiet();
    fixture.cluster.onProduce = () => 'store';
    // The first pause of retry.backoff.ms, 100 ms and a fifth, and not the one after ten failures.
    fixture.clock.advance(120);
    expect((await sent).leaderEpoch).to.equal(1);
    expect(fixture.clock.monotonicMs() - stoppedMs).to.equal(120);
  });

  it('does not take the leader of a topic that is gone for the one of another made under its name', async () => {
    const producer = await started();
    fixture.cluster.holdAnswers = true;
    for (const leaderId of [2, 1, 2]) log.electLeader(leaderId);
    const sent = send(producer);
    await until(() => fixture.cluster.heldAnswers.length === 1);
    fixture.cluster.holdAnswers = false;
    // The answer names broker 2 and its third epoch, and comes when the client has heard of the new topic.
    const remade = fixture.cluster.remakeTopic('orders').partitions[0]!;
    fixture.clock.advance(1_500);
    await until(() => fixture.cluster.brokers.some(({ watches }) => watches.size > 0));
    fixture.cluster.announce();
    await quiet();
    fixture.cluster.releaseAnswers();
    expect(await sent).to.include({ offset: 0, leaderEpoch: 0 });
    expect(remade.values()).to.deep.equal(['a']);
  });

  it('finds the leader within a second by asking when no broker can be watched', async () => {
    fixture.cluster.watchable = false;
    const producer = await started();
    fixture.cluster.hintLeaders = false;
    fixture.cluster.broker(1).stop();
    const sent = send(producer);
    await until(() => producer.metrics.connectionsLost > 6);
    const electedMs = await stopTime();
    log.electLeader(2);
    const settled: Receipt[] = [];
    void sent.then((receipt) => settled.push(receipt));
    for (let step = 0; step < 130 && settled.length === 0; step++) {
      fixture.clock.advance(10);
      await quiet(6);
    }
    expect((await sent).leaderEpoch).to.equal(1);
    expect(fixture.clock.monotonicMs() - electedMs).to.be.at.most(1_250);
  });

  it('leaves a leader that is frozen as soon as another is known, and stores nothing twice', async () => {
    const producer = await started();
    await stopTime();
    fixture.cluster.onProduce = ({ broker }) => (broker.id === 1 ? 'lose-answer' : 'store');
    const sent = numbered(3).map((value) => send(producer, value));
    await until(() => log.endOffset === 4);
    await quiet();
    // What hears of nothing asks around once an answer is late, and watches from then on.
    fixture.clock.advance(1_500);
    await until(() => fixture.cluster.brokers.some(({ watches }) => watches.size > 0));
    await quiet();
    log.electLeader(2);
    fixture.cluster.announce();
    await quiet();
    const knownMs = fixture.clock.monotonicMs();
    expect(fixture.cluster.attempts.map(({ broker }) => broker.id)).to.not.include(2);
    fixture.clock.advance(100);
    const receipts = await Promise.all(sent);
    expect(receipts.map(({ offset, duplicate }) => [offset, duplicate])).to.deep.equal([
      [1, true],
      [2, true],
      [3, true],
    ]);
    expect(fixture.clock.monotonicMs() - knownMs).to.equal(100);
    expect(log.values()).to.deep.equal(['first', ...numbered(3)]);
  });

  it('gives a leader that is not late half a second to answer for what it leads no more', async () => {
    const other = fixture.cluster.addTopic('payments', 1).partitions[0]!;
    const producer = await started();
    await producer.send({ topic: 'payments', value: 'first' });
    await stopTime();
    fixture.cluster.onProduce = ({ broker, topic }) =>
      broker.id === 2 ? 'store' : topic === 'payments' ? 'LEADER_NOT_AVAILABLE' : 'lose-request';
    const doubtful = producer.send({ topic: 'payments', value: 'p' });
    await until(() => fixture.cluster.brokers.some(({ watches }) => watches.size > 0));
    const sent = send(producer);
    await until(() => fixture.cluster.attempts.at(-1)?.topic === 'orders');
    log.electLeader(2);
    other.electLeader(2);
    fixture.cluster.announce();
    await doubtful;
    fixture.clock.advance(499);
    await quiet();
    expect(log.endOffset).to.equal(1);
    fixture.clock.advance(1);
    expect(await sent).to.include({ offset: 1, leaderEpoch: 1 });
  });

  it('asks another broker for metadata when the first one is frozen, and the frozen one last from then on', async () => {
    fixture.cluster.broker(1).isFrozen = true;
    log.electLeader(2);
    const producer = fixture.producer({ config });
    const sent = send(producer);
    await quiet();
    fixture.clock.advance(1_500);
    expect(await sent).to.include({ offset: 0, leaderEpoch: 1 });
  });

  it('takes no time for a consumer whose leader is frozen, which has looked around after two seconds', async () => {
    const consumer = fixture.consumer();
    consumer.assign([{ topic: 'orders', partition: 0, position: 'start' }]);
    await until(() => fixture.cluster.broker(1).fetchStreams.size > 0);
    const stoppedMs = await stopTime();
    fixture.cluster.broker(1).isFrozen = true;
    fixture.clock.advance(1_500);
    await until(() => fixture.cluster.broker(1).probes === 1);
    expect(isWatched()).to.equal(false);
    fixture.clock.advance(500);
    await until(isWatched);
    await quiet();
    expect(fixture.cluster.broker(1).watches.size, 'not the one that is silent').to.equal(0);
    log.electLeader(2);
    fixture.cluster.announce();
    await until(() => fixture.cluster.broker(2).fetchStreams.size > 0);
    expect(fixture.clock.monotonicMs() - stoppedMs).to.equal(2_000);
  });

  it('leaves a consumer with nothing to read where it is, as long as its leader says that it is there', async () => {
    const consumer = fixture.consumer();
    consumer.assign([{ topic: 'orders', partition: 0, position: 'start' }]);
    await until(() => fixture.cluster.broker(1).fetchStreams.size > 0);
    await stopTime();
    const { metadataRequests } = fixture.cluster;
    for (let step = 0; step < 15; step++) {
      fixture.clock.advance(500);
      await quiet();
    }
    expect(fixture.cluster.broker(1).probes).to.equal(5);
    expect(fixture.cluster.metadataRequests).to.equal(metadataRequests);
    expect(isWatched()).to.equal(false);
    expect(consumer.metrics.connectionsLost).to.equal(0);
  });

  it('goes on asking other brokers while the one that is watched hears of no leader', async () => {
    const producer = await started();
    const { sent } = await attemptInVain(producer);
    // Whoever is watched is cut off from the controllers, and the others are not.
    log.electLeader(2);
    fixture.cluster.hintLeaders = false;
    fixture.clock.advance(1_500);
    expect((await sent).leaderEpoch).to.equal(1);
  });

  it('watches for as long as leaders are in doubt, and not a while longer', async () => {
    const producer = await started();
    await quiet();
    const watches = () => fixture.cluster.brokers.reduce((sum, broker) => sum + broker.watches.size, 0);
    expect(watches()).to.equal(0);
    await stopTime();
    log.electLeader(2);
    await send(producer);
    await until(() => watches() === 1);
    fixture.clock.advance(10_001);
    await until(() => watches() === 0);
  });

  it('ends the back-off of calls to leaders, too', async () => {
    log.electLeader(-1);
    const consumer = fixture.consumer();
    const asked = consumer.endOffsets([{ topic: 'orders', partition: 0 }]);
    await until(() => fixture.cluster.brokers.some(({ watches }) => watches.size > 0));
    const stoppedMs = await stopTime();
    log.electLeader(2);
    fixture.cluster.announce();
    expect(await asked).to.have.length(1);
    expect(fixture.clock.monotonicMs() - stoppedMs).to.equal(0);
  });

  it('ends the wait of calls to a leader that is frozen, too', async () => {
    const consumer = fixture.consumer();
    const at = { topic: 'orders', partition: 0 };
    expect(await consumer.endOffsets([at])).to.have.length(1);
    const stoppedMs = await stopTime();
    fixture.cluster.broker(1).isFrozen = true;
    const asked = consumer.endOffsets([at]);
    await quiet();
    fixture.clock.advance(1_500);
    await until(isWatched);
    await quiet();
    log.electLeader(2);
    fixture.cluster.announce();
    expect(await asked).to.have.length(1);
    expect(fixture.clock.monotonicMs() - stoppedMs).to.equal(1_500);
  });

  it('ends the pause of a consumer, too', async () => {
    const consumer = fixture.consumer();
    consumer.assign([{ topic: 'orders', partition: 0, position: 'start' }]);
    await until(() => fixture.cluster.broker(1).fetchStreams.size > 0);
    fixture.cluster.broker(1).stop();
    await until(() => consumer.metrics.connectionsLost > 3 && isWatched());
    const stoppedMs = await stopTime();
    log.electLeader(2);
    fixture.cluster.announce();
    await until(() => fixture.cluster.broker(2).fetchStreams.size > 0);
    expect(fixture.clock.monotonicMs() - stoppedMs).to.equal(0);
  });
});
