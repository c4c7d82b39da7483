import { expect } from 'chai';
import type { ControllerCommand, MetadataRecord } from '@tidemark/controller';
import {
  topicIdFromBytes,
  type BrokerEpoch,
  type BrokerId,
  type PartitionIndex,
  type TopicId,
} from '@tidemark/core';
import { ReplicaNode, SELF } from './replica-node.ts';

const OTHER = 2 as BrokerId;
const partition = 0 as PartitionIndex;

const broker = (brokerId: BrokerId, fenced: boolean): MetadataRecord => ({
  type: 'registerBroker',
  brokerId,
  brokerEpoch: 1 as BrokerEpoch,
  incarnationId: topicIdFromBytes(new Uint8Array(16)),
  directoryId: topicIdFromBytes(new Uint8Array(16)),
  rack: '',
  endpoints: [],
  fenced,
});

/** A node that is to lead `t`, in sync with another broker, and finds the folder of another topic in its place. */
async function obstructed(): Promise<{ readonly node: ReplicaNode; readonly topicId: TopicId }> {
  const node = await ReplicaNode.start();
  node.change(broker(SELF, false), broker(OTHER, false));
  await node.clock.settle(node.disk.makeDirectory('data/t-0'));
  const file = await node.clock.settle(node.disk.open('data/t-0/partition.metadata', 'create'));
  const text = `version: 0\ntopic_id: ${topicIdFromBytes(new Uint8Array(16).fill(99))}`;
  await node.clock.settle(file.write([new TextEncoder().encode(text)], 0));
  await node.clock.settle(file.close());
  const topicId = await node.createTopic('t', { replicas: [1, 2] });
  await node.createTopic('u', { replicas: [1, 2] });
  return { node, topicId };
}

const reports = (node: ReplicaNode): readonly ControllerCommand[] =>
  node.submitted.splice(0).filter(({ type }) => type === 'reportOfflineReplicas');

describe('a replica whose log cannot be opened', () => {
  it('is told to the controller until it counts no more, and told again when it could lead', async () => {
    const { node, topicId } = await obstructed();
    expect(node.errors.join()).to.contain('belongs to the topic with id');
    await node.clock.advance(1_000);
    const own = { type: 'reportOfflineReplicas', brokerId: SELF, brokerEpoch: 1 };
    expect(reports(node)).to.deep.equal([{ ...own, partitions: [{ topicId, partition }] }]);
    await node.clock.advance(1_000);
    expect(reports(node), 'it was refused').to.have.length(1);
    node.change({ type: 'partitionChange', topicId, partition, isr: [OTHER], leader: OTHER });
    await node.clock.advance(5_000);
    expect(reports(node)).to.deep.equal([]);
    node.change({ type: 'partitionChange', topicId, partition, isr: [OTHER], elr: [SELF] });
    await node.clock.advance(1_000);
    expect(reports(node)).to.have.length(1);
    await node.close();
  });

  it('is not told of while nobody else could lead', async () => {
    const { node } = await obstructed();
    node.change(broker(OTHER, true));
    await node.clock.advance(5_000);
    expect(reports(node)).to.deep.equal([]);
    node.change(broker(OTHER, false));
    await node.clock.advance(1_000);
    expect(reports(node)).to.have.length(1);
    await node.close();
  });

  it('is not told of when it is only the disk that is full', async () => {
    const node = await ReplicaNode.start();
    node.change(broker(SELF, false), broker(OTHER, false));
    node.disk.inject({ operation: 'write', path: (path) => path.includes('t-0'), error: 'ENOSPC' });
    await node.createTopic('t', { replicas: [1, 2] });
    expect([...node.replicas.unopenedReplicas()]).to.have.length(1);
    await node.clock.advance(5_000);
    expect(reports(node)).to.deep.equal([]);
    await node.close();
  });
});
