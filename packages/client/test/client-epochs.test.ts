// Client epochs (KIP-320): every request to a leader says which leader epoch it goes by, an answer from another one is not believed,
// and what an election took from a consumer is said.
import { expect } from 'chai';
import { LogTruncationError, stringDeserializer } from '@tidemark/client';
import type { Consumer, ResumedTruncation } from '@tidemark/client';
import { batchOf } from './batches.ts';
import type { FakePartition } from './fake-cluster.ts';
import { numbered, pollValues, rejection, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { until } from './test-clock.ts';

describe('client epochs (rule 3, KIP-320)', () => {
  let fixture: Fixture;
  let log: FakePartition;
  const at = { topic: 'orders', partition: 0 };
  beforeEach(async () => {
    fixture = await startFixture(2);
    log = fixture.cluster.addTopic('orders', 1).partitions[0]!;
  });
  afterEach(() => fixture.stop());

  const place = (...values: string[]): void => {
    for (const value of values) log.place(batchOf([value]));
    fixture.cluster.pumpAll();
  };
  /** The leader has seen nothing of epoch 1, of which all ten records are, but the first three of them, and keeps no note of its own. */
  const forgetEpoch1 = (): void => {
    log.batches.length = 3;
    log.electLeader(2);
    log.endOffset = 3;
    log.epochs.length = 1;
    fixture.cluster.pumpAll();
  };
  const consuming = (
    config = {},
    onTruncation?: (truncation: ResumedTruncation) => void,
  ): Consumer<Uint8Array, string> => {
    const consumer = fixture.consumer({ valueDeserializer: stringDeserializer, config, onTruncation });
    consumer.assign([{ ...at, position: 'start' }]);
    return consumer;
  };
  /** The broker has yet to hear of the newest election, and hears of it once it has refused `count` requests. */
  const lag = (epoch: number, count: number): void => {
    for (const broker of fixture.cluster.brokers) broker.believedEpoch = epoch;
    void until(() => fixture.cluster.epochErrors.length >= count).then(() => {
      for (const broker of fixture.cluster.brokers) broker.believedEpoch = undefined;
    });
  };
  const refusals = (): string[] => [...new Set(fixture.cluster.epochErrors)];

  describe('FENCED_LEADER_EPOCH: the client is behind', () => {
    // The leader stays, so that nothing but the epoch tells.
    const overtake = (): void => log.electLeader(1);

    it('on produce: the record goes out again under the new epoch, once', async () => {
      const producer = fixture.producer();
      await producer.send({ topic: 'orders', value: 'a' });
      overtake();
      expect(await producer.send({ topic: 'orders', value: 'b' })).to.include({ offset: 1, leaderEpoch: 1 });
      expect(refusals()).to.deep.equal(['FENCED_LEADER_EPOCH']);
      expect(log.values()).to.deep.equal(['a', 'b']);
    });

    it('on fetch: the consumer validates its position and goes on', async () => {
      place('a');
      const consumer = consuming();
      expect(await pollValues(consumer, 1)).to.deep.equal(['a']);
      overtake();
      fixture.cluster.broker(1).sever();
      place('b');
      expect(await pollValues(consumer, 1)).to.deep.equal(['b']);
      expect(fixture.cluster.fetchPositions.at(-1)).to.include({ fetchOffset: 1, currentLeaderEpoch: 1 });
    });

    it('on list offsets: asked again under the new epoch', async () => {
      place('a');
      const consumer = fixture.consumer();
      await consumer.endOffsets([at]);
      overtake();
      expect((await consumer.endOffsets([at]))[0]).to.include({ offset: 1, leaderEpoch: 1 });
      expect(refusals()).to.deep.equal(['FENCED_LEADER_EPOCH']);
      expect(fixture.cluster.lookupEpochs.at(-1)).to.equal(1);
    });

    it('on offset for leader epoch: asked again under the new epoch, not under the old one for ever', async () => {
      place('a');
      const consumer = consuming();
      await pollValues(consumer, 1);
      log.electLeader(2);
      // Another election while the position is validated for the first.
      fixture.cluster.onEpochEnd = () => {
        fixture.cluster.onEpochEnd = () => undefined;
        log.electLeader(2);
      };
      place('b');
      expect(await pollValues(consumer, 1)).to.deep.equal(['b']);
      expect(refusals()).to.deep.equal(['FENCED_LEADER_EPOCH']);
      expect(fixture.cluster.lookupEpochs.slice(-2)).to.deep.equal([1, 2]);
    });
  });

  describe('UNKNOWN_LEADER_EPOCH: the broker is behind', () => {
    beforeEach(() => log.electLeader(1));

    it('on produce: tried again until it has heard, and stored once', async () => {
      const producer = fixture.producer();
      await producer.partitionsFor('orders');
      lag(0, 3);
      expect(await producer.send({ topic: 'orders', value: 'a' })).to.include({ offset: 0, leaderEpoch: 1 });
      expect(fixture.cluster.epochErrors).to.deep.equal(Array(3).fill('UNKNOWN_LEADER_EPOCH'));
      expect(log.values()).to.deep.equal(['a']);
    });

    it('on fetch: tried again from the same position', async () => {
      place('a', 'b');
      const consumer = fixture.consumer({ valueDeserializer: stringDeserializer });
      consumer.assign([{ ...at, position: 1 }]);
      lag(0, 3);
      expect(await pollValues(consumer, 1)).to.deep.equal(['b']);
      expect(refusals()).to.deep.equal(['UNKNOWN_LEADER_EPOCH']);
    });

    it('on list offsets: tried again until it has heard', async () => {
      place('a');
      const consumer = fixture.consumer();
      await consumer.endOffsets([at]);
      lag(0, 2);
      expect((await consumer.endOffsets([at]))[0]!.offset).to.equal(1);
      expect(fixture.cluster.epochErrors).to.deep.equal(Array(2).fill('UNKNOWN_LEADER_EPOCH'));
    });

    it('on offset for leader epoch: nothing is fetched before it has heard', async () => {
      place('a');
      const consumer = consuming();
      await pollValues(consumer, 1);
      log.electLeader(2);
      lag(1, 2);
      place('b');
      expect(await pollValues(consumer, 1)).to.deep.equal(['b']);
      expect(refusals()).to.deep.equal(['UNKNOWN_LEADER_EPOCH']);
      const underNewEpoch = fixture.cluster.fetchPositions.filter((entry) => entry.currentLeaderEpoch === 2);
      expect(underNewEpoch.map(({ fetchOffset }) => fetchOffset)).to.deep.equal([1]);
    });
  });

  describe('an election that cut the log', () => {
    /** Broker 2 leads, and had only so many of the records. */
    const cut = (kept: number): void => {
      log.batches.length = kept;
      log.endOffset = kept;
      log.electLeader(2);
      fixture.cluster.pumpAll();
    };
    const truncation = {
      ...at,
      position: 10,
      positionEpoch: 0,
      divergentOffset: 7,
      divergentEpoch: 0,
    };

    it('is a LogTruncationError with the place where the log differs, when there is no reset policy', async () => {
      place(...numbered(10));
      const consumer = consuming({ 'auto.offset.reset': 'none' });
      await pollValues(consumer, 10);
      cut(7);
      const error = await rejection(consumer.poll({ timeoutMs: 100_000 }));
      expect(error).to.be.instanceOf(LogTruncationError);
      expect(error).to.include({ error: 'OFFSET_OUT_OF_RANGE', ...truncation });
      consumer.seek(at, (error as unknown as LogTruncationError).divergentOffset!);
      place('other');
      expect(await pollValues(consumer, 1)).to.deep.equal(['other']);
    });

    for (const policy of ['earliest', 'latest']) {
      it(`is told, and reading goes on where the log differs, with auto.offset.reset=${policy}`, async () => {
        place(...numbered(10));
        const heard: ResumedTruncation[] = [];
        const consumer = consuming({ 'auto.offset.reset': policy }, (each) => heard.push(each));
        await pollValues(consumer, 10);
        log.batches.length = 7;
        log.endOffset = 7;
        log.electLeader(2);
        place('other', 'another');
        expect(await pollValues(consumer, 2)).to.deep.equal(['other', 'another']);
        expect(heard).to.deep.equal([{ ...truncation, resumedAt: 7 }]);
        expect(consumer.metrics.truncations).to.equal(1);
        expect(await consumer.position(at)).to.equal(9);
      });
    }

    it('is found also when the leader knows no epoch as new as that of the position', async () => {
      log.electLeader(1);
      place(...numbered(10));
      const consumer = consuming({ 'auto.offset.reset': 'none' });
      await pollValues(consumer, 10);
      forgetEpoch1();
      const error = await rejection(consumer.poll({ timeoutMs: 100_000 }));
      expect(error).to.be.instanceOf(LogTruncationError);
      expect(error).to.include({ position: 10, positionEpoch: 1, divergentOffset: undefined });
      expect(error.message).to.match(/knows nothing of leader epoch 1.*seek to a position/);
    });

    it('resets as the policy says when nobody can tell where the log differs', async () => {
      log.electLeader(1);
      place(...numbered(10));
      const heard: ResumedTruncation[] = [];
      const consumer = consuming({ 'auto.offset.reset': 'earliest' }, (each) => heard.push(each));
      await pollValues(consumer, 10);
      forgetEpoch1();
      expect(await pollValues(consumer, 3)).to.deep.equal(numbered(3));
      expect(heard.map(({ resumedAt, divergentOffset }) => [resumedAt, divergentOffset])).to.deep.equal([
        ['start', undefined],
      ]);
    });

    it('is no news when only what was pushed and not yet taken is gone', async () => {
      place(...numbered(10));
      const heard: ResumedTruncation[] = [];
      const consumer = consuming({}, (each) => heard.push(each));
      expect(await pollValues(consumer, 5)).to.deep.equal(numbered(5));
      await until(() => consumer.metrics.prefetchedBytes > 0);
      log.batches.length = 7;
      log.endOffset = 7;
      log.electLeader(2);
      fixture.cluster.broker(1).sever();
      await until(() => fixture.cluster.broker(2).fetchStreams.size > 0);
      place('other');
      expect(await pollValues(consumer, 3)).to.deep.equal(['v5', 'v6', 'other']);
      expect(heard).to.deep.equal([]);
    });
  });
});
