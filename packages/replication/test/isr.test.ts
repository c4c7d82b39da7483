import { expect } from 'chai';
import { PROPOSAL_BACKOFF_MS } from '@tidemark/replication';
import { at, be, LAG_MS, LeaderScene } from './leader-scene.ts';

/** Broker 3 is out of sync; the records up to 10 are committed and this epoch began there. */
const withoutThree = () => {
  const scene = new LeaderScene({ isr: [1, 2], logEnd: 10, highWatermark: 10 });
  scene.ask(2, 10);
  return scene;
};

describe('what is deleted', () => {
  it('is gone when every in-sync replica has deleted it, in whatever order they say so', () => {
    const scene = new LeaderScene({ logEnd: 10, highWatermark: 10 });
    scene.ask(2, 10);
    scene.ask(3, 10, { start: 4 });
    scene.leader.deletedBefore(at(4));
    expect(scene.leader.isDeletedBefore(at(4))).to.equal(false);
    scene.started(2, 3);
    expect(scene.leader.isDeletedBefore(at(4))).to.equal(false);
    scene.started(2, 4);
    expect(scene.leader.isDeletedBefore(at(4))).to.equal(true);
    expect(scene.leader.isDeletedBefore(at(5))).to.equal(false);
  });

  it('is not waited for at a replica that is not in sync', () => {
    const scene = withoutThree();
    scene.ask(2, 10, { start: 4 });
    scene.leader.deletedBefore(at(4));
    expect(scene.leader.isDeletedBefore(at(4))).to.equal(true);
  });

  it('keeps who still has it from becoming in sync, and is waited for at who is becoming so', () => {
    const scene = withoutThree();
    scene.ask(2, 10, { start: 4 });
    scene.leader.deletedBefore(at(4));
    scene.ask(3, 10);
    expect(scene.proposals).to.deep.equal([]);
    scene.started(3, 4);
    expect(scene.proposed).to.deep.equal([1, 2, 3]);
    scene.leader.deletedBefore(at(6));
    scene.started(2, 6);
    expect(scene.leader.isDeletedBefore(at(6))).to.equal(false);
    scene.started(3, 6);
    expect(scene.leader.isDeletedBefore(at(6))).to.equal(true);
  });

  it('may come back while too few are in sync: who has left them may still be elected', () => {
    const scene = new LeaderScene({ isr: [1, 2], logEnd: 10, highWatermark: 10 });
    scene.ask(2, 10, { start: 4 });
    scene.controllerSays([1]);
    scene.leader.deletedBefore(at(4));
    expect(scene.leader.isDeletedBefore(at(4))).to.equal(false);
    scene.controllerSays([1, 2]);
    expect(scene.leader.isDeletedBefore(at(4))).to.equal(true);
  });

  it('by an earlier leader keeps out as well', () => {
    const scene = new LeaderScene({ isr: [1, 2], logEnd: 10, highWatermark: 10, logStart: 4 });
    scene.ask(3, 10, { start: 3 });
    expect(scene.proposals).to.deep.equal([]);
    scene.started(3, 4);
    expect(scene.proposed).to.deep.equal([1, 2, 3]);
  });

  it('is taken from the incarnation whose position was accepted, alone', () => {
    const scene = new LeaderScene({ logEnd: 10, highWatermark: 10 });
    scene.ask(2, 10);
    scene.ask(3, 10, { start: 4 });
    scene.started(2, 4, 15).started(2, 4, 20, 4);
    expect(scene.leader.isDeletedBefore(at(4))).to.equal(false);
    scene.started(2, 4);
    expect(scene.leader.isDeletedBefore(at(4))).to.equal(true);
    // Another incarnation may have another disk.
    scene.ask(2, 10, { brokerEpoch: 25 });
    expect(scene.leader.isDeletedBefore(at(4))).to.equal(false);
  });
});

