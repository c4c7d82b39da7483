// Commands and reads on their way to the leader, wherever it is: leaders that go, that are paused and come back, and a network that
// loses, repeats and delays what is said.

import { topicIdFromBytes, type BrokerId, type NodeId, type Term } from '@tidemark/core';
import { encodeMessage } from '@tidemark/raft';
import { PeerRouter } from '@tidemark/runtime';
import { expect } from 'chai';
import { requestKinds } from '../src/leader-requests.ts';
import { encodeRequestFrame } from '../src/peer-request-frames.ts';
import { creation, outcome, QuorumGroup, TIMEOUT_MS } from './quorum-group.ts';

const three = (seed = 1): Promise<QuorumGroup> => QuorumGroup.withBroker({ voters: 3, seed });
const leaderOf = async (group: QuorumGroup): Promise<number> => (await group.leader()).self.nodeId;
const deletion = (name: string) => ({ type: 'deleteTopics', topics: [{ name }] }) as const;

describe('a command', () => {
  it('is decided for a follower and for a broker that does not vote, and is in their images soon', async () => {
    const group = await three();
    await group.clock.settle(group.start(7));
    const [follower] = await group.followers();
    for (const [id, name] of [
      [follower!, 'a'],
      [7, 'b'],
    ] as const) {
      expect(outcome(await group.createTopic(id, name))).to.equal('ok');
      expect((await group.clock.settle(group.node(id).readBarrier(TIMEOUT_MS))).ok).to.equal(true);
      expect(group.topics(id)).to.include(name);
    }
  });

  it('waits for a leader while there is none, and is carried out once', async () => {
    const group = await three();
    const leader = await leaderOf(group);
    const [follower] = await group.followers();
    await group.clock.settle(group.stop(leader));
    await group.until(() => group.node(follower!).quorum.leader?.nodeId !== leader);
    const before = group.node(follower!).image.brokers().length;
    expect(outcome(await group.createTopic(follower!, 'a'))).to.equal('ok');
    expect(group.topics(follower!)).to.deep.equal(['a']);
    expect(group.node(follower!).image.brokers()).to.have.length(before);
  });

  it('that cannot be repeated is said to be unknown when its leader goes, and is not carried out twice', async () => {
    const group = await three();
    for (const name of ['kept', 'gone']) await group.createTopic(1, name);
    const leader = await leaderOf(group);
    const [follower] = await group.followers();
    // The leader gets it, and its decision gets nowhere.
    for (const id of [1, 2, 3]) if (id !== leader) group.network.block(leader as NodeId, id as NodeId);
    const answer = await group.submit(follower!, deletion('gone'));
    expect(outcome(answer)).to.equal('REQUEST_TIMED_OUT');
    group.network.heal();
    await group.leader();
    await group.same();
    expect(group.topics(follower!)).to.include('kept');
    // Nobody knew, and here it did not: the entry was never on another disk.
    expect(group.topics(follower!)).to.include('gone');
    expect(outcome(await group.submit(follower!, deletion('gone')))).to.equal('ok');
  });

  it('that its leader cannot get to a majority is not acknowledged there either', async () => {
    const group = await three();
    await group.createTopic(1, 'gone');
    const leader = await leaderOf(group);
    for (const id of [1, 2, 3]) if (id !== leader) group.network.block(leader as NodeId, id as NodeId);
    const answer = await group.submit(leader, deletion('gone'));
    expect(outcome(answer)).to.equal('REQUEST_TIMED_OUT');
    expect(group.node(leader).isActive).to.equal(false);
  });

  it('is carried out once on a network that repeats, loses and delays everything', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const group = await three(seed);
      const [follower] = await group.followers();
      const brokerEpoch = group.node(1).image.broker(1)!.epoch;
      group.network.faults = { dropOneIn: 0, duplicateOneIn: 1, reorderOneIn: 3 };
      const before = (await leaderImage(group)).nextProducerId;
      const command = { type: 'allocateProducerIds', brokerId: 1 as BrokerId, brokerEpoch } as const;
      const answers = [];
      for (let at = 0; at < 5; at++) answers.push(await group.submit(follower!, command));
      const firsts = answers.map((answer) => ('error' in answer ? -1 : answer.firstProducerId));
      expect(new Set(firsts).size, `seed ${seed}`).to.equal(5);
      expect((await leaderImage(group)).nextProducerId - before, `seed ${seed}`).to.equal(5_000);
      group.network.faults = { dropOneIn: 3, duplicateOneIn: 3, reorderOneIn: 3 };
      const names = ['a', 'b', 'c', 'd'];
      const made = await group.clock.settle(
        Promise.all(names.map((name) => group.node(follower!).submit(creation(name), TIMEOUT_MS))),
      );
      group.network.heal();
      await group.leader();
      await group.same();
      for (const [at, name] of names.entries()) {
        // What was acknowledged is there; what was not may be.
        if (outcome(made[at]!) === 'ok') expect(group.topics(1), `seed ${seed}`).to.include(name);
        else expect(outcome(made[at]!), `seed ${seed}`).to.be.oneOf(['REQUEST_TIMED_OUT', 'NOT_CONTROLLER']);
      }
    }
  });

  it('that waits when its node closes is settled at once', async () => {
    const group = await three();
    const leader = await leaderOf(group);
    const [follower] = await group.followers();
    const node = group.node(follower!);
    for (const id of [1, 2, 3]) if (id !== leader) group.network.block(leader as NodeId, id as NodeId);
    const waiting = [
      node.submit(creation('a'), 60_000),
      node.readBarrier(60_000),
      node.changeVoters({ type: 'remove', replica: group.key(leader) }, 60_000),
      node.transferLeadership(undefined, 60_000),
    ];
    const atMs = group.clock.monotonicMs();
    await group.clock.settle(group.stop(follower!));
    for (const answer of await group.clock.settle(Promise.all(waiting))) {
      expect(outcome(answer)).to.be.oneOf(['REQUEST_TIMED_OUT', 'NOT_CONTROLLER', 'NETWORK_EXCEPTION']);
    }
    expect(group.clock.monotonicMs() - atMs).to.be.lessThan(1_000);
  });
});

