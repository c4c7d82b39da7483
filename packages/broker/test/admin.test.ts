import { expect } from 'chai';
import {
  adminService,
  clusterService,
  type ConfigResource,
  type WatchMetadataResponseOutput,
} from '@tidemark/rpc';
import { batchOf, TestBroker, TestStream } from './harness.ts';

const topic = (name: string): ConfigResource => ({ type: 'CONFIG_RESOURCE_TYPE_TOPIC', name });
const broker1: ConfigResource = { type: 'CONFIG_RESOURCE_TYPE_BROKER', name: '1' };

describe('the admin service', () => {
  let broker: TestBroker;
  beforeEach(async () => {
    broker = await TestBroker.start({ 'num.partitions': '3' });
  });
  afterEach(() => broker.stop());

  it('creates topics that can be written to with the next request', async () => {
    const created = await broker.createTopic('fresh', 0);
    expect(created).to.deep.include({ error: null, partitionCount: 3, replicationFactor: 1 });
    for (const partition of [0, 1, 2]) {
      const { error } = await broker.produce({ topic: 'fresh', partition, batches: batchOf(['x']) });
      expect(error).to.equal(null);
    }
    expect((await broker.createTopic('fresh')).error?.name).to.equal('TOPIC_ALREADY_EXISTS');
    expect((await broker.createTopic('../x')).error?.name).to.equal('INVALID_TOPIC_EXCEPTION');
    expect((await broker.createTopic('odd', 1, { 'retention.ms': 'soon' })).error?.name).to.equal(
      'INVALID_CONFIG',
    );
  });

  it('changes nothing when it only validates', async () => {
    const { results } = await broker.call(adminService.CreateTopics, {
      topics: [{ name: 'maybe' }],
      validateOnly: true,
    });
    expect(results[0]?.error).to.equal(null);
    const { topics } = await broker.call(clusterService.GetMetadata, { topics: [{ name: 'maybe' }] });
    expect(topics[0]?.error?.name).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('deletes a topic, and one of its name begins anew', async () => {
    const { topicId } = await broker.createTopic('again', 1);
    await broker.produce({ topic: 'again', batches: batchOf(['old']) });
    const { results } = await broker.call(adminService.DeleteTopics, {
      topics: [{ topicId }, { name: 'never' }, { topicId: 'no id' }],
    });
    expect(results.map((each) => each.error?.name)).to.deep.equal([
      undefined,
      'UNKNOWN_TOPIC_OR_PARTITION',
      'INVALID_REQUEST',
    ]);
    const gone = await broker.fetch({ topicId });
    expect(gone.error?.name).to.equal('UNKNOWN_TOPIC_ID');
    const second = await broker.createTopic('again', 1);
    expect(second.topicId).to.not.equal(topicId);
    expect((await broker.fetch({ topic: 'again' })).highWatermark).to.equal(0);
  });

  it('adds partitions', async () => {
    await broker.createTopic('wide', 1);
    const grow = async (totalCount: number): Promise<string | undefined> => {
      const { results } = await broker.call(adminService.CreatePartitions, {
        topics: [{ name: 'wide', totalCount }],
      });
      return results[0]?.error?.name;
    };
    expect(await grow(3)).to.equal(undefined);
    expect((await broker.produce({ topic: 'wide', partition: 2, batches: batchOf(['x']) })).error).to.equal(
      null,
    );
    expect(await grow(2)).to.equal('INVALID_PARTITIONS');
  });

  it('shows where every config comes from, and puts changes in force', async () => {
    await broker.createTopic('tuned', 1, { 'retention.ms': '777' });
    const describe = async (resource: ConfigResource, key: string) => {
      const { results } = await broker.call(adminService.DescribeConfigs, {
        resources: [resource],
        keys: [key],
      });
      expect(results[0]?.error).to.equal(null);
      return results[0]?.entries[0];
    };
    const alter = async (resource: ConfigResource, name: string, value?: string) => {
      const change = value === undefined ? { name } : { name, value };
      const { results } = await broker.call(adminService.AlterConfigs, {
        resources: [{ resource, changes: [change] }],
      });
      return results[0]?.error?.name;
    };
    expect(await describe(topic('tuned'), 'retention.ms')).to.deep.include({
      value: '777',
      source: 'CONFIG_SOURCE_DYNAMIC_TOPIC',
    });
    expect(await describe(topic('tuned'), 'max.message.bytes')).to.deep.include({
      source: 'CONFIG_SOURCE_DEFAULT',
    });
    expect(await describe(broker1, 'num.partitions')).to.deep.include({
      value: '3',
      source: 'CONFIG_SOURCE_STATIC_BROKER',
      readOnly: true,
    });
    const big = batchOf(['x'.repeat(2_000)]);
    expect(await alter(topic('tuned'), 'max.message.bytes', '1000')).to.equal(undefined);
    expect((await broker.produce({ topic: 'tuned', batches: big })).error?.name).to.equal(
      'MESSAGE_TOO_LARGE',
    );
    expect(await alter(topic('tuned'), 'max.message.bytes')).to.equal(undefined);
    expect((await broker.produce({ topic: 'tuned', batches: big })).error).to.equal(null);
    // For all brokers: inherited by every topic that has nothing of its own.
    const everyBroker: ConfigResource = { type: 'CONFIG_RESOURCE_TYPE_BROKER', name: '' };
    expect(await alter(everyBroker, 'message.max.bytes', '1500')).to.equal(undefined);
    expect((await broker.produce({ topic: 'tuned', batches: big })).error?.name).to.equal(
      'MESSAGE_TOO_LARGE',
    );
    expect(await describe(broker1, 'message.max.bytes')).to.deep.include({
      value: '1500',
      source: 'CONFIG_SOURCE_DYNAMIC_BROKER',
    });
    expect(await alter(topic('tuned'), 'retention.msec', '5')).to.equal('INVALID_CONFIG');
    expect(await alter(topic('missing'), 'retention.ms', '5')).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('describes replicas with their offsets and sizes', async () => {
    await broker.createTopic('sized', 1);
    const batch = batchOf(['a', 'b']);
    await broker.produce({ topic: 'sized', batches: batch });
    const { replicas } = await broker.call(adminService.DescribeReplicas, { topics: ['sized', 'missing'] });
    expect(replicas[0]).to.deep.include({
      topic: 'sized',
      brokerId: 1,
      isLeader: true,
      inSync: true,
      highWatermark: 2,
      logEndOffset: 2,
      flushedOffset: 2,
      lag: 0,
      sizeBytes: batch.length,
      segmentCount: 1,
    });
    expect(replicas[1]?.error?.name).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('refuses acks all where the topic asks for more replicas than there are', async () => {
    const { error } = await broker.createTopic('lonely', 1, { 'min.insync.replicas': '2' });
    expect(error?.name).to.equal('INVALID_CONFIG');
  });
});

describe('the metadata of a cluster', () => {
  let broker: TestBroker;
  beforeEach(async () => {
    broker = await TestBroker.start();
  });
  afterEach(() => broker.stop());

  it('is told by name, by id and altogether', async () => {
    const { topicId } = await broker.createTopic('b', 2);
    await broker.createTopic('a');
    const all = await broker.call(clusterService.GetMetadata, { allTopics: true });
    expect(all.topics.map((each) => each.name)).to.deep.equal(['a', 'b']);
    expect(all.brokers).to.deep.equal([
      { id: 1, host: '127.0.0.1', port: broker.port, rack: '', fenced: false },
    ]);
    const some = await broker.call(clusterService.GetMetadata, { topics: [{ topicId }, { name: '../x' }] });
    expect(some.topics[0]?.partitions.map((each) => [each.partition, each.leaderId])).to.deep.equal([
      [0, 1],
      [1, 1],
    ]);
    expect(some.topics[1]?.error?.name).to.equal('INVALID_TOPIC_EXCEPTION');
    const none = await broker.call(clusterService.GetMetadata, {});
    expect(none.topics).to.deep.equal([]);
    const cluster = await broker.call(clusterService.DescribeCluster, {});
    expect(cluster).to.deep.include({ clusterId: broker.broker.clusterId, topicCount: 2, partitionCount: 3 });
  });

  it('creates a topic that is asked for only where the configuration says so', async () => {
    const ask = async (of: TestBroker) =>
      (await of.call(clusterService.GetMetadata, { topics: [{ name: 'wanted' }, { name: '__inner' }] }))
        .topics;
    expect((await ask(broker)).map((each) => each.error?.name)).to.deep.equal([
      'UNKNOWN_TOPIC_OR_PARTITION',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ]);
    const eager = await TestBroker.start({ 'auto.create.topics.enable': 'true' });
    try {
      const [wanted, inner] = await ask(eager);
      expect(wanted?.partitions).to.have.length(1);
      expect(inner?.error?.name).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
      expect((await eager.produce({ topic: 'wanted', batches: batchOf(['x']) })).error).to.equal(null);
    } finally {
      await eager.stop();
    }
  });

  it('is sent again when it changes, and only then', async () => {
    const { path, requestSerialize, responseDeserialize } = clusterService.WatchMetadata;
    const request = { topics: [{ name: 'watched' }] };
    const call = broker.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    const stream = new TestStream<never, WatchMetadataResponseOutput>(call);
    expect((await stream.next())?.metadata?.topics[0]?.error).to.not.equal(null);
    await broker.createTopic('unrelated');
    await broker.createTopic('watched', 2);
    expect((await stream.next())?.metadata?.topics[0]?.partitions).to.have.length(2);
    stream.cancel();
  });
});
