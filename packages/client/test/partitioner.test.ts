import { expect } from 'chai';
import fc from 'fast-check';
import { partitionForKey, roundRobinPartitioner } from '@tidemark/client';
import { startFixture, rejection, numbered } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { quiet, until } from './test-clock.ts';

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

describe('choosing a partition by how brokers do (KIP-794)', () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture(2);
    // 0 and 1 on broker 1, 2 and 3 on broker 2.
    const { partitions } = fixture.cluster.addTopic('orders', 4);
    for (const partition of [2, 3]) partitions[partition]!.electLeader(2);
  });
  afterEach(() => fixture.stop());

  const small = { 'batch.size': 200, 'linger.ms': 0 };
  /** Batches of the partitions of a broker, by what the producer holds and what has been stored. */
  const stored = (partitions: readonly number[]): number =>
    partitions.reduce((sum, at) => sum + fixture.cluster.partition('orders', at).batches.length, 0);

  /** Sends while broker 1 answers nothing, then lets it go on; the share of the batches that went there. */
  const shareOfSlow = async (config: Record<string, string | number>): Promise<number> => {
    const producer = fixture.producer({ config: { ...small, ...config } });
    await producer.partitionsFor('orders');
    fixture.cluster.onProduce = ({ broker }) => (broker.id === 1 ? 'NOT_ENOUGH_REPLICAS' : 'store');
    for (const value of numbered(2000)) {
      producer.sendOneWay({ topic: 'orders', value });
      if (value.endsWith('9')) await quiet(1);
    }
    fixture.cluster.onProduce = () => 'store';
    await producer.flush();
    const [slow, fast] = [stored([0, 1]), stored([2, 3])];
    return slow / (slow + fast);
  };

  it('goes less often where batches pile up', async () => {
    expect(await shareOfSlow({})).to.be.below(0.25);
  });

  it('goes everywhere alike when that is switched off', async () => {
    const share = await shareOfSlow({ 'partitioner.adaptive.partitioning.enable': 'false' });
    expect(share).to.be.within(0.35, 0.65);
  });

  it('leaves out a broker that takes nothing for partitioner.availability.timeout.ms, and comes back to it', async () => {
    const producer = fixture.producer({ config: { ...small, 'partitioner.availability.timeout.ms': 500 } });
    const send = (value: string): Promise<{ partition: number }> => producer.send({ topic: 'orders', value });
    await Promise.all(numbered(40).map(send));
    fixture.cluster.onProduce = ({ broker }) => (broker.id === 1 ? 'cut' : 'store');
    const held = [0, 1].map((partition) => producer.send({ topic: 'orders', partition, value: 'held' }));
    const startMs = fixture.clock.monotonicMs();
    await until(() => fixture.clock.monotonicMs() - startMs > 2000);
    const partitions = new Set<number>();
    for (const value of numbered(60, 'w')) partitions.add((await send(value)).partition);
    expect([...partitions].sort()).to.deep.equal([2, 3]);
    // A key decides as ever, and what was given a partition stays there.
    const key = numbered(50, 'k').find((each) => partitionForKey(Buffer.from(each), 4) === 1)!;
    const keyed = producer.send({ topic: 'orders', key, value: 'keyed' });
    fixture.cluster.onProduce = () => 'store';
    expect((await keyed).partition).to.equal(1);
    expect((await Promise.all(held)).map(({ partition }) => partition)).to.deep.equal([0, 1]);
    const after = new Set<number>();
    for (const value of numbered(60, 'x')) after.add((await send(value)).partition);
    expect([...after].sort()).to.deep.equal([0, 1, 2, 3]);
  });

  it('leaves nobody out when nobody takes anything', async () => {
    const producer = fixture.producer({ config: { ...small, 'partitioner.availability.timeout.ms': 500 } });
    await producer.send({ topic: 'orders', value: 'first' });
    fixture.cluster.onProduce = () => 'cut';
    const held = [0, 1, 2, 3].map((partition) =>
      producer.send({ topic: 'orders', partition, value: 'held' }),
    );
    const startMs = fixture.clock.monotonicMs();
    await until(() => fixture.clock.monotonicMs() - startMs > 2000);
    const sent = numbered(30).map((value) => producer.send({ topic: 'orders', value }));
    await quiet();
    fixture.cluster.onProduce = () => 'store';
    await Promise.all([...held, ...sent]);
  });
});
