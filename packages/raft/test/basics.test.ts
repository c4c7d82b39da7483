import { expect } from 'chai';
import type { Offset } from '@tidemark/core';
import { ReplicaGroup, timing, voterOf } from './replica-group.ts';
import { SeededPrng } from './seeded-prng.ts';

describe('a group of replicas', () => {
  const group = (voters: number[], observers: number[] = []) =>
    new ReplicaGroup({ voters, observers, prng: new SeededPrng(1) });

  it('elects one leader and replicates what is proposed', () => {
    const three = group([1, 2, 3], [4]);
    three.run(5000);
    expect(three.disagreement()).equals(undefined);
    for (let at = 0; at < 10; at++) three.propose(three.leader!.node, `x${at}`, 1 + (at % 3));
    three.run(1000);
    expect(three.disagreement()).equals(undefined);
    expect(three.leader!.image.endOffset).equals(21);
  });

  it('leads at once when it is alone', () => {
    const alone = group([1]);
    alone.run(1);
    expect(alone.leader?.node).equals(1);
    alone.propose(1, 'x');
    expect(alone.disagreement()).equals(undefined);
  });

  it('knows whom its leader replaced and when that was heard last', () => {
    const three = group([1, 2, 3]);
    three.run(3000);
    const first = three.leader!.node;
    expect(three.raft(first).predecessor).equals(undefined);
    three.crash(first);
    const silentMs = three.nowMs;
    three.run(5000);
    const second = three.leader!.node;
    const { leader, atMs } = three.raft(second).predecessor!;
    expect(leader.nodeId).equals(first);
    expect(atMs).within(silentMs - timing.heartbeatIntervalMs, silentMs);
    // After a restart nobody remembers.
    for (const node of three.nodes) if (three.isUp(node)) three.crash(node);
    for (const node of three.nodes) three.start(node);
    three.run(5000);
    expect(three.raft(three.leader!.node).predecessor).equals(undefined);
  });

  it('comes back after everybody was restarted', () => {
    const three = group([1, 2, 3]);
    three.run(3000);
    three.propose(three.leader!.node, 'x');
    three.settle();
    for (const node of three.nodes) three.crash(node);
    three.soup = [];
    for (const node of three.nodes) three.start(node);
    three.run(5000);
    expect(three.disagreement()).equals(undefined);
    expect(three.leader!.image.endOffset).equals(4);
  });

  it('catches up with a snapshot', () => {
    const three = group([1, 2, 3]);
    three.run(3000);
    const leader = three.leader!.node;
    const other = three.nodes.find((node) => node !== leader)!;
    three.crash(other);
    for (let at = 0; at < 10; at++) three.propose(leader, `x${at}`);
    three.run(1000);
    for (const node of three.nodes) if (node !== other) three.compact(node);
    three.start(other);
    three.run(3000);
    expect(three.disagreement()).equals(undefined);
    expect(three.member(other).disk.logStartOffset).above(0);
  });

  it('changes voters and hands over', () => {
    const three = group([1, 2, 3], [4]);
    three.run(5000);
    const leader = three.leader!;
    expect(leader.up.proposeVoters({ type: 'add', voter: voterOf(4) }, three.nowMs).ok).equals(true);
    three.pump(leader.node);
    three.settle();
    expect(leader.up.voters.map(({ nodeId }) => nodeId)).deep.equals([1, 2, 3, 4]);
    expect(leader.up.proposeVoters({ type: 'remove', replica: leader.key }, three.nowMs).ok).equals(true);
    three.pump(leader.node);
    three.run(5000);
    expect(three.leader!.node).not.equals(leader.node);
    expect(three.disagreement()).equals(undefined);
    const next = three.leader!;
    const to = next.up.voters.find(({ nodeId }) => nodeId !== next.node)!.nodeId;
    expect(next.up.transferLeadership(to, three.nowMs).ok).equals(true);
    three.pump(next.node);
    three.settle();
    expect(three.leader!.node).equals(to);
    three.read(to);
    three.settle();
    expect(three.leader!.readsConfirmed).equals(1);
    expect(three.leader!.image.endOffset satisfies Offset).above(0);
  });
});
