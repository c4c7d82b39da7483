import { expect } from 'chai';
import type { Offset } from '@tidemark/core';
import { encodeGroupRecord, GroupShard, type GroupId, type InstanceId, type MemberId } from '@tidemark/group';
import { BatchBuilder, validateBatches, type Codecs } from '@tidemark/record';
import type { AskingOf } from '@tidemark/runtime';
import { GroupNode, RETENTION_MS, seen } from './group-node.ts';

/** The high watermark stands until the test takes replica 2 out. */
const HELD = { replicas: [1, 2], isr: [1, 2] };

/** A batch that the coordinator of the partition did not write. */
function append(node: GroupNode, ...records: readonly { key: Uint8Array; value: Uint8Array | null }[]): void {
  const builder = new BatchBuilder({ capacityBytes: 256 });
  for (const { key, value } of records) builder.append(1_800_000_000_000, key, value);
  const bytes = builder.build().slice();
  const valid = validateBatches(bytes, { maxBatchBytes: 9e6, maxInflatedBytes: 9e6, codecs: {} as Codecs });
  if (!valid.ok) throw new Error(valid.message);
  const appended = node.offsets.append(bytes, valid.batches);
  if (!appended.ok) throw new Error(appended.message);
}

function join(node: GroupNode, groupId: string, instanceId: string): AskingOf<'join'> {
  return node.groups.ask<'join'>({
    type: 'join',
    groupId: groupId as GroupId,
    memberId: '' as MemberId,
    newMemberId: node.groups.newMemberId(instanceId),
    instanceId: instanceId as InstanceId,
    clientId: 'c',
    clientHost: 'h',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: new Uint8Array(100) }],
    reason: undefined,
  });
}

describe('the answer of a group coordinator', () => {
  let node: GroupNode;
  afterEach(() => node.close());

  it('rule 16: waits until the high watermark has passed what it rests on, and so does whoever reads', async () => {
    node = await GroupNode.start(HELD);
    const first = seen(node.commit('g', 1));
    const second = seen(node.commit('g', 2, 't', 1));
    await node.clock.advance(1_000);
    expect(node.offsets.log.nextOffset).to.equal(2);
    expect([first.of, second.of, node.committed('g')]).to.deep.equal([undefined, undefined, {}]);
    node.decide({ isr: [1] });
    await node.clock.advance(1);
    expect([first.of, second.of]).to.deep.equal(['ok', 'ok']);
    expect(node.committed('g')).to.deep.equal({ 't-0': 1, 't-1': 2 });
  });

  it('says that nobody knows, when that takes too long; it may be committed later', async () => {
    node = await GroupNode.start(HELD);
    const commit = seen(node.commit('g', 1));
    await node.clock.advance(node.settings.commitTimeoutMs - 1);
    expect(commit.of).to.equal(undefined);
    await node.clock.advance(2);
    expect(commit.of).to.equal('COORDINATOR_NOT_AVAILABLE');
    expect(node.committed('g')).to.deep.equal({});
    node.decide({ isr: [1] });
    await node.clock.advance(1);
    expect(node.committed('g')).to.deep.equal({ 't-0': 1 });
  });

  it('is a refusal at once when too few replicas are in sync, and then nothing is written', async () => {
    node = await GroupNode.start({ replicas: [1, 2, 3], isr: [1] });
    const commit = seen(node.commit('g', 1));
    await node.clock.advance(0);
    expect(commit.of).to.equal('COORDINATOR_NOT_AVAILABLE');
    expect(node.offsets.log.nextOffset).to.equal(0);
  });

  it('goes nowhere when its client has gone, and counts no more', async () => {
    node = await GroupNode.start();
    const asking = join(node, 'g', 'one');
    expect(node.groups.status.waitingRequests).to.equal(1);
    asking.cancel();
    expect(node.groups.status.waitingRequests).to.equal(0);
    expect(await asking.answer).to.deep.include({ error: 'REQUEST_TIMED_OUT' });
    await node.clock.advance(20_000);
  });
});

