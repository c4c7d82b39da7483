// What becomes of CreateTopics when its answer is lost with the controller it was sent to.

import { applyRecords, MetadataImage, type MetadataRecord } from '@tidemark/controller';
import {
  failure,
  type BrokerId,
  type LeaderEpoch,
  type PartitionEpoch,
  type PartitionIndex,
} from '@tidemark/core';
import type { TopicId, TopicName } from '@tidemark/core';
import { SimPrng } from '@tidemark/simulation';
import { expect } from 'chai';
import { TopicCreation } from '../src/topic-creation.ts';
import { newTopic } from './quorum-group.ts';

class Node {
  image = MetadataImage.empty();
  term = 5;
  reads = true;
  #listener: ((image: MetadataImage) => void) | undefined;

  onImage(listener: (image: MetadataImage) => void): () => void {
    this.#listener = listener;
    return () => (this.#listener = undefined);
  }

  readBarrier() {
    return Promise.resolve(this.reads ? ({ ok: true } as const) : failure('NOT_CONTROLLER'));
  }

  apply(...records: MetadataRecord[]): void {
    this.image = applyRecords(this.image, records, this.image.offset + 1);
    this.#listener?.(this.image);
  }

  create(topicId: TopicId, name: string): void {
    const replicas = [1, 2] as unknown as readonly BrokerId[];
    this.apply(
      { type: 'topic', topicId, name: name as TopicName },
      {
        type: 'partition',
        topicId,
        partition: 0 as PartitionIndex,
        replicas,
        isr: replicas,
        leader: replicas[0]!,
        leaderEpoch: 0 as LeaderEpoch,
        partitionEpoch: 0 as PartitionEpoch,
      },
    );
  }
}

function story(...names: string[]) {
  const node = new Node();
  const command = { type: 'createTopics', topics: names.map(newTopic), validateOnly: false } as const;
  const creation = new TopicCreation(command, node, new SimPrng(1));
  const ids = creation.command.topics.map(({ topicId }) => topicId!);
  creation.sent();
  return { node, creation, ids };
}

describe('a creation of topics whose answer is lost', () => {
  it('is repeated when a later controller has been active and nothing came of it', async () => {
    const { node, creation } = story('a');
    node.term = 6;
    expect(await creation.find(1000)).to.equal('repeat');
  });

  it('is not repeated while the controller it was sent to may still be active', async () => {
    const { node, creation } = story('a');
    expect(await creation.find(1000)).to.equal(undefined);
    node.term = 6;
    creation.sent();
    expect(await creation.find(1000)).to.equal(undefined);
    node.term = 7;
    node.reads = false;
    expect(await creation.find(1000)).to.equal(undefined);
  });

  it('is answered as it was carried out, also when somebody has deleted the topic since', async () => {
    const { node, creation, ids } = story('a');
    node.create(ids[0]!, 'a');
    node.apply({ type: 'removeTopic', topicId: ids[0]! });
    node.term = 6;
    const topic = { ok: true, name: 'a', topicId: ids[0], partitionCount: 1, replicationFactor: 2 };
    expect(await creation.find(1000)).to.deep.equal({ topics: [topic] });
  });

  it('of which a part was carried out stays unknown: nobody can tell why the rest was refused', async () => {
    const { node, creation, ids } = story('a', 'b');
    node.create(ids[1]!, 'b');
    node.term = 6;
    expect(await creation.find(1000)).to.equal(undefined);
  });
});
