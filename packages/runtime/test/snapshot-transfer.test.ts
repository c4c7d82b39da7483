// A snapshot on its way from the leader's store to a replica that was away too long, while everything around it changes.

import { TidemarkError, type NodeId, type Offset } from '@tidemark/core';
import {
  crashPointOperations,
  type DiskStep,
  type SimDisk,
  type SimKeyValueStore,
} from '@tidemark/simulation';
import { expect } from 'chai';
import { outcome, QuorumGroup } from './quorum-group.ts';

const options = { keptLogBytes: 0, segmentBytes: 600, maxSnapshotPieceBytes: 64, maxCachedBytes: 0 };

/** Three voters of which one was away while the log it needs was removed. Answers its id. */
async function withLaggard(more = {}): Promise<{ group: QuorumGroup; laggard: number; others: number[] }> {
  const group = await QuorumGroup.withBroker({ voters: 3, ...options, ...more });
  const [laggard] = await group.followers();
  await group.clock.settle(group.stop(laggard!));
  const others = [1, 2, 3].filter((id) => id !== laggard);
  for (let at = 0; at < 20; at++) await create(group, others[0]!, `topic-${at}`);
  await compactAll(group);
  expect(group.node(others[0]!).quorum.logStartOffset).to.be.greaterThan(10);
  return { group, laggard: laggard!, others };
}

const create = async (group: QuorumGroup, id: number, name: string): Promise<void> => {
  expect(outcome(await group.createTopic(id, name))).to.equal('ok');
};

async function compactAll(group: QuorumGroup): Promise<void> {
  await group.same();
  for (const node of group.running) await group.clock.settle(node.compact());
}

/** Until the leader has read so many pieces. */
async function piecesRead(group: QuorumGroup, count: number): Promise<number> {
  const leader = (await group.leader()).self.nodeId;
  const store = group.watchedStore(leader);
  const before = store.reads;
  for (let tries = 0; store.reads < before + count; tries++) {
    if (tries > 20_000) throw new Error('no piece is read');
    await group.clock.advance(1);
  }
  return leader;
}

const openIterators = (group: QuorumGroup): number =>
  group.running.reduce((sum, { self }) => sum + group.watchedStore(self.nodeId).openIterators, 0);

async function expectAlike(group: QuorumGroup, ids: readonly number[]): Promise<void> {
  await group.same();
  const [first, ...others] = ids.map((id) => group.topics(id));
  for (const topics of others) expect(topics).to.deep.equal(first);
  expect(group.fatal).to.deep.equal([]);
}

describe('a snapshot', () => {
  it('arrives whole while the metadata keep changing and old log keeps going', async () => {
    const { group, laggard, others } = await withLaggard();
    await group.clock.settle(group.start(laggard));
    for (let at = 0; at < 15; at++) {
      await create(group, others[0]!, `more-${at}`);
      if (at % 4 === 0) for (const id of others) await group.clock.settle(group.node(id).compact());
    }
    await expectAlike(group, [1, 2, 3]);
    expect(group.topics(laggard)).to.include('more-14');
    // What it has taken over holds after a crash, too.
    group.crash(laggard, 'nothing');
    await group.clock.settle(group.start(laggard));
    await expectAlike(group, [1, 2, 3]);
  });

  it('begins anew for a receiver that is restarted in the middle', async () => {
    const { group, laggard } = await withLaggard();
    for (const pieces of [2, 5, 9]) {
      await group.clock.settle(group.start(laggard));
      await piecesRead(group, pieces);
      group.crash(laggard, 'nothing');
    }
    await group.clock.settle(group.start(laggard));
    await expectAlike(group, [1, 2, 3]);
  });

  it('begins anew from another leader, and the one that leads no longer lets go of it', async () => {
    const { group, laggard } = await withLaggard();
    await group.clock.settle(group.start(laggard));
    const leader = await piecesRead(group, 4);
    const other = 6 - leader - laggard;
    expect(group.watchedStore(leader).openIterators).to.equal(1);
    const handed = group.node(leader).transferLeadership(other as NodeId, 5_000);
    expect(outcome(await group.clock.settle(handed))).to.equal('ok');
    await group.clock.advance(50);
    expect(group.watchedStore(leader).openIterators).to.equal(0);
    await expectAlike(group, [1, 2, 3]);
  });

  it('is let go of when its receiver is gone for good, and the leader stays', async () => {
    const { group, laggard } = await withLaggard();
    await group.clock.settle(group.start(laggard));
    await piecesRead(group, 4);
    group.kill(laggard);
    await group.clock.advance(1_000);
    expect(openIterators(group)).to.equal(1);
    await group.clock.advance(2 * 60_000);
    expect(openIterators(group)).to.equal(0);
    await Promise.all(group.running.map(({ self }) => group.clock.settle(group.stop(self.nodeId))));
    await group.clock.advance(2 * 60_000);
    expect([group.clock.pending, group.fatal]).to.deep.equal([0, []]);
  });

  it('is read by one at a time from each iterator, when the leadership goes and comes back', async () => {
    const { group, laggard } = await withLaggard({ readMs: 40 });
    await group.clock.settle(group.start(laggard));
    for (let turn = 0; turn < 3; turn++) {
      const leader = await piecesRead(group, 2);
      const other = (6 - leader - laggard) as NodeId;
      await group.clock.settle(group.node(leader).transferLeadership(other, 5_000));
    }
    await expectAlike(group, [1, 2, 3]);
    expect(openIterators(group)).to.equal(0);
  });

  it('goes to two receivers at once, and both get all of it', async () => {
    const { group, laggard } = await withLaggard();
    await Promise.all([
      group.clock.settle(Promise.all([group.start(laggard), group.start(7), group.start(8)])),
    ]);
    await expectAlike(group, [1, 2, 3, 7, 8]);
    expect(openIterators(group)).to.equal(0);
  });

  it('arrives over a network that loses, repeats and delays', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const { group, laggard } = await withLaggard({ seed });
      group.network.faults = { dropOneIn: 8, duplicateOneIn: 4, reorderOneIn: 4 };
      await group.clock.settle(group.start(laggard));
      await group.clock.advance(5_000);
      group.network.heal();
      await expectAlike(group, [1, 2, 3]);
    }
  });

  it('leaves one image or the other when its receiver crashes at any moment, whatever it was saving', async () => {
    const { group, laggard } = await withLaggard({ saveAfterMs: 1 });
    const crashes: { readonly where: string; readonly disk: SimDisk; readonly store: SimKeyValueStore }[] =
      [];
    const crash = ({ operation, path }: DiskStep, phase: 'before' | 'after'): void => {
      if (phase === 'before' || !crashPointOperations.has(operation)) return;
      for (const mode of ['nothing', 'all'] as const) {
        const disk = group.disk(laggard).fork(mode, group.prng);
        const store = group.store(laggard).fork(mode, group.prng);
        crashes.push({ where: `${mode} after ${operation} ${path}`, disk, store });
      }
    };
    const started = group.start(laggard);
    group.disk(laggard).observe(crash);
    group.store(laggard).observe(crash);
    await group.clock.settle(started);
    for (let at = 0; group.topics(laggard).length < 20; at++) {
      if (at > 20_000) throw new Error('no snapshot arrives');
      // Saves, again and again, while the snapshot is put in the place of what is saved.
      void group.node(laggard).compact();
      await group.clock.advance(0.2);
    }
    await group.clock.advance(20);
    await expectAlike(group, [1, 2, 3]);
    await group.clock.settle(group.stop(laggard));
    const found = new Set<number>();
    for (const { where, disk, store } of crashes.slice(-160)) {
      group.replaceDisks(laggard, disk, store);
      const problem = await group.clock.settle(group.start(laggard)).then(
        ({ image }) => {
          found.add(image.topicCount);
          return image.topicCount % 20 === 0 ? undefined : `${image.topicCount} topics`;
        },
        (cause: unknown) => String(cause),
      );
      expect(problem, where).to.equal(undefined);
      group.kill(laggard);
    }
    expect([...found].sort(), 'before and after').to.deep.equal([0, 20]);
    await group.clock.settle(group.start(laggard));
    await expectAlike(group, [1, 2, 3]);
  });
});

