// What replicas say to each other. Every message may be lost, repeated, delayed and overtaken; none relies on an earlier one.

import type { Offset, Term } from '@tidemark/core';
import type { Entry, LogPosition } from './entry.ts';
import type { PeerEndpoint, ReplicaKey, VoterSet } from './replica.ts';

interface Envelope {
  readonly from: ReplicaKey;
  readonly to: ReplicaKey;
  /** The sender's; with a pre-vote the term it would campaign in, with a granted pre-vote the term asked for. */
  readonly term: Term;
}

/** Asks for a vote, or with `pre` whether there would be one: nothing is promised and no term moves (Raft thesis, 9.6). */
export interface VoteRequest extends Envelope {
  readonly type: 'vote';
  readonly pre: boolean;
  readonly last: LogPosition;
  /** The leader has asked for this election: voters need not wait until they have missed it. */
  readonly transfer: boolean;
}

export interface VoteResponse extends Envelope {
  readonly type: 'voteResponse';
  readonly pre: boolean;
  readonly granted: boolean;
}

/** Entries behind `previous`; none is a heartbeat. */
export interface AppendRequest extends Envelope {
  readonly type: 'append';
  readonly previous: LogPosition;
  readonly entries: readonly Entry[];
  readonly commitOffset: Offset;
  /** Comes back in the response: which of the leader's rounds is confirmed by it. */
  readonly round: number;
}

export interface AppendResponse extends Envelope {
  readonly type: 'appendResponse';
  readonly round: number;
  /** The follower's log equals the leader's up to here and is on its disk; undefined when it was refused. */
  readonly matchOffset: Offset | undefined;
  /** When refused: the position `previous` named, and the largest term at or below its term in the follower's log, with its end. */
  readonly refused: { readonly previous: LogPosition; readonly conflict: LogPosition } | undefined;
}

/** What a snapshot stands for: everything below `endOffset`. */
export interface SnapshotId {
  readonly endOffset: Offset;
  /** Of the last entry in it. */
  readonly term: Term;
}

/** A piece of a snapshot. Pieces are sent one at a time, each when the one before is acknowledged. */
export interface SnapshotRequest extends Envelope {
  readonly type: 'snapshot';
  readonly snapshot: SnapshotId;
  /** The voters as of the snapshot. */
  readonly voters: VoterSet;
  /** Where in the snapshot's bytes this piece begins. */
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
  readonly round: number;
}

export interface SnapshotResponse extends Envelope {
  readonly type: 'snapshotResponse';
  readonly snapshot: SnapshotId;
  /** Where the next piece must begin; undefined once the follower has all of it on its disk (or needs it no more). */
  readonly nextPosition: number | undefined;
  readonly round: number;
}

/** A replica that is no voter asks the leader for the log; repeated until it comes. */
export interface JoinRequest extends Envelope {
  readonly type: 'join';
  readonly last: LogPosition;
  readonly endpoint: PeerEndpoint;
}

/** From a replica that does not lead, to one that takes it for the leader or asks: who does, as far as it knows. */
export interface LeaderHint extends Envelope {
  readonly type: 'leaderHint';
  readonly leader: ReplicaKey | undefined;
  readonly voters: VoterSet;
}

/** To a voter whose log is complete: campaign at once (Raft thesis, 3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: 'timeoutNow';
}

export type RaftMessage =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | SnapshotRequest
  | SnapshotResponse
  | JoinRequest
  | LeaderHint
  | TimeoutNow;