describe('what groups store while a batch is on its way', () => {
  let node: GroupNode;
  afterEach(() => node.close());

  /** Last offset and size of each batch in the partition. */
  async function batches(): Promise<{ readonly records: number; readonly sizeBytes: number }[]> {
    const { log } = node.offsets;
    const upTo = log.nextOffset;
    const read = await log.read(0 as Offset, { maxBytes: 9e6, upTo, atLeastOne: true });
    if (!read.ok) throw new Error(read.message);
    return read.parts.flatMap((part) => {
      const valid = validateBatches(part, {
        ...{ maxBatchBytes: 9e6, maxInflatedBytes: 9e6, codecs: {} as Codecs, origin: 'replica' },
      });
      if (!valid.ok) throw new Error(valid.message);
      return valid.batches.map(({ lastOffsetDelta, sizeBytes }) => ({
        records: lastOffsetDelta + 1,
        sizeBytes,
      }));
    });
  }

  const commits = (from: number, to: number): { readonly of: string | undefined }[] =>
    Array.from({ length: to - from }, (_, at) => seen(node.commit(`g${from + at}`, from + at)));

  it('is written together: of many groups one batch, when the linger is over', async () => {
    node = await GroupNode.start(HELD);
    commits(0, 1);
    await node.clock.advance(1);
    expect(node.offsets.log.nextOffset, 'with nothing on its way nobody waits').to.equal(1);
    commits(1, 20);
    await node.clock.advance(node.limits.appendLingerMs - 1);
    expect(node.offsets.log.nextOffset).to.equal(1);
    await node.clock.advance(2);
    expect(node.offsets.log.nextOffset).to.equal(20);
    expect((await batches()).map(({ records }) => records)).to.deep.equal([1, 19]);
  });

  it('is written as soon as that batch is committed', async () => {
    node = await GroupNode.start(HELD);
    await node.close();
    node.limits = { ...node.limits, appendLingerMs: 60_000 };
    node.decide({ isr: [1] });
    await node.open();
    node.decide({ isr: [1, 2] });
    commits(0, 1);
    await node.clock.advance(1);
    const later = commits(1, 10);
    await node.clock.advance(1_000);
    expect(node.offsets.log.nextOffset).to.equal(1);
    node.decide({ isr: [1] });
    await node.clock.advance(10);
    expect(new Set(later.map(({ of }) => of))).to.deep.equal(new Set(['ok']));
    expect((await batches()).map(({ records }) => records)).to.deep.equal([1, 9]);
  });

  it('is seen by the next request before it is in the log', async () => {
    node = await GroupNode.start(HELD);
    commits(0, 1);
    await node.clock.advance(1);
    const commit = seen(node.commit('g', 7));
    const deletion = node.groups.ask<'deleteGroup'>({ type: 'deleteGroup', groupId: 'g' as GroupId }).answer;
    expect(node.offsets.log.nextOffset, 'the commit is not written').to.equal(1);
    node.decide({ isr: [1] });
    await node.clock.advance(10);
    expect([commit.of, await deletion]).to.deep.equal(['ok', { ok: true }]);
    expect(node.committed('g')).to.deep.equal({});
    await node.restart();
    expect(node.committed('g')).to.deep.equal({});
    expect(node.committed('g0')).to.deep.equal({ 't-0': 0 });
  });

  it('is written in batches that max.message.bytes allows, and the records of one request in one of them', async () => {
    node = await GroupNode.start({ ...HELD, configs: { 'max.message.bytes': '1000' } });
    commits(0, 1);
    await node.clock.advance(1);
    commits(1, 60);
    await node.clock.advance(10);
    const written = await batches();
    expect(written.reduce((sum, { records }) => sum + records, 0)).to.equal(60);
    expect(written.length).to.be.within(5, 12);
    for (const { sizeBytes } of written) expect(sizeBytes).to.be.at.most(1_000);
  });

  it('is told as failed when it cannot be appended then, and is as if nobody had asked', async () => {
    node = await GroupNode.start(HELD);
    commits(0, 1);
    await node.clock.advance(1);
    const gathered = [seen(node.commit('g0', 50)), ...commits(1, 4)];
    const deletion = node.groups.ask<'deleteGroup'>({ type: 'deleteGroup', groupId: 'g0' as GroupId }).answer;
    // Too few are in sync before the linger is over.
    node.setMinInsyncReplicas(2);
    node.decide({ isr: [1] });
    await node.clock.advance(node.limits.appendLingerMs + 1);
    expect(new Set(gathered.map(({ of }) => of))).to.deep.equal(new Set(['COORDINATOR_NOT_AVAILABLE']));
    expect(await deletion).to.deep.include({ error: 'COORDINATOR_NOT_AVAILABLE' });
    expect(node.offsets.log.nextOffset).to.equal(1);
    node.setMinInsyncReplicas(1);
    await settle(node, node.commit('g9', 9));
    expect(node.committed('g0')).to.deep.equal({ 't-0': 0 });
    expect(node.committed('g1')).to.deep.equal({});
    await node.restart();
    expect([node.committed('g0'), node.committed('g9')]).to.deep.equal([{ 't-0': 0 }, { 't-0': 9 }]);
  });

  it('takes what waits for the disk along when that is full', async () => {
    node = await GroupNode.start(HELD);
    node.disk.inject({ operation: 'write', path: (path) => path.endsWith('.log'), error: 'ENOSPC' });
    const first = commits(0, 1);
    await node.clock.advance(0);
    const lost = [...first, ...commits(1, 5)];
    await node.clock.advance(10);
    expect(new Set(lost.map(({ of }) => of))).to.deep.equal(new Set(['NOT_COORDINATOR']));
    expect(node.offsets.log.nextOffset).to.equal(0);
    node.decide({ isr: [1] });
    await settle(node, node.commit('g1', 5));
    expect([node.committed('g0'), node.committed('g1')]).to.deep.equal([{}, { 't-0': 5 }]);
  });

  it('goes nowhere when the leadership ends before it is written', async () => {
    node = await GroupNode.start(HELD);
    commits(0, 1);
    await node.clock.advance(1);
    const gathered = commits(1, 3);
    node.decide({ leader: 2 });
    await node.clock.advance(0);
    expect(gathered.map(({ of }) => of)).to.deep.equal(['NOT_COORDINATOR', 'NOT_COORDINATOR']);
    expect(node.offsets.log.nextOffset).to.equal(1);
  });

  it('is not waited for where the linger is 0', async () => {
    node = await GroupNode.start(HELD);
    await node.close();
    node.limits = { ...node.limits, appendLingerMs: 0 };
    node.decide({ isr: [1] });
    await node.open();
    node.decide({ isr: [1, 2] });
    for (let offset = 0; offset < 3; offset++) {
      commits(offset, offset + 1);
      await node.clock.advance(0);
      expect(node.offsets.log.nextOffset).to.equal(offset + 1);
    }
  });
});

