// What a replica is at this moment, whatever its role: term, vote, role and leader, its log, the voters it knows, its times. The
// parts of the machine (elections, following, leading, finding the leader) share one of these and change it through here.

import { type Offset, type Term } from '@tidemark/core';
import type { Entry } from './entry.ts';
import type { Role } from './observer.ts';
import type { RaftOptions } from './options.ts';
import { RaftLog } from './raft-log.ts';
import { Outbox, type HardState } from './ready.ts';
import { findVoter, isSameReplica, type ReplicaKey } from './replica.ts';
import { VoterHistory } from './voter-history.ts';

/** A leader that refuses connections is taken for gone when it has missed more than one heartbeat. */
const GONE_AFTER_HEARTBEATS = 1.5;

export interface HeardLeader {
  readonly leader: ReplicaKey;
  readonly term: Term;
  /** When it spoke last as the leader of that term. */
  readonly atMs: number;
}

export class ReplicaState {
  readonly options: RaftOptions;
  readonly self: ReplicaKey;
  readonly log: RaftLog;
  readonly voters: VoterHistory;
  readonly outbox = new Outbox();
  vote: ReplicaKey | undefined;
  /** When to campaign, or as an observer to join. */
  electionMs: number;
  /** `takeReady` may have something. */
  isDirty = true;
  #term: Term;
  #role: Role;
  #leader: ReplicaKey | undefined;
  /** When the leader was last heard of; votes are refused for a while after (check-quorum's other half). */
  #leaderContactMs = -Infinity;
  /** The last other replica that led as far as this one has heard, whether it leads still or not. */
  heardLeader: HeardLeader | undefined;
  /** Nobody listens where the leader should be, and it has not spoken since that was found. */
  #isLeaderGone = false;
  /** What is on the disk, as far as a `Ready` has asked for it. */
  #hardState: HardState;
  /** The term the observer was told last. */
  #toldTerm = -1;

  constructor(options: RaftOptions, nowMs: number) {
    this.options = options;
    this.self = { nodeId: options.self.nodeId, directoryId: options.self.directoryId };
    this.log = new RaftLog(options.log);
    this.voters = new VoterHistory(options.voters, options.log.base.endOffset);
    for (const entry of options.log.entries) this.voters.appended(entry);
    this.#hardState = options.hardState;
    this.#term = Math.max(options.hardState.term, this.log.end.term) as Term;
    this.vote = this.#term === options.hardState.term ? options.hardState.vote : undefined;
    this.#role = this.restingRole;
    const waits = this.isElectable && !(this.isVoter && this.voters.current.length === 1);
    this.electionMs = waits ? this.drawElection(nowMs) : nowMs;
    options.observer?.started?.(this.log.end, this.log.commitOffset);
    options.observer?.votersChanged?.(this.voters.current);
  }

  get term(): Term {
    return this.#term;
  }

  get role(): Role {
    return this.#role;
  }

  get leader(): ReplicaKey | undefined {
    return this.#leader;
  }

  get isLeading(): boolean {
    return this.#role === 'leader';
  }

  get isVoter(): boolean {
    return findVoter(this.voters.current, this.self) !== undefined;
  }

  /**
   * Whether it may be elected: a voter, or one whose removal is in its log and not known to be committed. The others may need it,
   * when its log is the only one that holds the removal (Raft thesis, 4.2.2).
   */
  get isElectable(): boolean {
    if (this.isVoter) return true;
    const isPending = this.voters.endOffset > this.log.commitOffset;
    return isPending && findVoter(this.voters.previous ?? [], this.self) !== undefined;
  }

  /** What it is while it neither leads nor campaigns. */
  get restingRole(): Role {
    return this.isElectable ? 'follower' : 'observer';
  }

  /** A leader is there, or was a moment ago: an election would only disturb it (Raft thesis, 4.2.3). */
  hasLeaderContact(nowMs: number): boolean {
    if (this.isLeading) return true;
    const { electionTimeoutMs, heartbeatIntervalMs } = this.options.timing;
    const patienceMs = this.#isLeaderGone
      ? Math.min(electionTimeoutMs, GONE_AFTER_HEARTBEATS * heartbeatIntervalMs)
      : electionTimeoutMs;
    return this.#leader !== undefined && nowMs - this.#leaderContactMs < patienceMs;
  }