describe('opening a replica', () => {
  /** The laggard as a crash leaves it between storing an image and beginning its log anew. */
  async function withStoreAhead(): Promise<{ group: QuorumGroup; id: number; endOffset: Offset }> {
    const { group, laggard } = await withLaggard();
    await group.clock.settle(group.start(laggard));
    const seen = { isCut: false };
    const stop = group.disk(laggard).observe(({ operation }, phase) => {
      if (phase !== 'before' || seen.isCut || group.node(laggard).appliedOffset < 20) return;
      if (!['rename', 'remove', 'truncate', 'write'].includes(operation)) return;
      seen.isCut = true;
    });
    for (let at = 0; !seen.isCut && at < 5_000; at++) await group.clock.advance(0.5);
    stop();
    expect(seen.isCut).to.equal(true);
    const endOffset = group.node(laggard).appliedOffset;
    group.crash(laggard, 'nothing');
    return { group, id: laggard, endOffset };
  }

  it('begins a log anew that is behind the image that was stored', async () => {
    const { group, id, endOffset } = await withStoreAhead();
    await group.clock.settle(group.start(id));
    expect(group.node(id).appliedOffset).to.equal(endOffset);
    expect(group.node(id).quorum.logStartOffset).to.equal(endOffset);
    expect(group.topics(id)).to.have.length(20);
    await expectAlike(group, [1, 2, 3]);
  });

  it('begins a log anew that goes on otherwise than the image', async () => {
    const { group, id, endOffset } = await withStoreAhead();
    // As long as the image or longer, from a leader that was not followed: none of it is in the image.
    const other = await QuorumGroup.formed({ voters: 1, seed: 9 });
    while (other.node(1).quorum.term <= group.node((id % 3) + 1).quorum.term) {
      await other.clock.settle(other.stop(1));
      await other.clock.settle(other.start(1));
      await other.leader();
    }
    await other.must(1, { type: 'registerCluster', clusterId: 'cluster' });
    await other.register(1);
    for (let at = 0; other.log(1).nextOffset <= endOffset + 3; at++) await create(other, 1, `other-${at}`);
    await other.clock.settle(other.stop(1));
    group.replaceDisks(id, other.disk(1), group.store(id));
    await group.clock.settle(group.start(id));
    expect(group.node(id).quorum.logStartOffset).to.equal(endOffset);
    expect(group.node(id).quorum.logEndOffset).to.equal(endOffset);
    await expectAlike(group, [1, 2, 3]);
  });

  it('refuses a log that begins above the image', async () => {
    const { group, laggard } = await withLaggard();
    const [old, oldStore] = [group.disk(laggard), group.store(laggard)];
    await group.clock.settle(group.start(laggard));
    await expectAlike(group, [1, 2, 3]);
    await group.clock.settle(group.stop(laggard));
    expect(old).to.not.equal(group.disk(laggard));
    // The log as the snapshot left it, and the store as it was before.
    group.replaceDisks(laggard, group.disk(laggard), oldStore);
    const refused = await group.clock.settle(group.start(laggard)).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(refused).to.be.instanceOf(TidemarkError).with.property('error', 'KAFKA_STORAGE_ERROR');
    expect(String(refused)).to.contain('what lies between is lost');
  });
});
