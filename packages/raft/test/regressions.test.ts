import { expect } from 'chai';
import type { Term } from '@tidemark/core';
import { logOf, votersEntry } from './entries.ts';
import { ReplicaGroup, type GroupOptions } from './replica-group.ts';
import { SeededPrng } from './seeded-prng.ts';

// Each was a bug, or would have been: what is done, what must hold.

function groupOf(voters: number[], options: Partial<GroupOptions> = {}): ReplicaGroup {
  return new ReplicaGroup({ voters, prng: new SeededPrng(1), ...options });
}

describe('a leader that looks for where the logs part', () => {
  it('goes on when the entries it probed with are refused', () => {
    const group = groupOf([1, 2, 3], {
      prepare: (node, disk) => {
        disk.hardState = { term: 4 as Term, vote: undefined };
        disk.entries = node === 3 ? logOf(1, 1, 1, 2, 2) : logOf(1, 1, 1, 1, 3);
      },
    });
    group.elect(1);
    group.run(100);
    expect(group.disagreement()).equals(undefined);
  });
});

describe('a removal that only the removed leader has', () => {
  it('does not leave the quorum without anybody who can be elected', () => {
    const group = groupOf([1, 2]);
    group.elect(1);
    group.raft(1).proposeVoters({ type: 'remove', replica: group.member(1).key }, group.nowMs);
    group.pump(1);
    group.soup = [];
    group.crash(1);
    group.start(1);
    group.run(10_000);
    expect(group.leader?.node).equals(2);
    expect(group.disagreement()).equals(undefined);
    expect(group.raft(1).role).equals('observer');
  });
});

describe('a voter whose voters were all replaced while it was down', () => {
  it('finds the leader through the nodes it was started with', () => {
    const group = groupOf([1, 2, 3], {
      prepare: (node, disk) => {
        disk.hardState = { term: 1 as Term, vote: undefined };
        disk.entries = node === 3 ? [...logOf(1), votersEntry(1, 1, [3, 8, 9])] : logOf(1);
      },
    });
    group.run(10_000);
    expect(group.raft(3).leader?.nodeId).equals(group.leader!.node);
    expect(group.disagreement()).equals(undefined);
  });
});