  /**
   * A process that listens nowhere leads nobody, so the rest of the election timeout would be waited for nothing. Only a leader that
   * speaks all the same is left alone: it may be that just the way to it is closed.
   */
  leaderGone(nowMs: number): void {
    if (this.#isLeaderGone || this.#leader === undefined || this.isLeading || !this.isElectable) return;
    this.#isLeaderGone = true;
    const { heartbeatIntervalMs } = this.options.timing;
    const silentAtMs = this.#leaderContactMs + GONE_AFTER_HEARTBEATS * heartbeatIntervalMs;
    const soonMs = Math.max(nowMs, silentAtMs) + this.options.prng.below(heartbeatIntervalMs);
    this.electionMs = Math.min(this.electionMs, soonMs);
  }

  /** Between once and twice the election timeout from now. */
  drawElection(nowMs: number): number {
    const { timing, prng } = this.options;
    return nowMs + timing.electionTimeoutMs + prng.below(timing.electionTimeoutMs);
  }

  /** Sooner, for who has lost an election or asks in vain: nobody leads, so every moment counts. */
  drawRetry(nowMs: number): number {
    const { timing, prng } = this.options;
    const fifth = Math.max(1, Math.floor(timing.electionTimeoutMs / 5));
    return nowMs + fifth + prng.below(fifth * 3);
  }

  envelope(to: ReplicaKey): { readonly from: ReplicaKey; readonly to: ReplicaKey; readonly term: Term } {
    return { from: this.self, to: { nodeId: to.nodeId, directoryId: to.directoryId }, term: this.#term };
  }

  changeRole(role: Role, leader: ReplicaKey | undefined): void {
    const isSameLeader = this.#leader === leader || isSameReplica(this.#leader, leader);
    if (!isSameLeader) this.#isLeaderGone = false;
    const isSame = this.#role === role && this.#toldTerm === this.#term && isSameLeader;
    this.#role = role;
    this.#leader = leader;
    this.#toldTerm = this.#term;
    if (!isSame) this.options.observer?.roleChanged?.(role, this.#term, leader);
  }

  /** Of this term or a newer one. */
  becomeFollower(term: Term, leader: ReplicaKey | undefined, nowMs: number): void {
    if (term > this.#term) {
      this.#term = term;
      this.vote = undefined;
    }
    const isPatient = this.isElectable || leader !== undefined;
    this.electionMs = isPatient ? this.drawElection(nowMs) : this.drawRetry(nowMs);
    this.changeRole(this.restingRole, leader);
  }

  /** The next term is this replica's to win. */
  becomeCandidate(): void {
    this.#term = (this.#term + 1) as Term;
    this.vote = this.self;
    this.changeRole('candidate', undefined);
    this.options.observer?.voted?.(this.#term, this.self);
  }

  /** The leader of this term has spoken. */
  follow(leader: ReplicaKey, nowMs: number): void {
    this.#leaderContactMs = nowMs;
    this.heardLeader = { leader, term: this.#term, atMs: nowMs };
    this.#isLeaderGone = false;
    this.electionMs = this.drawElection(nowMs);
    this.changeRole(this.restingRole, leader);
  }

  /** Puts the entries at the end of the log. Answers whether the voters are others now. */
  append(entries: readonly Entry[]): boolean {
    let hasVoters = false;
    for (const entry of entries) {
      this.log.append(entry);
      hasVoters = this.voters.appended(entry) || hasVoters;
    }
    this.options.observer?.appended?.(entries);
    if (hasVoters) this.votersChanged();
    return hasVoters;
  }

  /** A follower may have become an observer, or the other way round. */
  votersChanged(): void {
    this.options.observer?.votersChanged?.(this.voters.current);
    if (!this.isLeading) this.changeRole(this.restingRole, this.#leader);
  }

  /** Never back. Answers whether it is decided now that this replica is no voter. */
  commitTo(offset: Offset): boolean {
    if (!this.log.commitTo(offset)) return false;
    this.isDirty = true;
    this.options.observer?.committed?.(this.log.commitOffset);
    if (this.voters.endOffset > this.log.commitOffset || this.isVoter) return false;
    if (this.#role === 'follower') this.changeRole('observer', this.#leader);
    return true;
  }

  /** Whether term and vote are in a `Ready` that was taken. */
  get isHardStateTaken(): boolean {
    const { term, vote } = this.#hardState;
    return term === this.#term && (vote === this.vote || isSameReplica(vote, this.vote));
  }

  /** What must be put on disk; undefined when that was taken already. */
  takeHardState(): HardState | undefined {
    if (this.isHardStateTaken) return undefined;
    this.#hardState = { term: this.#term, vote: this.vote };
    return this.#hardState;
  }
}
