import { expect } from 'chai';
import { applyRecords, imageInvariants, type MetadataRecord } from '@tidemark/controller';
import { TestCluster } from './cluster.ts';

function cluster3(): TestCluster {
  const cluster = TestCluster.withBrokers(3);
  cluster.create({ name: 'a', assignments: [{ partition: 0, replicas: [1, 2, 3] }] });
  return cluster;
}

/** What is found when somebody writes these changes to partition 0. */
function found(cluster: TestCluster, ...changes: readonly object[]): readonly string[] {
  const topicId = cluster.image.topicByName('a')!.id;
  const records = changes.map((change) => ({ type: 'partitionChange', topicId, partition: 0, ...change }));
  const { image } = cluster;
  return imageInvariants(applyRecords(image, records as MetadataRecord[], image.offset + 1), image);
}

describe('the invariants of an image', () => {
  it('hold of what the controller does, and of an image and itself', () => {
    const cluster = cluster3();
    expect(imageInvariants(cluster.image, cluster.image)).to.deep.equal([]);
    expect(found(cluster, { isr: [1, 2] })).to.deep.equal([]);
    expect(found(cluster, { isr: [2, 3], leader: 2 })).to.deep.equal([]);
  });

  for (const [what, change, sentence] of [
    ['an ISR beyond the replicas', { isr: [1, 9] }, 'in sync is [1,9] of [1,2,3]'],
    ['an eligible replica beyond the replicas', { elr: [9] }, 'eligible is [9]'],
    ['a replica eligible and in sync', { elr: [2] }, 'eligible and'],
    ['a leader out of sync', { isr: [2, 3] }, 'leader 1 is not in sync'],
    ['two leaders of the last', { isr: [], leader: -1, lastKnownElr: [1, 2] }, 'remembers [1,2]'],
    ['a partition given up', { isr: [], leader: -1 }, 'no replica may ever lead'],
    ['a replica on no broker', { replicas: [1, 2, 3, 9] }, 'on no broker'],
    ['a replica twice', { replicas: [1, 2, 3, 3] }, 'its replicas are'],
    ['a removal without a new epoch', { replicas: [1, 2], isr: [1, 2] }, 'same leader epoch'],
    ['an addition of nobody', { addingReplicas: [9] }, 'adding [9]'],
    ['one added and removed', { addingReplicas: [2], removingReplicas: [2] }, 'adds and removes'],
    ['the removal of all', { removingReplicas: [1, 2, 3] }, 'removes all'],
  ] as const) {
    it(`find ${what}`, () => {
      expect(found(cluster3(), change).join('; ')).to.contain(`a-0: `).and.contain(sentence);
    });
  }

  it('find a leader that was not eligible, or is out', () => {
    const cluster = cluster3();
    cluster.fence(3);
    expect(found(cluster, { isr: [3], leader: 3 }).join())
      .to.contain('leader 3 is out')
      .and.contain('joined');
    cluster.heartbeat(3);
    expect(found(cluster, { isr: [3], leader: 3 }).join()).to.contain('leader 3 was not eligible');
    const unclean = { leader: 3, leaderRecoveryState: 'recovering' };
    expect(found(cluster, { ...unclean, isr: [3] })).to.deep.equal([]);
    expect(found(cluster, { ...unclean, isr: [3, 2] }).join()).to.contain('others are in sync');
  });

  it('find epochs that fell, and a topic that shrank, when an image is taken for one before it', () => {
    const cluster = cluster3();
    const before = cluster.image;
    cluster.fence(1);
    cluster.start(1);
    cluster.must({
      type: 'createPartitions',
      topics: [{ name: 'a', totalCount: 2, assignments: [] }],
      validateOnly: false,
    });
    const backwards = imageInvariants(before, cluster.image).join('; ');
    expect(backwards).to.contain('its offset fell').and.contain('broker 1: its epoch fell');
    expect(backwards).to.contain('partition epoch did not rise').and.contain('leader epoch fell');
    expect(backwards).to.contain('fewer partitions');
  });
});
