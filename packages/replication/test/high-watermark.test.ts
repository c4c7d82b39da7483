import { expect } from 'chai';
import { InvariantViolation } from '@tidemark/core';
import { b, be, e, LAG_MS, LeaderScene } from './leader-scene.ts';

describe('the high watermark of a leader (rule 4)', () => {
  it('is the smallest acknowledgeable end over the in-sync replicas', () => {
    const scene = new LeaderScene();
    scene.append(10);
    scene.ask(2, 0);
    scene.ask(3, 0);
    expect(scene.hw).to.equal(0);
    scene.ack(2, 8).ack(3, 5);
    expect(scene.hw).to.equal(5);
    scene.ack(3, 10);
    expect(scene.hw).to.equal(8);
  });

  it('does not move before every in-sync replica has been heard', () => {
    const scene = new LeaderScene({ logEnd: 10, highWatermark: 4 });
    scene.ask(2, 10);
    expect(scene.hw).to.equal(4);
    scene.ask(3, 10);
    expect(scene.hw).to.equal(10);
  });

  it('counts what is held for good: neither the leader’s own unsynced records nor a follower’s', () => {
    const scene = new LeaderScene();
    scene.append(10, false);
    scene.ask(2, 10, { acked: 6 });
    scene.ask(3, 10);
    expect(scene.hw).to.equal(0);
    scene.sync();
    expect(scene.hw).to.equal(6);
  });

  it('waits for everybody in a proposal whose fate is not known: the maximal ISR', () => {
    const scene = new LeaderScene({ isr: [1, 2], logEnd: 10 });
    scene.ask(2, 10);
    scene.ask(3, 10);
    expect(scene.proposed).to.deep.equal([1, 2, 3]);
    scene
      .pass(LAG_MS + 1)
      .append(5)
      .ack(2, 15);
    // Long out of step, and not committed as in sync: it counts all the same.
    expect(scene.pass(LAG_MS + 1).tick().hw).to.equal(10);
    scene
      .refuse('REQUEST_TIMED_OUT')
      .pass(LAG_MS + 1)
      .tick();
    expect(scene.hw).to.equal(10);
    scene.ack(3, 12);
    expect(scene.hw).to.equal(12);
  });

  it('waits for members a proposal would drop until that is committed', () => {
    const scene = new LeaderScene({ logEnd: 10 });
    scene.ask(2, 10);
    scene.ask(3, 10);
    scene
      .append(5)
      .ack(2, 15)
      .pass(LAG_MS + 1)
      .tick();
    expect(scene.proposed).to.deep.equal([1, 2]);
    expect(scene.hw).to.equal(10);
    scene.commit().metadata();
    expect(scene.hw).to.equal(15);
  });

  it('waits for members who have left until the metadata show that, with the minimum that was in force then (KIP-966)', () => {
    const scene = new LeaderScene({ replicas: [1, 2], minInsyncReplicas: 1, logEnd: 10 });
    scene.ask(2, 10);
    scene
      .append(5)
      .pass(LAG_MS + 1)
      .tick();
    expect(scene.proposed).to.deep.equal([1]);
    // The minimum was raised to 2 a moment ago, so that the controller keeps 2 eligible; its answer comes before all that.
    scene.commit();
    expect(scene.isr).to.deep.equal([1]);
    expect(scene.hw, '2 counts as having everything').to.equal(10);
    scene.append(1).tick();
    expect(scene.hw).to.equal(10);
    scene.minInsyncReplicas = 2;
    expect(scene.metadata().hw, 'too few').to.equal(10);
    scene.minInsyncReplicas = 1;
    expect(scene.metadata().hw).to.equal(16);
  });

  it('waits a little for a replica that is about to be in sync, so that a busy leader does not stay ahead for ever', () => {
    const scene = new LeaderScene({ isr: [1, 2], logEnd: 10 });
    scene.ask(2, 10);
    scene.append(10).ack(2, 20);
    expect(scene.hw).to.equal(20);
    scene.ask(3, 15);
    expect(scene.hw).to.equal(20);
    // From here on the leader is never idle and broker 3 always 10 ms behind.
    for (let step = 0; step < 4 && scene.proposals.length === 0; step++) {
      const end = scene.log.logEndOffset;
      scene.pass(10).append(5);
      scene.ack(3, end).ack(2, end + 5);
    }
    expect(scene.proposed).to.deep.equal([1, 2, 3]);
  });

  const spoilers: readonly (readonly [string, boolean, (scene: LeaderScene) => void])[] = [
    ['close behind and well', true, () => undefined],
    ['far behind', false, (scene) => scene.pass(LAG_MS / 10 + 1)],
    ['fenced', false, (scene) => (scene.brokers.get(3)!.fenced = true)],
    ['shutting down', false, (scene) => (scene.brokers.get(3)!.inControlledShutdown = true)],
    ['of another incarnation', false, (scene) => (scene.brokers.get(3)!.epoch = be(31))],
  ];
  for (const [what, isWaitedFor, spoil] of spoilers) {
    it(`${isWaitedFor ? 'waits' : 'does not wait'} for a replica out of sync that is ${what}`, () => {
      const scene = new LeaderScene({ isr: [1, 2], logEnd: 10, highWatermark: 10 });
      scene.ask(2, 10);
      scene.append(10).ack(2, 20).pass(LAG_MS);
      scene.ask(3, 15);
      scene.append(5).ack(2, 25);
      // It has reached what there was when it asked, and the high watermark is further by now.
      scene.ack(3, 20);
      spoil(scene);
      scene.metadata().append(5).ack(2, 30);
      expect(scene.hw).to.equal(isWaitedFor ? 25 : 30);
      expect(scene.proposals).to.deep.equal([]);
    });
  }

  it('never goes back within a leadership', () => {
    const scene = new LeaderScene({ replicas: [1, 2], logEnd: 10 });
    scene.ask(2, 10);
    expect(scene.hw).to.equal(10);
    scene.ask(2, 4);
    expect(scene.hw).to.equal(10);
    scene.controllerSays([1]).controllerSays([1, 2]);
    expect(scene.hw).to.equal(10);
  });

  it('begins where the follower before it stood, not above what this replica holds, and is not known to be the last until the epoch’s start', () => {
    const scene = new LeaderScene({ replicas: [1, 2], logEnd: 10, highWatermark: 6 });
    expect(scene.hw).to.equal(6);
    expect(scene.leader.isHighWatermarkKnown).to.equal(false);
    scene.ask(2, 10);
    expect(scene.hw).to.equal(10);
    expect(scene.leader.isHighWatermarkKnown).to.equal(true);
    expect(new LeaderScene({ logEnd: 10, highWatermark: 12 }).hw).to.equal(10);
  });

  it('stands still while the committed in-sync replicas are fewer than min.insync.replicas', () => {
    const scene = new LeaderScene({ isr: [1], logEnd: 10, highWatermark: 10 });
    scene.append(5);
    scene.ask(2, 15);
    // Proposed is not committed.
    expect(scene.proposed).to.deep.equal([1, 2]);
    expect(scene.hw).to.equal(10);
    scene.commit();
    expect(scene.hw).to.equal(15);
  });

  it('moves when min.insync.replicas is lowered', () => {
    const scene = new LeaderScene({ isr: [1], logEnd: 10, highWatermark: 10 });
    scene.append(5);
    scene.minInsyncReplicas = 1;
    expect(scene.metadata().hw).to.equal(15);
  });

  it('says so when it moves, and only then', () => {
    const scene = new LeaderScene({ replicas: [1], minInsyncReplicas: 1 });
    scene.append(1, false);
    expect(scene.leader.acknowledgeable(1 as never, scene.nowMs).highWatermarkMoved).to.equal(true);
    expect(scene.leader.acknowledgeable(1 as never, scene.nowMs).highWatermarkMoved).to.equal(false);
  });

  it('is of one leader epoch: another one has a leader of its own (rule 2)', () => {
    const scene = new LeaderScene();
    scene.view.leaderEpoch = e(6);
    expect(() => scene.metadata()).to.throw(InvariantViolation);
  });
});

