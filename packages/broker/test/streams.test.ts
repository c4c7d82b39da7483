import { expect } from 'chai';
import { status, type ServiceError } from '@grpc/grpc-js';
import { nodeCodecs } from '@tidemark/compression';
import { RecordCursor } from '@tidemark/record';
import type { FetchPartitionResultOutput } from '@tidemark/rpc';
import { batchOf, TestBroker, type TestStream } from './harness.ts';

const failureOf = async (stream: TestStream<never, unknown>): Promise<ServiceError> =>
  stream.next().then(
    (message) => {
      throw new Error(`a message came: ${JSON.stringify(message)}`);
    },
    (error: unknown) => error as ServiceError,
  );

describe('a produce stream', () => {
  let broker: TestBroker;
  before(async () => {
    broker = await TestBroker.start();
    await broker.createTopic('t', 4);
  });
  after(() => broker.stop());

  it('appends in the order of sending and answers every request', async () => {
    const stream = broker.produceStream();
    const COUNT = 600;
    for (let id = 0; id < COUNT; id++) {
      const partitions = [{ topic: 't', partition: 0, batches: batchOf([String(id)]) }];
      stream.send({ correlationId: id, request: { partitions } });
    }
    stream.call.end?.();
    const offsets = new Map<number, number>();
    for (let answer = await stream.next(); answer !== undefined; answer = await stream.next()) {
      expect(answer.response?.results[0]?.error).to.equal(null);
      offsets.set(answer.correlationId, answer.response!.results[0]!.baseOffset);
    }
    expect(offsets.size).to.equal(COUNT);
    for (const [id, offset] of offsets) expect(offset).to.equal(id);
  });

  it('answers nothing to acks none, and keeps the records', async () => {
    const stream = broker.produceStream();
    const partitions = [{ topic: 't', partition: 1, batches: batchOf(['quiet']) }];
    stream.send({ correlationId: 1, request: { acks: 'ACKS_NONE', partitions } });
    stream.send({ correlationId: 2, request: { acks: 'ACKS_ALL', partitions } });
    stream.call.end?.();
    expect((await stream.next())?.correlationId).to.equal(2);
    expect(await stream.next()).to.equal(undefined);
    expect((await broker.fetch({ topic: 't', partition: 1 })).highWatermark).to.equal(2);
  });

  it('goes on after a request that was refused', async () => {
    const stream = broker.produceStream();
    const good = batchOf(['x']);
    const bad = Buffer.from(good);
    bad[bad.length - 1]! ^= 1;
    for (const [correlationId, batches] of [bad, good].entries()) {
      stream.send({ correlationId, request: { partitions: [{ topic: 't', partition: 2, batches }] } });
    }
    stream.call.end?.();
    const answers = [await stream.next(), await stream.next()].sort(
      (a, b) => a!.correlationId - b!.correlationId,
    );
    expect(answers.map((each) => each?.response?.results[0]?.error?.name)).to.deep.equal([
      'CORRUPT_MESSAGE',
      undefined,
    ]);
  });

  it('ends with INVALID_ARGUMENT at a message without a request', async () => {
    const stream = broker.produceStream();
    stream.send({ correlationId: 1 });
    expect((await failureOf(stream)).code).to.equal(status.INVALID_ARGUMENT);
  });

  it('keeps the stream of a producer faster than the disk within its bounds', async function () {
    this.timeout(60_000);
    const stream = broker.produceStream();
    const big = batchOf(['x'.repeat(900_000)]);
    const COUNT = 60;
    for (let id = 0; id < COUNT; id++) {
      stream.send({
        correlationId: id,
        request: { partitions: [{ topic: 't', partition: 3, batches: big }] },
      });
    }
    stream.call.end?.();
    let answered = 0;
    for (let answer = await stream.next(); answer !== undefined; answer = await stream.next()) {
      expect(answer.response?.results[0]?.error).to.equal(null);
      answered += 1;
    }
    expect(answered).to.equal(COUNT);
  });
});