describe('becoming in sync (rule 5)', () => {
  it('takes everything below the high watermark', () => {
    const scene = withoutThree();
    scene.append(5).ack(2, 15);
    expect(scene.hw).to.equal(15);
    scene.ask(3, 14);
    expect(scene.proposals).to.deep.equal([]);
    scene.ack(3, 15);
    expect(scene.proposed).to.deep.equal([1, 2, 3]);
  });

  it('takes everything up to the start of the epoch, where earlier leaders may have committed', () => {
    const scene = new LeaderScene({ isr: [1, 2], logEnd: 10, highWatermark: 3 });
    scene.ask(3, 9);
    expect(scene.proposals).to.deep.equal([]);
    scene.ack(3, 10);
    expect(scene.proposed).to.deep.equal([1, 2, 3]);
  });

  it('takes that of one that was in sync a moment ago as well', () => {
    const scene = new LeaderScene({ logEnd: 10, highWatermark: 3 });
    // Fenced and back in the same incarnation, before it has fetched what earlier leaders may have committed.
    scene.brokers.get(3)!.fenced = true;
    scene.controllerSays([1, 2]);
    scene.brokers.get(3)!.fenced = false;
    scene.metadata().ask(3, 9);
    expect(scene.proposals).to.deep.equal([]);
    scene.ack(3, 10);
    expect(scene.proposed).to.deep.equal([1, 2, 3]);
  });

  it('takes that it is there for good: what is only written may be lost', () => {
    const scene = withoutThree();
    scene.ask(3, 10, { acked: 9 });
    expect(scene.proposals).to.deep.equal([]);
    scene.ack(3, 10);
    expect(scene.proposed).to.deep.equal([1, 2, 3]);
  });

  it('is for brokers neither fenced nor shutting down, in the incarnation that caught up (rule 9, KIP-841, KIP-903)', () => {
    const scene = withoutThree();
    const three = scene.brokers.get(3)!;
    three.fenced = true;
    scene.metadata().ask(3, 10);
    expect(scene.proposals).to.deep.equal([]);
    three.fenced = false;
    three.inControlledShutdown = true;
    scene.metadata();
    expect(scene.proposals).to.deep.equal([]);
    three.inControlledShutdown = false;
    three.epoch = be(31);
    scene.metadata();
    expect(scene.proposals).to.deep.equal([]);
    scene.ask(3, 10, { brokerEpoch: 31 });
    expect(scene.proposed).to.deep.equal([1, 2, 3]);
    expect(scene.proposals[0]!.newIsr).to.deep.include({ brokerId: 3, brokerEpoch: 31 });
  });

  it('a broker epoch ahead of the metadata here is served, and waits for the metadata', () => {
    const scene = withoutThree();
    expect(scene.ask(3, 10, { brokerEpoch: 31 }).type).to.equal('accepted');
    expect(scene.proposals).to.deep.equal([]);
    scene.brokers.get(3)!.epoch = be(31);
    expect(scene.metadata().proposed).to.deep.equal([1, 2, 3]);
  });

  it('what an earlier incarnation says late is refused (rule 9)', () => {
    const scene = withoutThree();
    scene.append(5).ack(2, 15);
    scene.brokers.get(3)!.epoch = be(31);
    scene.metadata();
    expect(scene.ask(3, 15)).to.have.nested.property('failure.error', 'STALE_BROKER_EPOCH');
    scene.ask(3, 12, { brokerEpoch: 31 });
    scene.ack(3, 15, 30);
    expect(scene.proposals).to.deep.equal([]);
  });

  it('an acknowledgement of an incarnation whose position was not accepted counts for nothing', () => {
    const scene = withoutThree();
    scene.ack(3, 10);
    expect(scene.proposals).to.deep.equal([]);
  });

  it('an acknowledgement of more than there is counts for nothing', () => {
    const scene = withoutThree();
    scene.ask(3, 5);
    scene.ack(3, 11);
    expect(scene.proposals).to.deep.equal([]);
  });

  it('a follower whose history diverges is not taken note of', () => {
    const scene = withoutThree();
    expect(scene.ask(3, 12, { lastEpoch: 4 }).type).to.equal('diverging');
    expect(scene.proposals).to.deep.equal([]);
    expect(scene.leader.followers(scene.nowMs)[1]!.acknowledgedOffset).to.equal(-1);
  });
});