describe('min.insync.replicas is asked twice (rule 6)', () => {
  it('before the append: NOT_ENOUGH_REPLICAS, for acks=all alone', () => {
    const scene = new LeaderScene({ isr: [1] });
    expect(scene.leader.checkAppend('all')?.error).to.equal('NOT_ENOUGH_REPLICAS');
    expect(scene.leader.checkAppend('leader')).to.equal(undefined);
    expect(scene.leader.checkAppend('none')).to.equal(undefined);
    expect(scene.controllerSays([1, 2]).leader.checkAppend('all')).to.equal(undefined);
  });

  it('when it is committed: NOT_ENOUGH_REPLICAS_AFTER_APPEND if they have become too few', () => {
    const scene = new LeaderScene({ isr: [1, 2] });
    expect(scene.leader.checkAppend('all')).to.equal(undefined);
    scene.append(1);
    scene.ask(2, 1);
    expect(scene.hw).to.equal(1);
    expect(scene.leader.checkCommitted()).to.equal(undefined);
    scene.controllerSays([1]);
    expect(scene.leader.checkCommitted()?.error).to.equal('NOT_ENOUGH_REPLICAS_AFTER_APPEND');
  });
});

describe('a leader cut off from the controller (rule 10)', () => {
  it('takes nothing and acknowledges nothing, until it hears the controller again', () => {
    const scene = new LeaderScene({ replicas: [1], minInsyncReplicas: 1 });
    scene.append(1);
    expect(scene.hw).to.equal(1);
    scene.take(scene.leader.setIsolated(true, scene.nowMs)).append(1);
    expect(scene.hw).to.equal(1);
    for (const acks of ['all', 'leader', 'none'] as const) {
      expect(scene.leader.checkAppend(acks)?.error).to.equal('NOT_LEADER_OR_FOLLOWER');
    }
    scene.take(scene.leader.setIsolated(false, scene.nowMs));
    expect(scene.hw).to.equal(2);
    expect(scene.leader.checkAppend('all')).to.equal(undefined);
  });

  it('cannot commit even before it notices, since its followers have moved on', () => {
    const scene = new LeaderScene();
    scene.ask(2, 0);
    scene.ask(3, 0);
    scene.append(5);
    // Brokers 2 and 3 are in epoch 6 and say so.
    expect(scene.ask(2, 5, { epoch: 6 })).to.have.nested.property('failure.error', 'UNKNOWN_LEADER_EPOCH');
    scene.ack(2, 5, 20, 6).ack(3, 5, 30, 6);
    expect(scene.hw).to.equal(0);
    expect(scene.leader.followers(scene.nowMs).map(({ broker }) => broker)).to.deep.equal([b(2), b(3)]);
  });
});