describe('a read', () => {
  it('whose request is lost is asked again soon, and not when its time is over', async () => {
    const group = await three();
    const leader = (await leaderOf(group)) as NodeId;
    const follower = (await group.followers())[0]! as NodeId;
    // Too short for the quorum to notice: the leader stays, and hears of the follower again.
    group.network.block(follower, leader);
    const read = group.node(follower).readBarrier(30_000);
    await group.clock.advance(100);
    group.network.unblock(follower, leader);
    const atMs = group.clock.monotonicMs();
    expect((await group.clock.settle(read)).ok).to.equal(true);
    expect(await leaderOf(group)).to.equal(leader);
    expect(group.clock.monotonicMs() - atMs).to.be.below(2_000);
  });
});

describe('a leader that closes', () => {
  it('without a majority gives up what waits when it resigns', async () => {
    const group = await three();
    const leader = await leaderOf(group);
    for (const id of await group.followers()) group.kill(id);
    const waiting = [
      group.node(leader).submit(creation('a'), 60_000),
      group.node(leader).changeVoters({ type: 'remove', replica: group.key(leader === 1 ? 2 : 1) }, 60_000),
      group.node(leader).transferLeadership(undefined, 60_000),
    ];
    await group.clock.settle(group.stop(leader));
    const [made, ...others] = await group.clock.settle(Promise.all(waiting));
    expect(outcome(made!)).to.equal('REQUEST_TIMED_OUT');
    for (const answer of others) {
      expect(outcome(answer)).to.be.oneOf(['REQUEST_TIMED_OUT', 'NOT_CONTROLLER', 'INVALID_REQUEST']);
    }
  });
});