describe('a write of a group coordinator that waits while the in-sync replicas become too few', () => {
  let node: GroupNode;
  afterEach(() => node.close());

  it('is told at once that nobody knows (NOT_ENOUGH_REPLICAS_AFTER_APPEND), and may be committed later', async () => {
    node = await GroupNode.start({ ...HELD, configs: { 'min.insync.replicas': '2' } });
    const waiting = seen(node.commit('g', 1));
    await node.clock.advance(10);
    expect(waiting.of).to.equal(undefined);
    node.decide({ isr: [1] });
    await node.clock.advance(0);
    expect(waiting.of).to.equal('COORDINATOR_NOT_AVAILABLE');
    expect(node.committed('g'), 'it is not committed').to.deep.equal({});
    const refused = seen(node.commit('g', 2));
    await node.clock.advance(0);
    expect(refused.of).to.equal('COORDINATOR_NOT_AVAILABLE');
    expect(node.offsets.log.nextOffset, 'nothing more is written').to.equal(1);
    node.setMinInsyncReplicas(1);
    await node.clock.advance(10);
    expect(node.committed('g')).to.deep.equal({ 't-0': 1 });
  });
});

describe('a write of a group coordinator that fails', () => {
  let node: GroupNode;
  afterEach(() => node.close());

  it('rule 16: takes everything behind it along, is told as failed, and leaves the state as the log is', async () => {
    node = await GroupNode.start();
    const before = seen(node.commit('g', 1));
    await node.clock.advance(10);
    expect(before.of).to.equal('ok');
    node.disk.inject({ operation: 'write', path: (path) => path.endsWith('.log'), error: 'ENOSPC' });
    const lost = [seen(node.commit('g', 2)), seen(node.commit('g', 3)), seen(node.commit('h', 4))];
    await node.clock.advance(10);
    // Kafka's answer to a failed disk: look for another coordinator.
    expect(lost.map(({ of }) => of)).to.deep.equal(Array(3).fill('NOT_COORDINATOR'));
    expect([node.committed('g'), node.committed('h')]).to.deep.equal([{ 't-0': 1 }, {}]);
    const after = seen(node.commit('h', 5));
    await node.clock.advance(10);
    expect(after.of).to.equal('ok');
    expect(node.offsets.log.logEndOffset).to.equal(2);
    await node.restart();
    expect([node.committed('g'), node.committed('h')]).to.deep.equal([{ 't-0': 1 }, { 't-0': 5 }]);
  });

  it('of something else in its partition ends its service, until it has read the partition anew', async () => {
    node = await GroupNode.start();
    await settle(node, node.commit('g', 1));
    append(node, encodeGroupRecord({ type: 'group', groupId: 'other' as GroupId, value: undefined }));
    const refused = await node.clock.settle(node.commit('g', 2).answer);
    expect(refused).to.deep.include({ ok: false, error: 'NOT_COORDINATOR' });
    expect(node.committed('g')).to.equal('COORDINATOR_NOT_AVAILABLE');
    expect(node.errors).to.have.length(1);
    expect(node.errors[0]).to.contain('__consumer_offsets-0').and.contain('ends at 2 and not at 1');
    await node.restart();
    expect(node.committed('g')).to.deep.equal({ 't-0': 1 });
  });
});

