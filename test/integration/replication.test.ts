// Three brokers and a controller apart from them: what is answered and what survives while brokers go, and how partitions move.
import { expect } from 'chai';
import { Consumer, Producer, stringDeserializer, type Admin } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { Cluster, eventually, HASTY } from './cluster.ts';

const ACKS = ['all', '1'] as const;
const MINIMA = [1, 2, 3] as const;
const topicOf = (minimum: number): string => `min-${minimum}`;

describe('partitions with three replicas', function () {
  this.timeout(90_000);

  let cluster: Cluster;
  let admin: Admin;
  const closing: (() => Promise<unknown>)[] = [];

  before(async () => {
    const brokers = [1, 2, 3].map((id) => ({ id, roles: 'broker' as const }));
    const settings = { ...HASTY, 'replica.lag.time.max.ms': '3000' };
    cluster = await Cluster.start({ nodes: [...brokers, { id: 10, roles: 'controller' }], settings });
    admin = cluster.admin(cluster.addresses(cluster.node(10)));
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(cluster.stderr);
    for (const close of closing.splice(0)) await close();
  });

  after(() => cluster.dispose());

  const brokers = (): readonly string[] => cluster.addresses(cluster.node(10));

  function producer(config: Readonly<Record<string, string>> = {}): Producer {
    const made = new Producer({ brokers: brokers(), config });
    closing.push(() => made.close({ timeoutMs: 0 }));
    return made;
  }

  async function isr(topic: string): Promise<string> {
    const [described] = await admin.describeTopics([topic]);
    return described!.partitions[0]!.inSyncReplicas.join();
  }

  async function readAll(topic: string, partition = 0): Promise<readonly string[]> {
    const reader = new Consumer({ brokers: brokers(), valueDeserializer: stringDeserializer });
    closing.push(() => reader.close());
    const [end] = await reader.endOffsets([{ topic, partition }]);
    reader.assign([{ topic, partition, position: 'start' }]);
    const values: string[] = [];
    if (end!.offset === 0) return values;
    for await (const record of reader) {
      values.push(record.value ?? '');
      if (record.offset + 1 >= end!.offset) break;
    }
    return values;
  }

  /** What one record is answered: its offset, or the error it ended with. */
  async function answerOf(topic: string, acks: string, value: string): Promise<string> {
    const config = { acks, 'delivery.timeout.ms': '1500', 'request.timeout.ms': '1000', 'linger.ms': '0' };
    const writer = producer(config);
    try {
      await writer.send({ topic, partition: 0, value });
      return 'stored';
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      return /NOT_ENOUGH_REPLICAS/.exec(error.message)?.[0] ?? error.message;
    } finally {
      await writer.close({ timeoutMs: 0 });
    }
  }

  it('answer as acks and min.insync.replicas say, with none, one and two brokers down; what was stored is there', async () => {
    for (const minimum of MINIMA) {
      await admin.createTopic({
        name: topicOf(minimum),
        assignments: [[1, 2, 3]],
        configs: { 'min.insync.replicas': `${minimum}` },
      });
    }
    const stored = new Map(MINIMA.map((minimum) => [minimum, [] as string[]]));
    const answers: Record<string, string> = {};
    const ask = async (down: number): Promise<void> => {
      for (const minimum of MINIMA) {
        for (const acks of ACKS) {
          const value = `${down} down, acks=${acks}`;
          const answer = await answerOf(topicOf(minimum), acks, value);
          answers[`min ${minimum}, ${value}`] = answer;
          if (answer === 'stored') stored.get(minimum)!.push(value);
        }
      }
    };
    await ask(0);
    for (const [victim, left] of [
      [3, '1,2'],
      [2, '1'],
    ] as const) {
      await cluster.node(victim).server.kill();
      for (const minimum of MINIMA) {
        await eventually(`${topicOf(minimum)} without ${victim}`, 15_000, async () =>
          (await isr(topicOf(minimum))) === left ? true : undefined,
        );
      }
      await ask(4 - victim);
    }
    const refused = Object.entries(answers).filter(([, answer]) => answer !== 'stored');
    expect(Object.fromEntries(refused)).to.deep.equal({
      'min 3, 1 down, acks=all': 'NOT_ENOUGH_REPLICAS',
      'min 2, 2 down, acks=all': 'NOT_ENOUGH_REPLICAS',
      'min 3, 2 down, acks=all': 'NOT_ENOUGH_REPLICAS',
    });
    await cluster.node(2).start();
    await cluster.node(3).start();
    for (const minimum of MINIMA) {
      await eventually(`all replicas of ${topicOf(minimum)} in sync`, 20_000, async () =>
        (await isr(topicOf(minimum))).length === 5 ? true : undefined,
      );
      expect(await readAll(topicOf(minimum))).to.deep.equal(stored.get(minimum));
    }
  });

  it('lose nothing, repeat nothing and keep the order when the leader is killed under a producer', async () => {
    await admin.createTopic({ name: 'orders', assignments: [[1, 2, 3]] });
    const writer = producer({ 'batch.size': '512', 'linger.ms': '1' });
    const sent: Promise<unknown>[] = [];
    const values: string[] = [];
    const send = (count: number): void => {
      for (let each = 0; each < count; each++) {
        values.push(`record ${values.length}`);
        sent.push(writer.send({ topic: 'orders', partition: 0, value: values.at(-1)! }));
      }
    };
    send(2_000);
    await Promise.all(sent.slice(0, 500));
    const killed = performance.now();
    await cluster.node(1).server.kill();
    send(2_000);
    await Promise.all(sent);
    process.stdout.write(
      `      from the kill of the leader until all was acknowledged: ${Math.round(performance.now() - killed)} ms\n`,
    );
    expect(await readAll('orders')).to.deep.equal(values);
    await cluster.node(1).start();
    await eventually('the killed broker in sync again', 20_000, async () =>
      (await isr('orders')).length === 5 ? true : undefined,
    );
    const { offsets } = await endsOf('orders');
    expect(new Set(offsets).size, `${offsets.join()}: all replicas end alike`).to.equal(1);
  });

  it('move to another broker no faster than the throttle, and are all there then', async () => {
    await admin.createTopic({ name: 'large', assignments: [[1]] });
    const writer = producer();
    const value = 'x'.repeat(10_000);
    await Promise.all(
      Array.from({ length: 600 }, (_, at) =>
        writer.send({ topic: 'large', partition: 0, value: `${at} ${value}` }),
      ),
    );
    const plan = JSON.stringify({
      version: 1,
      partitions: [{ topic: 'large', partition: 0, replicas: [2] }],
    });
    const began = performance.now();
    const applied = await cluster.cli(['reassign', 'apply', '-', '--throttle', '2MiB'], plan);
    expect(applied.code, applied.stderr).to.equal(0);
    await eventually('the move complete', 30_000, async () =>
      (await cluster.cli(['reassign', 'status', '-'], plan)).code === 0 ? true : undefined,
    );
    const tookMs = performance.now() - began;
    process.stdout.write(`      6 MB moved at 2 MiB/s in ${Math.round(tookMs)} ms\n`);
    expect(tookMs).to.be.above(2_000);
    expect(await isr('large')).to.equal('2');
    expect((await readAll('large')).length).to.equal(600);
    const [described] = await admin.describeConfigs([{ type: 'topic', name: 'large' }]);
    const left = described!.entries.filter(
      ({ name, value: text }) => name.includes('throttled') && text !== '',
    );
    expect(left, 'the throttle went with the move').to.deep.equal([]);
  });

  async function endsOf(topic: string): Promise<{ readonly offsets: readonly number[] }> {
    return eventually('the ends of all replicas', 10_000, async () => {
      const { code, stdout } = await cluster.cli(['partition', 'explain', `${topic}:0`, '-o', 'json']);
      if (code !== 0) return undefined;
      const { replicas } = JSON.parse(stdout) as { readonly replicas: readonly { logEndOffset: number }[] };
      return { offsets: replicas.map(({ logEndOffset }) => logEndOffset) };
    });
  }
});