describe('a leader that is paused', () => {
  it('neither decides nor answers reads when it goes on, and says nothing of what was', async () => {
    const group = await three();
    await group.createTopic(1, 'old');
    const leader = await leaderOf(group);
    const [follower] = await group.followers();
    const paused = group.node(leader);
    group.pause(leader);
    await group.until(() => group.node(follower!).isActive || group.node(6 - leader - follower!).isActive);
    expect(outcome(await group.submit(follower!, deletion('old')))).to.equal('ok');
    expect(outcome(await group.createTopic(follower!, 'new'))).to.equal('ok');
    expect(paused.isActive, 'it has not noticed').to.equal(true);
    // In the very moment it goes on, before anybody has told it anything.
    const taken = paused.submitHere(creation('old'));
    const decided = paused.submit(creation('mine'), 3_000);
    const read = paused.readBarrier(3_000).then((answer) => ({ answer, topics: group.topics(leader) }));
    group.resume(leader);
    expect(outcome(await group.clock.settle(taken)), 'the topic is gone').to.not.equal(
      'TOPIC_ALREADY_EXISTS',
    );
    const { answer, topics } = await group.clock.settle(read);
    if (answer.ok) expect(topics).to.include('new').and.to.not.include.members(['old']);
    const made = outcome(await group.clock.settle(decided));
    await group.leader();
    await group.same();
    // Through the next leader, or not at all: but never by itself.
    if (made === 'ok') expect(group.topics(follower!)).to.include('mine');
    expect(group.topics(leader)).to.deep.equal(group.topics(follower!));
    expect(group.fatal).to.deep.equal([]);
  });

  it('has reads elsewhere see what was answered meanwhile, again and again', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const group = await three(seed);
      for (let round = 0; round < 3; round++) {
        const leader = await leaderOf(group);
        const others = await group.followers();
        group.pause(leader);
        const writer = others[0]!;
        const name = `t${round}`;
        await group.until(() => others.some((id) => group.node(id).isActive));
        expect(outcome(await group.createTopic(writer, name)), `seed ${seed}`).to.equal('ok');
        const reads = [others[1]!, leader].map(async (id) => {
          const { ok } = await group.node(id).readBarrier(5_000);
          return !ok || group.topics(id).includes(name);
        });
        group.resume(leader);
        expect(await group.clock.settle(Promise.all(reads)), `seed ${seed}`).to.deep.equal([true, true]);
        await group.same();
      }
    }
  });
});

describe('a request between nodes that cannot be read', () => {
  it('is refused, and is no bug of the node that gets it', async () => {
    const group = await three();
    const leader = await leaderOf(group);
    const requests = new PeerRouter(group.network.join(9 as NodeId)).channel(2);
    for (const [at, kind] of Object.values(requestKinds).entries()) {
      for (const [turn, body] of [
        new Uint8Array(0),
        new Uint8Array(9).fill(0xff),
        Uint8Array.of(1, 2),
      ].entries()) {
        const sequence = 1 + at * 3 + turn;
        const frame = { kind, incarnation: 1, sequence, sentAtMs: 1, timeoutMs: 1_000, body };
        requests.sendPrefixed(leader as NodeId, encodeRequestFrame(frame));
      }
    }
    await group.clock.advance(2_000);
    expect(group.fatal).to.deep.equal([]);
    expect(outcome(await group.createTopic(leader, topicIdFromBytes(new Uint8Array(16))))).to.equal('ok');
  });
});

describe('a message of the quorum', () => {
  it('in the name of another node than the one that sent it is not listened to', async () => {
    const group = await three();
    const leader = await leaderOf(group);
    const [follower] = await group.followers();
    const raft = new PeerRouter(group.network.join(9 as NodeId)).channel(1);
    const { term, logEndOffset } = group.node(leader).quorum;
    const forged = {
      type: 'append',
      from: group.key(follower!),
      to: group.key(leader),
      term: (term + 50) as Term,
      previous: { endOffset: logEndOffset, term },
      entries: [],
      commitOffset: logEndOffset,
      round: 1,
    } as const;
    raft.sendPrefixed(leader as NodeId, encodeMessage(forged, 1));
    await group.clock.advance(100);
    expect(group.node(leader).quorum).to.include({ term, role: 'leader' });
  });
});

const leaderImage = async (group: QuorumGroup) => (await group.leader()).image;
