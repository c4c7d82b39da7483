import { expect } from 'chai';
import { Producer, jsonSerializer } from '@tidemark/client';
import type { Receipt } from '@tidemark/client';
import { batchCompression, RecordCursor } from '@tidemark/record';
import { nodeCodecs } from '@tidemark/compression';
import { numbered, rejection, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { quiet, until } from './test-clock.ts';

describe('a producer', () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture(2);
    fixture.cluster.addTopic('orders', 1);
  });
  afterEach(() => fixture.stop());

  const values = (): string[] => fixture.cluster.partition('orders').values();

  it('answers each record with a receipt: where it is and how safe it is', async () => {
    const producer = fixture.producer();
    const first = await producer.send({ topic: 'orders', value: 'a', timestampMs: 1234 });
    const second = await producer.send({ topic: 'orders', value: 'b' });
    expect(first).to.deep.equal({
      topic: 'orders',
      topicId: fixture.cluster.topics.get('orders')!.id,
      partition: 0,
      offset: 0,
      timestampMs: 1234,
      leaderEpoch: 0,
      inSyncReplicas: [1],
      onDisk: true,
      duplicate: false,
    });
    expect(second.offset).to.equal(1);
    expect(second.timestampMs).to.be.within(1_700_000_000_000, fixture.clock.wallMs());
  });

  it('writes key, value, headers and timestamp as given; absent and null are null', async () => {
    const producer = fixture.producer();
    await producer.send({
      topic: 'orders',
      key: 'k',
      value: 'v',
      headers: { a: '1', b: null },
      timestampMs: 99,
    });
    await producer.send({ topic: 'orders', key: null, headers: [{ key: 'a', value: Buffer.from('x') }] });
    const cursor = new RecordCursor({ codecs: nodeCodecs() });
    const [first, second] = fixture.cluster.partition('orders').batches;
    cursor.load(first!);
    expect(cursor.next()).to.equal(true);
    const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());
    expect([text(cursor.key()), text(cursor.value()), cursor.timestampMs]).to.deep.equal(['k', 'v', 99]);
    expect(cursor.headers().map(({ key, value }) => [key, text(value)])).to.deep.equal([
      ['a', '1'],
      ['b', null],
    ]);
    cursor.load(second!);
    expect(cursor.next()).to.equal(true);
    expect([cursor.key(), cursor.value()]).to.deep.equal([null, null]);
  });

  it('gathers what comes within linger.ms into one batch', async () => {
    const producer = fixture.producer();
    const receipts = await Promise.all(
      numbered(100).map((value) => producer.send({ topic: 'orders', value })),
    );
    expect(receipts.map(({ offset }) => offset)).to.deep.equal(Array.from({ length: 100 }, (_, at) => at));
    expect(fixture.cluster.attempts.length).to.equal(1);
  });

  it('fills one batch with all that lingers behind what waits, not a batch for each linger.ms', async () => {
    const config = { 'max.in.flight.requests.per.connection': 1 };
    const producer = fixture.producer({ config });
    await producer.send({ topic: 'orders', value: 'first' });
    fixture.cluster.holdAnswers = true;
    // As while a leader is gone: each of them lingers for itself, and none can be sent.
    const sent = numbered(50).map(async (value) => producer.send({ topic: 'orders', value }));
    for (const value of numbered(50, 'later')) {
      sent.push(producer.send({ topic: 'orders', value }));
      await quiet(3);
    }
    fixture.cluster.holdAnswers = false;
    fixture.cluster.releaseAnswers();
    await Promise.all(sent);
    expect(values()).to.deep.equal(['first', ...numbered(50), ...numbered(50, 'later')]);
    // The first; the 50 at once; one that waits; the rest behind it.
    expect(producer.metrics.batchesSent).to.equal(4);
  });

  it('sends a full batch without lingering', async () => {
    fixture.clock.hurryMs = 0;
    const producer = fixture.producer({ config: { 'batch.size': 1000, 'linger.ms': 1000 } });
    await producer.partitionsFor('orders');
    for (const value of numbered(70, 'x'.repeat(20))) producer.sendOneWay({ topic: 'orders', value });
    await until(() => fixture.cluster.attempts.length === 2);
    expect(producer.metrics.recordsAcknowledged).to.be.below(70);
    fixture.clock.advance(1000);
    await until(() => producer.metrics.recordsAcknowledged === 70);
    expect(values()).to.deep.equal(numbered(70, 'x'.repeat(20)));
  });

  it('puts several partitions into one request, up to max.request.size', async () => {
    fixture.cluster.addTopic('wide', 8);
    const producer = fixture.producer({ config: { 'max.request.size': 4000, 'batch.size': 1000 } });
    await producer.partitionsFor('wide');
    for (let partition = 0; partition < 8; partition++) {
      producer.sendOneWay({ topic: 'wide', partition, value: 'x'.repeat(800) });
    }
    await producer.flush();
    expect(producer.metrics.batchesSent).to.equal(8);
    expect(producer.metrics.requestsSent).to.equal(2);
  });

  it('compresses as compression.type says', async () => {
    for (const type of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const topic = fixture.cluster.addTopic(type);
      const producer = fixture.producer({ config: { 'compression.type': type } });
      await Promise.all(numbered(200).map((value) => producer.send({ topic: type, value })));
      expect(batchCompression(topic.partitions[0]!.batches[0]!)).to.equal(type);
      expect(topic.partitions[0]!.values()).to.deep.equal(numbered(200));
    }
  });

  it('takes bytes without a promise for each record', async () => {
    const producer = fixture.producer();
    await producer.partitionsFor('orders');
    for (const value of numbered(5000)) {
      if (!producer.sendBytes('orders', undefined, null, Buffer.from(value))) await producer.ready();
    }
    await producer.flush();
    expect(values()).to.deep.equal(numbered(5000));
  });

  it('keeps the order of calls made before the topic is known', async () => {
    const producer = fixture.producer();
    for (const value of numbered(20)) producer.sendOneWay({ topic: 'orders', value });
    await producer.flush();
    expect(values()).to.deep.equal(numbered(20));
  });

  it('tells a callback in place of a promise', async () => {
    const producer = fixture.producer();
    const receipt = await new Promise<Receipt | undefined>((resolve, reject) => {
      producer.send({ topic: 'orders', value: 'a' }, (error, answer) =>
        error === undefined ? resolve(answer) : reject(error),
      );
    });
    expect(receipt?.offset).to.equal(0);
  });

  it('settles the other records of a batch although a callback throws', async () => {
    const producer = fixture.producer();
    producer.send({ topic: 'orders', value: 'a' }, () => {
      throw new Error('the callback is at fault');
    });
    const other = producer.send({ topic: 'orders', value: 'b' });
    expect((await other).offset).to.equal(1);
    await producer.flush();
    expect(producer.metrics.bufferedBytes).to.equal(0);
    expect(fixture.errors.map(String)).to.deep.equal(['Error: the callback is at fault']);
  });

  it('does with acks=0 without an answer', async () => {
    const producer = fixture.producer({ config: { acks: '0' } });
    const receipts = await Promise.all(
      numbered(10).map((value) => producer.send({ topic: 'orders', value })),
    );
    expect(receipts.map(({ offset, onDisk }) => [offset, onDisk])).to.deep.equal(Array(10).fill([-1, false]));
    await until(() => fixture.cluster.partition('orders').endOffset === 10);
  });

  it('lets records of acks=0 arrive before it closes', async () => {
    const producer = fixture.producer({ config: { acks: '0' } });
    await producer.partitionsFor('orders');
    for (const value of numbered(2000)) producer.sendOneWay({ topic: 'orders', value });
    await producer.close();
    expect(values()).to.deep.equal(numbered(2000));
  });

  it('keeps nothing of what it sent with acks=0, though the broker never answers nor looks at it', async () => {
    fixture.cluster.pause = new Promise(() => undefined);
    const producer = fixture.producer({ config: { acks: '0', 'buffer.memory': 64 * 1024 } });
    await producer.partitionsFor('orders');
    // Many times the memory: what is kept would stop it.
    for (const value of numbered(200, 'x'.repeat(5000))) {
      if (!producer.sendOneWay({ topic: 'orders', value })) await producer.ready();
    }
    await producer.flush();
    expect(producer.metrics).to.include({ bufferedBytes: 0, recordsAcknowledged: 200, requestsInFlight: 0 });
    expect(fixture.cluster.attempts).to.have.length(0);
  });

  it('does not send again with acks=0: what the connection loses is lost', async () => {
    const producer = fixture.producer({ config: { acks: '0' } });
    fixture.cluster.onProduce = ({ attempt }) => (attempt === 1 ? 'cut' : 'store');
    await producer.send({ topic: 'orders', value: 'gone' });
    await until(() => producer.metrics.connectionsLost === 1);
    await producer.send({ topic: 'orders', value: 'b' });
    await until(() => values().length === 1);
    expect(values()).to.deep.equal(['b']);
    expect(producer.metrics.batchesRetried).to.equal(0);
  });

  it('holds back as long as the broker asks for', async () => {
    const producer = fixture.producer({ config: { 'linger.ms': 0 } });
    fixture.cluster.throttleMs = 5000;
    await producer.send({ topic: 'orders', value: 'a' });
    const next = producer.send({ topic: 'orders', value: 'b' });
    await quiet();
    expect(values()).to.deep.equal(['a']);
    fixture.clock.advance(5000);
    await next;
    expect(values()).to.deep.equal(['a', 'b']);
  });

  it('uses no producer id without idempotence', async () => {
    const producer = fixture.producer({ config: { acks: '1' } });
    await producer.send({ topic: 'orders', value: 'a' });
    expect(fixture.cluster.attempts[0]).to.include({ producerId: -1, baseSequence: -1 });
  });

  it('refuses contradictions and unknown names in its config', () => {
    const make = (config: Record<string, string | number | boolean>) => () =>
      new Producer({ brokers: ['localhost:1'], config });
    expect(make({ acks: '1', 'enable.idempotence': true })).to.throw(/INVALID_CONFIG.*acks/s);
    expect(make({ 'linger.msec': 5 })).to.throw(/linger\.ms/);
    expect(make({ 'delivery.timeout.ms': 1000 })).to.throw(/delivery\.timeout\.ms/);
    expect(() => new Producer({ brokers: ['localhost'] })).to.throw(/"localhost" is not host:port/);
    expect(() => new Producer({ brokers: [] })).to.throw(/at least one/);
  });

  it('serializes keys and values, and fails the record whose serializer throws', async () => {
    const producer = fixture.producer<unknown, unknown>({
      keySerializer: jsonSerializer,
      valueSerializer: jsonSerializer,
    });
    await producer.send({ topic: 'orders', key: 1, value: { a: [true] } });
    expect(values()).to.deep.equal(['{"a":[true]}']);
    const refused = await rejection(producer.send({ topic: 'orders', value: 1n }));
    expect(refused.message).to.match(/INVALID_RECORD.*"orders" cannot be serialized.*BigInt/);
  });

  it('fails the record whose partitioner throws, also one that waited for its topic, and sends the others', async () => {
    const producer = fixture.producer({
      partitioner: ({ key }) => {
        if (key === null) throw new Error('no key, no partition');
        return 0;
      },
    });
    const early = rejection(producer.send({ topic: 'orders', value: 'early' }));
    expect((await producer.send({ topic: 'orders', key: 'k', value: 'a' })).offset).to.equal(0);
    expect((await early).message).to.match(/INVALID_RECORD.*partitioner.*"orders".*no key, no partition/);
    const late = await rejection(producer.send({ topic: 'orders', value: 'late' }));
    expect(late.message).to.equal((await early).message);
    expect(producer.metrics).to.include({ recordsFailed: 2, recordsAcknowledged: 1, recordsWaiting: 0 });
  });

  it('fails the record whose timestamp is none, also one that waited for its topic, and sends the others', async () => {
    const producer = fixture.producer();
    const send = (timestampMs: number) => producer.send({ topic: 'orders', value: 'a', timestampMs });
    const refused = [0.5, NaN, -2].map((timestampMs) => rejection(send(timestampMs)));
    expect((await send(1)).timestampMs).to.equal(1);
    refused.push(rejection(send(1_700_000_000_000.5)));
    for (const { message } of await Promise.all(refused)) {
      expect(message).to.match(/INVALID_TIMESTAMP.*"orders".*whole milliseconds/);
    }
    await producer.flush();
    expect(fixture.cluster.partition('orders').values()).to.deep.equal(['a']);
  });

  it('lets interceptors change records and see receipts; one that throws breaks nothing', async () => {
    const seen: (number | string | undefined)[] = [];
    const producer = fixture.producer({
      interceptors: [
        {
          onSend: () => {
            throw new Error('broken hook');
          },
          onAcknowledgement: () => {
            throw new Error('broken hook');
          },
        },
        {
          onSend: (record) => ({ ...record, value: `${record.value}!` }),
          onAcknowledgement: (receipt, error) => seen.push(receipt?.offset ?? error?.error),
        },
      ],
    });
    await producer.send({ topic: 'orders', value: 'a' });
    producer.sendOneWay({ topic: 'orders', value: 'b' });
    await producer.flush();
    await rejection(producer.send({ topic: 'orders', value: 'c', partition: 9 }));
    expect(values()).to.deep.equal(['a!', 'b!']);
    expect(seen).to.deep.equal([0, 1, 'INVALID_PARTITIONS']);
    expect(producer.metrics.interceptorErrors).to.equal(6);
    expect(fixture.errors.length).to.equal(6);
  });

  it('refuses a record above max.request.size at once', async () => {
    const producer = fixture.producer({ config: { 'max.request.size': 1000 } });
    const refused = await rejection(producer.send({ topic: 'orders', value: 'x'.repeat(1000) }));
    expect(refused.message).to.match(/MESSAGE_TOO_LARGE.*max\.request\.size \(1000\)/);
  });

  it('gives a record larger than batch.size a batch of its own', async () => {
    const producer = fixture.producer({ config: { 'batch.size': 100 } });
    await producer.send({ topic: 'orders', value: 'y'.repeat(5000) });
    expect(values()).to.deep.equal(['y'.repeat(5000)]);
  });

  it('does not wait with what came before a flush, and waits for its answers', async () => {
    fixture.clock.hurryMs = 0;
    const producer = fixture.producer({ config: { 'linger.ms': 1000 } });
    await producer.partitionsFor('orders');
    producer.sendOneWay({ topic: 'orders', value: 'a' });
    await producer.flush();
    expect(producer.metrics.recordsAcknowledged).to.equal(1);
  });

  it('fills batches with what comes during a flush, as far as others wait before them', async () => {
    const producer = fixture.producer({ config: { 'linger.ms': 1000 } });
    await producer.partitionsFor('orders');
    producer.sendOneWay({ topic: 'orders', value: 'a' });
    const flushed = producer.flush();
    for (const value of numbered(500)) producer.sendOneWay({ topic: 'orders', value });
    await flushed;
    await producer.flush();
    expect(values()).to.deep.equal(['a', ...numbered(500)]);
    expect(producer.metrics.batchesSent).to.be.below(5);
  });

  it('asks no more for topics it does not write to any more, and writes to them all the same', async () => {
    const old = fixture.cluster.addTopic('old', 1);
    const producer = fixture.producer();
    await producer.send({ topic: 'old', value: 'a' });
    const mistyped = rejection(producer.partitionsFor('mistyped'));
    await until(() => fixture.cluster.askedTopics.includes('mistyped'));
    fixture.clock.advance(60_000);
    await mistyped;
    await producer.send({ topic: 'orders', value: 'a' });
    expect(fixture.cluster.askedTopics).to.include.members(['old', 'orders', 'mistyped']);
    const { metadataRequests } = fixture.cluster;
    fixture.clock.advance(200_000);
    await producer.send({ topic: 'orders', value: 'b' });
    fixture.clock.advance(100_000);
    await until(() => fixture.cluster.metadataRequests > metadataRequests);
    await quiet();
    expect(fixture.cluster.askedTopics).to.deep.equal(['orders']);
    // It has another leader by now, and the producer goes on in its sequence.
    old.partitions[0]!.electLeader(2);
    expect((await producer.send({ topic: 'old', value: 'b' })).offset).to.equal(1);
    expect(old.partitions[0]!.values()).to.deep.equal(['a', 'b']);
    expect(fixture.cluster.askedTopics).to.include.members(['old', 'orders']);
    expect(fixture.errors).to.deep.equal([]);
  });

  it('goes on asking for a topic of which something is not delivered yet', async () => {
    fixture.clock.hurryMs = 0;
    const producer = fixture.producer({
      config: { 'linger.ms': 10_000_000, 'delivery.timeout.ms': 20_000_000 },
    });
    await producer.partitionsFor('orders');
    producer.sendOneWay({ topic: 'orders', value: 'a' });
    for (let count = 0; count < 3; count++) {
      const { metadataRequests } = fixture.cluster;
      fixture.clock.advance(5 * 60_000);
      await until(() => fixture.cluster.metadataRequests > metadataRequests);
      await quiet();
      expect(fixture.cluster.askedTopics).to.deep.equal(['orders']);
    }
  });

  it('delivers what it has when it closes, takes nothing more, and leaves no timer', async () => {
    const producer = fixture.producer();
    await producer.partitionsFor('orders');
    const sent = producer.send({ topic: 'orders', value: 'a' });
    const report = await producer.close();
    expect(report).to.deep.equal({ unsentRecords: 0, partitions: [], firstError: undefined });
    expect((await sent).offset).to.equal(0);
    expect((await rejection(producer.send({ topic: 'orders', value: 'b' }))).message).to.match(/closed/);
    expect(() => producer.sendBytes('orders', 0, null, null)).to.throw(/closed/);
    await quiet();
    expect(fixture.clock.pending).to.equal(0);
  });

  it('ends every flush when it closes, also where nothing was delivered', async () => {
    fixture.cluster.onProduce = () => 'lose-request';
    const producer = fixture.producer();
    const lost = rejection(producer.send({ topic: 'orders', value: 'lost' }));
    await until(() => fixture.cluster.attempts.length === 1);
    const flushed = producer.flush();
    expect((await producer.close({ timeoutMs: 0 })).unsentRecords).to.equal(1);
    await flushed;
    expect((await lost).message).to.match(/closed before the record was delivered/);
  });

  it('says exactly what it could not deliver when it closes', async () => {
    fixture.cluster.addTopic('wide', 3);
    fixture.cluster.onProduce = ({ topic }) => (topic === 'wide' ? 'LEADER_NOT_AVAILABLE' : 'store');
    const producer = fixture.producer();
    await producer.partitionsFor('wide');
    const lost = [0, 2, 2].map((partition) =>
      rejection(producer.send({ topic: 'wide', partition, value: 'x' })),
    );
    await producer.send({ topic: 'orders', value: 'ok' });
    void rejection(producer.send({ topic: 'missing', value: 'x' }));
    await until(() => fixture.cluster.attempts.length > 4);
    const report = await producer.close({ timeoutMs: 500 });
    expect(report.unsentRecords).to.equal(4);
    expect(
      [...report.partitions].sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition),
    ).to.deep.equal([
      { topic: 'missing', partition: -1, records: 1 },
      { topic: 'wide', partition: 0, records: 1 },
      { topic: 'wide', partition: 2, records: 2 },
    ]);
    expect(report.firstError?.error).to.equal('LEADER_NOT_AVAILABLE');
    expect((await Promise.all(lost)).map(({ error }) => error)).to.deep.equal(
      Array(3).fill('LEADER_NOT_AVAILABLE'),
    );
  });
});

