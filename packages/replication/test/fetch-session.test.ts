import { expect } from 'chai';
import { failure, type LeaderEpoch } from '@tidemark/core';
import { SeededPrng } from './seeded-prng.ts';
import { at, KEEP_ALIVE_MS, SessionLink, TIMEOUT_MS, type Shared } from './session-link.ts';

/** Every record is where it belongs, and both know the same. */
function expectInStep(link: SessionLink): void {
  for (const partition of link.partitions) {
    expect(partition.copy.length).to.equal(partition.leaderEnd);
    expect(partition.copy.every((byte, index) => byte === ((partition.index + index) & 0xff))).to.equal(true);
    expect(partition.knownHighWatermark).to.equal(partition.leaderEnd);
    expect(partition.knownLogStart).to.equal(partition.logStart);
    expect(partition.followerLogStart).to.equal(partition.logStart);
  }
}

describe('a fetch session', () => {
  it('carries what is appended, and tells both when it is held and when it is committed', () => {
    const link = new SessionLink();
    const one = link.add();
    const two = link.add();
    link.append(one, 250);
    link.settle();
    link.append(two, 30);
    link.append(one, 3);
    link.settle();
    expectInStep(link);
  });

  it('answers a position with nothing to read, so that the follower knows it to be right', () => {
    const link = new SessionLink();
    const partition = link.add();
    link.settle();
    expect(partition.knownHighWatermark).to.equal(0);
  });

  it('tells a log start that moved', () => {
    const link = new SessionLink();
    const partition = link.add();
    link.append(partition, 50);
    link.settle();
    partition.logStart = 20;
    link.advance(partition);
    link.settle();
    expectInStep(link);
  });

  it('tells a log start at once, and hears when the follower has moved its own', () => {
    const link = new SessionLink({ progressDelayMs: 50 });
    const partition = link.add();
    link.append(partition, 50);
    link.settle();
    link.pass(60);
    link.settle();
    partition.logStart = 20;
    link.advance(partition);
    link.settle();
    expect(partition.knownLogStart).to.equal(20);
    expect(partition.followerLogStart).to.equal(20);
  });

  it('costs what has changed: of 1,000 partitions the one that did', () => {
    const link = new SessionLink();
    for (let each = 0; each < 1000; each++) link.add();
    link.settle();
    const { sentMessages, sentEntries } = link;
    link.append(link.partitions[500]!, 10);
    link.settle();
    // The batch, its acknowledgement, the high watermark.
    expect(link.sentEntries - sentEntries).to.equal(3);
    expect(link.sentMessages - sentMessages).to.equal(3);
    expect(link.reads).to.have.length(1);
    expectInStep(link);
  });

  it('says nothing while nothing happens but that both are there', () => {
    const link = new SessionLink();
    link.add();
    link.settle();
    const { sentMessages, sentEntries } = link;
    link.settle();
    expect(link.sentMessages).to.equal(sentMessages);
    for (let step = 0; step < 20; step++) {
      link.pass(KEEP_ALIVE_MS);
      link.settle();
    }
    expect(link.sentMessages - sentMessages).to.equal(40);
    expect(link.sentEntries).to.equal(sentEntries);
    expect(link.follower.id.number).to.equal(1);
  });
});

describe('credit', () => {
  it('bounds what waits to be appended, to the window and one read', () => {
    const link = new SessionLink({ windowBytes: 300, maxReadBytes: 100 });
    const partitions = [link.add(), link.add()];
    link.settle();
    link.consumesAtOnce = false;
    for (const partition of partitions) link.append(partition, 1000);
    link.settle();
    expect(link.backlog).to.equal(300);
    link.consume(10);
    link.settle();
    expect(link.backlog, 'a little more room is not worth a message').to.equal(290);
    for (let step = 0; step < 200; step++) {
      link.consume(Math.min(link.backlog, 90));
      link.settle();
      expect(link.backlog).to.be.at.most(400);
    }
    expect(partitions.map(({ copy }) => copy.length)).to.deep.equal([1000, 1000]);
  });

  it('is not given twice to a session that is opened anew', () => {
    const link = new SessionLink({ windowBytes: 300, maxReadBytes: 100 });
    const partition = link.add();
    link.consumesAtOnce = false;
    link.append(partition, 5000);
    link.settle();
    for (let restart = 0; restart < 5; restart++) {
      link.leader = link.newLeader();
      link.pass(KEEP_ALIVE_MS);
      link.settle();
      link.pass(KEEP_ALIVE_MS);
      link.settle();
      expect(link.backlog).to.be.at.most(400);
    }
    expect(link.follower.id.number).to.equal(6);
    link.consumesAtOnce = true;
    link.consume();
    link.settle();
    expectInStep(link);
  });

  it('is not used up by batches for a partition that is followed no more', () => {
    const link = new SessionLink({ windowBytes: 300, maxReadBytes: 100 });
    const [one, two] = [link.add(), link.add()];
    link.settle();
    for (let step = 0; step < 20; step++) {
      link.append(one, 300);
      link.speak();
      // The batches are on their way when the follower turns away.
      link.follower.unsubscribe(one);
      link.settle();
      link.subscribe(one);
      link.settle();
    }
    link.append(two, 500);
    link.settle();
    expectInStep(link);
  });
});

