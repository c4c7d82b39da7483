// What a replica is made of: who it is, its times and limits, and what its disk has kept.

import type { NodeId, Prng } from '@tidemark/core';
import type { RaftObserver } from './observer.ts';
import type { RaftLogState } from './raft-log.ts';
import type { HardState } from './ready.ts';
import type { PeerEndpoint, ReplicaKey, VoterSet } from './replica.ts';

/** Milliseconds. */
export interface RaftTiming {
  /** A voter that has heard of no leader for this long, or up to twice as long (drawn anew each time), asks for an election. */
  readonly electionTimeoutMs: number;
  /** A leader speaks to everybody at least so often. */
  readonly heartbeatIntervalMs: number;
  /** A leader that a majority has not answered for this long resigns. */
  readonly checkQuorumMs: number;
  /** A new entry waits so long for others, but only while earlier ones are under way. */
  readonly lingerMs: number;
}

/** Bytes unless the name says otherwise. */
export interface RaftLimits {
  /** Entries in one message; a larger entry goes alone. */
  readonly maxMessageBytes: number;
  /** Entries sent to one replica and not acknowledged. */
  readonly maxInFlightBytes: number;
  readonly maxInFlightMessages: number;
  /** Entries proposed and not committed; beyond it proposals are refused. One always goes through. */
  readonly maxUncommittedBytes: number;
  /** Committed entries kept in memory for replicas that are a little behind. */
  readonly maxCachedBytes: number;
  readonly maxSnapshotPieceBytes: number;
  /** A snapshot that grows past this is refused: whoever sends it, sends no metadata. */
  readonly maxSnapshotBytes: number;
  /** Linearizable reads that wait; beyond it they are refused. */
  readonly maxPendingReads: number;
  /** Replicas that are no voters; beyond it they are not answered. */
  readonly maxObservers: number;
}

export const defaultRaftLimits: RaftLimits = {
  maxMessageBytes: 1024 * 1024,
  maxInFlightBytes: 8 * 1024 * 1024,
  maxInFlightMessages: 64,
  maxUncommittedBytes: 16 * 1024 * 1024,
  maxCachedBytes: 8 * 1024 * 1024,
  maxSnapshotPieceBytes: 512 * 1024,
  maxSnapshotBytes: 1024 * 1024 * 1024,
  maxPendingReads: 10_000,
  maxObservers: 1_000,
};

export interface RaftOptions {
  readonly self: ReplicaKey;
  readonly endpoint: PeerEndpoint;
  readonly prng: Prng;
  readonly timing: RaftTiming;
  readonly limits: RaftLimits;
  readonly hardState: HardState;
  /** Those in force at `log.base`. Empty: not known here yet. */
  readonly voters: VoterSet;
  readonly log: RaftLogState;
  /** Nodes to ask for the leader as long as no voters are known. */
  readonly bootstrapNodes: readonly NodeId[];
  /** Leads whenever it is a voter that keeps up: a leader that is another hands over (as DLedger's preferred leader). */
  readonly preferredLeader?: NodeId | undefined;
  readonly observer?: RaftObserver | undefined;
}
