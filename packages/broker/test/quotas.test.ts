import { expect } from 'chai';
import fc from 'fast-check';
import { applyRecords, MetadataImage, type MetadataRecord, type QuotaEntity } from '@tidemark/controller';
import {
  adminService,
  clusterService,
  logService,
  securityService,
  CLIENT_ID_HEADER,
  type ProduceStreamResponseOutput,
} from '@tidemark/rpc';
import { SecurityMetrics } from '../src/metrics/security-metrics.ts';
import { ClientQuotas } from '../src/quotas/client-quotas.ts';
import { SimClock } from '@tidemark/simulation';
import { findQuota } from '../src/quotas/quota-lookup.ts';
import { TokenBucket } from '../src/quotas/token-bucket.ts';
import { throttling } from '../src/quotas/call-throttle.ts';
import type { Passed } from '../src/security/gated-services.ts';
import { batchOf, testConfig, TestBroker } from './harness.ts';
import { TestCaller } from './security-harness.ts';

describe('a token bucket', () => {
  it('lets through the rate, the burst and the one that overdrew it, over any stretch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.tuple(fc.nat(300), fc.nat(500)), { maxLength: 60 }),
        (rate, steps) => {
          const bucket = new TokenBucket(rate, 1, 0);
          let nowMs = 0;
          let passed = 0;
          for (const [pauseMs, amount] of steps) {
            nowMs += pauseMs;
            if (bucket.waitMs(nowMs) > 0) continue;
            expect(passed).to.be.at.most(rate + (rate * nowMs) / 1000 + 1e-6);
            bucket.use(amount, nowMs);
            passed += amount;
          }
        },
      ),
    );
  });

  it('says how long to wait, and waits as long when the rate changes', () => {
    const bucket = new TokenBucket(100, 1, 0);
    bucket.use(300, 0);
    expect(bucket.waitMs(0)).to.equal(2000);
    bucket.change(10, 1, 1000);
    expect(bucket.waitMs(1000)).to.equal(1000);
    expect(bucket.waitMs(2000)).to.equal(0);
    expect(bucket.isFull(2900)).to.equal(false);
    expect(bucket.isFull(3000)).to.equal(true);
  });
});

describe('the quota of a caller', () => {
  const imageOf = (...entities: QuotaEntity[]): MetadataImage =>
    applyRecords(
      MetadataImage.empty(),
      entities.map((entity, at): MetadataRecord => ({
        type: 'clientQuota',
        ...entity,
        name: 'producer_byte_rate',
        value: at + 1,
      })),
      0,
    );

  it('is the most exact there is, in Kafka’s order', () => {
    const order: QuotaEntity[] = [
      { user: 'ann', clientId: 'app' },
      { user: 'ann', clientId: '' },
      { user: 'ann' },
      { user: '', clientId: 'app' },
      { user: '', clientId: '' },
      { user: '' },
      { clientId: 'app' },
      { clientId: '' },
    ];
    for (let first = 0; first < order.length; first++) {
      const { access } = imageOf(...order.slice(first));
      expect(
        findQuota(access, 'producer_byte_rate', 'ann', 'app')?.limit,
        JSON.stringify(order[first]),
      ).to.equal(1);
      expect(findQuota(access, 'consumer_byte_rate', 'ann', 'app')).to.equal(undefined);
    }
    expect(findQuota(imageOf().access, 'producer_byte_rate', 'ann', 'app')).to.equal(undefined);
  });

  it('is shared by who it is for', () => {
    const shared = (entity: QuotaEntity, user: string, clientId: string): string | undefined =>
      findQuota(imageOf(entity).access, 'producer_byte_rate', user, clientId)?.sharedBy;
    expect(shared({ user: 'ann' }, 'ann', 'a')).to.equal(shared({ user: 'ann' }, 'ann', 'b'));
    expect(shared({ user: '' }, 'ann', 'a')).to.not.equal(shared({ user: '' }, 'bob', 'a'));
    expect(shared({ clientId: 'a' }, 'ann', 'a')).to.equal(shared({ clientId: 'a' }, 'bob', 'a'));
    expect(shared({ user: 'ann', clientId: '' }, 'ann', 'a')).to.not.equal(
      shared({ user: 'ann', clientId: '' }, 'ann', 'b'),
    );
  });
});

describe('the room for calls that wait for their callers’ shares', () => {
  it('is bounded, and one finds room whatever its size', () => {
    const quotas = new ClientQuotas(
      new SimClock(),
      () => MetadataImage.empty().access,
      new SecurityMetrics(),
    );
    const MIB = 1024 * 1024;
    const first = quotas.hold(100 * MIB)!;
    expect(quotas.hold(0)).to.equal(undefined);
    first();
    const held = Array.from({ length: 2_000 }, () => quotas.hold(0)).filter(
      (release) => release !== undefined,
    );
    expect(held).to.have.length(1_024);
    for (const release of held) release();
    expect(quotas.hold(60 * MIB)).to.not.equal(undefined);
  });
});