describe('a broker that begins to coordinate', () => {
  let node: GroupNode;
  afterEach(() => node.close());

  it('rule 16: serves once all it has read is committed, and not before', async () => {
    node = await GroupNode.start(HELD);
    const commit = seen(node.commit('g', 7));
    await node.clock.advance(10);
    await node.restart();
    expect(commit.of).to.equal('NOT_COORDINATOR');
    expect(node.committed('g')).to.equal('COORDINATOR_LOAD_IN_PROGRESS');
    expect(await node.clock.settle(node.commit('g', 8).answer)).to.deep.include({
      error: 'COORDINATOR_LOAD_IN_PROGRESS',
    });
    await node.clock.advance(60_000);
    expect(node.committed('g')).to.equal('COORDINATOR_LOAD_IN_PROGRESS');
    expect(node.groups.list().failure?.error).to.equal('COORDINATOR_LOAD_IN_PROGRESS');
    node.decide({ isr: [1] });
    await node.clock.advance(10);
    expect(node.committed('g')).to.deep.equal({ 't-0': 7 });
  });

  it('reads on where others were leading, and tells who waited for it to look elsewhere', async () => {
    node = await GroupNode.start(HELD);
    node.decide({ isr: [1] });
    await settle(node, node.commit('g', 1));
    node.decide({ isr: [1, 2] });
    const waiting = seen(node.commit('g', 2));
    const joining = join(node, 'g', 'one').answer;
    await node.clock.advance(10);
    node.decide({ leader: 2 });
    await node.clock.advance(0);
    expect(waiting.of).to.equal('NOT_COORDINATOR');
    expect(await node.clock.settle(joining)).to.deep.include({ error: 'NOT_COORDINATOR' });
    expect(node.committed('g')).to.equal('NOT_COORDINATOR');
    // Back again, and what was never told is in the log still: it is committed in the new epoch.
    node.decide({ leader: 1 });
    await node.clock.advance(10);
    expect(node.committed('g')).to.equal('COORDINATOR_LOAD_IN_PROGRESS');
    node.decide({ isr: [1] });
    await node.clock.advance(10);
    expect(node.committed('g')).to.deep.equal({ 't-0': 2 });
    expect(node.groups.status.partitions).to.deep.equal({ loading: 0, active: 1, failed: 0, over: 0 });
  });

  it('has lost nothing that was acknowledged when the power fails', async () => {
    node = await GroupNode.start();
    for (let offset = 1; offset <= 20; offset++) {
      await settle(node, node.commit(`g${offset % 3}`, offset, 't', offset % 2));
    }
    const before = ['g0', 'g1', 'g2'].map((groupId) => node.committed(groupId));
    void node.commit('g0', 999);
    node = await GroupNode.afterCrash(node, 'nothing');
    expect(['g0', 'g1', 'g2'].map((groupId) => node.committed(groupId))).to.deep.equal(before);
  });

  it('reads in pieces, with time for others between them', async () => {
    node = await GroupNode.start();
    await node.close();
    node.limits = { ...node.limits, loadChunkBytes: 2_000 };
    await node.open();
    // A read answers whole batches.
    for (let offset = 1; offset <= 300; offset++) {
      void node.commit(`g${offset}`, offset);
      if (offset % 5 === 0) await node.clock.advance(10);
    }
    const { sizeBytes } = node.offsets.log;
    node.decide({ leader: 2 });
    node.decide({ leader: 1 });
    // All of it is in memory: without pauses it would be read in one turn, without an event on the clock.
    const before = node.clock.events;
    await node.clock.advance(0);
    expect(node.clock.events - before).to.be.at.least(Math.floor(sizeBytes / 2_000));
    await node.clock.advance(10);
    expect(node.committed('g300')).to.deep.equal({ 't-0': 300 });
  });

  it('keeps nothing of what it has read as uncommitted for longer than a piece takes, when all of it is committed', async () => {
    node = await GroupNode.start();
    await node.close();
    node.limits = { ...node.limits, loadChunkBytes: 2_000 };
    await node.open();
    for (let offset = 1; offset <= 300; offset++) {
      void node.commit(`g${offset}`, offset);
      if (offset % 5 === 0) await node.clock.advance(10);
    }
    const { replay, committed } = Object.getOwnPropertyDescriptors(GroupShard.prototype);
    let kept = 0;
    let most = 0;
    GroupShard.prototype.replay = function (...replayed) {
      most = Math.max(most, ++kept);
      replay.value!.apply(this, replayed);
    };
    GroupShard.prototype.committed = function (...below) {
      kept = 0;
      return committed.value!.apply(this, below);
    };
    try {
      node.decide({ leader: 2 });
      node.decide({ leader: 1 });
      await node.clock.advance(10);
    } finally {
      Object.defineProperties(GroupShard.prototype, { replay, committed });
    }
    expect(node.committed('g300')).to.deep.equal({ 't-0': 300 });
    expect(most, 'of 300 records').to.be.within(1, 50);
  });

  it('does not serve what it cannot read whole, and says why', async () => {
    node = await GroupNode.start();
    await settle(node, node.commit('g', 1));
    // Version 3: the groups of another protocol.
    append(node, { key: Uint8Array.of(0, 3, 0, 1, 103), value: Uint8Array.of(0) });
    await node.clock.advance(10);
    await node.restart();
    const failed = node.groups.fetchOffsets('g' as GroupId, undefined);
    expect(failed).to.deep.include({ ok: false, error: 'COORDINATOR_NOT_AVAILABLE' });
    expect((failed as { message: string }).message).to.contain('a key of version 3');
    expect(node.errors.at(-1)).to.contain('__consumer_offsets-0 at offset 1');
    expect(node.groups.status.partitions.failed).to.equal(1);
  });

  it('passes over control batches', async () => {
    node = await GroupNode.start();
    const builder = new BatchBuilder({ capacityBytes: 64 });
    builder.append(1, Uint8Array.of(0, 0, 0, 0), Uint8Array.of(0, 0, 0, 0, 0, 0));
    const bytes = builder.build({ isControl: true, producerId: 1, producerEpoch: 0 }).slice();
    const rules = {
      maxBatchBytes: 9e6,
      maxInflatedBytes: 9e6,
      codecs: {} as Codecs,
      acceptControlBatches: true,
    };
    const valid = validateBatches(bytes, rules);
    if (!valid.ok) throw new Error(valid.message);
    node.offsets.append(bytes, valid.batches);
    await node.restart();
    expect(node.committed('g')).to.deep.equal({});
    await settle(node, node.commit('g', 1));
    expect(node.committed('g')).to.deep.equal({ 't-0': 1 });
  });
});