describe('turns', () => {
  it('every partition with something to read gets one read, before any gets another', () => {
    const link = new SessionLink({ windowBytes: 100_000, maxReadBytes: 100 });
    const partitions = Array.from({ length: 5 }, () => link.add());
    link.settle();
    for (const partition of partitions) link.append(partition, partition.index === 0 ? 2000 : 300);
    link.settle();
    expect(link.reads.slice(0, 15).map(({ partition }) => partition)).to.deep.equal([
      0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4,
    ]);
    expectInStep(link);
  });

  it('one that never ends does not keep the others waiting, however little credit there is', () => {
    const link = new SessionLink({ windowBytes: 100, maxReadBytes: 100 });
    const [endless, small] = [link.add(), link.add()];
    link.append(endless, 1000);
    link.settle();
    for (let round = 0; round < 10; round++) {
      link.append(endless, 500);
      link.append(small, 1);
      link.round();
      link.round();
    }
    expect(small.copy.length).to.be.at.least(8);
  });

  it('a message holds no more batches than it may', () => {
    const link = new SessionLink({ windowBytes: 100_000, maxReadBytes: 100, maxMessageBytes: 250 });
    const partition = link.add();
    link.settle();
    link.append(partition, 2000);
    link.speak();
    expect(link.toFollower.map(({ length }) => length).every((length) => length < 400)).to.equal(true);
    expect(link.toFollower.length).to.equal(7);
    link.settle();
    expectInStep(link);
  });
});

