// What a replica does, as it does it: for metrics, and for the simulator, which checks the safety properties of Raft after every
// event. An observer changes nothing and must not throw in production.

import type { Offset, Term } from '@tidemark/core';
import type { Entry, LogPosition } from './entry.ts';
import type { SnapshotId } from './message.ts';
import type { ReplicaKey, VoterSet } from './replica.ts';

/** `observer`: a replica that is no voter. `prospective`: a voter that asks for pre-votes (KIP-996). */
export type Role = 'observer' | 'follower' | 'prospective' | 'candidate' | 'leader';

export interface RaftObserver {
  /** The first thing a replica says: what its disk has kept of the log, and up to where that is known to be committed. */
  started?(end: LogPosition, commitOffset: Offset): void;
  /** Term, role or leader is another than before. */
  roleChanged?(role: Role, term: Term, leader: ReplicaKey | undefined): void;
  /** A vote was given (its own included); it goes out once it is on disk. */
  voted?(term: Term, candidate: ReplicaKey): void;
  /** Entries were put at the end of the log in memory; on disk later. */
  appended?(entries: readonly Entry[]): void;
  /** Entries from `endOffset` on were taken off the log. */
  truncated?(endOffset: Offset): void;
  /** The log on disk and in memory was replaced by a snapshot. */
  snapshotInstalled?(snapshot: SnapshotId, voters: VoterSet): void;
  /** Everything below is committed, as far as this replica knows. */
  committed?(endOffset: Offset): void;
  /** The voters in force are these. */
  votersChanged?(voters: VoterSet): void;
  /** As leader: a linearizable read was confirmed; everything below `offset` must be visible to it. */
  readConfirmed?(offset: Offset): void;
}