describe('what a group coordinator removes', () => {
  let node: GroupNode;
  afterEach(() => node.close());

  it('are the offsets of a topic that is deleted, one after the other until none is left', async () => {
    node = await GroupNode.start();
    const gone = await node.createTopic('gone');
    for (let count = 0; count < 2_500; count++) void node.commit(`g${count}`, count + 1, 'gone');
    await settle(node, node.commit('g0', 9));
    node.change({ type: 'removeTopic', topicId: gone });
    await node.clock.advance(100);
    expect(node.groups.list().groups.map(({ groupId }) => groupId)).to.deep.equal(['g0']);
    expect(node.committed('g0')).to.deep.equal({ 't-0': 9 });
  });

  it('is removed later when it cannot be now, and nothing new of that name is taken before', async () => {
    node = await GroupNode.start({ replicas: [1, 2, 3], isr: [1, 2] });
    const first = await node.createTopic('gone');
    void node.commit('g', 5, 'gone');
    await node.clock.advance(0);
    node.decide({ isr: [1] });
    await node.clock.advance(10);
    node.change({ type: 'removeTopic', topicId: first });
    await node.createTopic('gone');
    const refused = await node.clock.settle(node.commit('g', 1, 'gone').answer);
    expect(refused).to.deep.include({ error: 'COORDINATOR_LOAD_IN_PROGRESS' });
    // Enough of them are in sync again, and the low one is not there: alone it can only wait.
    node.decide({ isr: [1, 3] });
    await node.clock.advance(2_000);
    const taken = node.commit('g', 1, 'gone').answer;
    await node.clock.advance(6_000);
    expect(await taken).to.deep.include({ error: 'COORDINATOR_NOT_AVAILABLE' });
    expect(node.offsets.log.nextOffset, 'the commit, its tombstone, and the second commit').to.equal(3);
  });

  it('is removed also when the disk takes that back after there is another topic of that name', async () => {
    node = await GroupNode.start();
    const first = await node.createTopic('gone');
    await settle(node, node.commit('g', 500, 'gone'));
    await settle(node, node.commit('h', 6, 't'));
    node.disk.inject({ operation: 'write', path: (path) => path.includes('__consumer'), error: 'ENOSPC' });
    node.change({ type: 'removeTopic', topicId: first });
    await node.createTopic('gone');
    await node.clock.advance(5_000);
    expect(node.diskFullCount).to.equal(1);
    expect(node.committed('g'), 'the new topic has no record 500').to.deep.equal({});
    await settle(node, node.commit('g', 1, 'gone'));
    await node.restart();
    expect([node.committed('g'), node.committed('h')]).to.deep.equal([{ 'gone-0': 1 }, { 't-0': 6 }]);
  });

  it('are the offsets of topics that were deleted while nobody coordinated', async () => {
    node = await GroupNode.start();
    const gone = await node.createTopic('gone');
    await settle(node, node.commit('g', 5, 'gone'));
    await settle(node, node.commit('g', 6, 't'));
    await node.close();
    node.change({ type: 'removeTopic', topicId: gone });
    await node.open();
    await node.clock.advance(10);
    expect(node.committed('g')).to.deep.equal({ 't-0': 6 });
  });

  it('goes in as many batches as max.message.bytes makes of it: the offsets of a large topic', async () => {
    node = await GroupNode.start({ configs: { 'max.message.bytes': '400' } });
    const first = await node.createTopic('gone', { partitions: 20 });
    for (let at = 0; at < 20; at++) await settle(node, node.commit('g', at + 1, 'gone', at));
    node.change({ type: 'removeTopic', topicId: first });
    await node.createTopic('gone');
    await node.clock.advance(5_000);
    expect(node.committed('g')).to.deep.equal({});
    await settle(node, node.commit('g', 1, 'gone'));
    expect(node.committed('g')).to.deep.equal({ 'gone-0': 1 });
    expect(node.errors).to.deep.equal([]);
  });

  it('goes in as many batches as max.message.bytes makes of it: what is past its retention', async () => {
    node = await GroupNode.start({ configs: { 'max.message.bytes': '400' } });
    for (const groupId of ['large', 'other']) {
      for (let at = 0; at < 20; at++) await settle(node, node.commit(groupId, at + 1, `topic-${at}`));
    }
    await node.clock.advance(RETENTION_MS + 700_000);
    expect(node.groups.list().groups).to.deep.equal([]);
  });

  it('are offsets past their retention, at the next look', async () => {
    node = await GroupNode.start();
    await settle(node, node.commit('old', 1));
    await node.clock.advance(RETENTION_MS - 1_000);
    expect(node.committed('old')).to.deep.equal({ 't-0': 1 });
    await settle(node, node.commit('new', 2));
    await node.clock.advance(1_300_000);
    expect(node.committed('old')).to.deep.equal({});
    expect(node.groups.list().groups.map(({ groupId }) => groupId)).to.deep.equal(['new']);
    await node.restart();
    expect([node.committed('old'), node.committed('new')]).to.deep.equal([{}, { 't-0': 2 }]);
  });
});

