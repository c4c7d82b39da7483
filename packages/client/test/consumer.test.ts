import { expect } from 'chai';
import { jsonDeserializer, stringDeserializer } from '@tidemark/client';
import type { Consumer, ConsumerRecord } from '@tidemark/client';
import { BatchBuilder } from '@tidemark/record';
import { batchOf, controlBatch } from './batches.ts';
import type { FakePartition } from './fake-cluster.ts';
import { numbered, rejection, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { quiet, until } from './test-clock.ts';

const text = { valueDeserializer: stringDeserializer };

describe('a consumer', () => {
  let fixture: Fixture;
  let log: FakePartition;
  const at = { topic: 'orders', partition: 0 };
  beforeEach(async () => {
    fixture = await startFixture(2);
    log = fixture.cluster.addTopic('orders', 2).partitions[0]!;
  });
  afterEach(() => fixture.stop());

  const place = (...batches: string[][]): void => {
    for (const values of batches) log.place(batchOf(values));
    fixture.cluster.pumpAll();
  };

  async function readSome<K>(
    consumer: Consumer<K, string>,
    count: number,
  ): Promise<ConsumerRecord<K, string>[]> {
    const records: ConsumerRecord<K, string>[] = [];
    if (count === 0) return records;
    for await (const record of consumer) {
      records.push(record);
      if (records.length === count) break;
    }
    return records;
  }

  const valuesOf = (records: readonly ConsumerRecord<unknown, string>[]): (string | null)[] =>
    records.map(({ value }) => value);

  it('reads records in order, from the start', async () => {
    place(['a', 'b'], ['c']);
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 'start' }]);
    const records = await readSome(consumer, 3);
    expect(
      records.map(({ offset, value, timestampMs, key }) => [offset, value, timestampMs, key]),
    ).to.deep.equal([
      [0, 'a', 1000, null],
      [1, 'b', 1001, null],
      [2, 'c', 1000, null],
    ]);
  });

  it('begins at the end, at an offset inside a batch, or at a time, as told', async () => {
    place(numbered(5), numbered(5, 'w'), numbered(5, 'x'));
    log.batches.splice(1, 1, log.batches[1]!);
    const read = async (position: number | 'end' | { timestampMs: number }, count: number) => {
      const consumer = fixture.consumer(text);
      consumer.assign([{ ...at, position }]);
      const first = await consumer.position(at);
      return [first, valuesOf(await readSome(consumer, count))] as const;
    };
    expect(await read(7, 2)).to.deep.equal([7, ['w2', 'w3']]);
    expect(await read('end', 0)).to.deep.equal([15, []]);
    expect(await read({ timestampMs: 1000 }, 1)).to.deep.equal([0, ['v0']]);
    expect(await read({ timestampMs: 999_999 }, 0), 'nobody wrote that late: the end').to.deep.equal([
      15,
      [],
    ]);
  });

  it('refuses a position that there cannot be, instead of waiting for it, and goes on where it was', async () => {
    place(['a', 'b']);
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 1 }]);
    for (const position of [-1, NaN, 0.5, 2 ** 53, { timestampMs: -2 }, { timestampMs: NaN }]) {
      expect(() => consumer.seek(at, position), JSON.stringify(position)).to.throw(
        'INVALID_REQUEST: orders-0 has no',
      );
      expect(() => consumer.assign([{ ...at, position }])).to.throw('INVALID_REQUEST');
    }
    expect((await rejection(consumer.offsetsForTime([at], -1))).error).to.equal('INVALID_REQUEST');
    expect(valuesOf(await readSome(consumer, 1))).to.deep.equal(['b']);
    const all = fixture.consumer(text);
    await all.assignAll(['orders'], { position: () => NaN });
    expect((await rejection(all.poll())).error).to.equal('INVALID_REQUEST');
  });

  it('begins at the start when it is to go back further than there has been time', async () => {
    place(['a']);
    const consumer = fixture.consumer({ ...text, config: { 'auto.offset.reset': 'by_duration:P36500D' } });
    consumer.assign([at]);
    expect(valuesOf(await readSome(consumer, 1))).to.deep.equal(['a']);
  });

  it('goes on asking for what it is assigned, paused or not, and not for what it was', async () => {
    fixture.cluster.addTopic('paused', 1);
    fixture.cluster.addTopic('left', 1);
    const paused = { topic: 'paused', partition: 0 };
    const consumer = fixture.consumer(text);
    consumer.assign([at, paused, { topic: 'left', partition: 0 }]);
    for (const each of [at, paused, { topic: 'left', partition: 0 }]) await consumer.position(each);
    consumer.pause([paused]);
    consumer.assign([at, paused]);
    for (let count = 0; count < 3; count++) {
      const { metadataRequests } = fixture.cluster;
      fixture.clock.advance(5 * 60_000);
      await until(() => fixture.cluster.metadataRequests > metadataRequests);
      await quiet();
    }
    expect(fixture.cluster.askedTopics).to.deep.equal(['orders', 'paused']);
    expect(consumer.metrics.truncations).to.equal(0);
  });

  it('reads what is written while it waits', async () => {
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 'start' }]);
    const reading = readSome(consumer, 2);
    await quiet();
    place(['a'], ['b']);
    expect(valuesOf(await reading)).to.deep.equal(['a', 'b']);
  });

  it('starts where auto.offset.reset says when nobody told it', async () => {
    place(numbered(3));
    const latest = fixture.consumer(text);
    latest.assign([at]);
    expect(await latest.position(at)).to.equal(3);
    const earliest = fixture.consumer({ ...text, config: { 'auto.offset.reset': 'earliest' } });
    earliest.assign([at]);
    expect(valuesOf(await readSome(earliest, 3))).to.deep.equal(numbered(3));
    const none = fixture.consumer({ ...text, config: { 'auto.offset.reset': 'none' } });
    none.assign([at]);
    const refused = await rejection(none.poll({ timeoutMs: 10_000 }));
    expect(refused.message).to.match(/OFFSET_OUT_OF_RANGE.*orders-0.*no position.*seek to a position/);
  });

  it('polls up to so many records, and nothing when the time is over', async () => {
    place(numbered(7));
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 'start' }]);
    expect(valuesOf(await consumer.poll({ maxRecords: 5, timeoutMs: 10_000 }))).to.deep.equal(numbered(5));
    expect(await consumer.position(at)).to.equal(5);
    expect(valuesOf(await consumer.poll({ timeoutMs: 10_000 }))).to.deep.equal(['v5', 'v6']);
    const nothing = consumer.poll({ timeoutMs: 10_000 });
    fixture.clock.advance(10_000);
    expect(await nothing).to.deep.equal([]);
    expect(await consumer.poll()).to.deep.equal([]);
  });

  it('hands out batches with a cursor that makes no object for a record', async () => {
    log.place(batchOf(numbered(100), 1000, 'zstd'));
    place(numbered(3, 'w'));
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 98 }]);
    const seen: [number, number][] = [];
    for await (const batch of consumer.batches()) {
      const cursor = batch.cursor();
      while (cursor.next()) seen.push([cursor.offset, cursor.valueLength]);
      batch.check(cursor);
      if (batch.lastOffset === 102) {
        expect([...batch].map(({ value }) => value)).to.deep.equal(['w0', 'w1', 'w2']);
        break;
      }
      expect([batch.firstOffset, batch.lastOffset, batch.recordCount, batch.highWatermark]).to.deep.equal([
        98, 99, 100, 103,
      ]);
    }
    expect(seen).to.deep.equal([98, 99, 100, 101, 102].map((offset) => [offset, offset < 100 ? 3 : 2]));
  });

  it('reads several partitions, each in order', async () => {
    const other = fixture.cluster.partition('orders', 1);
    other.electLeader(2);
    for (const value of numbered(20)) log.place(batchOf([value]));
    for (const value of numbered(20, 'w')) other.place(batchOf([value]));
    const consumer = fixture.consumer(text);
    consumer.assign([0, 1].map((partition) => ({ topic: 'orders', partition, position: 'start' as const })));
    const records = await readSome(consumer, 40);
    for (const partition of [0, 1]) {
      const values = valuesOf(records.filter((record) => record.partition === partition));
      expect(values).to.deep.equal(numbered(20, partition === 0 ? 'v' : 'w'));
    }
    expect(fixture.cluster.fetchStreamsOpened).to.equal(2);
  });

  it('passes over control batches, but their offsets count', async () => {
    place(['a']);
    log.place(controlBatch());
    place(['b']);
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 'start' }]);
    const records = await readSome(consumer, 2);
    expect(records.map(({ offset, value }) => [offset, value])).to.deep.equal([
      [0, 'a'],
      [2, 'b'],
    ]);
  });

  it('goes elsewhere on seek, and what was pushed before is forgotten', async () => {
    for (const value of numbered(50)) log.place(batchOf([value]));
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 'start' }]);
    expect(valuesOf(await readSome(consumer, 2))).to.deep.equal(['v0', 'v1']);
    consumer.seek(at, 40);
    expect(valuesOf(await readSome(consumer, 3))).to.deep.equal(['v40', 'v41', 'v42']);
    consumer.seek(at, 'start');
    expect(valuesOf(await readSome(consumer, 2))).to.deep.equal(['v0', 'v1']);
    await until(() => consumer.metrics.prefetchedBytes > 0);
    consumer.seek(at, 'end');
    expect(await consumer.position(at)).to.equal(50);
    expect(consumer.metrics.prefetchedBytes).to.equal(0);
  });

  it('pauses in the middle of a batch and resumes with the next record', async () => {
    place(numbered(6), numbered(2, 'w'));
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 'start' }]);
    await consumer.poll({ maxRecords: 2, timeoutMs: 10_000 });
    consumer.pause([at]);
    expect(await consumer.position(at)).to.equal(2);
    const nothing = consumer.poll({ timeoutMs: 10_000 });
    await quiet();
    fixture.clock.advance(10_000);
    expect(await nothing).to.deep.equal([]);
    consumer.resume([at]);
    expect(valuesOf(await readSome(consumer, 6))).to.deep.equal(['v2', 'v3', 'v4', 'v5', 'w0', 'w1']);
  });

  it('keeps what is pushed ahead of the application within its bound, and lets more come as it reads', async () => {
    for (const value of numbered(100, 'x'.repeat(1000))) log.place(batchOf([value]));
    const size = log.batches[0]!.length;
    const config = { 'fetch.max.bytes': 10 * size, 'max.partition.fetch.bytes': 2 * size };
    const consumer = fixture.consumer({ ...text, config });
    consumer.assign([{ ...at, position: 'start' }]);
    await consumer.poll({ maxRecords: 1, timeoutMs: 10_000 });
    await quiet();
    const [stream] = fixture.cluster.broker(1).fetchStreams;
    // Of the last batch some byte fits.
    expect(stream!.bytesPushed).to.be.at.most(12 * size);
    expect(consumer.metrics.prefetchedBytes).to.be.at.most(11 * size);
    expect(valuesOf(await readSome(consumer, 99))).to.deep.equal(numbered(100, 'x'.repeat(1000)).slice(1));
    await quiet();
    expect(stream!.creditGiven).to.be.within(100 * size, 112 * size);
    expect(consumer.metrics).to.include({ prefetchedBytes: 0, batchesConsumed: 100 });
  });

  it('holds no more ahead of the application when connections break again and again', async () => {
    const values = numbered(60, 'x'.repeat(1000));
    for (const value of values) log.place(batchOf([value]));
    const size = log.batches[0]!.length;
    const config = { 'fetch.max.bytes': 10 * size, 'max.partition.fetch.bytes': 2 * size };
    const consumer = fixture.consumer({ ...text, config });
    consumer.assign([{ ...at, position: 'start' }]);
    await consumer.poll({ maxRecords: 1, timeoutMs: 10_000 });
    for (let broken = 1; broken <= 4; broken++) {
      await quiet();
      fixture.cluster.broker(1).sever();
      await until(() => fixture.cluster.fetchStreamsOpened > broken);
    }
    await quiet();
    expect(consumer.metrics).to.include({ connectionsLost: 4 });
    expect(consumer.metrics.prefetchedBytes).to.be.at.most(11 * size);
    expect(valuesOf(await readSome(consumer, 59))).to.deep.equal(values.slice(1));
    await quiet();
    expect(consumer.metrics.prefetchedBytes).to.equal(0);
    // The window is all the last connection's again, but for what goes back in lumps.
    const [stream] = fixture.cluster.broker(1).fetchStreams;
    expect(stream!.creditBytes).to.be.within(7 * size, 10 * size);
  });

  it('reads others of a broker while a partition is paused that has filled what may be held of it', async () => {
    const values = numbered(30, 'x'.repeat(1000));
    for (const value of values) log.place(batchOf([value]));
    const other = fixture.cluster.partition('orders', 1);
    const size = log.batches[0]!.length;
    const config = { 'fetch.max.bytes': 10 * size, 'max.partition.fetch.bytes': 2 * size };
    const consumer = fixture.consumer({ ...text, config });
    consumer.assign([
      { ...at, position: 'start' },
      { topic: 'orders', partition: 1, position: 'start' },
    ]);
    expect(valuesOf(await consumer.poll({ maxRecords: 1, timeoutMs: 10_000 }))).to.deep.equal([values[0]]);
    await until(() => consumer.metrics.prefetchedBytes >= 8 * size);
    await quiet();
    consumer.pause([at]);
    for (const value of numbered(20)) other.place(batchOf([value]));
    fixture.cluster.pumpAll();
    expect(valuesOf(await readSome(consumer, 20))).to.deep.equal(numbered(20));
    consumer.resume([at]);
    expect(valuesOf(await readSome(consumer, 29))).to.deep.equal(values.slice(1));
    await quiet();
    expect(consumer.metrics.prefetchedBytes).to.equal(0);
  });

  it('names the place of a corrupt batch and stays there until told to go on', async () => {
    place(['a'], ['b', 'bb'], ['c']);
    log.batches[1]![70]! ^= 1;
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 'start' }]);
    expect(valuesOf(await consumer.poll({ timeoutMs: 10_000 }))).to.deep.equal(['a']);
    const refused = await rejection(consumer.poll({ timeoutMs: 10_000 }));
    expect(refused.message).to.match(/CORRUPT_MESSAGE.*orders-0@1 is corrupt.*CRC.*seek to 3/);
    expect((await rejection(consumer.poll({ timeoutMs: 10_000 }))).message).to.match(/orders-0@1/);
    consumer.seek(at, 3);
    expect(valuesOf(await consumer.poll({ timeoutMs: 10_000 }))).to.deep.equal(['c']);
  });

  it('names the place when the records of a batch are not what they say', async () => {
    const builder = new BatchBuilder({ capacityBytes: 64 });
    builder.append(0, null, Buffer.from('a'));
    builder.append(0, null, Buffer.from('b'));
    const bytes = Uint8Array.from(builder.build());
    // Right checksum, wrong length of the second record: as a client with a bug would write it.
    bytes[69] = 60;
    const consumer = fixture.consumer({ ...text, config: { 'check.crcs': false } });
    log.place(bytes);
    consumer.assign([{ ...at, position: 'start' }]);
    expect(valuesOf(await consumer.poll({ timeoutMs: 10_000 }))).to.deep.equal(['a']);
    const refused = await rejection(consumer.poll({ timeoutMs: 10_000 }));
    expect(refused.message).to.match(/CORRUPT_MESSAGE.*orders-0@1.*seek to 2/);
  });

  it('deserializes on demand, and names the record that cannot be', async () => {
    place(['{"a":1}', 'no json']);
    const consumer = fixture.consumer({ valueDeserializer: jsonDeserializer });
    consumer.assign([{ ...at, position: 'start' }]);
    const [first, second] = await consumer.poll({ timeoutMs: 10_000 });
    expect(first!.value).to.deep.equal({ a: 1 });
    expect(Buffer.from(second!.valueBytes!).toString()).to.equal('no json');
    expect(() => second!.value).to.throw(/INVALID_RECORD.*value of orders-0@1/);
  });

  it('ends its iterations when it is closed, or the signal says so, and leaves no timer', async () => {
    const consumer = fixture.consumer(text);
    consumer.assign([{ ...at, position: 'start' }]);
    const stop = new AbortController();
    const stopped = (async () => {
      for await (const record of consumer.records({ signal: stop.signal }))
        throw new Error(String(record.offset));
    })();
    await quiet();
    stop.abort();
    await stopped;
    const polling = rejection(
      consumer.poll({ timeoutMs: 10_000, signal: AbortSignal.abort(new Error('enough')) }),
    );
    expect((await polling).message).to.equal('enough');
    const reading = readSome(consumer, 1);
    await quiet();
    await consumer.close();
    expect(await reading).to.deep.equal([]);
    expect((await rejection(consumer.poll())).message).to.match(/closed/);
    await quiet();
    expect(fixture.clock.pending).to.equal(0);
  });

  it('refuses what concerns a partition it was not assigned', () => {
    const consumer = fixture.consumer(text);
    expect(() => {
      consumer.seek(at, 0);
    }).to.throw(/INVALID_REQUEST.*orders-0 is not assigned/);
  });

  it('drops what is not assigned any more and leaves the rest where it is', async () => {
    place(numbered(4));
    fixture.cluster.partition('orders', 1).place(batchOf(numbered(4, 'w')));
    const consumer = fixture.consumer(text);
    const other = { topic: 'orders', partition: 1 };
    consumer.assign([
      { ...at, position: 'start' },
      { ...other, position: 'start' },
    ]);
    await until(() => consumer.metrics.prefetchedBytes > 0);
    await quiet();
    consumer.assign([other]);
    expect(consumer.assignment).to.deep.equal([other]);
    expect(valuesOf(await readSome(consumer, 4))).to.deep.equal(numbered(4, 'w'));
  });

  it('tells where partitions begin and end, and where a time is', async () => {
    place(numbered(4), numbered(4));
    log.logStartOffset = 4;
    const consumer = fixture.consumer(text);
    expect((await consumer.beginningOffsets([at]))[0]).to.include({ ...at, offset: 4 });
    expect((await consumer.endOffsets([at]))[0]).to.include({ ...at, offset: 8 });
    expect((await consumer.offsetsForTime([at], 5000))[0]).to.include({ offset: -1 });
  });
});
