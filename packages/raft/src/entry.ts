// What the log holds. An entry covers a range of offsets and is committed whole; where a text on Raft says index, this says
// end offset: a log "up to E" holds every entry whose `endOffset` is at most E. Offsets are the metadata log's own.

import type { Offset, Term } from '@tidemark/core';

export type EntryKind =
  /** The caller's. */
  | 'data'
  /** The first of every leader: nothing counts as committed in its term before it (Raft, section 8). One offset. */
  | 'leaderChange'
  /** A set of voters, in force from the moment it is in a log, committed or not (Raft thesis, 4.1). One offset. */
  | 'voters';

export interface Entry {
  readonly kind: EntryKind;
  readonly term: Term;
  readonly baseOffset: Offset;
  /** Exclusive; above `baseOffset`. */
  readonly endOffset: Offset;
  /** `voters`: see voters-codec.ts. `leaderChange`: empty. */
  readonly payload: Uint8Array;
}

/** Up to where a log goes, and the term of its last entry; term 0 and offset 0 for an empty one. */
export interface LogPosition {
  readonly endOffset: Offset;
  readonly term: Term;
}

export const ORIGIN: LogPosition = { endOffset: 0 as Offset, term: 0 as Term };

/** Whether a candidate whose log ends at `a` may be elected by a voter whose log ends at `b` (Raft, 5.4.1). */
export function isUpToDate(a: LogPosition, b: LogPosition): boolean {
  return a.term > b.term || (a.term === b.term && a.endOffset >= b.endOffset);
}
