// One replica of the log. Messages, ticks and proposals go in; `takeReady` says what is to be written, sent and applied, in which
// order (ready.ts). Nothing here waits, reads a clock or draws a number of its own, so every run can be repeated.
//
// After the Raft paper and thesis (Ongaro), with pre-vote (9.6), check-quorum, leadership transfer (3.10), read index (6.4) and
// single changes of the voters (4.1, with the correction of 2015: not before an entry of the leader's own term is committed).
// Names and semantics of observers, voters and directory ids as in KIP-595, KIP-853 and KIP-996.

import { failure, invariant, type Failure, type NodeId, type Offset, type Term } from '@tidemark/core';
import { DiskWrites } from './disk-writes.ts';
import { Elections } from './elections.ts';
import type { Entry, EntryKind } from './entry.ts';
import { Follower } from './follower.ts';
import { LeaderSearch, NO_DIRECTORY } from './leader-search.ts';
import { Leadership, type LeadershipContext, type ReplicaStatus, type SnapshotPiece } from './leadership.ts';
import type { AppendRequest, JoinRequest, RaftMessage, SnapshotRequest } from './message.ts';
import type { Role } from './observer.ts';
import type { RaftOptions } from './options.ts';
import type { Ready } from './ready.ts';
import type { ReplicaKey, VoterSet } from './replica.ts';
import { ReplicaState, type HeardLeader } from './replica-state.ts';
import { changedVoters, type VoterChange } from './voter-change.ts';
import { encodeVoters } from './voters-codec.ts';

export interface Proposed {
  readonly ok: true;
  readonly baseOffset: Offset;
  readonly term: Term;
}

export interface RaftStatus {
  readonly role: Role;
  readonly term: Term;
  readonly leader: ReplicaKey | undefined;
  readonly voters: VoterSet;
  readonly commitOffset: Offset;
  readonly logStartOffset: Offset;
  readonly logEndOffset: Offset;
  /** Whether this replica leads and has committed an entry of its own term. */
  readonly isServing: boolean;
  /** What the leader knows of the others; empty on every other replica. */
  readonly replicas: readonly ReplicaStatus[];
}

export class Raft {
  readonly #state: ReplicaState;
  readonly #writes: DiskWrites;
  readonly #elections: Elections;
  readonly #follower: Follower;
  readonly #search: LeaderSearch;
  #leadership: Leadership | undefined;
  #predecessor: HeardLeader | undefined;
  /** Up to here committed entries were handed to the driver. */
  #deliveredOffset: Offset;
  /** Of the latest call that told it. */
  #nowMs: number;

