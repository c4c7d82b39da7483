import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { nodeCodecs } from '@tidemark/compression';
import { adminService, clusterService, logService, securityService } from '@tidemark/rpc';
import { batchOf, TestBroker } from './harness.ts';

const MIB = 1024 * 1024;

describe('a broker that is treated badly', () => {
  let broker: TestBroker;
  before(async () => {
    broker = await TestBroker.start();
    await broker.createTopic('t');
  });
  after(() => broker.stop());
  // Whatever was done to it: it still serves, and nothing of the bad was written.
  afterEach(async () => {
    const { error } = await broker.produce({ topic: 't', batches: batchOf(['fine']) });
    expect(error).to.equal(null);
  });

  const refusal = async (batches: Buffer, topic = 't'): Promise<string | undefined> => {
    const before = (await broker.fetch({ topic: 't' })).highWatermark;
    const { error, baseOffset } = await broker.produce({ topic, batches });
    expect(baseOffset).to.equal(-1);
    expect((await broker.fetch({ topic: 't' })).highWatermark).to.equal(before);
    return error?.name;
  };
  const changed = (change: (batch: Buffer) => void): Buffer => {
    const batch = batchOf(['some', 'records']);
    change(batch);
    return batch;
  };

  it('refuses batches whose bytes or lengths lie', async () => {
    expect(await refusal(changed((batch) => (batch[70]! ^= 1)))).to.equal('CORRUPT_MESSAGE');
    expect(await refusal(batchOf(['x']).subarray(0, 40))).to.equal('CORRUPT_MESSAGE');
    expect(await refusal(changed((batch) => batch.writeInt32BE(2 ** 30, 8)))).to.equal('MESSAGE_TOO_LARGE');
    expect(await refusal(changed((batch) => batch.writeInt32BE(-5, 8)))).to.equal('CORRUPT_MESSAGE');
    expect(await refusal(changed((batch) => batch.writeInt32BE(batch.length, 8)))).to.equal(
      'CORRUPT_MESSAGE',
    );
    expect(await refusal(Buffer.alloc(0))).to.equal('INVALID_RECORD');
  });

  it('refuses a batch that inflates beyond the bound without inflating it', async () => {
    const codecs = {
      ...nodeCodecs(),
      gzip: {
        compress: () => new Uint8Array(gzipSync(Buffer.alloc(80 * MIB))),
        decompress: (bytes: Uint8Array, maxBytes: number) => nodeCodecs().gzip.decompress(bytes, maxBytes),
      },
    };
    const before = process.memoryUsage().rss;
    const name = await refusal(batchOf(['bomb'], { compression: 'gzip', codecs }));
    expect(name).to.equal('MESSAGE_TOO_LARGE');
    expect(process.memoryUsage().rss - before).to.be.below(160 * MIB);
  });

  it('refuses compressed forms that it can read and other readers of the log cannot', async () => {
    const linked = (bytes: Uint8Array): Uint8Array => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(2 ** 31 + bytes.length);
      return Buffer.concat([Buffer.from('04224d184040c0', 'hex'), length, bytes, Buffer.alloc(4)]);
    };
    const codecs = { ...nodeCodecs(), lz4: { ...nodeCodecs().lz4, compress: linked } };
    expect(await refusal(batchOf(['x'], { compression: 'lz4', codecs }))).to.equal('INVALID_RECORD');
  });

  it('refuses batches that are too large, too new, or meant for nobody', async () => {
    expect(await refusal(batchOf(['x'.repeat(1_100_000)]))).to.equal('MESSAGE_TOO_LARGE');
    expect(await refusal(batchOf(['x'], { timestampMs: Date.now() + 7_200_000 }))).to.equal(
      'INVALID_TIMESTAMP',
    );
    expect(await refusal(batchOf(['x'], { isControl: true }))).to.equal('INVALID_RECORD');
    expect(await refusal(batchOf(['x']), 'unknown')).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
    expect(await refusal(batchOf(['x']), '../x')).to.equal('INVALID_TOPIC_EXCEPTION');
    expect(await refusal(batchOf(['x']), '.')).to.equal('INVALID_TOPIC_EXCEPTION');
  });

  it('checks leader epochs, offsets and contradictions at the edge', async () => {
    const { leaderEpoch } = await broker.fetch({ topic: 't' });
    const batches = batchOf(['x']);
    const produced = async (partition: object): Promise<string | undefined> =>
      (await broker.produce({ topic: 't', batches, ...partition })).error?.name;
    expect(await produced({ currentLeaderEpoch: leaderEpoch + 1 })).to.equal('UNKNOWN_LEADER_EPOCH');
    if (leaderEpoch > 0)
      expect(await produced({ currentLeaderEpoch: leaderEpoch - 1 })).to.equal('FENCED_LEADER_EPOCH');
    expect(await produced({ records: [{ value: Buffer.from('x') }] })).to.equal('INVALID_REQUEST');
    expect(await produced({ topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })).to.equal('UNKNOWN_TOPIC_ID');
    expect(await produced({ partition: -1 })).to.equal('INVALID_REQUEST');
    const fetched = async (partition: object): Promise<string | undefined> =>
      (await broker.fetch({ topic: 't', ...partition })).error?.name;
    expect(await fetched({ fetchOffset: '9007199254740993' })).to.equal('INVALID_REQUEST');
    expect(await fetched({ fetchOffset: -1 })).to.equal('INVALID_REQUEST');
    expect(await fetched({ fetchOffset: 1_000_000 })).to.equal('OFFSET_OUT_OF_RANGE');
    const { results } = await broker.call(logService.Produce, {
      partitions: [
        { topic: 't', batches },
        { topic: 't', batches },
      ],
    });
    expect(results.map((each) => each.error?.name)).to.deep.equal(['INVALID_REQUEST', 'INVALID_REQUEST']);
  });

  it('names what belongs to another topic', async () => {
    const { topicId } = await broker.createTopic('other');
    const { error } = await broker.produce({ topic: 't', topicId, batches: batchOf(['x']) });
    expect(error?.name).to.equal('INCONSISTENT_TOPIC_ID');
  });

  const codeOf = (call: Promise<unknown>): Promise<number | undefined> =>
    call.then(
      () => undefined,
      (error: unknown) => (error as ServiceError).code,
    );
  const raw = (path: string, bytes: Buffer): Promise<unknown> =>
    broker.call(
      { path, requestSerialize: (each: Buffer) => each, responseDeserialize: (each) => each },
      bytes,
    );

  it('answers requests that are wrong as a whole with a status, and survives those that are no protobuf', async () => {
    expect(await codeOf(broker.fetch({ topic: 't' }, { maxWaitMs: -1 }))).to.equal(status.INVALID_ARGUMENT);
    expect(await codeOf(broker.call(logService.Fetch, {}))).to.equal(status.INVALID_ARGUMENT);
    expect(await codeOf(raw(logService.Produce.path, Buffer.from('ffffffff', 'hex')))).to.equal(
      status.INVALID_ARGUMENT,
    );
    expect(await codeOf(raw(clusterService.GetMetadata.path, Buffer.from('0aff', 'hex')))).to.equal(
      status.INVALID_ARGUMENT,
    );
    expect(await codeOf(raw('/tidemark.v1.LogService/NoSuch', Buffer.alloc(0)))).to.equal(
      status.UNIMPLEMENTED,
    );
  });

  it('does not let a small message become a large object', async () => {
    // 400,000 empty plain records, two bytes each; and 600,000 empty topics.
    const records = Buffer.concat(Array.from({ length: 400_000 }, () => Buffer.from('3200', 'hex')));
    const header = Buffer.from([0x1a, 0x80, 0x80, 0x80, 0x00]);
    header[1] = (records.length & 0x7f) | 0x80;
    header[2] = ((records.length >> 7) & 0x7f) | 0x80;
    header[3] = ((records.length >> 14) & 0x7f) | 0x80;
    header[4] = records.length >> 21;
    expect(await codeOf(raw(logService.Produce.path, Buffer.concat([header, records])))).to.equal(
      status.INVALID_ARGUMENT,
    );
    const topics = Buffer.concat(Array.from({ length: 600_000 }, () => Buffer.from('0a00', 'hex')));
    expect(await codeOf(raw(adminService.CreateTopics.path, topics))).to.equal(status.INVALID_ARGUMENT);
  });

  it('does not tell the same thing as often as a small message asks for it', async () => {
    const { results } = await broker.call(adminService.DescribeConfigs, {
      resources: Array.from(
        { length: 500 },
        () => ({ type: 'CONFIG_RESOURCE_TYPE_BROKER', name: '1' }) as const,
      ),
      keys: Array.from({ length: 500 }, () => 'node.id'),
    });
    expect(results).to.have.length(500);
    expect(results[0]!.entries.map(({ name }) => name)).to.deep.equal(['node.id']);
    for (const { entries, error } of results.slice(1)) {
      expect([entries.length, error?.name]).to.deep.equal([0, 'INVALID_REQUEST']);
    }
    const { topicId } = (await broker.call(clusterService.GetMetadata, { topics: [{ name: 't' }] }))
      .topics[0]!;
    const topics = Array.from({ length: 500 }, (_, at) => (at % 2 === 0 ? { name: 't' } : { topicId }));
    const metadata = await broker.call(clusterService.GetMetadata, { topics });
    expect(metadata.topics.map(({ name }) => name)).to.deep.equal(['t', 't']);
  });

  it('has the controller look through all ACLs for so many filters only', async () => {
    const filters = Array.from({ length: 101 }, () => ({ resourceType: 'group' }));
    expect(await codeOf(broker.call(securityService.DeleteAcls, { filters }))).to.equal(
      status.INVALID_ARGUMENT,
    );
    const { results } = await broker.call(securityService.DeleteAcls, { filters: filters.slice(1) });
    expect(results).to.have.length(100);
  });

  it('refuses a message above socket.request.max.bytes unread', async () => {
    const small = await TestBroker.start({ 'socket.request.max.bytes': '2000000' });
    try {
      await small.createTopic('t');
      const code = await codeOf(small.produce({ topic: 't', batches: Buffer.alloc(2_100_000) }));
      expect(code).to.equal(status.RESOURCE_EXHAUSTED);
    } finally {
      await small.stop();
    }
  });

  it('holds little for a reader that stops reading', async function () {
    this.timeout(60_000);
    await broker.createTopic('backlog');
    const batch = batchOf(['x'.repeat(1_000_000)]);
    for (let at = 0; at < 48; at++) await broker.produce({ topic: 'backlog', batches: batch });
    const client = new Client(`127.0.0.1:${broker.port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    const { path, requestSerialize, responseDeserialize } = logService.FetchStream;
    const page = async (): Promise<number> => {
      const text = await (
        await globalThis.fetch(`http://127.0.0.1:${broker.broker.ports.get('HTTP')}/metrics`)
      ).text();
      return Number(/^tidemark_response_bytes_in_flight (\d+)/m.exec(text)?.[1]);
    };
    const calls = Array.from({ length: 8 }, () => {
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      call.on('error', () => undefined);
      // All the credit in the world, and nobody reads.
      call.write({ add: [{ topic: 'backlog' }], creditBytes: 2 ** 40 });
      return call;
    });
    // Two pushes for each stream, however much credit there is: the one under way and the one after it.
    let held = 0;
    for (let look = 0; look < 40; look++) {
      await broker.fetch({ topic: 'backlog' }, { maxBytes: 1 });
      held = Math.max(held, await page());
    }
    expect(held).to.be.above(0);
    expect(held).to.be.at.most(8 * 2 * (batch.length + MIB));
    for (const call of calls) call.cancel();
    client.close();
    // What the readers held is given back when they go.
    while ((await page()) > 0) await broker.fetch({ topic: 'backlog' }, { maxBytes: 1 });
  });

  it('answers no more requests than fit for a producer that does not read, however many partitions they name', async () => {
    // Not a byte may be sent to it.
    const session = connectHttp2(`http://127.0.0.1:${broker.port}`, { settings: { initialWindowSize: 0 } });
    const stream = session.request({
      ':method': 'POST',
      ':path': logService.ProduceStream.path,
      'content-type': 'application/grpc',
    });
    stream.on('error', () => undefined);
    // Fifty thousand partitions without a name in a hundred kilobytes; the answer says of each what is wrong.
    const partitions = Array.from({ length: 50_000 }, () => ({}));
    const message = logService.ProduceStream.requestSerialize({ correlationId: 1, request: { partitions } });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    const COUNT = 20;
    const answered = async (): Promise<number> => {
      const page = await globalThis.fetch(`http://127.0.0.1:${broker.broker.ports.get('HTTP')}/metrics`);
      const count = /^tidemark_request_latency_seconds_count\{rpc="ProduceStream"\} (\d+)/m;
      return Number(count.exec(await page.text())?.[1] ?? 0);
    };
    const before = await answered();
    for (let sent = 0; sent < COUNT; sent++) stream.write(Buffer.concat([head, message]));
    let seen = 0;
    for (let look = 0; look < 40; look++) seen = (await answered()) - before;
    session.destroy();
    expect(seen).to.be.within(1, 5);
  });

  it('carries a thousand streams that never say anything, and serves beside them', async function () {
    this.timeout(60_000);
    const client = new Client(`127.0.0.1:${broker.port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    const before = process.memoryUsage().rss;
    const { path, requestSerialize, responseDeserialize } = logService.ProduceStream;
    const calls = Array.from({ length: 1_000 }, () => {
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      call.on('error', () => undefined);
      return call;
    });
    const metadata = await broker.call(clusterService.GetMetadata, { allTopics: true });
    expect(metadata.brokers).to.have.length(1);
    // Client and server live in this one process: both halves of a thousand streams.
    expect(process.memoryUsage().rss - before).to.be.below(200 * MIB);
    for (const call of calls) call.cancel();
    client.close();
  });

  it('is not held up by sockets that speak no HTTP/2', async () => {
    const sockets = Array.from({ length: 50 }, () => connect(broker.port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    sockets.forEach((socket, at) => {
      socket.on('error', () => undefined);
      if (at % 2 === 0) socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    });
    expect((await broker.call(clusterService.DescribeCluster, {})).brokers).to.have.length(1);
    for (const socket of sockets) socket.destroy();
  });
});