describe('a slot', () => {
  it('ends with a divergence, and the position after it is another one', () => {
    const link = new SessionLink();
    const partition = link.add();
    link.speak();
    const { subscriptions } = receiveRaw(link);
    link.leader.refuse(subscriptions[0]!, { type: 'diverging', epoch: 1 as LeaderEpoch, endOffset: at(0) });
    link.append(partition, 10);
    link.settle();
    expect(partition.copy.length, 'nothing is sent for a position that was wrong').to.equal(0);
    link.subscribe(partition);
    link.settle();
    expectInStep(link);
  });

  it('ends when the leadership does; what is being read for it is dropped', () => {
    const link = new SessionLink();
    const partition = link.add();
    link.settle();
    link.append(partition, 10);
    const order = link.leader.nextRead()!;
    link.leader.end(partition, { type: 'refused', failure: failure('FENCED_LEADER_EPOCH') });
    link.leader.readDone(order, new Uint8Array(10), at(10));
    const said = link.leader.takeMessage(link.nowMs)!;
    expect(said.answers.map(({ answer }) => answer.type)).to.deep.equal(['refused']);
    const { answers } = link.follower.receive(said, link.nowMs);
    expect(answers[0]).to.have.nested.property('answer.failure.error', 'FENCED_LEADER_EPOCH');
    expect(link.leader.nextRead()).to.equal(undefined);
  });

  it('ends when a read finds that the log begins later by now', () => {
    const link = new SessionLink();
    const partition = link.add();
    link.settle();
    link.append(partition, 10);
    link.leader.readFailed(link.leader.nextRead()!, {
      type: 'outOfRange',
      logStartOffset: at(5),
      logEndOffset: at(10),
    });
    const { answers } = link.follower.receive(link.leader.takeMessage(link.nowMs)!, link.nowMs);
    expect(answers.map(({ answer }) => answer.type)).to.deep.equal(['outOfRange']);
  });

  it('is not acknowledged further than it was sent', () => {
    const link = new SessionLink();
    const partition = link.add();
    link.settle();
    link.follower.acknowledged(partition, at(10));
    link.settle();
    expect(partition.highWatermark).to.equal(0);
  });

  function receiveRaw(link: SessionLink) {
    let received: ReturnType<typeof link.leader.receive> | undefined;
    const leader = link.leader;
    link.leader = new Proxy(leader, {
      get: (target, key) => {
        if (key === 'receive')
          return (...args: Parameters<typeof target.receive>) => (received = target.receive(...args));
        if (key === 'accept') return () => undefined;
        const value = Reflect.get(target, key, target) as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    for (const bytes of link.toLeader.splice(0)) link.deliverToLeader(bytes);
    link.leader = leader;
    return received!;
  }
});

describe('a session that breaks', () => {
  const twice = <T>(list: readonly T[]) => list.flatMap((each) => [each, each]);
  const started = () => {
    const link = new SessionLink();
    const partition = link.add();
    link.append(partition, 20);
    link.settle();
    link.append(partition, 20);
    return { link, partition };
  };

  const breaks: readonly (readonly [string, (link: SessionLink, partition: Shared) => void])[] = [
    ['a message of the leader’s is lost', (link) => (link.speak(), (link.toFollower = []))],
    [
      'a message of the follower’s is lost',
      (link, partition) => {
        link.follower.unsubscribe(partition);
        link.subscribe(partition);
        link.speak();
        link.toLeader = [];
      },
    ],
    ['the leader restarts', (link) => (link.leader = link.newLeader())],
    [
      'the follower restarts',
      (link) => {
        link.follower = link.newFollower(2);
        for (const partition of link.partitions) link.subscribe(partition);
      },
    ],
    [
      'the connection is gone for long',
      (link) => {
        for (let step = 0; step < 10; step++) {
          link.pass(TIMEOUT_MS);
          link.speak();
          link.toLeader = [];
          link.toFollower = [];
        }
      },
    ],
  ];
  for (const [what, happens] of breaks) {
    it(`is opened anew, and nothing is missing: ${what}`, () => {
      const { link, partition } = started();
      const before = link.follower.id;
      happens(link, partition);
      for (let step = 0; step < 10; step++) {
        link.pass(KEEP_ALIVE_MS);
        link.settle();
      }
      expect(link.follower.id).not.to.deep.equal(before);
      expect(link.leader.id).to.deep.equal(link.follower.id);
      expectInStep(link);
    });
  }

  it('messages of an earlier session or incarnation are of no account, whenever they come', () => {
    const { link } = started();
    link.speak();
    const old = [...link.toFollower];
    link.toFollower = [];
    link.pass(TIMEOUT_MS);
    link.speak();
    const opening = [...link.toLeader];
    link.settle();
    link.follower = link.newFollower(2);
    for (const partition of link.partitions) link.subscribe(partition);
    link.settle();
    const id = link.leader.id;
    for (const bytes of old) link.deliverToFollower(bytes);
    for (const bytes of opening) link.deliverToLeader(bytes);
    link.settle();
    expect(link.leader.id).to.deep.equal(id);
    expectInStep(link);
  });

  it('repeated messages are taken once', () => {
    const { link } = started();
    for (let step = 0; step < 5; step++) {
      link.speak();
      for (const bytes of twice(link.toLeader.splice(0))) link.deliverToLeader(bytes);
      link.speak();
      for (const bytes of twice(link.toFollower.splice(0))) link.deliverToFollower(bytes);
    }
    link.settle();
    expect(link.follower.id.number).to.equal(1);
    expectInStep(link);
  });

  it('whatever the network does, everything arrives once, in order, and within the window', () => {
    for (let seed = 0; seed < 300; seed++) {
      const prng = new SeededPrng(seed);
      const link = new SessionLink({ windowBytes: 200, maxReadBytes: 50, maxMessageBytes: 80 });
      for (let each = 0; each < 3; each++) link.add();
      for (let step = 0; step < 60; step++) {
        const partition = prng.pick(link.partitions);
        if (prng.chance(40)) link.append(partition, prng.below(60));
        if (prng.chance(10)) {
          partition.logStart += prng.below(partition.highWatermark - partition.logStart + 1);
          link.advance(partition);
        }
        if (prng.chance(5)) link.subscribe(partition);
        if (prng.chance(2)) link.leader = link.newLeader();
        link.consumesAtOnce = prng.chance(50);
        link.speak();
        for (const queue of ['toLeader', 'toFollower'] as const) {
          if (prng.chance(30)) continue;
          for (const bytes of link[queue].splice(0)) {
            if (prng.chance(5)) continue;
            const deliver = () =>
              queue === 'toLeader' ? link.deliverToLeader(bytes) : link.deliverToFollower(bytes);
            deliver();
            if (prng.chance(5)) deliver();
          }
        }
        expect(link.backlog).to.be.at.most(250);
        link.pass(prng.below(80));
      }
      link.consumesAtOnce = true;
      link.consume();
      for (let step = 0; step < 12; step++) {
        link.pass(KEEP_ALIVE_MS);
        link.settle();
      }
      expectInStep(link);
    }
  });
});
