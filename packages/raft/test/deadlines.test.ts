import { expect } from 'chai';
import { invariant } from '@tidemark/core';
import type { RaftMessage } from '@tidemark/raft';
import { ReplicaGroup, timing } from './replica-group.ts';
import { SeededPrng } from './seeded-prng.ts';

interface Travelling {
  readonly message: RaftMessage;
  readonly atMs: number;
}

/** Nothing but deadlines and arriving messages makes time go on, as in a process with one timer. */
function live(group: ReplicaGroup, prng: SeededPrng, untilMs: number, lossPercent: number): number {
  let travelling: Travelling[] = [];
  let steps = 0;
  const startTicks = group.ticks;
  const depart = (): void => {
    for (const message of group.soup) {
      if (!prng.chance(lossPercent)) travelling.push({ message, atMs: group.nowMs + 1 + prng.below(20) });
    }
    group.soup = [];
  };
  depart();
  while (group.nowMs < untilMs) {
    invariant(steps++ < 1_000_000, 'time goes on');
    const arrivalMs = Math.min(untilMs, ...travelling.map(({ atMs }) => atMs));
    group.advance(arrivalMs);
    const arrived = travelling.filter(({ atMs }) => atMs <= group.nowMs);
    travelling = travelling.filter(({ atMs }) => atMs > group.nowMs);
    for (const { message } of arrived) group.hand(message);
    depart();
  }
  return group.ticks - startTicks;
}

// `ReplicaGroup.advance` checks after each tick that the next deadline lies ahead and is finite.
describe('deadlines', () => {
  for (const [voters, observers] of [
    [[1], []],
    [[1, 2], []],
    [
      [1, 2, 3],
      [4, 5],
    ],
    [[1, 2, 3, 4, 5], [6]],
  ] as const) {
    it(`alone drive ${voters.length} voters and ${observers.length} observers through losses to agreement`, () => {
      const prng = new SeededPrng(voters.length);
      const group = new ReplicaGroup({
        voters,
        observers,
        prng,
        timing: { lingerMs: 5 },
        limits: { maxCachedBytes: 0 },
      });
      const seconds = 60;
      const ticks = live(group, prng, seconds * 1000, 20);
      // A leader ticks for each heartbeat, the others now and then: far more would be a loop that is busy for nothing.
      const most = (seconds * 1000) / timing.heartbeatIntervalMs + voters.length * seconds * 4;
      expect(ticks).below(most);
      for (let round = 0; round < 20; round++) {
        const { leader } = group;
        if (leader !== undefined) {
          group.propose(leader.node, `${round}`);
          group.read(leader.node);
          if (round % 5 === 4) group.compact(leader.node);
        }
        live(group, prng, group.nowMs + 300, 10);
        if (round === 10) group.crash(voters[0]);
        if (round === 15) group.start(voters[0]);
      }
      live(group, prng, group.nowMs + 10_000, 0);
      expect(group.disagreement()).equals(undefined);
      for (const { asked } of group.members.values()) expect(asked.size).equals(0);
    });
  }

  it('of an observer that knows nobody still come', () => {
    const group = new ReplicaGroup({ voters: [], observers: [1], prng: new SeededPrng(1) });
    expect(live(group, new SeededPrng(1), 10_000, 0)).within(5, 100);
  });

  it('of a leader whose disk writes forever stay its heartbeats', () => {
    const group = new ReplicaGroup({ voters: [1, 2, 3], prng: new SeededPrng(1), timing: { lingerMs: 5 } });
    group.elect(1);
    group.held.add(1);
    for (let at = 0; at < 5; at++) group.propose(1, `${at}`);
    expect(live(group, new SeededPrng(1), group.nowMs + 10_000, 0)).within(50, 60);
    expect(group.leader?.node).equals(1);
    expect(group.raft(1).commitOffset).equals(7);
    expect(group.member(1).image.endOffset).equals(2);
  });
});
