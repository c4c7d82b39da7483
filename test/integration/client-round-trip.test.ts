// The client library against a real node in this process: produce, consume, administer, over a restart.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startBroker } from '@tidemark/broker';
import type { RunningBroker } from '@tidemark/broker';
import { Admin, Consumer, Producer, stringDeserializer } from '@tidemark/client';
import { brokerConfigs, describeProblems, resolveConfig } from '@tidemark/core';

const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

async function startNode(directory: string, port = 0): Promise<RunningBroker> {
  const resolved = resolveConfig(brokerConfigs, {
    options: {
      'node.id': 1,
      listeners: `CLIENT://127.0.0.1:${port}`,
      'log.dirs': directory,
      'logging.level': 'fatal',
    },
  });
  if (!resolved.ok) throw new Error(describeProblems(resolved.problems));
  return startBroker({ config: resolved.config });
}

describe('the client against a node', () => {
  let directory: string;
  let node: RunningBroker;
  let admin: Admin;
  const closing: (() => Promise<unknown>)[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-client-'));
    node = await startNode(directory);
    admin = new Admin({ brokers: [address()] });
  });
  after(async () => {
    await admin.close();
    await node.close(0);
    await rm(directory, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const address = (): string => node.addresses['CLIENT']!;
  const producer = (config = {}): Producer => {
    const made = new Producer({ brokers: [address()], config });
    closing.push(() => made.close({ timeoutMs: 0 }));
    return made;
  };
  const consumer = (config = {}): Consumer<Uint8Array, string> => {
    const made = new Consumer({ brokers: [address()], config, valueDeserializer: stringDeserializer });
    closing.push(() => made.close());
    return made;
  };
  async function readAll(topic: string, partition: number): Promise<string[]> {
    const reader = consumer();
    const [end] = await reader.endOffsets([{ topic, partition }]);
    reader.assign([{ topic, partition, position: 'start' }]);
    const values: string[] = [];
    while (values.length < end!.offset) {
      for (const record of await reader.poll({ timeoutMs: 5000 })) {
        expect(record.offset).to.equal(values.length);
        values.push(record.value!);
      }
    }
    return values;
  }

  it('stores and reads back every record, in order, in every compression', async () => {
    for (const type of COMPRESSIONS) {
      await admin.createTopic({ name: `round-${type}`, partitions: 2 });
      const writer = producer({ 'compression.type': type, 'batch.size': 2000 });
      const sent = Array.from({ length: 1000 }, (_, index) =>
        writer.send({ topic: `round-${type}`, partition: index % 2, value: `${type}-${index}` }),
      );
      const receipts = await Promise.all(sent);
      receipts.forEach(({ offset, onDisk, inSyncReplicas }, index) => {
        expect([offset, onDisk, inSyncReplicas]).to.deep.equal([Math.floor(index / 2), true, [1]]);
      });
      for (const partition of [0, 1]) {
        const expected = Array.from({ length: 500 }, (_, index) => `${type}-${index * 2 + partition}`);
        expect(await readAll(`round-${type}`, partition)).to.deep.equal(expected);
      }
    }
  });

  it('administers topics, configs and records', async () => {
    const created = await admin.createTopic({
      name: 'admin',
      partitions: 2,
      configs: { 'retention.ms': '1000000' },
    });
    expect(created).to.include({ partitionCount: 2, replicationFactor: 1 });
    const again = await admin.createTopics([{ name: 'admin' }, { name: 'no good' }]);
    expect(again.map(({ error }) => error?.error)).to.deep.equal([
      'TOPIC_ALREADY_EXISTS',
      'INVALID_TOPIC_EXCEPTION',
    ]);
    await admin.createTopic({ name: 'only-tried' }, { validateOnly: true });
    await admin.createPartitions([{ name: 'admin', totalCount: 3 }]);
    const described = await admin.describeTopics(['admin', 'only-tried']);
    expect(described[0]!.partitions.map(({ leaderId }) => leaderId)).to.deep.equal([1, 1, 1]);
    expect(described[1]!.error?.error).to.equal('UNKNOWN_TOPIC_OR_PARTITION');

    const resource = { type: 'topic', name: 'admin' } as const;
    const read = async () => {
      const [description] = await admin.describeConfigs([resource], ['retention.ms']);
      const [entry] = description!.entries;
      return [entry!.value, entry!.source];
    };
    expect(await read()).to.deep.equal(['1000000', 'dynamic-topic']);
    await admin.alterConfigs([{ resource, changes: { 'retention.ms': null } }]);
    expect((await read())[1]).to.equal('default');
    const [refused] = await admin.alterConfigs([{ resource, changes: { 'retention.msec': '1' } }]);
    expect(refused!.error?.error).to.equal('INVALID_CONFIG');

    const writer = producer();
    await Promise.all(['a', 'b', 'c'].map((value) => writer.send({ topic: 'admin', partition: 0, value })));
    const at = { topic: 'admin', partition: 0 };
    expect(await admin.deleteRecords([{ ...at, beforeOffset: 2 }])).to.deep.equal([
      { ...at, logStartOffset: 2 },
    ]);
    expect((await admin.listOffsets([{ ...at, spec: 'start' }]))[0]!.offset).to.equal(2);
    const { replicas, unreachable } = await admin.describeReplicas(['admin']);
    expect(unreachable).to.deep.equal([]);
    const first = replicas.find(({ partition }) => partition === 0);
    expect(first).to.include({
      brokerId: 1,
      isLeader: true,
      logStartOffset: 2,
      highWatermark: 3,
      flushedOffset: 3,
    });
    await admin.deleteTopic('admin');
    expect((await admin.listTopics()).map(({ name }) => name)).not.to.include('admin');
  });

  it('finds positions by time, and resets one that is gone', async () => {
    await admin.createTopic({ name: 'times', partitions: 1 });
    const writer = producer({ 'batch.size': 1 });
    for (const time of [1000, 2000, 3000]) {
      await writer.send({ topic: 'times', value: `at ${time}`, timestampMs: time });
    }
    const at = { topic: 'times', partition: 0 };
    const reader = consumer({ 'auto.offset.reset': 'earliest' });
    reader.assign([{ ...at, position: { timestampMs: 1500 } }]);
    expect((await reader.poll({ timeoutMs: 5000, maxRecords: 1 }))[0]!.value).to.equal('at 2000');
    await admin.deleteRecords([{ ...at, beforeOffset: 2 }]);
    reader.seek(at, 0);
    expect((await reader.poll({ timeoutMs: 5000, maxRecords: 1 }))[0]!.value).to.equal('at 3000');
  });

  it('goes on over a restart of the node: nothing lost, nothing twice, nothing out of order', async () => {
    await admin.createTopic({ name: 'restart', partitions: 1 });
    const writer = producer({ 'batch.size': 100 });
    const reader = consumer();
    reader.assign([{ topic: 'restart', partition: 0, position: 'start' }]);
    const values: string[] = [];
    const reading = (async () => {
      for await (const record of reader) {
        expect(record.offset).to.equal(values.length);
        values.push(record.value!);
        if (values.length === 2000) return;
      }
    })();
    const sent: Promise<unknown>[] = [];
    const port = node.ports.get('CLIENT')!;
    for (let index = 0; index < 2000; index++) {
      sent.push(writer.send({ topic: 'restart', value: `v${index}` }));
      if (index === 700) {
        await Promise.race(sent);
        await node.close(0);
        node = await startNode(directory, port);
      }
    }
    await Promise.all(sent);
    await reading;
    expect(values).to.deep.equal(Array.from({ length: 2000 }, (_, index) => `v${index}`));
  });
});
