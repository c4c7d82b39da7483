import { expect } from 'chai';
import { applyRecords, MetadataImage, type MetadataRecord } from '@tidemark/controller';
import {
  topicIdFromBytes,
  type BrokerEpoch,
  type BrokerId,
  type LeaderEpoch,
  type Offset,
  type PartitionEpoch,
  type PartitionIndex,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import { FullDisk } from '@tidemark/runtime';
import { SimClock } from '@tidemark/simulation';
import { at, batch, from, ReplicaNode } from './replica-node.ts';

const SELF = 1 as BrokerId;
const OTHER = 2 as BrokerId;
const id = (number: number): TopicId => topicIdFromBytes(new Uint8Array(16).fill(number));

/** Brokers 1 and 2, and one partition that broker 1 leads. */
function world(isr: readonly number[]) {
  const clock = new SimClock();
  const told: string[] = [];
  const state = { image: MetadataImage.empty(), hasRoom: false, looks: 0 };
  const change = (...records: readonly MetadataRecord[]): void => {
    state.image = applyRecords(state.image, records, state.image.offset + 1);
  };
  for (const brokerId of [SELF, OTHER]) {
    const own = {
      brokerId,
      brokerEpoch: 1 as BrokerEpoch,
      incarnationId: id(brokerId),
      directoryId: id(brokerId),
    };
    change({ type: 'registerBroker', ...own, rack: '', endpoints: [], fenced: false });
  }
  change(
    { type: 'topic', topicId: id(9), name: 't' as TopicName },
    {
      type: 'partition',
      topicId: id(9),
      partition: 0 as PartitionIndex,
      replicas: [SELF, OTHER],
      isr: isr as BrokerId[],
      leader: SELF,
      leaderEpoch: 0 as LeaderEpoch,
      partitionEpoch: 0 as PartitionEpoch,
    },
  );
  const disk = new FullDisk({
    self: SELF,
    clock,
    image: () => state.image,
    hasRoom: () => {
      state.looks += 1;
      return Promise.resolve(state.hasRoom);
    },
    onChange: () => told.push(`wants fence ${disk.wantsFence}`),
    onRoom: () => told.push('room'),
    onTold: (isFull) => told.push(`full ${isFull}`),
    onFatal: (cause) => told.push(`fatal ${String(cause)}`),
  });
  return { clock, disk, state, told, change };
}

describe('a broker whose disk is full', () => {
  it('asks to be fenced at once, and not to be when there is room again', async () => {
    const { clock, disk, state, told } = world([1, 2]);
    expect(disk.wantsFence).to.equal(false);
    disk.met();
    disk.met();
    expect(told).to.deep.equal(['full true', 'wants fence true']);
    await clock.advance(3_000);
    expect(state.looks, 'once a second').to.equal(3);
    state.hasRoom = true;
    await clock.advance(1_000);
    expect(told.slice(-3)).to.deep.equal(['full false', 'room', 'wants fence false']);
    await clock.advance(10_000);
    expect([state.looks, clock.pending], 'nothing is looked at without a reason').to.deep.equal([4, 0]);
  });

  it('stays where nobody else may lead, until somebody may', async () => {
    const { clock, disk, told, change } = world([1]);
    disk.met();
    expect(disk.wantsFence).to.equal(false);
    await clock.advance(1_000);
    expect(told.at(-1)).to.equal('wants fence false');
    change({ type: 'partitionChange', topicId: id(9), partition: 0 as PartitionIndex, isr: [SELF, OTHER] });
    await clock.advance(1_000);
    expect(told.at(-1)).to.equal('wants fence true');
    change({ type: 'brokerChange', brokerId: OTHER, brokerEpoch: 1 as BrokerEpoch, fenced: true });
    expect(disk.wantsFence).to.equal(false);
    disk.close();
    expect(clock.pending).to.equal(0);
  });
});

describe('a log that cannot be opened', () => {
  const produced = async (node: ReplicaNode): Promise<string | undefined> =>
    (await node.produce('t', batch('a'))).failure?.message;

  it('because the disk is full is told, and opened when there is room', async () => {
    const node = await ReplicaNode.start();
    node.disk.inject({ operation: 'write', path: (path) => path.includes('t-0'), error: 'ENOSPC' });
    const topicId = await node.createTopic('t');
    expect(await produced(node)).to.match(/t-0 could not be opened: the disk is full, and it is tried again/);
    expect(node.replicas.unopenedReplicas()).to.containSubset([
      { topic: 't', topicId, partition: 0, failure: { error: 'KAFKA_STORAGE_ERROR' } },
    ]);
    expect(node.replicas.unopenedReplicas(new Set(['other']))).to.deep.equal([]);
    expect(node.diskFullCount).to.equal(1);
    node.replicas.roomFound();
    await node.clock.settle(node.replicas.whenHosted(topicId));
    expect(await produced(node)).to.equal(undefined);
    expect(node.replicas.unopenedReplicas()).to.deep.equal([]);
    await node.close();
  });
});

describe('records that are deleted', () => {
  it('are not said to be before that is noted, however often it is asked', async () => {
    const node = await ReplicaNode.start();
    await node.createTopic('t');
    await node.produce('t', batch('a', 'b', 'c'));
    const waiting = node.poll([from('t', 3)], 60_000);
    const isLogStart = (path: string): boolean => path.includes('log-start');
    node.disk.inject({ operation: 'write', path: isLogStart, error: 'ENOSPC', times: 3 });
    const asked = async (): Promise<unknown> => {
      const deletion = { address: at('t'), beforeOffset: 2 as Offset };
      const [answer] = await node.replicas.deleteRecords([deletion], 1_000);
      return answer?.failure?.error ?? answer?.logStartOffset;
    };
    const told: unknown[] = [];
    for (let each = 0; each < 3; each++) told.push(await node.clock.settle(asked()));
    expect(told).to.deep.equal(['KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR', 2]);
    expect((await waiting).outcomes[0], 'readers are told where it begins').to.include({ logStartOffset: 2 });
    await node.close();
  });
});

describe('a folder that belongs to no topic any more', () => {
  it('and was not removed because the disk was full goes when the topic was made again and there is room', async () => {
    const node = await ReplicaNode.start();
    const topicId = await node.createTopic('t');
    await node.produce('t', batch('old'));
    const isFolder = (path: string): boolean => path.includes('t-0');
    node.disk.inject({ operation: 'rename', path: isFolder, error: 'ENOSPC', times: 2 });
    node.change({ type: 'removeTopic', topicId });
    await node.clock.advance(100);
    await node.createTopic('u');
    const again = await node.createTopic('t');
    expect((await node.produce('t', batch('new'))).failure?.message).to.match(
      /t-0 could not be opened: the disk is full/,
    );
    node.replicas.roomFound();
    await node.clock.settle(node.replicas.whenHosted(again));
    expect((await node.produce('t', batch('new'))).receipt?.baseOffset).to.equal(0);
    await node.close();
  });

  const restarted = async (error: 'ENOSPC' | 'EIO'): Promise<{ node: ReplicaNode; failed: unknown }> => {
    const node = await ReplicaNode.start();
    const topicId = await node.createTopic('t');
    await node.createTopic('u');
    await node.close();
    node.change({ type: 'removeTopic', topicId });
    node.isDead = true;
    node.disk.inject({ operation: 'rename', path: (path) => path.includes('t-0'), error });
    const failed = await node.open().then(
      () => undefined,
      (cause: unknown) => cause,
    );
    return { node, failed };
  };

  it('and cannot be removed because the disk is full does not keep a broker from serving the others', async () => {
    const { node, failed } = await restarted('ENOSPC');
    expect(failed).to.equal(undefined);
    expect(node.errors.at(-1)).to.match(/removing the stray partition t-0: .*disk is full/);
    expect((await node.produce('u', batch('a'))).failure).to.equal(undefined);
    await node.close();
  });

  it('and cannot be removed for any other reason ends the broker', async () => {
    const { failed } = await restarted('EIO');
    expect(String(failed)).to.contain('EIO');
  });
});