  constructor(options: RaftOptions, nowMs: number) {
    const state = new ReplicaState(options, nowMs);
    this.#nowMs = nowMs;
    this.#state = state;
    this.#writes = new DiskWrites(state.log);
    this.#follower = new Follower(state, this.#writes);
    this.#search = new LeaderSearch(state);
    this.#elections = new Elections(state, {
      won: (wonAtMs) => this.#becomeLeader(wonAtMs),
      foundNobody: () => this.#search.ask(),
      hint: (to) => this.#search.hint(to),
    });
    this.#deliveredOffset = state.log.commitOffset;
  }

  get role(): Role {
    return this.#state.role;
  }

  get term(): Term {
    return this.#state.term;
  }

  get leader(): ReplicaKey | undefined {
    return this.#state.leader;
  }

  /**
   * While this replica leads: who led before it, and when that was heard last. Undefined when this replica has not heard it, or
   * somebody else may have committed something since.
   */
  get predecessor(): HeardLeader | undefined {
    return this.#leadership === undefined ? undefined : this.#predecessor;
  }

  get voters(): VoterSet {
    return this.#state.voters.current;
  }

  /** Those of the committed part up to `offset`, for a snapshot of it. */
  votersAsOf(offset: Offset): VoterSet {
    return this.#state.voters.asOf(offset);
  }

  get commitOffset(): Offset {
    return this.#state.log.commitOffset;
  }

  get logEndOffset(): Offset {
    return this.#state.log.endOffset;
  }

  /** Whether this replica leads and its commit offset is the cluster's. */
  get isServing(): boolean {
    return this.#leadership?.isServing === true;
  }

  /** When `tick` is wanted next; -Infinity for at once. */
  get deadlineMs(): number {
    return this.#leadership?.deadlineMs ?? this.#state.electionMs;
  }

  status(nowMs: number): RaftStatus {
    const { role, term, leader, log, voters } = this.#state;
    return {
      role,
      term,
      leader,
      voters: voters.current,
      commitOffset: log.commitOffset,
      logStartOffset: log.logStartOffset,
      logEndOffset: log.endOffset,
      isServing: this.isServing,
      replicas: this.#leadership?.statuses(nowMs) ?? [],
    };
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    const state = this.#state;
    if (this.#leadership !== undefined) {
      this.#leadership.tick(nowMs);
      state.isDirty = true;
      return;
    }
    if (nowMs < state.electionMs) return;
    state.isDirty = true;
    if (state.isElectable) this.#elections.campaign(nowMs);
    else this.#search.join(nowMs);
  }

  /** A campaign without waiting, e.g. of one voter right after the first start of all. */
  campaignNow(nowMs: number): void {
    if (!this.#state.isLeading && this.#state.isElectable) this.#state.electionMs = nowMs;
  }

  /** Nobody listens at `peer`'s address: its process is gone. If it leads, another is elected without waiting for the rest of the timeout. */
  refused(peer: NodeId, nowMs: number): void {
    if (this.#state.leader?.nodeId === peer) this.#state.leaderGone(nowMs);
  }

  /** Puts `payload` behind everything, `count` offsets wide. NOT_CONTROLLER or THROTTLING_QUOTA_EXCEEDED: nothing was proposed. */
  propose(payload: Uint8Array, count: number, nowMs: number): Proposed | Failure {
    this.#nowMs = nowMs;
    const leadership = this.#leadership;
    if (leadership === undefined) return this.#notLeader();
    invariant(Number.isSafeInteger(count) && count > 0, 'an entry is at least one offset wide', { count });
    const refusal = leadership.refusal(payload.length);
    if (refusal !== undefined) return refusal;
    return this.#append(leadership, 'data', payload, count, nowMs);
  }

  /** Adds one voter, which must follow already, or removes one. Failures say why not; retriable ones may work later. */
  proposeVoters(change: VoterChange, nowMs: number): Proposed | Failure {
    const leadership = this.#leadership;
    if (leadership === undefined) return this.#notLeader();
    const { voters } = this.#state;
    const refusal = leadership.refusal(0) ?? leadership.voterChangeRefusal(voters.endOffset);
    if (refusal !== undefined) return refusal;
    const next = changedVoters(voters.current, change, (replica) => leadership.isCaughtUp(replica, nowMs));
    if (!('length' in next)) return next;
    return this.#append(leadership, 'voters', encodeVoters(next), 1, nowMs);
  }

  /** Asks for a confirmation that this replica leads; it comes in `confirmedReads` or `failedReads` under `id`. */
  readIndex(id: number): void {
    const { outbox } = this.#state;
    this.#state.isDirty = true;
    if (this.#leadership === undefined) outbox.failedReads.push({ id, cause: this.#notLeader() });
    else this.#leadership.readIndex(id);
  }

  /** Begins to hand over; whether it worked shows in `leader`. */
  transferLeadership(to: NodeId | undefined, nowMs: number): { readonly ok: true } | Failure {
    if (this.#leadership === undefined) return this.#notLeader();
    if (to === this.#state.self.nodeId) return { ok: true };
    this.#state.isDirty = true;
    return this.#leadership.transferTo(to, nowMs) ?? { ok: true };
  }

  /** The answer to an `EntryRead`; no entries when they could not be read. */
  entriesRead(to: ReplicaKey, from: Offset, entries: readonly Entry[]): void {
    this.#state.isDirty = true;
    this.#leadership?.entriesRead(to, from, entries);
  }

  /** The answer to a `SnapshotRead`; undefined when that snapshot is gone. */
  snapshotPiece(to: ReplicaKey, piece: SnapshotPiece | undefined, nowMs: number): void {
    this.#state.isDirty = true;
    this.#leadership?.snapshotPiece(to, piece, nowMs);
  }

  /** The log on disk begins at `offset` now; everything below is in a snapshot on this disk. */
  logRemovedBefore(offset: Offset): void {
    this.#state.log.removedBefore(offset);
  }

  /** Everything below is in a snapshot on this disk: older voters are of no use. */
  snapshotTaken(offset: Offset): void {
    this.#state.voters.forgetBefore(offset);
  }

  step(message: RaftMessage, nowMs: number): void {
    this.#nowMs = nowMs;
    if (!this.#isForMe(message)) return;
    this.#state.isDirty = true;
    if (!this.#adoptTerm(message, nowMs)) return;
    switch (message.type) {
      case 'vote':
        this.#elections.onVote(message, nowMs);
        return;
      case 'voteResponse':
        this.#elections.onVoteResponse(message, nowMs);
        return;
      case 'append':
        this.#follower.onAppend(message, nowMs);
        return;
      case 'appendResponse':
        this.#leadership?.appendResponse(message, nowMs);
        return;
      case 'snapshot':
        this.#follower.onSnapshot(message, nowMs);
        return;
      case 'snapshotResponse':
        this.#leadership?.snapshotResponse(message, nowMs);
        return;
      case 'join':
        this.#onJoin(message, nowMs);
        return;
      case 'leaderHint':
        this.#search.onHint(message);
        return;
      case 'timeoutNow':
        this.#elections.onTimeoutNow(message, nowMs);
    }
  }

  /** Whether `takeReady` may have something. */
  get hasReady(): boolean {
    return this.#state.isDirty;
  }

  takeReady(nowMs: number): Ready {
    this.#leadership?.flush(nowMs);
    this.#state.isDirty = false;
    const { log, outbox } = this.#state;
    const hardState = this.#state.takeHardState();
    const { install, truncateTo, entries, position } = this.#writes.next(
      this.#leadership?.releasedOffset ?? log.endOffset,
    );
    const committed = this.#committed();
    const said = outbox.take();
    // Field by field: this is made for every message there is, and spreading costs more than all else here.
    const ready: Ready = {
      hardState,
      install,
      truncateTo,
      entries,
      position,
      committed,
      messages: said.messages,
      messagesAfterPersist: said.messagesAfterPersist,
      reads: said.reads,
      snapshotReads: said.snapshotReads,
      confirmedReads: said.confirmedReads,
      failedReads: said.failedReads,
    };
    this.#writes.taken(ready);
    return ready;
  }

  /**
   * For who takes no `Ready` while step 3 of the last one is under way: what may be said meanwhile; everything else waits for the
   * next `Ready`. Nothing when a new term or vote is to be put on disk first.
   */
  takeUrgent(nowMs: number): readonly RaftMessage[] {
    this.#leadership?.flush(nowMs);
    return this.#state.isHardStateTaken ? this.#state.outbox.takeMessages() : [];
  }

  /** Steps 1 to 3 of `ready` (the very object) are done, and of every one before. */
  persisted(ready: Ready): void {
    if (!this.#writes.persisted(ready)) return;
    this.#state.isDirty = true;
    this.#leadership?.advanceCommit();
  }

  #notLeader(): Failure {
    const { leader, self } = this.#state;
    const where =
      leader === undefined || leader.nodeId === self.nodeId
        ? 'No leader is known at the moment; retry.'
        : `Node ${leader.nodeId} is, as far as this node knows.`;
    return failure('NOT_CONTROLLER', `Node ${self.nodeId} is not the active controller. ${where}`);
  }

  #isForMe({ to }: RaftMessage): boolean {
    const { self } = this.#state;
    if (to.nodeId !== self.nodeId) return false;
    return to.directoryId === self.directoryId || to.directoryId === NO_DIRECTORY;
  }

  /** Settles whose term counts. Answers false when the message is done with. */
  #adoptTerm(message: RaftMessage, nowMs: number): boolean {
    const { type, term } = message;
    const state = this.#state;
    if (term > state.term) {
      if (type === 'vote') {
        if (!message.transfer && state.hasLeaderContact(nowMs)) return message.pre;
        if (message.pre) return true;
      }
      if (type === 'voteResponse' && message.pre && message.granted) return true;
      const leads = type === 'append' || type === 'snapshot';
      this.#becomeFollower(term, leads ? message.from : undefined, nowMs);
      return true;
    }
    if (term === state.term) return true;
    if (type === 'append' || type === 'snapshot') this.#sayTerm(message);
    return type === 'vote' || type === 'join' || type === 'leaderHint';
  }

  /** To a leader whose term is over: it resigns when it hears of a newer one. */
  #sayTerm({ from, round }: AppendRequest | SnapshotRequest): void {
    this.#state.outbox.messages.push({
      ...this.#state.envelope(from),
      type: 'appendResponse',
      round,
      matchOffset: undefined,
      refused: undefined,
    });
  }

  #becomeFollower(term: Term, leader: ReplicaKey | undefined, nowMs: number): void {
    const leadership = this.#leadership;
    this.#leadership = undefined;
    this.#state.becomeFollower(term, leader, nowMs);
    if (leadership === undefined) return;
    const { nodeId } = this.#state.self;
    leadership.failReads(failure('NOT_CONTROLLER', `Node ${nodeId} leads no longer; retry.`));
  }

  #becomeLeader(nowMs: number): void {
    const { self, log, heardLeader } = this.#state;
    const before = log.endOffset;
    // A term in which anything was committed has its last entries here.
    this.#predecessor = heardLeader?.term === log.end.term ? heardLeader : undefined;
    this.#state.changeRole('leader', self);
    this.#state.append([this.#entry('leaderChange', new Uint8Array(0), 1)]);
    const { voters } = this.#state;
    // The voters of a first start are in nobody's log yet, and whoever only follows learns them from there.
    if (voters.endOffset === 0) this.#state.append([this.#entry('voters', encodeVoters(voters.current), 1)]);
    invariant(log.end.term === this.#state.term, 'a term begins with an entry of its own');
    this.#leadership = new Leadership(this.#leadershipContext(), before, nowMs);
  }

  #leadershipContext(): LeadershipContext {
    const state = this.#state;
    const { self, term, log, outbox, options } = state;
    const { timing, limits, preferredLeader } = options;
    return {
      self,
      term,
      log,
      outbox,
      timing,
      limits,
      preferredLeader,
      get voters() {
        return state.voters.current;
      },
      committed: (offset) => {
        if (state.commitTo(offset)) this.#leaveQuorum();
      },
      readConfirmed: (offset) => options.observer?.readConfirmed?.(offset),
      resign: (nowMs) => this.#becomeFollower(term, undefined, nowMs),
    };
  }

  #append(
    leadership: Leadership,
    kind: EntryKind,
    payload: Uint8Array,
    count: number,
    nowMs: number,
  ): Proposed {
    const entry = this.#entry(kind, payload, count);
    const hasVoters = this.#state.append([entry]);
    leadership.appended(nowMs);
    if (hasVoters) leadership.votersChanged(nowMs);
    this.#state.isDirty = true;
    return { ok: true, baseOffset: entry.baseOffset, term: entry.term };
  }

  #entry(kind: EntryKind, payload: Uint8Array, count: number): Entry {
    const { term, log } = this.#state;
    const baseOffset = log.endOffset;
    return { kind, term, baseOffset, endOffset: (baseOffset + count) as Offset, payload };
  }

  /** Its own removal is committed: it has led long enough (Raft thesis, 4.2.2). */
  #leaveQuorum(): void {
    this.#leadership?.leave(this.#nowMs);
    this.#becomeFollower(this.#state.term, undefined, this.#nowMs);
  }

  #onJoin(message: JoinRequest, nowMs: number): void {
    if (this.#leadership !== undefined) this.#leadership.joined(message, nowMs);
    else this.#search.hint(message.from);
  }

  #committed(): readonly Entry[] {
    const { log, options } = this.#state;
    // A snapshot that was installed has been delivered by itself.
    if (this.#deliveredOffset < log.logStartOffset) this.#deliveredOffset = log.logStartOffset;
    const upTo = Math.min(log.commitOffset, log.stableOffset) as Offset;
    const found = log.slice(this.#deliveredOffset, upTo, Infinity);
    if (found === 'onDisk' || found.length === 0) return [];
    this.#deliveredOffset = found.at(-1)!.endOffset;
    log.forget(this.#deliveredOffset, options.limits.maxCachedBytes);
    return found;
  }
}