describe('calls that take too much time', () => {
  it('make the next ones wait, of that caller alone', async () => {
    const clock = new SimClock();
    const image = applyRecords(
      MetadataImage.empty(),
      [{ type: 'clientQuota', clientId: 'greedy', name: 'request_percentage', value: 10 }],
      0,
    );
    const metrics = new SecurityMetrics();
    const quotas = new ClientQuotas(clock, () => image.access, metrics);
    const config = testConfig('/tmp');
    const throttle = throttling({ quotas, clock, image: () => image, config, metrics }, () => []);
    const path = '/tidemark.v1.ClusterService/DescribeCluster';
    const call = { request: {}, cancelled: false } as never;
    const ask = (clientId: string) => {
      const caller = { principal: 'User:ANONYMOUS', host: '127.0.0.1', clientId };
      return throttle(path, { kind: 'known' }, call, { callback: () => undefined }, caller) as Passed;
    };
    // A hundred milliseconds of every second, and as much at once.
    const first = ask('greedy');
    expect(first.when).to.equal(undefined);
    first.took!(300);
    let isDone = false;
    void ask('greedy').when!.then(() => {
      isDone = true;
    });
    expect(ask('other').when).to.equal(undefined);
    await clock.advance(1_900);
    expect(isDone).to.equal(false);
    await clock.advance(200);
    expect(isDone).to.equal(true);
    expect(ask('greedy').when).to.equal(undefined);
  });
});

