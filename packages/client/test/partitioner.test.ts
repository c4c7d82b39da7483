import { expect } from 'chai';
import fc from 'fast-check';
import { partitionForKey, roundRobinPartitioner } from '@tidemark/client';
import { startFixture, rejection, numbered } from './fixture.ts';
import type { Fixture } from './fixture.ts';

describe('choosing a partition', () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture();
    fixture.cluster.addTopic('orders', 4);
  });
  afterEach(() => fixture.stop());

  const spread = (): number[] =>
    fixture.cluster.topics.get('orders')!.partitions.map(({ endOffset }) => endOffset);

  it('puts keys where Kafka puts them: toPositive(murmur2(key)) % partitions', () => {
    // Hashes from org.apache.kafka.common.utils.UtilsTest.testMurmur2, made positive by hand.
    const hashes: [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107],
    ];
    for (const [key, hash] of hashes) {
      const positive = hash < 0 ? hash + 2 ** 31 : hash;
      for (const count of [1, 3, 7, 50])
        expect(partitionForKey(Buffer.from(key), count)).to.equal(positive % count);
    }
  });

  it('always answers a partition of the topic', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 5000 }), (key, count) => {
        const partition = partitionForKey(key, count);
        expect(partition).to.be.within(0, count - 1);
      }),
    );
  });

  it('keeps records of one key in one partition, in order', async () => {
    const producer = fixture.producer();
    await Promise.all(numbered(50).map((value) => producer.send({ topic: 'orders', key: 'alice', value })));
    const partition = partitionForKey(Buffer.from('alice'), 4);
    expect(fixture.cluster.partition('orders', partition).values()).to.deep.equal(numbered(50));
  });

  it('stays with one partition until its batch is complete, then goes to another (KIP-480)', async () => {
    const producer = fixture.producer({ config: { 'batch.size': 500 } });
    await producer.partitionsFor('orders');
    for (const value of numbered(400)) producer.sendOneWay({ topic: 'orders', value });
    await producer.flush();
    const { attempts } = fixture.cluster;
    const batches = attempts.map(({ partition }) => partition);
    expect(new Set(batches).size).to.equal(4);
    expect(spread().reduce((sum, count) => sum + count)).to.equal(400);
    // Full batches, not a record here and a record there.
    expect(attempts.length).to.be.below(60);
  });

  it('leaves partitions without a leader out for records without a key', async () => {
    fixture.cluster.partition('orders', 0).leaderId = -1;
    fixture.cluster.partition('orders', 2).leaderId = -1;
    const producer = fixture.producer({ config: { 'batch.size': 200 } });
    await producer.partitionsFor('orders');
    for (const value of numbered(100)) producer.sendOneWay({ topic: 'orders', value });
    await producer.flush();
    const [first, second, third, fourth] = spread();
    expect([first, third]).to.deep.equal([0, 0]);
    expect([second! > 0, fourth! > 0]).to.deep.equal([true, true]);
  });

  it('goes round robin on request', async () => {
    const producer = fixture.producer({ partitioner: roundRobinPartitioner() });
    await Promise.all(numbered(12).map((value) => producer.send({ topic: 'orders', value })));
    expect(spread()).to.deep.equal([3, 3, 3, 3]);
  });

  it('asks your own function, and takes undefined as no opinion', async () => {
    const producer = fixture.producer({
      partitioner: ({ key }) => (key?.[0] === 'x'.charCodeAt(0) ? 3 : undefined),
    });
    const marked = await producer.send({ topic: 'orders', key: 'x1', value: 'a' });
    const plain = await producer.send({ topic: 'orders', key: 'alice', value: 'b' });
    expect(marked.partition).to.equal(3);
    expect(plain.partition).to.equal(partitionForKey(Buffer.from('alice'), 4));
  });

  it('refuses a partition that the topic does not have, and goes on with the next record', async () => {
    const producer = fixture.producer();
    const refused = await rejection(producer.send({ topic: 'orders', partition: 4, value: 'a' }));
    expect(refused.message).to.match(/INVALID_PARTITIONS.*"orders" has partitions 0 to 3, not 4/);
    const receipt = await producer.send({ topic: 'orders', partition: 3, value: 'b' });
    expect(receipt.partition).to.equal(3);
  });
});