describe('a producer whose memory is used up', () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
    fixture.cluster.addTopic('orders', 1);
  });
  afterEach(() => fixture.stop());
  const config = { 'buffer.memory': 4096, 'batch.size': 1024, 'max.block.ms': 60_000 };

  it('waits for room, and keeps the order while it waits', async () => {
    const producer = fixture.producer({ config });
    await producer.partitionsFor('orders');
    let waited = 0;
    for (const value of numbered(300, 'x'.repeat(80))) {
      if (producer.sendOneWay({ topic: 'orders', value })) continue;
      waited += 1;
      expect(producer.metrics.bufferedBytes).to.be.at.most(4096);
      await producer.ready();
    }
    await producer.flush();
    expect(waited).to.be.above(3);
    expect(fixture.cluster.partition('orders').values()).to.deep.equal(numbered(300, 'x'.repeat(80)));
  });

  it('fills its batches all the same', async () => {
    fixture.cluster.addTopic('spread', 3);
    const producer = fixture.producer({ config: { ...config, 'linger.ms': 60_000 } });
    await producer.partitionsFor('spread');
    for (let count = 0; count < 300; count++) {
      if (!producer.sendBytes('spread', count % 3, null, new Uint8Array(80))) await producer.ready();
    }
    await producer.flush();
    // Eleven records fit a batch, so 28 at best; closing all of them whenever memory runs out would make it 38.
    expect(producer.metrics.batchesSent).to.be.below(34);
  });

  it('is ready once the topic is known, however long batches linger', async () => {
    const producer = fixture.producer({ config: { 'linger.ms': 60_000 } });
    expect(producer.sendOneWay({ topic: 'orders', value: 'early' })).to.equal(false);
    await producer.ready();
    expect(producer.metrics.batchesSent).to.equal(0);
  });

  it('fails after max.block.ms', async () => {
    fixture.cluster.onProduce = () => 'lose-request';
    const producer = fixture.producer({ config: { ...config, 'max.block.ms': 10_000 } });
    await producer.partitionsFor('orders');
    while (producer.sendOneWay({ topic: 'orders', value: 'x'.repeat(500) }));
    const late = rejection(producer.send({ topic: 'orders', value: 'late' }));
    fixture.clock.advance(10_001);
    expect((await late).message).to.match(
      /REQUEST_TIMED_OUT.*max\.block\.ms \(10000\).*buffer\.memory \(4096\)/,
    );
  });

  it('ends a flush although others wait for memory all the time', async () => {
    const producer = fixture.producer({ config });
    await producer.partitionsFor('orders');
    let isFlushed = false;
    let fewest = Infinity;
    const again = (): void => {
      if (isFlushed || producer.metrics.recordsAcknowledged > 2_000) return;
      fewest = Math.min(fewest, producer.metrics.recordsWaiting);
      producer.send({ topic: 'orders', value: 'x'.repeat(500) }, again);
    };
    for (let count = 0; count < 10; count++) again();
    const before = producer.metrics.recordsAccepted;
    fewest = Infinity;
    await producer.flush();
    isFlushed = true;
    expect(fewest).to.be.above(0);
    expect(producer.metrics.recordsAcknowledged).to.be.within(before, 1_000);
  });

  it('refuses at once what would wait beyond another buffer.memory', async () => {
    fixture.cluster.onProduce = () => 'lose-request';
    const producer = fixture.producer({ config });
    await producer.partitionsFor('orders');
    const outcomes = numbered(40).map(() =>
      rejection(producer.send({ topic: 'orders', value: 'x'.repeat(500) })),
    );
    const first = await Promise.race(outcomes);
    expect(first.message).to.match(/REQUEST_TIMED_OUT.*as much again waits/);
    expect(producer.metrics.recordsWaiting).to.be.within(1, 8);
    await producer.close({ timeoutMs: 0 });
    await Promise.all(outcomes);
  });
});