describe('falling out of sync (rule 5)', () => {
  it('happens when a follower has lacked something for longer than replica.lag.time.max.ms', () => {
    const scene = new LeaderScene({ logEnd: 10 });
    scene.ask(2, 10);
    scene.ask(3, 10);
    scene.append(1).ack(2, 11);
    expect(scene.pass(LAG_MS).tick().proposals).to.deep.equal([]);
    expect(scene.pass(1).tick().proposed).to.deep.equal([1, 2]);
  });

  it('is due at a time the leader can tell, and idle partitions have none', () => {
    const scene = new LeaderScene({ logEnd: 10 });
    scene.ask(2, 10);
    scene.ask(3, 10);
    expect(scene.leader.nextDeadlineMs(scene.nowMs)).to.equal(Infinity);
    scene.pass(1000).append(1);
    expect(scene.leader.nextDeadlineMs(scene.nowMs)).to.equal(scene.nowMs + LAG_MS + 1);
  });

  it('happens to a member that is never heard in this leadership, after the full time', () => {
    const scene = new LeaderScene({ logEnd: 10 });
    scene.ask(2, 10);
    scene.pass(LAG_MS).tick();
    expect(scene.proposals).to.deep.equal([]);
    expect(scene.pass(1).tick().proposed).to.deep.equal([1, 2]);
  });

  it('rule 5: caught up is judged against the end at the previous fetch', () => {
    const scene = new LeaderScene({ replicas: [1, 2], logEnd: 10 });
    scene.ask(2, 10);
    // The leader appends all the time; the follower acknowledges what there was 100 ms ago, for ten minutes.
    for (let step = 0; step < 6000; step++) {
      const end = scene.log.logEndOffset;
      scene.pass(100).append(1).ack(2, end).tick();
    }
    expect(scene.proposals).to.deep.equal([]);
    // And once it falls silent it is out in time.
    expect(scene.pass(LAG_MS + 101).tick().proposed).to.deep.equal([1]);
  });

  it('busy leader does not eject healthy followers, even with many batches on their way at once', () => {
    const scene = new LeaderScene({ replicas: [1, 2], logEnd: 10 });
    scene.ask(2, 10);
    // An acknowledgement every 10 ms, always for what was appended 50 acknowledgements ago: never the end at the previous one.
    for (let step = 0; step < 12_000; step++) {
      const end = scene.pass(10).append(1).log.logEndOffset;
      if (step >= 50) scene.ack(2, end - 50).tick();
    }
    expect(scene.proposals).to.deep.equal([]);
  });

  it('happens to a follower that always lags by more than the limit, however much it acknowledges', () => {
    const scene = new LeaderScene({ replicas: [1, 2], logEnd: 10 });
    scene.ask(2, 10);
    const behind = (LAG_MS + 1000) / 100;
    for (let step = 0; step < 3 * behind && scene.proposals.length === 0; step++) {
      const end = scene.pass(100).append(1).log.logEndOffset;
      if (step >= behind) scene.ack(2, end - behind);
      scene.tick();
    }
    expect(scene.proposed).to.deep.equal([1]);
  });

  it('does not happen because of a pause without appends', () => {
    const scene = new LeaderScene({ replicas: [1, 2], logEnd: 10 });
    scene.ask(2, 10);
    scene
      .pass(100 * LAG_MS)
      .append(1)
      .tick();
    expect(scene.proposals).to.deep.equal([]);
  });

  it('is not undone at once by a high watermark that stands still: a silent member does not come and go', () => {
    const scene = new LeaderScene({ replicas: [1, 2], logEnd: 10 });
    scene.ask(2, 10);
    scene
      .append(1)
      .pass(LAG_MS + 1)
      .tick()
      .commit();
    expect(scene.isr).to.deep.equal([1]);
    expect(scene.hw).to.equal(10);
    scene.pass(PROPOSAL_BACKOFF_MS).tick().pass(LAG_MS).tick();
    expect(scene.proposals).to.have.length(1);
    scene.ack(2, 11);
    expect(scene.proposed).to.deep.equal([1, 2]);
  });
});

