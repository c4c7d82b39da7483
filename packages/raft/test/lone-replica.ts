// One replica and nobody else: the test makes every message by hand and sees every `Ready`.

import type { NodeId, Offset, Term } from '@tidemark/core';
import {
  defaultRaftLimits,
  Raft,
  type AppendRequest,
  type AppendResponse,
  type Entry,
  type JoinRequest,
  type RaftMessage,
  type RaftOptions,
  type SnapshotRequest,
} from '@tidemark/raft';
import { position } from './entries.ts';
import { FakeDisk } from './fake-disk.ts';
import { replicaOf, timing, voterOf } from './replica-group.ts';
import { SeededPrng } from './seeded-prng.ts';

/** Node 2 of `voters`. */
export function loneReplica(voters: readonly number[], options: Partial<RaftOptions> = {}): Raft {
  const disk = new FakeDisk(voters.map((node) => voterOf(node)));
  return new Raft(
    {
      self: replicaOf(2),
      endpoint: voterOf(2).endpoint,
      prng: new SeededPrng(1),
      timing,
      limits: defaultRaftLimits,
      hardState: disk.hardState,
      voters: disk.imageVoters,
      log: disk.logState(),
      bootstrapNodes: voters.map((node) => node as NodeId),
      ...options,
    },
    0,
  );
}

export const append = (
  from: number,
  term: number,
  previous: readonly [endOffset: number, term: number],
  ...entries: Entry[]
): AppendRequest => ({
  type: 'append',
  from: replicaOf(from),
  to: replicaOf(2),
  term: term as Term,
  previous: position(...previous),
  entries,
  commitOffset: 0 as Offset,
  round: 0,
});

/** From replica 1 in term 2. */
export const pieceOf = (
  endOffset: number,
  term: number,
  at: number,
  text: string,
  isLast = false,
): SnapshotRequest => ({
  type: 'snapshot',
  from: replicaOf(1),
  to: replicaOf(2),
  term: 2 as Term,
  snapshot: position(endOffset, term),
  voters: [1, 2, 3].map((node) => voterOf(node)),
  position: at,
  bytes: new TextEncoder().encode(text),
  isLast,
  round: 1,
});

export const joinOf = (node: number, term: number, to: number, endOffset = 0): JoinRequest => ({
  type: 'join',
  from: replicaOf(node),
  to: replicaOf(to),
  term: term as Term,
  last: position(endOffset, 0),
  endpoint: voterOf(node).endpoint,
});

export const matchOffsets = (messages: readonly RaftMessage[]): (number | undefined)[] =>
  messages
    .filter((message): message is AppendResponse => message.type === 'appendResponse')
    .map(({ matchOffset }) => matchOffset);