describe('quotas over a live broker', function () {
  this.timeout(30_000);
  let broker: TestBroker;
  const callers: TestCaller[] = [];
  const caller = (clientId: string): TestCaller => {
    const made = new TestCaller(broker.port, { [CLIENT_ID_HEADER]: clientId });
    callers.push(made);
    return made;
  };
  const limit = async (clientId: string, name: string, value: number): Promise<void> => {
    await broker.call(securityService.AlterClientQuotas, {
      alterations: [{ entity: { clientId }, changes: [{ name, value }] }],
    });
  };

  before(async () => {
    broker = await TestBroker.start({ 'auto.create.topics.enable': 'true' });
    for (const topic of ['flooded', 'single', 'read']) await broker.createTopic(topic);
  });
  after(async () => {
    for (const { client } of callers.splice(0)) client.close();
    await broker.stop();
  });

  const MIB = 1024 * 1024;
  const batch = batchOf(['x'.repeat(64 * 1024)]);

  /** Sends without heeding anything for so long; answers what was acknowledged, in bytes, and the longest throttle time told. */
  async function flood(from: TestCaller, forMs: number): Promise<{ bytes: number; throttleMs: number }> {
    const { path, requestSerialize, responseDeserialize } = logService.ProduceStream;
    const stream = from.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    let bytes = 0;
    let throttleMs = 0;
    let sent = 0;
    stream.on('error', () => undefined);
    stream.on('data', ({ response }: ProduceStreamResponseOutput) => {
      bytes += batch.length;
      throttleMs = Math.max(throttleMs, response!.throttleMs);
    });
    const until = performance.now() + forMs;
    while (performance.now() < until) {
      const partitions = [{ topic: 'flooded', partition: 0, batches: batch }];
      const more = stream.write({ correlationId: ++sent, request: { acks: 'ACKS_LEADER', partitions } });
      await new Promise((resolve) => (more ? setImmediate(resolve) : setTimeout(resolve, 5)));
    }
    stream.cancel();
    return { bytes, throttleMs };
  }

  it('hold back a producer that ignores them, over one stream or many, and nobody else', async () => {
    // Low enough that the other is faster on any machine.
    const rate = MIB / 8;
    await limit('greedy-flooder', 'producer_byte_rate', rate);
    const startedMs = performance.now();
    const [first, second, other] = await Promise.all([
      flood(caller('greedy-flooder'), 1_800),
      flood(caller('greedy-flooder'), 1_800),
      flood(caller('other'), 1_800),
    ]);
    const seconds = (performance.now() - startedMs) / 1000;
    const greedy = first.bytes + second.bytes;
    // The rate, a second's worth of burst, and what each stream overdrew.
    expect(greedy).to.be.at.most((seconds + 1) * rate + 4 * batch.length);
    expect(greedy).to.be.at.least(rate);
    expect(Math.max(first.throttleMs, second.throttleMs)).to.be.greaterThan(0);
    expect(other.bytes).to.be.greaterThan(2 * greedy);
    expect(other.throttleMs).to.equal(0);
  });

  it('hold back single calls, too', async () => {
    await limit('greedy-caller', 'producer_byte_rate', 64 * 1024);
    const greedy = caller('greedy-caller');
    const quarter = batchOf(['x'.repeat(16 * 1024)]);
    const produce = async (): Promise<number> => {
      const partitions = [{ topic: 'single', partition: 0, batches: quarter }];
      return (await greedy.call(logService.Produce, { partitions })).throttleMs;
    };
    // The first four are the burst, one more overdraws it, and the next waits for that.
    const throttled: number[] = [];
    for (let sent = 0; sent < 5; sent++) throttled.push(await produce());
    expect(throttled.at(-1)).to.be.within(100, 1_000);
    const startedMs = performance.now();
    await produce();
    expect(performance.now() - startedMs).to.be.at.least(Math.min(throttled.at(-1)!, 100));
  });

  it('hold back a producer whose records are all headers', async () => {
    await limit('heads', 'producer_byte_rate', 64 * 1024);
    const header = { key: 'h', value: Buffer.alloc(16 * 1024) };
    const records = [{ headers: [header, header, header, header, header] }];
    const partitions = [{ topic: 'single', partition: 0, records }];
    const { throttleMs, results } = await caller('heads').call(logService.Produce, { partitions });
    expect(results[0]?.error).to.equal(null);
    // A second's worth is the burst, and a quarter more was sent.
    expect(throttleMs).to.be.within(100, 1_000);
  });

  it('hold back a reader', async () => {
    for (let sent = 0; sent < 64; sent++)
      await broker.produce({ topic: 'read', partition: 0, batches: batch });
    await limit('greedy-reader', 'consumer_byte_rate', MIB);
    const read = async (from: TestCaller): Promise<number> => {
      const { path, requestSerialize, responseDeserialize } = logService.FetchStream;
      const stream = from.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      let bytes = 0;
      stream.on('error', () => undefined);
      stream.on('data', (push: { results: { batches: Buffer }[] }) => {
        for (const { batches } of push.results) bytes += batches.length;
      });
      stream.write({
        add: [{ topic: 'read', partition: 0, fetchOffset: 0, positionId: 1, partitionMaxBytes: 128 * 1024 }],
        creditBytes: 100 * MIB,
        maxBytes: 128 * 1024,
      });
      const until = performance.now() + 700;
      while (performance.now() < until && bytes < 64 * batch.length) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      stream.cancel();
      return bytes;
    };
    expect(await read(caller('other'))).to.equal(64 * batch.length);
    expect(await read(caller('greedy-reader'))).to.be.within(MIB / 2, 3 * MIB);
    const fetch = { maxBytes: MIB, partitions: [{ topic: 'read', partition: 0, fetchOffset: 0 }] };
    const greedy = caller('greedy-reader');
    expect((await greedy.call(logService.Fetch, fetch)).throttleMs).to.be.greaterThan(0);
  });

  it('refuse changes of the cluster beyond their rate, item by item', async () => {
    await limit('greedy-changer', 'controller_mutation_rate', 1);
    const greedy = caller('greedy-changer');
    const create = async (name: string, partitionCount: number): Promise<string | undefined> => {
      const { results } = await greedy.call(adminService.CreateTopics, {
        topics: [{ name, partitionCount }],
      });
      expect(results[0]!.name).to.equal(name);
      return results[0]!.error?.name;
    };
    expect(await create('a', 10)).to.equal(undefined);
    expect(await create('b', 10)).to.equal(undefined);
    expect(await create('c', 1)).to.equal('THROTTLING_QUOTA_EXCEEDED');
    const { results } = await greedy.call(adminService.DeleteTopics, { topics: [{ name: 'a' }] });
    expect(results[0]!.error?.name).to.equal('THROTTLING_QUOTA_EXCEEDED');
    expect((await broker.createTopic('d')).error).to.equal(null);
  });

  it('hold for topics that are created because somebody asked for them, too', async () => {
    await limit('greedy-asker-of-topics', 'controller_mutation_rate', 1);
    const greedy = caller('greedy-asker-of-topics');
    const asked = async (from: TestCaller, names: readonly string[]): Promise<(string | undefined)[]> => {
      const { topics } = await from.call(clusterService.GetMetadata, {
        topics: names.map((name) => ({ name })),
      });
      return topics.map(({ error }) => error?.name);
    };
    const many = Array.from({ length: 15 }, (_, at) => `made-${at}`);
    expect(await asked(greedy, many)).to.deep.equal(many.map(() => undefined));
    expect(await asked(greedy, ['too-many'])).to.deep.equal(['UNKNOWN_TOPIC_OR_PARTITION']);
    expect(await asked(caller('other'), ['too-many'])).to.deep.equal([undefined]);
  });
});
