import { expect } from 'chai';
import type { Term } from '@tidemark/core';
import { SnapshotReceiver } from '../src/snapshot-receiver.ts';
import { entry } from './entries.ts';
import { append, loneReplica, pieceOf } from './lone-replica.ts';

describe('half a snapshot', () => {
  it('is let go of when another leader speaks: nobody goes on with it', () => {
    const receiver = new SnapshotReceiver(1_000);
    receiver.receive(pieceOf(9, 1, 0, 'half'));
    expect(receiver.keptBytes).equals(4);
    receiver.heard(2 as Term);
    expect(receiver.keptBytes).equals(4);
    receiver.heard(3 as Term);
    expect(receiver.keptBytes).equals(0);
  });

  it('keeps nobody from following that leader', () => {
    const raft = loneReplica([1, 2, 3]);
    raft.step(pieceOf(9, 1, 0, 'half'), 0);
    raft.step(append(3, 3, [0, 0], entry(3, 0)), 0);
    raft.takeReady(0);
    expect(raft.logEndOffset).equals(1);
  });
});