describe('the limits of a group coordinator', () => {
  let node: GroupNode;
  afterEach(() => node.close());

  it('bound what waits: requests, what they carry, and what is not committed', async () => {
    node = await GroupNode.start(HELD);
    await node.close();
    node.decide({ isr: [1] });
    node.limits = { ...node.limits, maxWaitingRequests: 5, maxWaitingBytes: 250, maxUncommittedBytes: 200 };
    await node.open();
    await node.clock.advance(10);
    node.decide({ isr: [1, 2] });
    const joins = ['one', 'two', 'three'].map((name) => join(node, 'g', name));
    expect(await joins[2]!.answer).to.deep.include({ error: 'COORDINATOR_LOAD_IN_PROGRESS' });
    const commits = [1, 2, 3, 4].map((offset) => seen(node.commit('h', offset)));
    await node.clock.advance(0);
    expect(commits.map(({ of }) => of)).to.deep.equal([
      undefined,
      undefined,
      undefined,
      'COORDINATOR_LOAD_IN_PROGRESS',
    ]);
    expect(node.groups.status.uncommittedBytes).to.be.within(200, 300);
    node.decide({ isr: [1] });
    await node.clock.advance(10);
    expect(node.groups.status).to.deep.include({ uncommittedBytes: 0, waitingRequests: 2 });
  });

  it('keep a record that is too large out of the log', async () => {
    node = await GroupNode.start({ configs: { 'max.message.bytes': '400' } });
    const answer = await node.clock.settle(node.commit('g'.repeat(500), 1).answer);
    expect(answer).to.deep.include({ error: 'INVALID_REQUEST' });
    expect((answer as { message: string }).message).to.contain('commit fewer');
    expect(node.offsets.log.nextOffset).to.equal(0);
  });

  it('refuse everything while the controllers are lost: another may coordinate by now', async () => {
    node = await GroupNode.start();
    await settle(node, node.commit('g', 1));
    node.isIsolated = true;
    expect(node.committed('g')).to.equal('COORDINATOR_NOT_AVAILABLE');
    expect(await node.clock.settle(node.commit('g', 2).answer)).to.deep.include({
      error: 'COORDINATOR_NOT_AVAILABLE',
    });
    node.isIsolated = false;
    expect(node.committed('g')).to.deep.equal({ 't-0': 1 });
  });

  /** A member that has its assignment, and can be asked whether the coordinator still takes it for one. */
  async function member(instanceId: string): Promise<() => Promise<string>> {
    const joined = await node.clock.settle(join(node, 'g', instanceId).answer);
    if (!joined.ok) throw new Error(joined.message);
    const { memberId, generation } = joined;
    const who = { groupId: 'g' as GroupId, memberId, instanceId: instanceId as InstanceId, generation };
    const assignments = new Map([[memberId, new Uint8Array(1)]]);
    const chosen = { protocolType: undefined, protocol: undefined };
    const synced = node.groups.ask<'sync'>({ ...who, ...chosen, type: 'sync', assignments });
    expect(await node.clock.settle(synced.answer)).to.deep.include({ ok: true });
    return async () => {
      const answer = await node.clock.settle(
        node.groups.ask<'heartbeat'>({ ...who, type: 'heartbeat' }).answer,
      );
      return answer.ok ? 'ok' : answer.error;
    };
  }

  it('do not end the session of a member that could not be heard while the controllers were lost', async () => {
    node = await GroupNode.start();
    const heartbeat = await member('one');
    await node.clock.advance(9_000);
    node.isIsolated = true;
    for (let seconds = 0; seconds < 60; seconds++) {
      await node.clock.advance(1_000);
      expect(await heartbeat()).to.equal('COORDINATOR_NOT_AVAILABLE');
    }
    node.isIsolated = false;
    await node.clock.advance(9_000);
    expect(await heartbeat()).to.equal('ok');
    await node.clock.advance(9_000);
    expect(await heartbeat()).to.equal('ok');
    await node.clock.advance(12_000);
    expect(await heartbeat(), 'who is silent afterwards is gone').to.equal('UNKNOWN_MEMBER_ID');
  });

  it('do not end it either when the controllers were lost for a moment, just before it was over', async () => {
    node = await GroupNode.start();
    const heartbeat = await member('one');
    await node.clock.advance(9_000);
    node.isIsolated = true;
    expect(await heartbeat()).to.equal('COORDINATOR_NOT_AVAILABLE');
    await node.clock.advance(950);
    node.isIsolated = false;
    await node.clock.advance(1_000);
    expect(await heartbeat()).to.equal('ok');
  });

  it('let nobody wait in a rebalance of a coordinator that has lost the controllers', async () => {
    node = await GroupNode.start();
    const waiting = join(node, 'g', 'one');
    node.isIsolated = true;
    expect(node.committed('g')).to.equal('COORDINATOR_NOT_AVAILABLE');
    await node.clock.advance(1);
    expect(node.groups.status.waitingRequests).to.equal(0);
    expect(await waiting.answer).to.deep.include({ error: 'COORDINATOR_NOT_AVAILABLE' });
  });

  it('take heartbeats however many others wait: without them every group here would fall apart', async () => {
    node = await GroupNode.start();
    const heartbeat = await member('one');
    await node.close();
    node.limits = { ...node.limits, maxWaitingRequests: 2 };
    await node.open();
    await node.clock.advance(10);
    for (const name of ['two', 'three']) void join(node, 'other', name);
    expect(await join(node, 'other', 'four').answer).to.deep.include({
      error: 'COORDINATOR_LOAD_IN_PROGRESS',
    });
    expect(await heartbeat()).to.equal('ok');
  });
});

/** A commit that is to be acknowledged. */
async function settle(node: GroupNode, asking: AskingOf<'commitOffsets'>): Promise<void> {
  const response = await node.clock.settle(asking.answer);
  expect(response).to.deep.include({ ok: true });
}
