import { expect } from 'chai';
import type { NodeId, Offset, Term } from '@tidemark/core';
import type { EntryRead, RaftMessage } from '@tidemark/raft';
import { entry, logOf, position, votersEntry } from './entries.ts';
import { FakeDisk } from './fake-disk.ts';
import { append, joinOf, loneReplica, matchOffsets, pieceOf } from './lone-replica.ts';
import { ReplicaGroup, replicaOf, type GroupOptions } from './replica-group.ts';
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

describe('an observer that lost its log, and is back before its leader has forgotten it', () => {
  it('gets it again', () => {
    const group = groupOf([1], { observers: [4] });
    group.elect(1);
    for (let at = 0; at < 5; at++) group.propose(1, `entry ${at}`);
    group.run(1_000);
    expect(group.raft(4).commitOffset).equals(group.raft(1).commitOffset);
    group.crash(4);
    group.member(4).disk = new FakeDisk([]);
    group.start(4);
    group.run(10_000);
    expect(group.raft(4).commitOffset).equals(group.raft(1).commitOffset);
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

describe('a snapshot of what the follower has', () => {
  it('takes off nothing that was acknowledged behind it', () => {
    const group = groupOf([1, 2, 3], { limits: { maxSnapshotPieceBytes: 1000 } });
    group.elect(1);
    const to = (node: number) => group.soup.filter((message) => message.to.nodeId === node);
    group.propose(1, 'a');
    const first = to(2)[0]!;
    const [other] = to(3);
    group.propose(1, 'b');
    const second = to(2).at(-1)!;
    group.deliver(other!);
    for (const message of to(1)) group.deliver(message);
    expect(group.raft(1).commitOffset).equals(3);
    // A heartbeat overtakes both, the log before 3 goes, and what follower 2 needs is in a snapshot now.
    group.compact(1);
    group.nowMs += 250;
    group.tick(1);
    group.deliver(to(2).at(-1)!);
    for (const message of to(1)) group.deliver(message);
    const [piece] = group.soupOf('snapshot');
    group.deliver(first);
    group.deliver(second);
    const late = group.soupOf('appendResponse').at(-1)!;
    expect(late.matchOffset).equals(4);
    group.deliver(piece!);
    for (const message of group.soupOf('snapshotResponse')) group.deliver(message);
    group.deliver(late);
    expect(group.raft(1).commitOffset).equals(4);
    expect(group.member(2).disk.endOffset).equals(4);
  });

  it('is not answered as installed before it is on disk', () => {
    const raft = loneReplica([1, 2, 3]);
    const piece = pieceOf(1, 2, 0, 'whole', true);
    raft.step(piece, 0);
    raft.step({ ...piece, round: 2 }, 0);
    const ready = raft.takeReady(0);
    expect(ready.install?.snapshot).deep.equals(piece.snapshot);
    expect(ready.messages).deep.equals([]);
    expect(ready.messagesAfterPersist.map(({ type }) => type)).deep.equals([
      'snapshotResponse',
      'snapshotResponse',
    ]);
  });

  it('begins anew when its leader does, though it is the same snapshot', () => {
    const group = groupOf([1, 2, 3]);
    group.elect(1);
    group.crash(2);
    for (let at = 0; at < 5; at++) group.propose(1, `${at}`);
    group.settle();
    group.compact(1);
    group.start(2);
    for (let left = 50; left > 0 && group.soupOf('snapshotResponse')[0]?.nextPosition !== 80; left--) {
      if (group.soup.length > 0) group.deliver(group.soup[0]!);
      else group.advance(group.nowMs + 100);
    }
    expect(group.soupOf('snapshotResponse')).lengthOf(1);
    // The stream it was sent from is gone, and an iterator cannot go on in the middle.
    group.member(1).sending.clear();
    group.run(5000);
    expect(group.disagreement()).equals(undefined);
  });

  it('is not thrown away because a piece or an answer came twice', () => {
    const group = groupOf([1, 2, 3]);
    group.elect(1);
    group.crash(2);
    for (let at = 0; at < 5; at++) group.propose(1, `${at}`);
    group.settle();
    group.compact(1);
    group.start(2);
    let reads = 0;
    group.onEvent = ({ type }) => {
      if (type === 'snapshotRead') reads++;
    };
    for (let left = 1000; left > 0 && group.disagreement() !== undefined; left--) {
      const [next] = group.soup;
      if (next === undefined) group.advance(group.nowMs + 100);
      else {
        if (next.type.startsWith('snapshot')) group.hand(next);
        group.deliver(next);
      }
    }
    expect(group.disagreement()).equals(undefined);
    expect(reads).equals(3);
  });
});

describe('a log that is cut while an earlier write is under way', () => {
  it('counts nothing as written that is to be written again', () => {
    const raft = loneReplica([1, 2, 3, 4, 5]);
    const old = [entry(2, 1), entry(2, 2)];
    raft.step(append(1, 2, [0, 0], entry(1, 0), ...old), 0);
    const first = raft.takeReady(0);
    // While it is written, one leader takes two entries off, and another puts the same ones back on.
    raft.step(append(3, 3, [1, 1], entry(3, 1)), 0);
    raft.step(append(1, 4, [1, 1], ...old), 0);
    raft.persisted(first);
    raft.step(append(1, 4, [3, 2]), 0);
    const second = raft.takeReady(0);
    expect(second.truncateTo).equals(1);
    expect(matchOffsets(second.messages)).deep.equals([1]);
    expect(matchOffsets(second.messagesAfterPersist).at(-1)).equals(3);
    raft.persisted(second);
    raft.step(append(1, 4, [3, 2]), 0);
    expect(matchOffsets(raft.takeReady(0).messages)).deep.equals([3]);
  });

  it('counts each Ready of several under way up to where a later one cuts', () => {
    const raft = loneReplica([1, 2, 3, 4, 5]);
    const old = [entry(2, 1), entry(2, 2)];
    raft.step(append(1, 2, [0, 0], entry(1, 0), ...old), 0);
    const first = raft.takeReady(0);
    raft.step(append(3, 3, [1, 1], entry(3, 1)), 0);
    raft.step(append(1, 4, [1, 1], ...old), 0);
    const second = raft.takeReady(0);
    const stable = (): number | undefined => {
      raft.step(append(1, 4, [3, 2]), 0);
      return matchOffsets(raft.takeReady(0).messages).at(-1);
    };
    expect(stable()).equals(0);
    raft.persisted(first);
    expect(stable()).equals(1);
    raft.persisted(second);
    expect(stable()).equals(3);
  });
});

describe('entries that are on the disk only', () => {
  it('are read up to where memory goes on, and no further', () => {
    const group = groupOf([1, 2, 3], { limits: { maxCachedBytes: 0 } });
    group.elect(1);
    group.crash(3);
    for (let at = 0; at < 5; at++) group.propose(1, `${at}`);
    group.settle();
    group.crash(2);
    const reads: EntryRead[] = [];
    const raft = group.raft(1);
    raft.propose(new Uint8Array(1), 1, group.nowMs);
    raft.step(joinOf(3, raft.term, 1, 2), group.nowMs);
    reads.push(...raft.takeReady(group.nowMs).reads);
    expect(reads.map(({ from, upTo }) => [from, upTo])).deep.equals([[2, 7]]);
  });
});

describe('a leader that some followers do not hear', () => {
  it('resigns although they ask it for the log', () => {
    const group = groupOf([1, 2, 3, 4]);
    group.elect(1);
    // 1 reaches 4 alone; everybody reaches 1, so 4 tells 2 and 3 whom to ask.
    const isLost = ({ from, to }: RaftMessage): boolean =>
      from.nodeId === 1 && (to.nodeId === 2 || to.nodeId === 3);
    group.run(5000, isLost);
    expect(group.leader?.node).not.equals(1);
    expect(group.leader?.up.isServing).equals(true);
  });
});

describe('a follower whose entries are read from a slow disk', () => {
  it('hears from its leader all the same', () => {
    const group = groupOf([1, 2, 3], { limits: { maxCachedBytes: 0 } });
    group.elect(1);
    group.crash(3);
    for (let at = 0; at < 5; at++) group.propose(1, `${at}`);
    group.settle();
    group.start(3);
    group.writesAtOnce = false;
    group.raft(1).step(joinOf(3, group.raft(1).term, 1), group.nowMs);
    group.pump(1);
    expect(group.member(1).reads).lengthOf(1);
    group.nowMs += 250;
    group.tick(1);
    expect(group.soupOf('append').filter(({ to }) => to.nodeId === 3)).lengthOf(1);
    expect(group.member(1).reads).lengthOf(1);
  });

  it('is tried again at the next heartbeat, and not at once, when they cannot be read', () => {
    const group = groupOf([1, 2, 3], { limits: { maxCachedBytes: 0 } });
    group.elect(1);
    group.crash(3);
    for (let at = 0; at < 5; at++) group.propose(1, `${at}`);
    group.settle();
    const raft = group.raft(1);
    raft.step(joinOf(3, raft.term, 1), group.nowMs);
    const [read] = raft.takeReady(group.nowMs).reads;
    raft.entriesRead(read!.to, read!.from, []);
    expect(raft.takeReady(group.nowMs).reads).deep.equals([]);
    raft.tick(group.nowMs + 250);
    expect(raft.takeReady(group.nowMs + 250).reads).lengthOf(1);
  });

  it('asks for a snapshot again at the next heartbeat when there is none to read', () => {
    const group = groupOf([1, 2, 3]);
    group.elect(1);
    group.crash(3);
    for (let at = 0; at < 5; at++) group.propose(1, `${at}`);
    group.settle();
    group.compact(1);
    const raft = group.raft(1);
    raft.step(joinOf(3, raft.term, 1), group.nowMs);
    const [read] = raft.takeReady(group.nowMs).snapshotReads;
    raft.snapshotPiece(read!.to, undefined, group.nowMs);
    expect(raft.takeReady(group.nowMs).snapshotReads).deep.equals([]);
    raft.tick(group.nowMs + 250);
    expect(raft.takeReady(group.nowMs + 250).snapshotReads).lengthOf(1);
  });
});

describe('entries that come in one message with some that are committed here already', () => {
  it('are taken', () => {
    const raft = loneReplica([1, 2, 3]);
    raft.step({ ...append(1, 1, [0, 0], entry(1, 0), entry(1, 1)), commitOffset: 2 as Offset }, 0);
    raft.persisted(raft.takeReady(0));
    raft.step(append(1, 1, [1, 1], entry(1, 1), entry(1, 2)), 0);
    const ready = raft.takeReady(0);
    expect(ready.entries.map(({ endOffset }) => endOffset)).deep.equals([3]);
    expect(matchOffsets(ready.messagesAfterPersist)).deep.equals([3]);
  });
});

describe('acknowledgements of what is written together', () => {
  it('are one, which covers the others', () => {
    const raft = loneReplica([1, 2, 3]);
    raft.step(append(1, 1, [0, 0], entry(1, 0)), 0);
    raft.step(append(1, 1, [1, 1], entry(1, 1)), 0);
    raft.step(append(1, 1, [2, 1]), 0);
    expect(matchOffsets(raft.takeReady(0).messagesAfterPersist)).deep.equals([2]);
  });
});

describe('what is urgent while the disk writes', () => {
  it('is nothing when a new vote has to be written first', () => {
    const raft = loneReplica([1, 2, 3]);
    raft.step(append(1, 1, [0, 0], entry(1, 0)), 0);
    const ready = raft.takeReady(0);
    raft.step(append(1, 1, [1, 1]), 100);
    expect(matchOffsets(raft.takeUrgent(100))).deep.equals([0]);
    const vote = { type: 'vote', pre: false, transfer: true, last: position(9, 1) } as const;
    raft.step({ ...vote, from: replicaOf(3), to: replicaOf(2), term: 2 as Term }, 200);
    expect(raft.takeUrgent(200)).deep.equals([]);
    raft.persisted(ready);
    const next = raft.takeReady(200);
    expect(next.hardState?.vote).deep.equals(replicaOf(3));
    expect(next.messages.map(({ type }) => type)).deep.equals(['voteResponse']);
  });
});

describe('an election', () => {
  it('commits in one round trip where the logs agree', () => {
    const group = groupOf([1, 2, 3]);
    group.elect(1);
    group.raft(1).transferLeadership(2 as NodeId, group.nowMs);
    group.pump(1);
    let refusals = 0;
    group.onEvent = (event) => {
      if (
        event.type === 'sent' &&
        event.message.type === 'appendResponse' &&
        event.message.refused !== undefined
      ) {
        refusals++;
      }
    };
    group.settle();
    expect(group.raft(2).isServing).equals(true);
    expect(refusals).equals(0);
  });
});

describe('a follower', () => {
  it('goes back to the voters before when those in its log are cut off', () => {
    const raft = loneReplica([1, 2, 3]);
    raft.step(append(1, 1, [0, 0], entry(1, 0), votersEntry(1, 1, [1, 3])), 0);
    expect(raft.voters.map(({ nodeId }) => nodeId)).deep.equals([1, 3]);
    raft.step(append(3, 2, [1, 1], entry(2, 1)), 0);
    expect(raft.voters.map(({ nodeId }) => nodeId)).deep.equals([1, 2, 3]);
    expect(raft.role).equals('follower');
  });

  it('takes nothing for committed that was not compared with the log of the leader', () => {
    const raft = loneReplica([1, 2, 3]);
    raft.step(append(1, 1, [0, 0], entry(1, 0), entry(1, 1), entry(1, 2)), 0);
    raft.step({ ...append(3, 2, [1, 1]), commitOffset: 3 as Offset }, 0);
    expect(raft.commitOffset).equals(1);
  });
});
