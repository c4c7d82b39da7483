// What a consumer does when things go wrong: no record is skipped, none is repeated, and what it cannot decide is said.
import { expect } from 'chai';
import fc from 'fast-check';
import { stringDeserializer } from '@tidemark/client';
import type { Consumer, ResumedTruncation } from '@tidemark/client';
import { batchOf } from './batches.ts';
import type { FakePartition } from './fake-cluster.ts';
import { numbered, pollValues, rejection, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { quiet, until } from './test-clock.ts';

const text = { valueDeserializer: stringDeserializer };

describe('a consumer in trouble', () => {
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
  const started = (config = {}): Consumer<Uint8Array, string> => {
    const consumer = fixture.consumer({ ...text, config });
    consumer.assign([{ ...at, position: 'start' }]);
    return consumer;
  };

  it('goes on behind what has arrived when the connection breaks', async () => {
    place(...numbered(10));
    const consumer = started();
    expect(await pollValues(consumer, 3)).to.deep.equal(numbered(3));
    await quiet();
    fixture.cluster.broker(1).sever();
    place(...numbered(5, 'w'));
    expect(await pollValues(consumer, 12)).to.deep.equal([...numbered(10).slice(3), ...numbered(5, 'w')]);
    expect(fixture.cluster.fetchPositions.map(({ fetchOffset }) => fetchOffset)).to.deep.equal([0, 10]);
    expect(consumer.metrics.connectionsLost).to.equal(1);
  });

  it('follows the leader that the old one names', async () => {
    place('a');
    const consumer = started();
    expect(await pollValues(consumer, 1)).to.deep.equal(['a']);
    log.electLeader(2);
    place('b');
    expect(await pollValues(consumer, 1)).to.deep.equal(['b']);
    expect(fixture.cluster.broker(2).fetchStreams.size).to.equal(1);
  });

  it('comes back to a broker that was away', async () => {
    place('a');
    const consumer = started();
    await pollValues(consumer, 1);
    fixture.cluster.broker(1).stop();
    await until(() => consumer.metrics.connectionsLost > 0);
    log.electLeader(2);
    place('b');
    expect(await pollValues(consumer, 1)).to.deep.equal(['b']);
  });

  it('resets as auto.offset.reset says when its position is gone', async () => {
    place(...numbered(10));
    log.logStartOffset = 6;
    const earliest = fixture.consumer({ ...text, config: { 'auto.offset.reset': 'earliest' } });
    earliest.assign([{ ...at, position: 2 }]);
    expect(await pollValues(earliest, 4)).to.deep.equal(['v6', 'v7', 'v8', 'v9']);
    const none = fixture.consumer({ ...text, config: { 'auto.offset.reset': 'none' } });
    none.assign([{ ...at, position: 2 }]);
    const refused = await rejection(none.poll({ timeoutMs: 100_000 }));
    expect(refused.message).to.match(/OFFSET_OUT_OF_RANGE.*orders-0: offset 2 is not in the partition.*seek/);
    none.seek(at, 'start');
    expect(await pollValues(none, 1)).to.deep.equal(['v6']);
  });

  it('hands out the rest of the batch in hand before it resets, by poll and by run', async () => {
    log.place(batchOf(numbered(6)));
    const config = { 'auto.offset.reset': 'earliest' };
    const polling = started(config);
    expect(await pollValues(polling, 2)).to.deep.equal(numbered(2));
    const running = started(config);
    const seen: (string | null)[] = [];
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const run = running.run({
      eachMessage: async ({ value }) => {
        seen.push(value);
        if (seen.length === 2) await held;
      },
    });
    await until(() => seen.length === 2);
    // Deleted, together with half of what comes next, before anybody was given that.
    log.place(batchOf(numbered(4, 'w')));
    log.logStartOffset = 8;
    fixture.cluster.pumpAll();
    await quiet();
    expect(await pollValues(polling, 6)).to.deep.equal([...numbered(6).slice(2), 'w2', 'w3']);
    goOn();
    await until(() => seen.length >= 8);
    expect(seen).to.deep.equal([...numbered(6), 'w2', 'w3']);
    await running.close();
    await run;
  });

  it('says that records it has read are gone when an election cut the log (rule 3, KIP-320)', async () => {
    place(...numbered(10));
    const consumer = started({ 'auto.offset.reset': 'none' });
    expect(await pollValues(consumer, 10)).to.deep.equal(numbered(10));
    // Broker 2 had only seven of them.
    log.batches.length = 7;
    log.endOffset = 7;
    log.electLeader(2);
    fixture.cluster.pumpAll();
    const polling = rejection(consumer.poll({ timeoutMs: 100_000 }));
    expect((await polling).message).to.match(
      /OFFSET_OUT_OF_RANGE.*orders-0: the log was cut at 7, below the position 10.*epoch 0.*seek to 7/,
    );
    place('other');
    consumer.seek(at, 7);
    expect(await pollValues(consumer, 1)).to.deep.equal(['other']);
  });

  it('hears of a batch that the broker cannot read, once it has what comes before, and does not ask for ever', async () => {
    place(...numbered(4));
    log.unreadable.add(log.batches[2]!);
    const consumer = started();
    expect(await pollValues(consumer, 2)).to.deep.equal(numbered(2));
    const refused = await rejection(consumer.poll({ timeoutMs: 100_000 }));
    expect(refused.message).to.match(/CORRUPT_MESSAGE.*orders-0@2: .*seek behind it/);
    consumer.seek(at, 3);
    expect(await pollValues(consumer, 1)).to.deep.equal(['v3']);
  });

  it('goes on after an election that lost nothing', async () => {
    place(...numbered(3));
    const consumer = started();
    await pollValues(consumer, 3);
    log.electLeader(2);
    place('b');
    expect(await pollValues(consumer, 1)).to.deep.equal(['b']);
  });

  it('takes no log for cut after an election, although one push brought batches of several leader epochs', async () => {
    place('a', 'b');
    log.electLeader(1);
    place('c', 'd');
    fixture.cluster.batchesPerPush = 10;
    const consumer = started({ 'auto.offset.reset': 'none' });
    expect(await pollValues(consumer, 4)).to.deep.equal(['a', 'b', 'c', 'd']);
    // Of the first epoch the new leader has two records, and it has the four that were read.
    log.electLeader(2);
    place('e');
    expect(await pollValues(consumer, 1)).to.deep.equal(['e']);
    expect(consumer.metrics.truncations).to.equal(0);
  });

  it('asks again when only the epoch of the leader moved on (rule 2, KAFKA-7164)', async () => {
    place('a');
    const consumer = started({ 'metadata.max.age.ms': 20_000 });
    await pollValues(consumer, 1);
    log.electLeader(1);
    const before = fixture.cluster.fetchPositions.length;
    fixture.clock.advance(20_001);
    await until(() => fixture.cluster.fetchPositions.length > before);
    expect(fixture.cluster.fetchPositions.at(-1)).to.include({ fetchOffset: 1, currentLeaderEpoch: 1 });
    place('b');
    expect(await pollValues(consumer, 1)).to.deep.equal(['b']);
  });

  describe('whose topic is deleted and made again under its name', () => {
    const remade = (...values: string[]): void => {
      const { partitions } = fixture.cluster.remakeTopic('orders');
      for (const value of values) partitions[0]!.place(batchOf([value]));
      fixture.cluster.pumpAll();
    };

    it('reads the new one from its start, once it has what came of the old one, and says so', async () => {
      const told: ResumedTruncation[] = [];
      log.place(batchOf(numbered(4)));
      const config = { 'auto.offset.reset': 'latest' };
      const consumer = fixture.consumer({ ...text, config, onTruncation: (each) => told.push(each) });
      consumer.assign([{ ...at, position: 'start' }]);
      expect(await pollValues(consumer, 2)).to.deep.equal(['v0', 'v1']);
      remade(...numbered(9, 'new'));
      await quiet();
      expect(await pollValues(consumer, 11)).to.deep.equal(['v2', 'v3', ...numbered(9, 'new')]);
      expect(told).to.deep.equal([
        {
          ...at,
          position: 4,
          positionEpoch: 0,
          divergentOffset: 0,
          divergentEpoch: undefined,
          isOtherTopic: true,
          resumedAt: 'start',
        },
      ]);
    });

    it('hears of it where auto.offset.reset is none', async () => {
      place(...numbered(4));
      const consumer = started({ 'auto.offset.reset': 'none' });
      await pollValues(consumer, 4);
      remade(...numbered(9, 'new'));
      const refused = await rejection(consumer.poll({ timeoutMs: 100_000 }));
      expect(refused.message).to.match(
        /OFFSET_OUT_OF_RANGE.*orders-0: the topic was deleted and made again, and the position 4 is of the old one; seek to 0/,
      );
      consumer.seek(at, 0);
      expect(await pollValues(consumer, 9)).to.deep.equal(numbered(9, 'new'));
    });

    it('goes on where it was when a broker that is behind told of the old one once more', async () => {
      place(...numbered(4));
      const consumer = fixture.consumer({ ...text, onTruncation: () => undefined });
      consumer.assign([{ ...at, position: 'start' }]);
      await pollValues(consumer, 4);
      const old = fixture.cluster.topic('orders');
      remade(...numbered(3, 'new'));
      expect(await pollValues(consumer, 3)).to.deep.equal(numbered(3, 'new'));
      const present = fixture.cluster.topic('orders');
      const polling = pollValues(consumer, 1);
      fixture.cluster.topics.set('orders', old);
      fixture.cluster.pumpAll();
      const asked = fixture.cluster.fetchPositions.length;
      old.partitions[0]!.electLeader(2);
      fixture.cluster.announce();
      await until(() => fixture.cluster.fetchPositions.length > asked);
      await quiet();
      expect(fixture.cluster.fetchPositions.at(-1)).to.include({ topicId: old.id, fetchOffset: 4 });
      fixture.cluster.topics.set('orders', present);
      present.partitions[0]!.place(batchOf(['more']));
      fixture.cluster.announce();
      fixture.cluster.pumpAll();
      expect(await polling).to.deep.equal(['more']);
    });
  });

  it('throws away what a broker pushes for a position that was left', async () => {
    place(...numbered(5));
    const consumer = started();
    await pollValues(consumer, 5);
    const [stream] = fixture.cluster.broker(1).fetchStreams;
    const stale = { ...at, positionId: 77, highWatermark: 5, leaderEpoch: 0 };
    stream!.send({ ...stale, batches: batchOf(['phantom']) });
    place('next');
    expect(await pollValues(consumer, 1)).to.deep.equal(['next']);
  });

  it('says that a batch is damaged in its length, and does not look for its end for ever', async () => {
    place('a');
    const consumer = started();
    await pollValues(consumer, 1);
    const { positionId } = fixture.cluster.fetchPositions.at(-1)!;
    const damaged = batchOf(['b']);
    // A length of -12, which with the twelve bytes before it makes a batch of none.
    damaged.set([0xff, 0xff, 0xff, 0xf4], 8);
    const [stream] = fixture.cluster.broker(1).fetchStreams;
    stream!.send({ ...at, positionId, highWatermark: 2, leaderEpoch: 0, batches: damaged });
    await until(() => consumer.metrics.prefetchedBytes > 0);
    fixture.cluster.broker(1).sever();
    await until(() => consumer.metrics.connectionsLost > 0);
    const refused = await rejection(consumer.poll({ timeoutMs: 100_000 }));
    expect(refused.message).to.match(/CORRUPT_MESSAGE.*orders-0@1 is corrupt: it claims 0 bytes/);
  });

  it('hears about a topic that does not exist, with the command that creates it', async () => {
    const consumer = fixture.consumer({ ...text, config: { 'request.timeout.ms': 5000 } });
    consumer.assign([{ topic: 'missing', partition: 0, position: 'start' }]);
    const polling = rejection(consumer.poll({ timeoutMs: 100_000 }));
    await until(() => fixture.cluster.metadataRequests > 2);
    fixture.clock.advance(5001);
    expect((await polling).message).to.match(/UNKNOWN_TOPIC_OR_PARTITION.*tidemark topic create missing/);
  });

  it('hears about a partition that the topic does not have', async () => {
    const consumer = fixture.consumer(text);
    consumer.assign([{ topic: 'orders', partition: 5, position: 'start' }]);
    const refused = await rejection(consumer.poll({ timeoutMs: 100_000 }));
    expect(refused.message).to.match(/INVALID_PARTITIONS.*"orders" has partitions 0 to 0, not 5/);
  });

  const event = fc.constantFrom('write', 'write', 'read', 'read', 'cut', 'elect', 'seek', 'pause');

  it('reads every record once and in order, whatever breaks in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const run = await startFixture(2);
        try {
          const partition = run.cluster.addTopic('orders', 1).partitions[0]!;
          const consumer = run.consumer(text);
          consumer.assign([{ ...at, position: 'start' }]);
          let written = 0;
          let next = 0;
          const write = (count: number): void => {
            const values = Array.from({ length: count }, (_, index) => `v${written + index}`);
            partition.place(batchOf(values));
            written += count;
            run.cluster.pumpAll();
          };
          const read = async (count: number): Promise<void> => {
            let left = Math.min(count, written - next);
            while (left > 0) {
              const records = await consumer.poll({ maxRecords: left, timeoutMs: 1_000_000 });
              for (const { value, offset } of records) {
                expect([offset, value]).to.deep.equal([next, `v${next}`]);
                next += 1;
              }
              left -= records.length;
            }
          };
          for (const what of events) {
            if (what === 'write') write(3);
            else if (what === 'read') await read(2);
            else if (what === 'cut') for (const broker of run.cluster.brokers) broker.sever();
            else if (what === 'elect') partition.electLeader(3 - partition.leaderId);
            else if (what === 'seek') consumer.seek(at, next);
            else {
              consumer.pause([at]);
              await quiet(3);
              consumer.resume([at]);
            }
            run.cluster.pumpAll();
          }
          await read(written - next);
          expect(next).to.equal(written);
        } finally {
          await run.stop();
        }
      }),
      { numRuns: 40 },
    );
  });
});
