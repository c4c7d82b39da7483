// The metadata of a cluster of several nodes: formed, agreed on, carried through the loss of nodes and disks.

import { topicIdFromBytes, type Failure, type LeaderEpoch } from '@tidemark/core';
import { defaultLogConfig } from '@tidemark/log';
import { BatchBuilder, readBatchHeader } from '@tidemark/record';
import { METADATA_LOG_NAME } from '@tidemark/runtime';
import { SimKeyValueStore } from '@tidemark/simulation';
import { expect } from 'chai';
import { QuorumGroup, TIMEOUT_MS } from './quorum-group.ts';

const errorOf = (answer: object): string | undefined => (answer as Partial<Failure>).error;
describe('the metadata quorum', () => {
  it('forms once all voters are there, elects one, and every node can have something decided', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    for (const id of [1, 2, 3]) expect(errorOf(await group.createTopic(id, `t${id}`))).to.equal(undefined);
    await group.same();
    for (const id of [1, 2, 3]) expect(group.topics(id)).to.deep.equal(['t1', 't2', 't3']);
    expect(group.fatal).to.deep.equal([]);
  });

  it('waits for a voter that has never been there, and says which', async () => {
    const group = new QuorumGroup({ voters: 3 });
    void group.start(1);
    void group.start(2);
    await group.clock.advance(10_000);
    expect(group.running).to.have.length(0);
    expect(group.waited).to.include('1 waits for 3');
    await group.clock.settle(group.start(3));
    await group.leader();
  });

  it('goes on without its leader, and loses nothing that was answered', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    for (const id of [2, 3]) await group.register(id);
    await group.createTopic(2, 'before');
    const leader = await group.leader();
    await group.clock.settle(group.stop(leader.self.nodeId));
    const others = [1, 2, 3].filter((id) => id !== leader.self.nodeId);
    expect(errorOf(await group.createTopic(others[0]!, 'after'))).to.equal(undefined);
    await group.clock.settle(group.start(leader.self.nodeId));
    await group.same();
    for (const id of [1, 2, 3]) expect(group.topics(id)).to.deep.equal(['after', 'before']);
  });

  it('decides nothing without a majority, and reads nothing that could be old', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    await group.clock.settle(group.stop(2));
    await group.clock.settle(group.stop(3));
    await group.clock.advance(5_000);
    const refused = await group.createTopic(1, 'nobody');
    expect(errorOf(refused)).to.be.oneOf(['NOT_CONTROLLER', 'REQUEST_TIMED_OUT']);
    const read = await group.clock.settle(group.node(1).readBarrier(TIMEOUT_MS));
    expect(read.ok).to.equal(false);
  });

  it('has a read on any node see what was answered before', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    for (let round = 0; round < 10; round++) {
      await group.createTopic(1 + (round % 3), `t${round}`);
      const reader = group.node(1 + ((round + 1) % 3));
      const read = await group.clock.settle(reader.readBarrier(TIMEOUT_MS));
      expect(read.ok).to.equal(true);
      expect(reader.image.topicByName(`t${round}`)).to.not.equal(undefined);
    }
  });

  it('brings its metadata to a broker that does not vote', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    await group.createTopic(1, 'early');
    await group.clock.settle(group.start(7));
    await group.same();
    expect(errorOf(await group.createTopic(7, 'late'))).to.equal(undefined);
    await group.same();
    expect(group.topics(7)).to.deep.equal(['early', 'late']);
    expect(group.node(7).quorum.role).to.equal('observer');
  });

  it('fences a broker whose process died long before its session is over, and one that is frozen not', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    const leader = await group.leader();
    const [killed, paused] = await group.followers();
    await group.clock.settle(group.start(7));
    for (const id of [killed!, paused!, 7]) await group.register(id, 2);
    const isFenced = (id: number) => leader.image.broker(id)!.fenced;
    group.pause(paused!);
    await group.clock.advance(3_000);
    expect(isFenced(paused!)).to.equal(false);
    group.resume(paused!);
    for (const id of [killed!, 7]) {
      const killedMs = group.clock.monotonicMs();
      group.kill(id);
      await group.until(() => isFenced(id));
      expect(group.clock.monotonicMs() - killedMs).to.be.within(500, 2_000);
    }
    expect(isFenced(paused!)).to.equal(false);
    expect(group.fatal).to.deep.equal([]);
  });

  it('fences a broker that died with the controller it asked, although the next one was never asked by it', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    const before = await group.leader();
    const followers = await group.followers();
    await group.clock.settle(group.start(7));
    for (const id of [...followers, 7]) await group.register(id, 2);
    await group.clock.advance(3_000);
    const killedMs = group.clock.monotonicMs();
    group.kill(before.self.nodeId);
    group.kill(7);
    await group.until(() => group.running.some((node) => node.image.broker(7)?.fenced === true));
    expect(group.clock.monotonicMs() - killedMs).to.be.below(6_000);
    expect(group.fatal).to.deep.equal([]);
  });

  it('sends a snapshot in pieces to a node that was away while the log it needs was removed', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3, keptLogBytes: 4096 });
    await group.clock.settle(group.stop(3));
    for (let at = 0; at < 200; at++) {
      expect(errorOf(await group.createTopic(1, `topic-${at}`))).to.equal(undefined);
    }
    for (const node of group.running) await group.clock.settle(node.compact());
    const missed = group.node(1).quorum.logStartOffset;
    expect(missed).to.be.greaterThan(200);
    await group.clock.settle(group.start(3));
    await group.same();
    expect(group.topics(3)).to.deep.equal(group.topics(1));
    expect(group.node(3).quorum.logStartOffset).to.be.greaterThan(0);
    // And it goes on from there, also after a restart.
    await group.clock.settle(group.stop(3));
    await group.createTopic(2, 'more');
    await group.clock.settle(group.start(3));
    await group.same();
    expect(group.topics(3)).to.include('more');
    expect(group.fatal).to.deep.equal([]);
  });

  it('takes a voter that lost its disk for somebody else until an operator exchanges the two', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    await group.createTopic(1, 'kept');
    const old = group.key(3);
    await group.clock.settle(group.stop(3));
    group.wipe(3);
    await group.clock.settle(group.start(3));
    await group.same();
    expect(group.node(3).quorum.role).to.equal('observer');
    expect(group.topics(3)).to.deep.equal(['kept']);
    const voter = { ...group.key(3), endpoint: { host: 'node-3', port: 9291 } };
    const add = () => group.clock.settle(group.node(1).changeVoters({ type: 'add', voter }, TIMEOUT_MS));
    expect(errorOf(await add())).to.equal('INVALID_REQUEST');
    const removed = await group.clock.settle(
      group.node(1).changeVoters({ type: 'remove', replica: old }, TIMEOUT_MS),
    );
    expect(removed).to.deep.equal({ ok: true });
    expect(await add()).to.deep.equal({ ok: true });
    await group.until(() => group.node(3).quorum.role === 'follower');
    expect(group.node(3).quorum.voters).to.have.length(3);
  });

  it('refuses a voter of later days that has kept its log and lost what it promised', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    await group.clock.settle(group.start(4, { isController: true }));
    await group.same();
    const voter = { ...group.key(4), endpoint: { host: 'node-4', port: 9291 } };
    const added = await group.clock.settle(group.node(1).changeVoters({ type: 'add', voter }, TIMEOUT_MS));
    expect(added).to.deep.equal({ ok: true });
    await group.until(() => group.node(4).quorum.role === 'follower');
    await group.clock.settle(group.stop(4));
    group.replaceDisks(4, group.disk(4), new SimKeyValueStore({ clock: group.clock }));
    const refused = await group.clock.settle(group.start(4, { isController: true })).then(
      (node) => node.quorum,
      (cause: unknown) => cause,
    );
    expect(refused, 'it could vote twice in one term').to.include({ error: 'KAFKA_STORAGE_ERROR' });
  });

  it('refuses a voter that has kept what it promised and lost its log, and sends it to a broker again', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    await group.clock.settle(group.start(4));
    await group.createTopic(1, 'kept');
    await group.same();
    const restarted = async (id: number): Promise<unknown> => {
      await group.clock.settle(group.stop(id));
      await group.clock.settle(group.disk(id).removeTree(METADATA_LOG_NAME));
      return group.clock.settle(group.start(id)).then(
        () => 'started',
        (cause: unknown) => cause,
      );
    };
    expect(await restarted(4)).to.equal('started');
    await group.same();
    expect(group.topics(4)).to.deep.equal(['kept']);
    const [follower] = await group.followers();
    expect(await restarted(follower!), 'it counts as having what is gone').to.include({
      error: 'KAFKA_STORAGE_ERROR',
    });
  });

  it('does not found a second cluster when a majority has lost its disks', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    for (const id of [1, 2, 3]) await group.clock.settle(group.stop(id));
    group.wipe(2);
    group.wipe(3);
    void group.start(2);
    void group.start(3);
    await group.clock.advance(30_000);
    expect(group.running).to.have.length(0);
    expect(group.waited.at(-1)).to.contain('waits for 1');
  });

  it('hands the leadership over', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    const leader = await group.leader();
    const to = group.running.find((node) => node !== leader)!;
    const done = await group.clock.settle(to.transferLeadership(to.self.nodeId, TIMEOUT_MS));
    expect(done).to.deep.equal({ ok: true });
    await group.until(() => to.isActive);
    expect(errorOf(await group.createTopic(leader.self.nodeId, 'after'))).to.equal(undefined);
  });

  it('goes on while the partitions of the folder have filled what may wait to be written', async () => {
    const group = await QuorumGroup.withBroker({ voters: 1, maxFolderPendingBytes: 4_096 });
    const data = await group.clock.settle(
      group.folder(1).openPartition('t-0', topicIdFromBytes(new Uint8Array(16).fill(5)), defaultLogConfig),
    );
    const builder = new BatchBuilder({ capacityBytes: 8_192 });
    builder.append(1, null, new Uint8Array(5_000));
    const bytes = builder.build().slice();
    const batches = [{ at: 0, ...readBatchHeader(bytes, 0) }];
    const options = { leaderEpoch: 1 as LeaderEpoch, origin: 'leader' } as const;
    // One goes through, whatever its size, and waits.
    expect(data.append(bytes, batches, options).ok).to.equal(true);
    expect(data.append(bytes.slice(), batches, options).ok).to.equal(false);
    expect(errorOf(await group.createTopic(1, 'meanwhile'))).to.equal(undefined);
    expect(group.fatal).to.deep.equal([]);
  });
});
