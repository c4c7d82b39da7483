import { expect } from 'chai';
import { nodeCodecs } from '@tidemark/compression';
import { BatchBuilder, batchBaseOffset, batchLeaderEpoch, RecordCursor } from '@tidemark/record';
import { logService } from '@tidemark/rpc';
import { MAX_DECODED_BYTES } from '../src/handlers/fetch-answers.ts';
import { batchOf, TestBroker } from './harness.ts';

describe('a broker that is written to and read from', () => {
  let broker: TestBroker;
  before(async () => {
    broker = await TestBroker.start();
  });
  after(() => broker.stop());

  const values = (batches: Uint8Array): string[] => {
    const cursor = new RecordCursor({ codecs: nodeCodecs() });
    cursor.load(batches);
    const found: string[] = [];
    while (cursor.next()) found.push(Buffer.from(cursor.value()!).toString());
    expect(cursor.failure).to.equal(undefined);
    return found;
  };

  it('hands a batch on as it was sent, but for its offset and epoch', async () => {
    const { topicId, error } = await broker.createTopic('orders', 2);
    expect(error).to.equal(null);
    const sent = batchOf(['a', 'b', 'c']);
    const first = await broker.produce({ topic: 'orders', partition: 1, batches: sent });
    expect(first).to.deep.include({ error: null, baseOffset: 0, topicId, onDisk: true, duplicate: false });
    expect(first.inSyncReplicas).to.deep.equal([1]);
    const second = await broker.produce({ topicId, partition: 1, batches: batchOf(['d']) });
    expect(second.baseOffset).to.equal(3);
    const fetched = await broker.fetch({ topic: 'orders', partition: 1 });
    expect(fetched).to.deep.include({
      error: null,
      highWatermark: 4,
      lastStableOffset: 4,
      logStartOffset: 0,
    });
    expect(values(fetched.batches)).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(batchLeaderEpoch(fetched.batches, 0)).to.equal(first.leaderEpoch);
    // Byte for byte behind the epoch: magic, CRC, attributes, records.
    expect(fetched.batches.subarray(16, sent.length).equals(sent.subarray(16))).to.equal(true);
    const later = await broker.fetch({ topic: 'orders', partition: 1, fetchOffset: 3 });
    expect(batchBaseOffset(later.batches, 0)).to.equal(3);
  });

  it('takes plain records and gives them back decoded', async () => {
    await broker.createTopic('plain');
    const { error } = await broker.produce({
      topic: 'plain',
      records: [
        { key: Buffer.from('k'), value: Buffer.from('v'), headers: [{ key: 'h', value: Buffer.from('x') }] },
        { key: Buffer.from('gone'), timestampMs: Date.now() - 5 },
      ],
    });
    expect(error).to.equal(null);
    const { records, batches } = await broker.fetch({ topic: 'plain' }, { decodeRecords: true });
    expect(batches.length).to.equal(0);
    expect(records.map((each) => each.offset)).to.deep.equal([0, 1]);
    expect(records[0]?.value?.toString()).to.equal('v');
    expect(records[0]?.headers[0]).to.deep.include({ key: 'h', value: Buffer.from('x') });
    expect(records[1]).to.not.have.property('value');
  });

  it('decodes no more than a megabyte for one answer, and the reader goes on from there', async () => {
    await broker.createTopic('small');
    const count = 40_000;
    const batches = batchOf(Array.from({ length: count }, () => 'x'));
    expect((await broker.produce({ topic: 'small', batches })).error).to.equal(null);
    let next = 0;
    let answers = 0;
    while (next < count) {
      const { records } = await broker.fetch(
        { topic: 'small', fetchOffset: next, partitionMaxBytes: 2 ** 31 - 1 },
        { decodeRecords: true, maxBytes: 2 ** 31 - 1 },
      );
      expect(records.length).to.be.within(1, MAX_DECODED_BYTES / 64);
      expect(records[0]?.offset).to.equal(next);
      next += records.length;
      answers += 1;
    }
    expect([next, answers]).to.deep.equal([count, 3]);
  });

  it('counts headers among what it decodes', async () => {
    await broker.createTopic('headed', 8);
    const size = 3_000_000;
    const builder = new BatchBuilder({ capacityBytes: size + 100 });
    builder.append(Date.now(), null, null, [{ key: 'h', value: Buffer.alloc(size) }]);
    const batches = builder.build({ compression: 'gzip', codecs: nodeCodecs() });
    const partitions = Array.from({ length: 8 }, (_, partition) => ({ topic: 'headed', partition }));
    for (const each of partitions) expect((await broker.produce({ ...each, batches })).error).to.equal(null);
    const { results } = await broker.call(logService.Fetch, {
      partitions: partitions.map((each) => ({ ...each, partitionMaxBytes: 2 ** 31 - 1 })),
      ...{ decodeRecords: true, maxBytes: 2 ** 31 - 1 },
    });
    const bytes = results
      .flatMap(({ records }) => records)
      .reduce((sum, { headers }) => sum + headers[0]!.value!.length, 0);
    // One whatever its size, and no other behind it.
    expect(bytes).to.equal(size);
  });

  it('refuses a fetch of more partitions than a stream may have', async () => {
    const partitions = Array.from({ length: 10_001 }, (_, partition) => ({ topic: 'plain', partition }));
    const thrown: unknown = await broker
      .call(logService.Fetch, { partitions })
      .catch((error: unknown) => error);
    expect(String(thrown)).to.contain('names 10001 partitions and may name 10000');
  });

  for (const acks of ['ACKS_NONE', 'ACKS_LEADER', 'ACKS_ALL'] as const) {
    it(`keeps what was sent with ${acks}`, async () => {
      await broker.createTopic(acks);
      const { error } = await broker.produce({ topic: acks, batches: batchOf(['x']) }, { acks });
      expect(error).to.equal(null);
      const fetched = await broker.fetch({ topic: acks }, { maxWaitMs: 5_000, minBytes: 1 });
      expect(values(fetched.batches)).to.deep.equal(['x']);
    });
  }

  it('stamps its own time where the topic wants it', async () => {
    await broker.createTopic('stamped', 1, { 'message.timestamp.type': 'LogAppendTime' });
    const before = Date.now();
    // A time far out of range: with LogAppendTime nobody looks at it.
    const receipt = await broker.produce({ topic: 'stamped', batches: batchOf(['x'], { timestampMs: 5 }) });
    expect(receipt.error).to.equal(null);
    expect(receipt.logAppendTimeMs).to.be.at.least(before);
    const { records } = await broker.fetch({ topic: 'stamped' }, { decodeRecords: true });
    expect(records[0]?.timestampMs).to.equal(receipt.logAppendTimeMs);
  });

  it('answers a retried batch of an idempotent producer with the offset it has', async () => {
    await broker.createTopic('idempotent');
    const one = await broker.call(logService.InitProducerId, {});
    const two = await broker.call(logService.InitProducerId, {});
    expect(one.error).to.equal(null);
    expect(two.producerId).to.not.equal(one.producerId);
    const batch = (baseSequence: number): Buffer =>
      batchOf(['x'], { producerId: one.producerId, producerEpoch: 0, baseSequence });
    await broker.produce({ topic: 'idempotent', batches: batch(0) });
    await broker.produce({ topic: 'idempotent', batches: batch(1) });
    const again = await broker.produce({ topic: 'idempotent', batches: batch(0) });
    expect(again).to.deep.include({ error: null, duplicate: true, baseOffset: 0 });
    const gap = await broker.produce({ topic: 'idempotent', batches: batch(7) });
    expect(gap.error?.name).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  it('finds offsets by time and by end, and where an epoch ended', async () => {
    await broker.createTopic('times');
    const now = Date.now();
    for (const back of [3_000, 2_000, 1_000]) {
      await broker.produce({ topic: 'times', batches: batchOf(['x'], { timestampMs: now - back }) });
    }
    const offsetAt = async (timestampMs: number): Promise<number> => {
      const { results } = await broker.call(logService.ListOffsets, {
        partitions: [{ topic: 'times', timestampMs }],
      });
      expect(results[0]?.error).to.equal(null);
      return results[0]!.offset;
    };
    expect(await offsetAt(-1)).to.equal(3);
    expect(await offsetAt(-2)).to.equal(0);
    expect(await offsetAt(-3)).to.equal(2);
    expect(await offsetAt(now - 2_500)).to.equal(1);
    expect(await offsetAt(now + 1)).to.equal(-1);
    const { leaderEpoch } = await broker.fetch({ topic: 'times' });
    const endOf = async (epoch: number) => {
      const { results } = await broker.call(logService.OffsetForLeaderEpoch, {
        partitions: [{ topic: 'times', leaderEpoch: epoch }],
      });
      return results[0]!;
    };
    expect(await endOf(leaderEpoch)).to.deep.include({ error: null, leaderEpoch, endOffset: 3 });
    // An epoch nobody has seen yet has no end, as in Kafka.
    expect(await endOf(leaderEpoch + 9)).to.deep.include({ error: null, leaderEpoch: -1, endOffset: -1 });
  });

  it('deletes records up to an offset, and readers below it are told', async () => {
    await broker.createTopic('trimmed');
    for (let at = 0; at < 4; at++) await broker.produce({ topic: 'trimmed', batches: batchOf([String(at)]) });
    const trim = async (beforeOffset: number) => {
      const { results } = await broker.call(logService.DeleteRecords, {
        partitions: [{ topic: 'trimmed', beforeOffset }],
      });
      return results[0]!;
    };
    expect(await trim(2)).to.deep.include({ error: null, logStartOffset: 2 });
    expect((await trim(9)).error?.name).to.equal('OFFSET_OUT_OF_RANGE');
    const below = await broker.fetch({ topic: 'trimmed', fetchOffset: 1 });
    expect(below.error?.name).to.equal('OFFSET_OUT_OF_RANGE');
    expect(below.logStartOffset).to.equal(2);
    expect(await trim(-1)).to.deep.include({ error: null, logStartOffset: 4 });
  });

  it('answers every partition of a request for itself and in its order', async () => {
    await broker.createTopic('many', 3);
    const batches = batchOf(['x']);
    const { results } = await broker.call(logService.Produce, {
      partitions: [
        { topic: 'many', partition: 2, batches },
        { topic: 'many', partition: 9, batches },
        { topic: 'nowhere', batches },
        { topic: 'many', partition: 0, batches },
      ],
    });
    expect(results.map((each) => [each.partition, each.error?.name])).to.deep.equal([
      [2, undefined],
      [9, 'UNKNOWN_TOPIC_OR_PARTITION'],
      [0, 'UNKNOWN_TOPIC_OR_PARTITION'],
      [0, undefined],
    ]);
  });
});

describe('a long poll', () => {
  let broker: TestBroker;
  beforeEach(async () => {
    broker = await TestBroker.start();
    await broker.createTopic('t', 3);
  });
  afterEach(() => broker.stop());

  it('is woken by the first byte that can be read, long before its time is over', async () => {
    const startedMs = performance.now();
    const waiting = broker.fetch({ topic: 't', partition: 1 }, { maxWaitMs: 60_000, minBytes: 1 });
    await broker.produce({ topic: 't', partition: 1, batches: batchOf(['x']) });
    const fetched = await waiting;
    expect(fetched.highWatermark).to.equal(1);
    expect(fetched.batches.length).to.be.above(0);
    expect(performance.now() - startedMs).to.be.below(15_000);
  });

  it('waits for min_bytes over all its partitions together', async () => {
    const batch = batchOf(['x'.repeat(100)]);
    const waiting = broker.call(logService.Fetch, {
      maxWaitMs: 60_000,
      minBytes: batch.length * 2,
      partitions: [
        { topic: 't', partition: 0 },
        { topic: 't', partition: 1 },
      ],
    });
    let answered = false;
    void waiting.then(() => {
      answered = true;
    });
    await broker.produce({ topic: 't', partition: 0, batches: batch });
    await broker.produce({ topic: 't', partition: 2, batches: batch });
    expect(answered).to.equal(false);
    await broker.produce({ topic: 't', partition: 1, batches: batch });
    const { results } = await waiting;
    expect(results.map((each) => each.batches.length)).to.deep.equal([batch.length, batch.length]);
  });

  it('answers at once when something is wrong with one of its partitions', async () => {
    const { results } = await broker.call(logService.Fetch, {
      maxWaitMs: 60_000,
      minBytes: 1,
      partitions: [
        { topic: 't', partition: 0 },
        { topic: 't', partition: 1, fetchOffset: 99 },
      ],
    });
    expect(results[1]?.error?.name).to.equal('OFFSET_OUT_OF_RANGE');
  });

  it('keeps to the limits of the request and the partition, but always brings one batch', async () => {
    const batch = batchOf(['x'.repeat(1_000)]);
    for (let at = 0; at < 4; at++) {
      await broker.produce({ topic: 't', partition: 0, batches: batch });
      await broker.produce({ topic: 't', partition: 1, batches: batch });
    }
    const tiny = await broker.fetch({ topic: 't', partition: 0 }, { maxBytes: 10 });
    expect(tiny.batches.length).to.equal(batch.length);
    const two = await broker.fetch({ topic: 't', partition: 0, partitionMaxBytes: batch.length * 2 + 5 });
    expect(two.batches.length).to.equal(batch.length * 2);
    // One batch fits the request: whichever partition has its turn gets it, and both have turns.
    const served = new Set<number>();
    for (let turn = 0; turn < 2; turn++) {
      const { results } = await broker.call(logService.Fetch, {
        maxBytes: batch.length,
        partitions: [
          { topic: 't', partition: 0 },
          { topic: 't', partition: 1 },
        ],
      });
      for (const { partition, batches } of results) if (batches.length > 0) served.add(partition);
    }
    expect([...served].sort()).to.deep.equal([0, 1]);
  });

  it('is answered when its topic is deleted under it', async () => {
    const { adminService } = await import('@tidemark/rpc');
    const waiting = broker.fetch({ topic: 't', partition: 1 }, { maxWaitMs: 60_000, minBytes: 1 });
    await broker.call(adminService.DeleteTopics, { topics: [{ name: 't' }] });
    expect((await waiting).error?.name).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
  });
});