describe('one proposal at a time (rule 5, KIP-497)', () => {
  const proposing = () => {
    const scene = withoutThree();
    scene.ask(3, 10);
    return scene;
  };

  it('carries both epochs, and the broker epochs of all members (KIP-903)', () => {
    expect(proposing().proposals).to.deep.equal([
      {
        leaderEpoch: 5,
        partitionEpoch: 7,
        newIsr: [
          { brokerId: 1, brokerEpoch: 10 },
          { brokerId: 2, brokerEpoch: 20 },
          { brokerId: 3, brokerEpoch: 30 },
        ],
      },
    ]);
  });

  it('is sent once, and nothing else until it is answered', () => {
    const scene = proposing();
    scene
      .ack(3, 10)
      .tick()
      .metadata()
      .append(1)
      .pass(LAG_MS + 1)
      .tick();
    expect(scene.proposals).to.have.length(1);
    expect(scene.isr).to.deep.equal([1, 2]);
    scene.commit();
    expect(scene.proposals).to.have.length(2);
    expect(scene.proposed).to.deep.equal([1]);
    expect(scene.proposals[1]!.partitionEpoch).to.equal(8);
  });

  it('taken: the metadata may say so before the answer, after it, or late and out of date', () => {
    const scene = proposing();
    const before = { ...scene.view };
    scene.controllerSays([1, 2, 3]);
    expect(scene.isr).to.deep.equal([1, 2, 3]);
    scene.refuse('INVALID_UPDATE_VERSION');
    scene.take(
      scene.leader.metadataChanged(before, (id) => scene.brokers.get(id), scene.settings, scene.nowMs),
    );
    expect(scene.isr).to.deep.equal([1, 2, 3]);
    expect(scene.leader.partitionEpoch).to.equal(8);
    expect(scene.proposals).to.have.length(1);
  });

  for (const error of [
    'FENCED_LEADER_EPOCH',
    'INVALID_UPDATE_VERSION',
    'NEW_LEADER_ELECTED',
    'INVALID_REQUEST',
    'UNKNOWN_TOPIC_ID',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ] as const) {
    it(`${error}: the metadata will tell; until then everybody proposed counts and nothing is sent`, () => {
      const scene = proposing();
      scene
        .refuse(error)
        .append(5)
        .ack(2, 15)
        .pass(10 * LAG_MS)
        .tick();
      expect(scene.hw).to.equal(10);
      expect(scene.proposals).to.have.length(1);
      scene.controllerSays([1, 2]);
      expect(scene.hw).to.equal(15);
    });
  }

  for (const error of ['INELIGIBLE_REPLICA', 'OPERATION_NOT_ATTEMPTED'] as const) {
    it(`${error}: nothing has changed; what is committed counts again, and it is tried again later`, () => {
      const scene = proposing();
      scene.append(5).ack(2, 15).pass(LAG_MS);
      expect(scene.hw).to.equal(10);
      scene.refuse(error);
      expect(scene.hw).to.equal(15);
      scene.ack(3, 15);
      expect(scene.proposals).to.have.length(1);
      expect(scene.leader.nextDeadlineMs(scene.nowMs)).to.equal(scene.nowMs + PROPOSAL_BACKOFF_MS);
      scene.pass(PROPOSAL_BACKOFF_MS).tick();
      expect(scene.proposals).to.have.length(2);
    });
  }

  for (const error of [
    'NOT_CONTROLLER',
    'REQUEST_TIMED_OUT',
    'NETWORK_EXCEPTION',
    'KAFKA_STORAGE_ERROR',
  ] as const) {
    it(`${error}: not known what happened; the same is asked again, and everybody in it counts`, () => {
      const scene = proposing();
      scene.refuse(error).append(5).ack(2, 15).tick();
      expect(scene.proposals).to.have.length(1);
      expect(scene.leader.nextDeadlineMs(scene.nowMs)).to.equal(scene.nowMs + PROPOSAL_BACKOFF_MS);
      // Broker 3 lags by now, and yet it may have been taken.
      scene.pass(LAG_MS + 1).tick();
      expect(scene.proposals).to.have.length(2);
      expect(scene.proposals[1]).to.equal(scene.proposals[0]);
      expect(scene.hw).to.equal(10);
      scene.commit();
      expect(scene.proposed).to.deep.equal([1, 2]);
      expect(scene.commit().metadata().hw).to.equal(15);
    });
  }

  it('an answer to a proposal that is settled already changes nothing', () => {
    const scene = proposing();
    scene.controllerSays([1, 2]);
    expect(scene.proposals).to.have.length(2);
    scene.refuse('INELIGIBLE_REPLICA', scene.proposals[0]);
    expect(scene.append(5).ack(2, 15).hw).to.equal(10);
  });

  it('an answer of a later leader epoch is left to the metadata', () => {
    const scene = proposing();
    const isr = scene.view.replicas;
    const outcome = {
      ok: true,
      isr,
      leaderEpoch: 6,
      partitionEpoch: 9,
      leaderRecoveryState: 'recovered',
    } as const;
    scene.take(scene.leader.alterPartitionAnswered(scene.proposals[0]!, outcome as never, scene.nowMs));
    expect(scene.isr).to.deep.equal([1, 2]);
    expect(scene.leader.partitionEpoch).to.equal(7);
  });

  it('is not made with a member the controller is taking out (rule 13, controlled shutdown)', () => {
    const scene = withoutThree();
    scene.brokers.get(2)!.inControlledShutdown = true;
    scene.metadata();
    scene.ask(3, 10);
    expect(scene.proposals).to.deep.equal([]);
    scene.controllerSays([1]);
    expect(scene.proposed).to.deep.equal([1, 3]);
  });
});

