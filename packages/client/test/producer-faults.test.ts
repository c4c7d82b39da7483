// What a producer does when things go wrong: nothing is lost, nothing is doubled, nothing changes places.
import { expect } from 'chai';
import fc from 'fast-check';
import type { Producer, Receipt } from '@tidemark/client';
import type { Fault } from './fake-cluster.ts';
import { numbered, rejection, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { quiet, until } from './test-clock.ts';

describe('a producer in trouble', () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture(2);
    fixture.cluster.addTopic('orders', 1);
  });
  afterEach(() => fixture.stop());

  const log = () => fixture.cluster.partition('orders');
  /** Each value a batch of its own, so that there are several in flight. */
  const oneByOne = { 'batch.size': 1 };

  /** Each value in a request of its own, which leaves before the next value is given. */
  const sendApart = async (
    producer: Producer<string, string>,
    values: readonly string[],
  ): Promise<Promise<Receipt>[]> => {
    const sent: Promise<Receipt>[] = [];
    for (const value of values) {
      const { length } = fixture.cluster.attempts;
      sent.push(producer.send({ topic: 'orders', value }));
      await until(() => fixture.cluster.attempts.length > length);
    }
    return sent;
  };

  /** The faults in turn, then all is well. */
  const inTurn = (...faults: Fault[]) => {
    fixture.cluster.onProduce = ({ attempt }) => faults[attempt - 1] ?? 'store';
  };

  it('sends again after an error that passes, and the record is there once', async () => {
    inTurn('NOT_ENOUGH_REPLICAS', 'REQUEST_TIMED_OUT', 'LEADER_NOT_AVAILABLE', 'THROTTLING_QUOTA_EXCEEDED');
    const producer = fixture.producer();
    const receipt = await producer.send({ topic: 'orders', value: 'a' });
    expect(receipt.offset).to.equal(0);
    expect(fixture.cluster.attempts.length).to.equal(5);
    expect(log().values()).to.deep.equal(['a']);
  });

  it('learns from the leader that it has a batch whose answer was lost', async () => {
    inTurn('store-and-cut');
    const producer = fixture.producer();
    const receipt = await producer.send({ topic: 'orders', value: 'a' });
    expect(receipt).to.include({ offset: 0, duplicate: true });
    expect(log().values()).to.deep.equal(['a']);
    expect(producer.metrics).to.include({ duplicatesAnswered: 1, connectionsLost: 1 });
  });

  it('keeps the order when the connection breaks with five batches in flight', async () => {
    const producer = fixture.producer({ config: oneByOne });
    await producer.send({ topic: 'orders', value: 'first' });
    fixture.cluster.onProduce = ({ attempt }) => (attempt === 5 ? 'store-and-cut' : 'store');
    fixture.cluster.holdAnswers = true;
    const sent = numbered(20).map((value) => producer.send({ topic: 'orders', value }));
    await until(() => producer.metrics.connectionsLost === 1);
    fixture.cluster.heldAnswers.splice(0);
    fixture.cluster.holdAnswers = false;
    const receipts = await Promise.all(sent);
    expect(log().values()).to.deep.equal(['first', ...numbered(20)]);
    expect(receipts.map(({ offset }) => offset)).to.deep.equal(Array.from({ length: 20 }, (_, at) => at + 1));
  });

  for (const [error, what] of [
    ['INVALID_RECORD', 'is refused for good'],
    ['MESSAGE_TOO_LARGE', 'is too large'],
  ] as const) {
    it(`stores once what was sent before a batch that ${what}, although the connection breaks before its answer`, async () => {
      const producer = fixture.producer({ config: { 'linger.ms': 0 } });
      await producer.send({ topic: 'orders', value: 'first' });
      fixture.cluster.onProduce = ({ attempt }) =>
        attempt === 2 ? 'lose-answer' : attempt === 3 ? error : 'store';
      const before = producer.send({ topic: 'orders', value: 'before' });
      await until(() => fixture.cluster.attempts.length === 2);
      const refused = ['x', 'y'].map((value) => producer.send({ topic: 'orders', value }));
      const outcomes = Promise.allSettled(refused);
      await until(() => fixture.cluster.attempts.length === 3);
      await quiet();
      fixture.cluster.broker(1).sever();
      expect(await before).to.include({ offset: 1, duplicate: true });
      const stored = (await outcomes).every(({ status }) => status === 'fulfilled') ? ['x', 'y'] : [];
      expect(stored.length).to.equal(error === 'MESSAGE_TOO_LARGE' ? 2 : 0);
      await producer.send({ topic: 'orders', value: 'last' });
      expect(log().values()).to.deep.equal(['first', 'before', ...stored, 'last']);
    });
  }

  it('sends smaller requests where a broker ends the stream over one, and takes no other batch for too large', async () => {
    fixture.cluster.addTopic('wide', 4);
    const producer = fixture.producer({ config: { 'linger.ms': 0 } });
    await producer.send({ topic: 'orders', value: 'first' });
    await producer.partitionsFor('wide');
    fixture.cluster.maxRequestBytes = 1_000;
    fixture.cluster.onProduce = ({ attempt }) => (attempt === 2 ? 'lose-answer' : 'store');
    const before = producer.send({ topic: 'orders', value: 'before' });
    await until(() => fixture.cluster.attempts.length === 2);
    const sent = [0, 1, 2, 3].map((partition) =>
      producer.send({ topic: 'wide', partition, value: 'x'.repeat(700) }),
    );
    const large = numbered(10, 'y'.repeat(190)).map((value) => producer.send({ topic: 'orders', value }));
    expect(await before).to.include({ offset: 1, duplicate: true });
    for (const receipt of await Promise.all(sent)) expect(receipt.offset).to.equal(0);
    await Promise.all(large);
    expect(log().values()).to.deep.equal(['first', 'before', ...numbered(10, 'y'.repeat(190))]);
    const alone = await rejection(producer.send({ topic: 'orders', value: 'z'.repeat(2_000) }));
    expect(alone.error).to.equal('MESSAGE_TOO_LARGE');
  });

  it('settles batches whose answers overtake each other', async () => {
    const producer = fixture.producer({ config: oneByOne });
    await producer.send({ topic: 'orders', value: 'first' });
    fixture.cluster.holdAnswers = true;
    const sent = await sendApart(producer, numbered(4));
    await until(() => fixture.cluster.heldAnswers.length === 4);
    fixture.cluster.releaseAnswers([3, 1, 2, 0]);
    expect((await Promise.all(sent)).map(({ offset }) => offset)).to.deep.equal([1, 2, 3, 4]);
  });

  it('waits for the gap to be filled when a later batch finds one', async () => {
    const producer = fixture.producer({ config: oneByOne });
    await producer.send({ topic: 'orders', value: 'first' });
    fixture.cluster.holdAnswers = true;
    fixture.cluster.onProduce = ({ attempt }) => (attempt === 2 ? 'NOT_ENOUGH_REPLICAS' : 'store');
    const sent = await sendApart(producer, numbered(4));
    await until(() => fixture.cluster.heldAnswers.length === 4);
    fixture.cluster.holdAnswers = false;
    // OUT_OF_ORDER_SEQUENCE_NUMBER for the later ones arrives before the error of the first.
    fixture.cluster.releaseAnswers([2, 3, 1, 0]);
    await Promise.all(sent);
    expect(log().values()).to.deep.equal(['first', ...numbered(4)]);
    expect(producer.metrics.epochBumps).to.equal(0);
  });

  it('goes to the new leader that the old one names', async () => {
    const producer = fixture.producer({ config: oneByOne });
    await producer.send({ topic: 'orders', value: 'first' });
    const asked = fixture.cluster.metadataRequests;
    log().electLeader(2);
    await Promise.all(numbered(10).map((value) => producer.send({ topic: 'orders', value })));
    expect(log().values()).to.deep.equal(['first', ...numbered(10)]);
    expect(fixture.cluster.attempts.at(-1)?.broker.id).to.equal(2);
    expect(fixture.cluster.metadataRequests).to.be.at.most(asked + 2);
  });

  it('knows a partition that was added, although a broker that is behind does not', async () => {
    const topic = fixture.cluster.topic('orders');
    topic.grow(3);
    const producer = fixture.producer({ config: { 'metadata.max.age.ms': 20_000 } });
    await producer.send({ topic: 'orders', partition: 2, value: 'a' });
    const added = topic.partitions.splice(1);
    const asked = fixture.cluster.metadataRequests;
    fixture.clock.advance(20_001);
    await until(() => fixture.cluster.metadataRequests > asked);
    await quiet();
    topic.partitions.push(...added);
    expect(await producer.partitionsFor('orders')).to.have.length(3);
    expect((await producer.send({ topic: 'orders', partition: 2, value: 'b' })).offset).to.equal(1);
  });

  it('keeps the order in a topic that was made again, whose leader does not know the producer', async () => {
    const producer = fixture.producer({ config: { ...oneByOne, 'metadata.max.age.ms': 20_000 } });
    await producer.send({ topic: 'orders', value: 'first' });
    fixture.cluster.remakeTopic('orders');
    const asked = fixture.cluster.metadataRequests;
    fixture.clock.advance(20_001);
    await until(() => fixture.cluster.metadataRequests > asked);
    await quiet();
    // The leader has yet to hear that it leads when the first comes, and knows when the second would.
    fixture.cluster.onProduce = ({ attempt }) => (attempt === 2 ? 'UNKNOWN_TOPIC_ID' : 'store');
    fixture.cluster.holdAnswers = true;
    const sent = [producer.send({ topic: 'orders', value: 'a' })];
    await until(() => fixture.cluster.heldAnswers.length === 1);
    sent.push(producer.send({ topic: 'orders', value: 'b' }));
    await quiet();
    fixture.cluster.holdAnswers = false;
    fixture.cluster.releaseAnswers();
    await Promise.all(sent);
    expect(log().values()).to.deep.equal(['a', 'b']);
  });

  it('finds the new leader by metadata when nobody names it', async () => {
    fixture.cluster.hintLeaders = false;
    const producer = fixture.producer();
    await producer.send({ topic: 'orders', value: 'a' });
    log().electLeader(2);
    const receipt = await producer.send({ topic: 'orders', value: 'b' });
    expect(receipt).to.include({ offset: 1, leaderEpoch: 1 });
  });

  it('does not ask for metadata without pause while a partition has no leader', async () => {
    log().electLeader(-1);
    const producer = fixture.producer();
    await producer.partitionsFor('orders');
    fixture.clock.hurryMs = 10;
    const sent = producer.send({ topic: 'orders', value: 'a' });
    await quiet(300);
    expect(fixture.cluster.metadataRequests).to.be.at.most(4);
    log().electLeader(2);
    for (let step = 0; step < 20; step++) {
      fixture.clock.advance(100);
      await quiet(5);
    }
    expect((await sent).leaderEpoch).to.equal(2);
  });

  it('sends nothing to the new leader before the old one has answered or is gone', async () => {
    const producer = fixture.producer({ config: { ...oneByOne, 'metadata.max.age.ms': 20_000 } });
    await producer.send({ topic: 'orders', value: 'first' });
    fixture.cluster.holdAnswers = true;
    const early = await sendApart(producer, numbered(3, 'early'));
    await until(() => fixture.cluster.heldAnswers.length === 3);
    fixture.clock.hurryMs = 0;
    log().electLeader(2);
    const asked = fixture.cluster.metadataRequests;
    fixture.clock.advance(20_001);
    await until(() => fixture.cluster.metadataRequests > asked);
    await quiet();
    const late = producer.send({ topic: 'orders', value: 'late' });
    await quiet();
    expect(fixture.cluster.attempts.map(({ broker }) => broker.id)).to.deep.equal([1, 1, 1, 1]);
    fixture.cluster.holdAnswers = false;
    fixture.cluster.releaseAnswers();
    await Promise.all([...early, late]);
    expect(log().values()).to.deep.equal(['first', ...numbered(3, 'early'), 'late']);
  });

  it('gives up a connection that does not answer in request.timeout.ms, and sends again', async () => {
    inTurn('lose-answer');
    const producer = fixture.producer();
    const sent = producer.send({ topic: 'orders', value: 'a' });
    await until(() => log().endOffset === 1);
    await quiet();
    fixture.clock.advance(30_001);
    expect(await sent).to.include({ offset: 0, duplicate: true });
    expect(producer.metrics.connectionsLost).to.equal(1);
  });

  it('counts on under a raised epoch when the leader has lost the producer’s state (KIP-360)', async () => {
    const producer = fixture.producer({ config: oneByOne });
    await Promise.all(numbered(3).map((value) => producer.send({ topic: 'orders', value })));
    fixture.cluster.onProduce = ({ producerEpoch }) =>
      producerEpoch === 0 ? 'UNKNOWN_PRODUCER_ID' : 'store';
    await Promise.all(numbered(5, 'w').map((value) => producer.send({ topic: 'orders', value })));
    expect(log().values()).to.deep.equal([...numbered(3), ...numbered(5, 'w')]);
    expect(producer.metrics.epochBumps).to.equal(1);
    const { attempts } = fixture.cluster;
    expect(new Set(attempts.map(({ producerId }) => producerId)).size).to.equal(1);
    expect(attempts.at(-1)).to.include({ producerEpoch: 1, baseSequence: 4 });
  });

  it('counts on under a raised epoch when the leader finds a gap that nothing fills', async () => {
    const producer = fixture.producer();
    await producer.send({ topic: 'orders', value: 'a' });
    // As after an unclean election: the new leader knows less than was acknowledged.
    for (const state of log().producers.values()) state.nextSequence = 0;
    for (const state of log().producers.values()) state.recent.length = 0;
    await producer.send({ topic: 'orders', value: 'b' });
    expect(fixture.cluster.attempts.at(-1)).to.include({ producerEpoch: 1, baseSequence: 0 });
  });

  it('takes another producer id when its own is refused', async () => {
    const producer = fixture.producer();
    await producer.send({ topic: 'orders', value: 'a' });
    for (const state of log().producers.values()) state.epoch = 5;
    expect(await producer.send({ topic: 'orders', value: 'b' })).to.include({ offset: 1 });
    const ids = fixture.cluster.attempts.map(({ producerId }) => producerId);
    expect(ids).to.deep.equal([1000, 1000, 1001]);
  });

  it('waits for a producer id as long as the cluster has none', async () => {
    let refusals = 3;
    fixture.cluster.onInitProducerId = () => (refusals-- > 0 ? 'NOT_CONTROLLER' : undefined);
    const producer = fixture.producer();
    expect((await producer.send({ topic: 'orders', value: 'a' })).offset).to.equal(0);
  });

  it('fails the records of a batch that is refused for good, and goes on with the next', async () => {
    const producer = fixture.producer({ config: oneByOne });
    await producer.send({ topic: 'orders', value: 'first' });
    fixture.cluster.onProduce = ({ bytes }) =>
      Buffer.from(bytes).includes('bad') ? 'INVALID_RECORD' : 'store';
    const refused = rejection(producer.send({ topic: 'orders', value: 'bad' }));
    const others = numbered(4).map((value) => producer.send({ topic: 'orders', value }));
    expect((await refused).error).to.equal('INVALID_RECORD');
    await Promise.all(others);
    expect(log().values()).to.deep.equal(['first', ...numbered(4)]);
    expect(producer.metrics.recordsFailed).to.equal(1);
  });

  it('sends what waits in one request, and each batch of it knows its offset', async () => {
    const producer = fixture.producer({ config: oneByOne });
    await producer.send({ topic: 'orders', value: 'first' });
    const { requestsSent } = producer.metrics;
    const receipts = await Promise.all(
      numbered(10).map((value) => producer.send({ topic: 'orders', value })),
    );
    expect(receipts.map(({ offset }) => offset)).to.deep.equal(Array.from({ length: 10 }, (_, at) => at + 1));
    // Five batches may be in flight: those a leader remembers.
    expect(producer.metrics.requestsSent - requestsSent).to.equal(2);
  });

  it('halves a batch that the broker finds too large, and keeps the order', async () => {
    fixture.cluster.onProduce = ({ recordCount }) => (recordCount > 3 ? 'MESSAGE_TOO_LARGE' : 'store');
    const producer = fixture.producer({ config: { 'batch.size': 300, 'compression.type': 'gzip' } });
    await producer.partitionsFor('orders');
    const sent = numbered(40).map((value) =>
      producer.send({ topic: 'orders', value, headers: { h: value } }),
    );
    await producer.flush();
    const receipts = await Promise.all(sent);
    expect(log().values()).to.deep.equal(numbered(40));
    expect(receipts.map(({ offset }) => offset)).to.deep.equal(Array.from({ length: 40 }, (_, at) => at));
    expect(producer.metrics.batchesSplit).to.be.above(1);
    expect(producer.metrics.bufferedBytes).to.equal(0);
  });

  it('fails a single record that the broker finds too large', async () => {
    fixture.cluster.onProduce = () => 'MESSAGE_TOO_LARGE';
    const producer = fixture.producer();
    const refused = await rejection(producer.send({ topic: 'orders', value: 'x'.repeat(5000) }));
    expect(refused.error).to.equal('MESSAGE_TOO_LARGE');
  });

  it('gives up after delivery.timeout.ms and says what stood in the way', async () => {
    fixture.cluster.onProduce = () => 'NOT_ENOUGH_REPLICAS';
    const producer = fixture.producer({ config: { 'delivery.timeout.ms': 40_000 } });
    const refused = await rejection(producer.send({ topic: 'orders', value: 'a' }));
    // Whichever notices first: the attempt that comes too late, or the timer.
    expect(refused.message).to.match(/NOT_ENOUGH_REPLICAS/);
    expect(fixture.cluster.attempts.length).to.be.within(30, 60);
  });

  it('fails a batch in flight when its time is over, and the next one is not taken for it', async () => {
    inTurn('store', 'lose-request');
    const config = { 'delivery.timeout.ms': 10_000, 'request.timeout.ms': 9000 };
    const producer = fixture.producer({ config: { ...config, 'linger.ms': 0 } });
    await producer.send({ topic: 'orders', value: 'first' });
    const lost = rejection(producer.send({ topic: 'orders', value: 'lost' }));
    await until(() => fixture.cluster.attempts.length === 2);
    await quiet();
    fixture.cluster.onProduce = () => 'lose-request';
    fixture.clock.advance(9001);
    await until(() => fixture.cluster.attempts.length === 3);
    fixture.clock.advance(1001);
    expect((await lost).message).to.match(/REQUEST_TIMED_OUT.*delivery\.timeout\.ms.*did not answer/);
    fixture.cluster.onProduce = () => 'store';
    const next = producer.send({ topic: 'orders', value: 'next' });
    await quiet();
    fixture.clock.advance(9001);
    expect((await next).offset).to.equal(1);
    expect(log().values()).to.deep.equal(['first', 'next']);
    expect(fixture.cluster.attempts.at(-1)).to.include({ producerEpoch: 1, baseSequence: 0 });
  });

  it('stores once what was sent behind a batch whose time ran out before its answer came', async () => {
    const producer = fixture.producer({ config: { ...oneByOne, 'linger.ms': 0 } });
    await producer.send({ topic: 'orders', value: 'first' });
    // The leader appends, and cannot tell whether its followers have it: nobody hears of anything for more than two minutes.
    fixture.cluster.onProduce = () => 'lose-answer';
    const early = rejection(producer.send({ topic: 'orders', value: 'early' }));
    await until(() => log().endOffset === 2);
    fixture.clock.advance(20_000);
    const late = producer.send({ topic: 'orders', value: 'late' });
    await until(() => log().endOffset === 3);
    for (let step = 0; step < 30 && producer.metrics.recordsFailed === 0; step++) {
      fixture.clock.advance(5_000);
      await quiet(10);
    }
    expect((await early).message).to.match(/delivery\.timeout\.ms/);
    fixture.cluster.onProduce = () => 'store';
    fixture.cluster.broker(1).sever();
    expect(await late).to.include({ offset: 2, duplicate: true });
    expect(log().values()).to.deep.equal(['first', 'early', 'late']);
    await producer.send({ topic: 'orders', value: 'next' });
    expect(log().values()).to.deep.equal(['first', 'early', 'late', 'next']);
    expect(producer.metrics.epochBumps).to.equal(0);
  });

  it('keeps delivery.timeout.ms for a batch that lingered while a younger one was sent', async () => {
    fixture.cluster.addTopic('wide', 2);
    fixture.cluster.onProduce = () => 'lose-request';
    const config = { 'linger.ms': 20_000, 'request.timeout.ms': 90_000, 'delivery.timeout.ms': 110_000 };
    const producer = fixture.producer({ config });
    await producer.partitionsFor('wide');
    let isSettled = false;
    const lingers = rejection(producer.send({ topic: 'wide', partition: 0, value: 'a' }));
    void lingers.then(() => (isSettled = true));
    fixture.clock.advance(15_000);
    // As large as a batch: it goes at once.
    void rejection(producer.send({ topic: 'wide', partition: 1, value: 'x'.repeat(20_000) }));
    await until(() => fixture.cluster.attempts.length === 1);
    fixture.clock.advance(94_999);
    await quiet();
    expect(isSettled).to.equal(false);
    fixture.clock.advance(2);
    expect((await lingers).message).to.match(/delivery\.timeout\.ms/);
  });

  it('does not blame an attempt to get a producer id that was made good long ago', async () => {
    let refusals = 1;
    fixture.cluster.onInitProducerId = () => (refusals-- > 0 ? 'NOT_CONTROLLER' : undefined);
    const producer = fixture.producer({ config: { 'delivery.timeout.ms': 40_000 } });
    await producer.send({ topic: 'orders', value: 'a' });
    fixture.cluster.addTopic('leaderless').partitions[0]!.electLeader(-1);
    await producer.partitionsFor('leaderless');
    const late = rejection(producer.send({ topic: 'leaderless', value: 'b' }));
    await quiet();
    fixture.clock.advance(40_001);
    expect((await late).message)
      .to.match(/delivery\.timeout\.ms/)
      .and.not.match(/NOT_CONTROLLER/);
  });

  it('gives up after `retries` attempts', async () => {
    fixture.cluster.onProduce = () => 'NOT_ENOUGH_REPLICAS';
    const producer = fixture.producer({ config: { retries: 2 } });
    expect((await rejection(producer.send({ topic: 'orders', value: 'a' }))).error).to.equal(
      'NOT_ENOUGH_REPLICAS',
    );
    expect(fixture.cluster.attempts.length).to.equal(3);
  });

  it('keeps the order without idempotence when one request is in flight', async () => {
    let turn = 0;
    fixture.cluster.onProduce = () => (++turn % 3 === 0 ? 'NOT_ENOUGH_REPLICAS' : 'store');
    const config = { ...oneByOne, acks: '1', 'max.in.flight.requests.per.connection': 1 };
    const producer = fixture.producer({ config });
    await Promise.all(numbered(30).map((value) => producer.send({ topic: 'orders', value })));
    expect(log().values()).to.deep.equal(numbered(30));
  });

  it('survives the loss of a broker it began with', async () => {
    fixture.cluster.broker(1).stop();
    log().electLeader(2);
    const producer = fixture.producer();
    expect((await producer.send({ topic: 'orders', value: 'a' })).offset).to.equal(0);
  });

  it('tells how to create a topic that does not exist, once max.block.ms is over', async () => {
    const producer = fixture.producer({ config: { 'max.block.ms': 5000 } });
    const refused = rejection(producer.send({ topic: 'missing', value: 'a' }));
    await until(() => fixture.cluster.metadataRequests > 2);
    fixture.clock.advance(5001);
    expect((await refused).message).to.match(
      /UNKNOWN_TOPIC_OR_PARTITION.*"missing" does not exist \(waited 5000 ms\).*tidemark topic create missing/,
    );
  });

  it('sends what waited for a topic that was created meanwhile', async () => {
    const producer = fixture.producer();
    const sent = producer.send({ topic: 'soon', value: 'a' });
    await until(() => fixture.cluster.metadataRequests > 2);
    fixture.cluster.addTopic('soon', 2);
    expect((await sent).offset).to.equal(0);
  });

  const fault = fc.oneof(
    { weight: 12, arbitrary: fc.constant<Fault>('store') },
    { weight: 1, arbitrary: fc.constantFrom<Fault>('cut', 'store-and-cut') },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Fault>(
        'NOT_ENOUGH_REPLICAS',
        'LEADER_NOT_AVAILABLE',
        'NOT_LEADER_OR_FOLLOWER',
      ),
    },
  );

  it('stores every record exactly once and in order under random faults and elections', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }),
        async (faults, elections) => {
          const run = await startFixture(2);
          try {
            run.cluster.addTopic('orders', 2);
            const partitions = run.cluster.topics.get('orders')!.partitions;
            run.cluster.onProduce = ({ attempt, partition }) => {
              if (elections.includes(attempt)) {
                const elected = partitions[partition]!;
                elected.electLeader(3 - elected.leaderId);
                run.cluster.announce();
              }
              return faults[attempt - 1] ?? 'store';
            };
            const producer = run.producer({ config: { 'batch.size': 120 } });
            const sent = numbered(60).map((value, index) =>
              producer.send({ topic: 'orders', partition: index % 2, value }),
            );
            const receipts: Receipt[] = await Promise.all(sent);
            for (const [partition, { values }] of [0, 1].map(
              (at) => [at, { values: partitions[at]!.values() }] as const,
            )) {
              const expected = numbered(60).filter((_, index) => index % 2 === partition);
              expect(values).to.deep.equal(expected);
              const offsets = receipts
                .filter((receipt) => receipt.partition === partition)
                .map(({ offset }) => offset);
              expect(offsets).to.deep.equal(expected.map((_, at) => at));
            }
          } finally {
            await run.stop();
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
