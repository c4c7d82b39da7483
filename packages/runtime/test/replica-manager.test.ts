import { expect } from 'chai';
import {
  failure,
  type BrokerId,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import type { MetadataRecord } from '@tidemark/controller';
import { PeriodicTask, ProducerIds, type ProduceOutcome, type ProducerIdBlock } from '@tidemark/runtime';
import { at, batch, from, ReplicaNode } from './replica-node.ts';

const change = (topicId: TopicId, what: { isr?: number[]; leader?: number }): MetadataRecord => ({
  type: 'partitionChange',
  topicId,
  partition: 0 as PartitionIndex,
  isr: what.isr as BrokerId[] | undefined,
  leader: what.leader as BrokerId | undefined,
});

/** What became of a promise so far, without waiting for it. */
function watched<T>(work: Promise<T>): { readonly outcome: T | undefined } {
  const seen: { outcome: T | undefined } = { outcome: undefined };
  void work.then((outcome) => {
    seen.outcome = outcome;
  });
  return seen;
}

describe('the acknowledgement of a write', () => {
  let node: ReplicaNode;
  beforeEach(async () => {
    node = await ReplicaNode.start();
  });
  afterEach(() => node.close());

  it('waits with acks all until the batch is on disk, and with acks leader until it is written', async () => {
    await node.createTopic('t');
    const all = await node.produce('t', batch('a', 'b'));
    expect(all.receipt).to.deep.include({ baseOffset: 0, leaderEpoch: 4, onDisk: true, duplicate: false });
    const leader = await node.produce('t', batch('c'), 'leader');
    expect(leader.receipt).to.deep.include({ baseOffset: 2, onDisk: false });
    const none = await node.produce('t', batch('d'), 'none');
    expect(none.receipt?.baseOffset).to.equal(3);
  });

  it('is quicker under flush.policy os, and says that it is not on disk', async () => {
    await node.createTopic('t', { configs: { 'flush.policy': 'os' } });
    expect((await node.produce('t', batch('a'))).receipt?.onDisk).to.equal(false);
    const { outcomes } = await node.clock.settle(node.poll([from('t')], 0));
    expect(outcomes[0]?.highWatermark).to.equal(1);
  });

  it('is refused before anything is written when too few replicas are in sync (rule 6)', async () => {
    await node.createTopic('t', { replicas: [1, 2, 3], isr: [1] });
    expect((await node.produce('t', batch('a'))).failure?.error).to.equal('NOT_ENOUGH_REPLICAS');
    expect(node.replicas.describeReplicas()[0]?.logEndOffset).to.equal(0);
    // acks=leader asks for no other replica.
    expect((await node.produce('t', batch('a'), 'leader')).receipt?.baseOffset).to.equal(0);
  });

  it('is uncertain when the replicas leave between append and commit (rule 6)', async () => {
    const topicId = await node.createTopic('t', { replicas: [1, 2, 3], isr: [1, 2] });
    const waiting = watched(node.begin('t', batch('a')));
    await node.clock.advance(1_000);
    expect(waiting.outcome, 'broker 2 has not got it').to.equal(undefined);
    node.change(change(topicId, { isr: [1] }));
    await node.clock.advance(0);
    expect(waiting.outcome?.failure?.error).to.equal('NOT_ENOUGH_REPLICAS_AFTER_APPEND');
  });

  it('times out at its time and not before, and the batch may be committed later', async () => {
    const topicId = await node.createTopic('t', { replicas: [1, 2], isr: [1, 2] });
    const waiting = watched(node.begin('t', batch('a'), 'all', 500));
    await node.clock.advance(499);
    expect(waiting.outcome).to.equal(undefined);
    await node.clock.advance(1);
    expect(waiting.outcome?.failure?.error).to.equal('REQUEST_TIMED_OUT');
    node.change(change(topicId, { isr: [1] }));
    const { outcomes } = await node.clock.settle(node.poll([from('t')], 0));
    expect(outcomes[0]?.highWatermark).to.equal(1);
  });

  it('fails with the new leader’s name when leadership moves away', async () => {
    const topicId = await node.createTopic('t', { replicas: [1, 2], isr: [1, 2] });
    const waiting = watched(node.begin('t', batch('a')));
    await node.clock.advance(10);
    node.change(change(topicId, { leader: 2 }));
    await node.clock.advance(0);
    const lost: ProduceOutcome | undefined = waiting.outcome;
    expect(lost?.failure?.error).to.equal('NOT_LEADER_OR_FOLLOWER');
    expect(lost?.leaderHint).to.deep.equal({ leaderId: 2, leaderEpoch: 5 });
    expect((await node.produce('t', batch('b'))).failure?.error).to.equal('NOT_LEADER_OR_FOLLOWER');
  });

  it('checks the epoch a client believes in (rule 3, KIP-320)', async () => {
    await node.createTopic('t');
    const withEpoch = async (epoch: number): Promise<string | undefined> => {
      const partition = { address: at('t'), currentLeaderEpoch: epoch as LeaderEpoch, bytes: batch('x') };
      const { outcomes } = node.replicas.produce({ acks: 'all', timeoutMs: 1_000, partitions: [partition] });
      return (await node.clock.settle(outcomes))[0]?.failure?.error;
    };
    expect(await withEpoch(3)).to.equal('FENCED_LEADER_EPOCH');
    expect(await withEpoch(4)).to.equal(undefined);
    expect(await withEpoch(5)).to.equal('UNKNOWN_LEADER_EPOCH');
  });
});

describe('a leader whose session with the controller is over (rule 10)', () => {
  let node: ReplicaNode;
  let topicId: TopicId;
  beforeEach(async () => {
    node = await ReplicaNode.start();
    topicId = await node.createTopic('t', { replicas: [1, 2], isr: [1, 2] });
  });
  afterEach(() => node.close());
  /** Until the next look at the controller, and no longer. */
  const lose = async (): Promise<void> => {
    node.isIsolated = true;
    await node.clock.advance(200);
  };
  const committed = async (): Promise<void> => {
    node.change(change(topicId, { isr: [1] }));
    await node.produce('t', batch('a'));
    node.change(change(topicId, { isr: [1, 2] }));
  };

  it('tells writers that wait for a commit at once that it may lead no more, and names nobody who does', async () => {
    const waiting = watched(node.begin('t', batch('a')));
    await node.clock.advance(1_000);
    expect(waiting.outcome).to.equal(undefined);
    await lose();
    expect(waiting.outcome?.failure?.error).to.equal('NOT_LEADER_OR_FOLLOWER');
    expect(waiting.outcome?.failure?.message).to.contain('another may lead t-0 by now');
    expect(waiting.outcome?.leaderHint).to.equal(undefined);
  });

  it('takes nothing under any acks, and deletes nothing', async () => {
    await committed();
    await lose();
    for (const acks of ['all', 'leader', 'none'] as const) {
      const { failure: refused } = await node.produce('t', batch('b'), acks);
      expect(refused?.error, acks).to.equal('NOT_LEADER_OR_FOLLOWER');
    }
    expect(node.replicas.describeReplicas()[0]?.logEndOffset).to.equal(1);
    const deletion = { address: at('t'), beforeOffset: undefined };
    const [deleted] = await node.clock.settle(node.replicas.deleteRecords([deletion], 1_000));
    expect(deleted?.failure?.error).to.equal('NOT_LEADER_OR_FOLLOWER');
  });

  it('does not acknowledge with acks leader what it wrote when the session was over', async () => {
    const waiting = watched(node.begin('t', batch('a'), 'leader'));
    node.isIsolated = true;
    await node.clock.advance(20);
    expect(waiting.outcome?.failure?.error).to.equal('NOT_LEADER_OR_FOLLOWER');
  });

  it('serves what is committed, and sends on whoever has read all of it', async () => {
    await committed();
    const atEnd = watched(node.poll([from('t', 1)], 60_000));
    const session = node.replicas.openFetchSession();
    session.grant(1_000_000);
    session.add({ ...from('t'), positionId: 7 });
    expect(await node.clock.settle(session.next())).to.containSubset([{ sizeBytes: batch('a').length }]);
    const pushed = watched(session.next());
    await node.clock.advance(5_000);
    expect([atEnd.outcome, pushed.outcome]).to.deep.equal([undefined, undefined]);
    await lose();
    const told = { failure: { error: 'NOT_LEADER_OR_FOLLOWER' } };
    expect(atEnd.outcome?.outcomes).to.containSubset([told]);
    expect(pushed.outcome).to.containSubset([{ ...told, positionId: 7 }]);
    const { outcomes } = await node.clock.settle(node.poll([from('t', 0)], 60_000));
    expect(outcomes[0]?.failure).to.equal(undefined);
    expect(outcomes[0]?.nextOffset).to.equal(1);
    session.close();
  });

  it('does not say where the log ends, which others may know better, but where it starts', async () => {
    await committed();
    const asked = async (kind: 'start' | 'end'): Promise<unknown> => {
      const one = { address: at('t'), currentLeaderEpoch: undefined, query: { kind } } as const;
      const [told] = await node.clock.settle(node.replicas.listOffsets([one]));
      return told?.failure?.error ?? told?.offset;
    };
    expect([await asked('start'), await asked('end')]).to.deep.equal([0, 1]);
    await lose();
    expect([await asked('start'), await asked('end')]).to.deep.equal([0, 'NOT_LEADER_OR_FOLLOWER']);
  });

  it('goes on as before when it finds the controller again and leads still', async () => {
    const waiting = watched(node.begin('t', batch('a')));
    await lose();
    expect(waiting.outcome?.failure).to.not.equal(undefined);
    node.isIsolated = false;
    await node.clock.advance(200);
    const polling = watched(node.poll([from('t')], 60_000));
    node.change(change(topicId, { isr: [1] }));
    await node.clock.advance(0);
    // The first append was not taken back: its outcome is what it was.
    expect(polling.outcome?.outcomes[0]).to.deep.include({ highWatermark: 1, nextOffset: 1 });
  });
});

describe('records deleted by a new leader', () => {
  it('have to wait until it knows what is committed, which is all that can be deleted', async () => {
    const node = await ReplicaNode.start();
    const topicId = await node.createTopic('t', { replicas: [1, 2], isr: [1, 2] });
    await node.produce('t', batch('a', 'b'), 'leader');
    node.change(change(topicId, { leader: 1 }));
    const deleted = async (beforeOffset?: number): Promise<unknown> => {
      const deletion = { address: at('t'), beforeOffset: beforeOffset as Offset | undefined };
      const [answer] = await node.clock.settle(node.replicas.deleteRecords([deletion], 1_000));
      return answer?.failure?.error ?? answer?.logStartOffset;
    };
    expect([await deleted(), await deleted(2), await deleted(3)]).to.deep.equal([
      'OFFSET_NOT_AVAILABLE',
      'OFFSET_NOT_AVAILABLE',
      'OFFSET_OUT_OF_RANGE',
    ]);
    node.change(change(topicId, { isr: [1] }));
    await node.clock.advance(100);
    expect([await deleted(1), await deleted()]).to.deep.equal([1, 2]);
    await node.close();
  });
});

describe('reading below the high watermark', () => {
  let node: ReplicaNode;
  beforeEach(async () => {
    node = await ReplicaNode.start();
  });
  afterEach(() => node.close());

  it('does not show what is written but not committed, and wakes when it is (rule 4)', async () => {
    const topicId = await node.createTopic('t', { replicas: [1, 2], isr: [1, 2] });
    await node.produce('t', batch('a'), 'leader');
    const waiting = watched(node.poll([from('t')], 60_000));
    await node.clock.advance(5_000);
    expect(waiting.outcome).to.equal(undefined);
    node.change(change(topicId, { isr: [1] }));
    await node.clock.advance(0);
    expect(waiting.outcome?.outcomes[0]).to.deep.include({ highWatermark: 1, nextOffset: 1 });
  });

  it('wakes for what is appended after a full disk took an append back', async () => {
    await node.createTopic('t');
    node.disk.inject({ operation: 'write', path: (path) => path.endsWith('.log'), error: 'ENOSPC' });
    const refused = await node.produce('t', batch('a', 'b', 'c'));
    expect(refused.failure).to.deep.include({ error: 'KAFKA_STORAGE_ERROR' });
    expect(refused.failure?.message).to.match(/^t-0 was not written\. The disk is full/);
    const waiting = watched(node.poll([from('t')], 60_000));
    await node.produce('t', batch('d'));
    await node.clock.advance(0);
    expect(waiting.outcome?.outcomes[0]).to.deep.include({ highWatermark: 1, nextOffset: 1 });
  });

  it('answers with nothing when its time is over, having looked twice and no more', async () => {
    await node.createTopic('t');
    const before = node.disk.stepCount;
    const { outcomes, throttleMs } = await node.clock.settle(node.poll([from('t')], 500));
    expect(node.clock.monotonicMs()).to.be.at.least(500);
    expect([outcomes[0]?.sizeBytes, throttleMs]).to.deep.equal([0, 0]);
    expect(node.disk.stepCount).to.equal(before);
  });

  it('tells a client to hold back when no more polls may wait', async () => {
    await node.createTopic('t');
    for (let count = 0; count < 3; count++) void node.poll([from('t')], 60_000);
    const { throttleMs } = await node.clock.settle(node.poll([from('t')], 60_000));
    expect(throttleMs).to.be.above(0);
    expect(node.replicas.waitingFetches).to.equal(3);
  });

  it('wakes a poll whose topic is deleted', async () => {
    const topicId = await node.createTopic('t');
    const waiting = watched(node.poll([from('t')], 60_000));
    await node.clock.advance(10);
    node.change({ type: 'removeTopic', topicId });
    await node.clock.advance(10);
    expect(waiting.outcome?.outcomes[0]?.failure?.error).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
  });

  it('takes no memory for what it does not send', async () => {
    await node.createTopic('t');
    await node.produce('t', batch('a'));
    const { answer } = node.replicas.fetch({
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1024,
      partitions: [from('t')],
    });
    const fetched = await node.clock.settle(answer);
    if (!('outcomes' in fetched)) throw new Error(fetched.message);
    expect(node.replicas.responseBudget.usedBytes).to.equal(fetched.outcomes[0]?.sizeBytes);
  });
});

describe('a pushed stream', () => {
  let node: ReplicaNode;
  beforeEach(async () => {
    node = await ReplicaNode.start();
    await node.createTopic('t', { partitions: 2 });
  });
  afterEach(() => node.close());

  it('holds a push back until enough is there or the wait is over', async () => {
    const session = node.replicas.openFetchSession();
    const one = batch('x'.repeat(100));
    session.limit({ minBytes: one.length * 2, maxWaitMs: 200 });
    session.grant(1_000_000);
    session.add({ ...from('t'), positionId: 1 });
    const first = watched(session.next());
    await node.produce('t', one);
    await node.clock.advance(50);
    expect(first.outcome).to.equal(undefined);
    await node.produce('t', one.slice());
    await node.clock.advance(20);
    expect(first.outcome?.[0]?.sizeBytes).to.equal(one.length * 2);
    const second = watched(session.next());
    await node.produce('t', one.slice());
    await node.clock.advance(150);
    expect(second.outcome).to.equal(undefined);
    await node.clock.advance(60);
    expect(second.outcome?.[0]?.sizeBytes).to.equal(one.length);
    session.close();
  });

  it('goes on with the partitions for which a push had no room, though nothing more is appended', async () => {
    const one = batch('x'.repeat(100));
    const partitions = [0, 1].map((partition) => ({
      address: at('t', partition),
      currentLeaderEpoch: undefined,
      bytes: one.slice(),
    }));
    await node.clock.settle(node.replicas.produce({ acks: 'all', timeoutMs: 30_000, partitions }).outcomes);
    const session = node.replicas.openFetchSession();
    session.limit({ maxBytes: one.length, minBytes: 1, maxWaitMs: 200 });
    session.grant(1_000_000);
    for (const partition of [0, 1]) session.add({ ...from('t', 0, partition), positionId: partition });
    for (const positionId of [0, 1]) {
      const push = watched(session.next());
      await node.clock.advance(1_000);
      expect(push.outcome).to.containSubset([{ positionId, sizeBytes: one.length }]);
    }
    session.close();
  });

  it('waits no longer than it may when what was enough is too little by now', async () => {
    const session = node.replicas.openFetchSession();
    session.grant(1_000_000);
    session.limit({ minBytes: 1, maxWaitMs: 200 });
    session.add({ ...from('t'), positionId: 1 });
    const push = watched(session.next());
    await node.clock.advance(10);
    session.grant(-1_000_000);
    await node.produce('t', batch('x'));
    session.limit({ minBytes: 100_000, maxWaitMs: 300 });
    session.grant(1_000_000);
    await node.clock.advance(1_000);
    expect(push.outcome).to.have.length(1);
    session.close();
  });

  it('reads nothing without credit, and ends when it is closed', async () => {
    const session = node.replicas.openFetchSession();
    session.add({ ...from('t'), positionId: 1 });
    await node.produce('t', batch('x'));
    const next = watched(session.next());
    await node.clock.advance(1_000);
    expect(next.outcome).to.equal(undefined);
    expect(node.replicas.responseBudget.usedBytes).to.equal(0);
    const end = session.next();
    session.close();
    expect(await end).to.equal(undefined);
    session.add({ ...from('t'), positionId: 2 });
    expect(session.partitionCount, 'a message that was on its way leaves no watcher').to.equal(0);
  });

  it('waits for more where the log ends behind a gap, as one may that was cleaned by an older version', async () => {
    await node.produce('t', batch('x'));
    await node.close();
    const name = 'data/t-0/00000000000000000050.log';
    await node.clock.settle(node.disk.open(name, 'create').then((file) => file.close()));
    await node.open();
    const { log, highWatermark } = node.replicas.partition('t', 0 as PartitionIndex)!;
    expect(highWatermark).to.equal(50);
    const read = log.read.bind(log);
    let reads = 0;
    log.read = (...range) => {
      if (++reads > 10) throw new Error('it reads again and again');
      return read(...range);
    };
    const session = node.replicas.openFetchSession();
    session.grant(1_000_000);
    session.add({ ...from('t'), positionId: 1 });
    expect(await node.clock.settle(session.next())).to.containSubset([{ nextOffset: 1 }]);
    const push = watched(session.next());
    await node.clock.advance(1_000);
    expect(push.outcome).to.equal(undefined);
    await node.produce('t', batch('y'));
    await node.clock.advance(10);
    expect(push.outcome).to.containSubset([{ nextOffset: 51 }]);
    session.close();
  });

  it('takes no more partitions than its bound', async () => {
    await node.createTopic('wide', { partitions: 11 });
    const session = node.replicas.openFetchSession();
    for (let partition = 0; partition < 11; partition++)
      session.add({ ...from('wide', 0, partition), positionId: 1 });
    const refused = await session.next();
    expect(refused?.map((each) => each.failure?.error)).to.deep.equal(['INVALID_REQUEST']);
    expect(session.partitionCount).to.equal(10);
    session.close();
    expect(session.partitionCount).to.equal(0);
  });
});

describe('the partitions of a node', () => {
  it('are recovered with what was committed, and forgotten when their topic went while it was down', async () => {
    const node = await ReplicaNode.start();
    await node.createTopic('kept');
    const gone = await node.createTopic('gone');
    await node.produce('kept', batch('a', 'b'));
    await node.close();
    node.change({ type: 'removeTopic', topicId: gone });
    await node.open();
    const replicas = node.replicas.describeReplicas();
    expect(replicas.map((each) => [each.topic, each.highWatermark])).to.deep.equal([['kept', 2]]);
    expect(node.errors).to.have.length(1);
    expect(node.errors[0]).to.contain('gone-0');
    await node.close();
  });

  it('follow their configuration', async () => {
    const node = await ReplicaNode.start();
    const topicId = await node.createTopic('t');
    node.change({ type: 'topicConfig', topicId, name: 'max.message.bytes', value: '70' });
    expect((await node.produce('t', batch('x'.repeat(50)))).failure?.error).to.equal('MESSAGE_TOO_LARGE');
    node.change({ type: 'topicConfig', topicId, name: 'max.message.bytes', value: null });
    expect((await node.produce('t', batch('x'.repeat(50)))).failure).to.equal(undefined);
    await node.close();
  });

  it('lose what is past its retention on the clock', async () => {
    const node = await ReplicaNode.start();
    await node.createTopic('t', { configs: { 'retention.ms': '1000' } });
    await node.produce('t', batch('old'));
    const poll = watched(node.poll([from('t', 1)], 600_000));
    await node.clock.advance(299_000);
    expect(node.replicas.describeReplicas()[0]?.logStartOffset).to.equal(0);
    await node.clock.advance(2_000);
    expect(node.replicas.describeReplicas()[0]?.logStartOffset).to.equal(1);
    await node.clock.advance(1);
    // The reader at the end was woken to look again, and found that nothing is wrong with its offset.
    expect(poll.outcome?.outcomes[0]).to.deep.include({ logStartOffset: 1, sizeBytes: 0 });
    await node.close();
  });
});

describe('producer ids', () => {
  it('are handed out once each, and a block is asked for once however many wait for it', async () => {
    let asked = 0;
    const ids = new ProducerIds(() => {
      asked += 1;
      return Promise.resolve({ firstProducerId: asked * 100, length: 3 });
    });
    const given = await Promise.all(Array.from({ length: 7 }, () => ids.next()));
    expect(new Set(given).size).to.equal(7);
    expect(asked).to.equal(3);
  });

  it('are refused with the controller’s reason, and asked for again next time', async () => {
    const answers: (ProducerIdBlock | Failure)[] = [
      failure('NOT_CONTROLLER'),
      { firstProducerId: 7, length: 1 },
    ];
    const ids = new ProducerIds(() => Promise.resolve(answers.shift()!));
    expect(await ids.next()).to.deep.include({ error: 'NOT_CONTROLLER' });
    expect(await ids.next()).to.equal(7);
  });
});

describe('a periodic task', () => {
  it('runs on, one run at a time, after a run that failed', async () => {
    const node = new ReplicaNode();
    const runs: number[] = [];
    const errors: unknown[] = [];
    const task = new PeriodicTask(
      node.clock,
      100,
      () => {
        runs.push(node.clock.monotonicMs());
        return runs.length === 1 ? Promise.reject(new Error('once')) : Promise.resolve();
      },
      (cause) => errors.push(cause),
    );
    await node.clock.advance(350);
    expect(runs).to.deep.equal([100, 200, 300]);
    expect(errors).to.have.length(1);
    await task.close();
    await node.clock.advance(1_000);
    expect(runs).to.have.length(3);
  });
});

describe('a replica manager that is closed while it starts', () => {
  class HastyNode extends ReplicaNode {
    protected override beforeStart(): void {
      void this.replicas.close();
    }
  }

  it('follows nothing and leaves no timer behind', async () => {
    const node = new HastyNode();
    await node.open();
    expect(node.clock.pending).to.equal(0);
    await node.createTopic('t');
    expect(node.replicas.findTopic('t' as TopicName, undefined)).to.include({
      error: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
    await node.close();
  });
});