describe('a fetch stream', () => {
  let broker: TestBroker;
  beforeEach(async () => {
    broker = await TestBroker.start();
    await broker.createTopic('t', 3);
  });
  afterEach(() => broker.stop());

  const offsetsIn = (results: readonly FetchPartitionResultOutput[]): number[] => {
    const cursor = new RecordCursor({ codecs: nodeCodecs() });
    return results.flatMap(({ batches }) => {
      cursor.load(batches);
      const found: number[] = [];
      while (cursor.next()) found.push(cursor.offset);
      return found;
    });
  };

  it('pushes what is there and then what comes, without being asked again', async () => {
    await broker.produce({ topic: 't', batches: batchOf(['a']) });
    const stream = broker.fetchStream();
    stream.send({ add: [{ topic: 't', partition: 0 }], creditBytes: 1_000_000 });
    expect(offsetsIn((await stream.next())!.results)).to.deep.equal([0]);
    await broker.produce({ topic: 't', batches: batchOf(['b', 'c']) });
    expect(offsetsIn((await stream.next())!.results)).to.deep.equal([1, 2]);
    stream.cancel();
  });

  it('pushes no further than its credit reaches, but a batch while any is left', async () => {
    const batch = batchOf(['x'.repeat(1_000)]);
    for (let at = 0; at < 5; at++) await broker.produce({ topic: 't', batches: batch });
    const stream = broker.fetchStream();
    stream.send({ add: [{ topic: 't' }], creditBytes: batch.length + 1, maxBytes: batch.length });
    expect(offsetsIn((await stream.next())!.results)).to.deep.equal([0]);
    expect(offsetsIn((await stream.next())!.results)).to.deep.equal([1]);
    // One byte was left and a whole batch was sent: the next batch waits until that is made good.
    let third: number[] | undefined;
    const waiting = stream.next().then((message) => {
      third = offsetsIn(message!.results);
    });
    await broker.produce({ topic: 't', partition: 1, batches: batch });
    expect(third).to.equal(undefined);
    stream.send({ creditBytes: batch.length });
    await waiting;
    expect(third).to.deep.equal([2]);
    stream.cancel();
  });

  it('says when it is asked that it is there, although there is nothing to push', async () => {
    const stream = broker.fetchStream();
    stream.send({ add: [{ topic: 't' }], creditBytes: 1_000_000 });
    stream.send({ probe: true });
    expect((await stream.next())!.results).to.deep.equal([]);
    await broker.produce({ topic: 't', batches: batchOf(['a']) });
    expect(offsetsIn((await stream.next())!.results)).to.deep.equal([0]);
    stream.cancel();
  });

  it('moves a partition to another offset and says which position a push is for', async () => {
    for (const value of ['a', 'b', 'c']) await broker.produce({ topic: 't', batches: batchOf([value]) });
    const stream = broker.fetchStream();
    stream.send({ add: [{ topic: 't', fetchOffset: 2, positionId: 1 }], creditBytes: 1_000_000 });
    expect((await stream.next())!.results[0]).to.deep.include({ positionId: 1 });
    stream.send({ add: [{ topic: 't', fetchOffset: 1, positionId: 2 }] });
    const { results } = (await stream.next())!;
    expect(results[0]?.positionId).to.equal(2);
    expect(offsetsIn(results)).to.deep.equal([1, 2]);
    stream.send({ remove: [{ topic: 't' }], add: [{ topic: 't', partition: 1, positionId: 3 }] });
    await broker.produce({ topic: 't', partition: 0, batches: batchOf(['unseen']) });
    await broker.produce({ topic: 't', partition: 1, batches: batchOf(['seen']) });
    const moved = (await stream.next())!;
    expect(moved.results.map((each) => each.positionId)).to.deep.equal([3]);
    stream.cancel();
  });

  it('answers a partition it cannot push, and goes on with the others', async () => {
    await broker.produce({ topic: 't', batches: batchOf(['a']) });
    const stream = broker.fetchStream();
    stream.send({
      add: [
        { topic: '../x', positionId: 1 },
        { topic: 'no', positionId: 2 },
        { topic: 't', partition: 2, fetchOffset: 9, positionId: 3 },
      ],
      creditBytes: 1_000_000,
    });
    stream.send({ add: [{ topic: 't', positionId: 4 }] });
    const seen = new Map<number, string | undefined>();
    while (seen.size < 4) {
      for (const { positionId, error } of (await stream.next())!.results) seen.set(positionId, error?.name);
    }
    expect(Object.fromEntries(seen)).to.deep.equal({
      1: 'INVALID_TOPIC_EXCEPTION',
      2: 'UNKNOWN_TOPIC_OR_PARTITION',
      3: 'OFFSET_OUT_OF_RANGE',
      4: undefined,
    });
    stream.cancel();
  });

  it('gives every partition its turn when one of them is always ahead', async () => {
    const batch = batchOf(['x'.repeat(500)]);
    for (let at = 0; at < 30; at++) await broker.produce({ topic: 't', partition: 0, batches: batch });
    await broker.produce({ topic: 't', partition: 1, batches: batch });
    const stream = broker.fetchStream();
    stream.send({
      add: [
        { topic: 't', partition: 0 },
        { topic: 't', partition: 1 },
      ],
      creditBytes: 1_000_000,
      maxBytes: batch.length * 2,
    });
    const pushes: number[][] = [];
    for (let count = 0; count < 3; count++) {
      pushes.push((await stream.next())!.results.map((each) => each.partition));
    }
    expect(pushes.flat()).to.include(1);
    stream.cancel();
  });

  it('refuses negative credit', async () => {
    const stream = broker.fetchStream();
    stream.send({ add: [{ topic: 't' }], creditBytes: -5 });
    expect((await failureOf(stream)).code).to.equal(status.INVALID_ARGUMENT);
  });
});