describe('after an unclean election (KIP-704)', () => {
  it('the leader proposes its ISR once, even unchanged', () => {
    const scene = new LeaderScene({ isr: [1], recovering: true, logEnd: 10 });
    expect(scene.tick().proposed).to.deep.equal([1]);
    scene.commit().pass(LAG_MS).tick().metadata();
    expect(scene.proposals).to.have.length(1);
  });

  it('and again if nobody knows what became of it', () => {
    const scene = new LeaderScene({ isr: [1], recovering: true, logEnd: 10 });
    scene.tick().refuse('REQUEST_TIMED_OUT').pass(PROPOSAL_BACKOFF_MS).tick();
    expect(scene.proposals).to.have.length(2);
  });
});

describe('last replica standing (rule 7, KIP-966)', () => {
  it('below min.insync.replicas nothing is committed, so that who left stays eligible', () => {
    const scene = new LeaderScene({ replicas: [1, 2], logEnd: 10 });
    scene.ask(2, 10);
    // Broker 2 is fenced: the controller drops it from the ISR and keeps it as eligible.
    scene.brokers.get(2)!.fenced = true;
    scene.controllerSays([1]);
    scene.append(5);
    expect(scene.hw).to.equal(10);
    expect(scene.leader.checkAppend('all')?.error).to.equal('NOT_ENOUGH_REPLICAS');
    // It comes back as a new incarnation, which has to catch up before anything is committed again.
    Object.assign(scene.brokers.get(2)!, { fenced: false, epoch: 21 });
    scene.metadata();
    scene.ask(2, 10, { brokerEpoch: 21 });
    expect(scene.proposals).to.deep.equal([]);
    scene.ack(2, 15, 21);
    expect(scene.proposed).to.deep.equal([1, 2]);
    expect(scene.hw).to.equal(10);
    expect(scene.commit().hw).to.equal(15);
  });
});
