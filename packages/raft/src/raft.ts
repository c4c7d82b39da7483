// One replica of the log. Messages, ticks and proposals go in; `takeReady` says what is to be written, sent and applied, in which
// order (ready.ts). Nothing here waits, reads a clock or draws a number of its own, so every run can be repeated.
//
// After the Raft paper and thesis (Ongaro), with pre-vote (9.6), check-quorum, leadership transfer (3.10), read index (6.4) and
// single changes of the voters (4.1, with the correction of 2015: not before an entry of the leader's own term is committed).
// Names and semantics of observers, voters and directory ids as in KIP-595, KIP-853 and KIP-996.

import { failure, invariant, type Failure, type NodeId, type Offset, type Term } from '@tidemark/core';
import { isUpToDate, type Entry, type EntryKind } from './entry.ts';
import { Leadership, type LeadershipContext, type ReplicaStatus, type SnapshotPiece } from './leadership.ts';
import type {
  AppendRequest,
  JoinRequest,
  LeaderHint,
  RaftMessage,
  SnapshotRequest,
  TimeoutNow,
  VoteRequest,
  VoteResponse,
} from './message.ts';
import type { Role } from './observer.ts';
import type { RaftOptions } from './options.ts';
import { RaftLog } from './raft-log.ts';
import { Outbox, type HardState, type InstallSnapshot, type Ready } from './ready.ts';
import {
  findVoter,
  isSameReplica,
  majorityOf,
  MAX_VOTERS,
  replicaName,
  type ReplicaKey,
  type Voter,
  type VoterSet,
} from './replica.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import { VoterHistory } from './voter-history.ts';
import { encodeVoters } from './voters-codec.ts';

export type VoterChange =
  { readonly type: 'add'; readonly voter: Voter } | { readonly type: 'remove'; readonly replica: ReplicaKey };

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

const NO_DIRECTORY = '';

export class Raft {
  readonly #options: RaftOptions;
  readonly #self: ReplicaKey;
  readonly #log: RaftLog;
  readonly #voters: VoterHistory;
  readonly #outbox = new Outbox();
  readonly #receiver: SnapshotReceiver;
  #term: Term;
  #vote: ReplicaKey | undefined;
  /** What is on the disk, as far as a `Ready` has asked for it. */
  #hardState: HardState;
  #role: Role = 'observer';
  #leader: ReplicaKey | undefined;
  #leadership: Leadership | undefined;
  /** Who answered this replica's present campaign, and how. */
  #votes = new Map<string, boolean>();
  #isTransferred = false;
  /** When the leader was last heard of; votes are refused for a while after (check-quorum's other half). */
  #leaderContactMs = -Infinity;
  /** When to campaign, or as an observer to join. */
  #electionMs: number;
  /** Up to here entries were handed to the driver to write. */
  #handedOffset: Offset;
  #truncateTo: Offset | undefined;
  #install: InstallSnapshot | undefined;
  /** Taken and not yet persisted. What is taken off the log meanwhile does not count as written, even if it comes back. */
  readonly #writing: { readonly ready: Ready; upTo: Offset }[] = [];
  #deliveredOffset: Offset;
  #isDirty = true;
  #joinTurn = 0;
  /** Of the latest call that told it. */
  #nowMs: number;
  /** The term the observer was told last. */
  #toldTerm = -1;

  constructor(options: RaftOptions, nowMs: number) {
    this.#options = options;
    this.#nowMs = nowMs;
    this.#self = { nodeId: options.self.nodeId, directoryId: options.self.directoryId };
    this.#log = new RaftLog(options.log);
    this.#voters = new VoterHistory(options.voters, options.log.base.endOffset);
    for (const entry of options.log.entries) this.#voters.appended(entry);
    this.#receiver = new SnapshotReceiver(options.limits.maxSnapshotBytes);
    this.#hardState = options.hardState;
    this.#term = Math.max(options.hardState.term, this.#log.end.term) as Term;
    this.#vote = this.#term === options.hardState.term ? options.hardState.vote : undefined;
    this.#handedOffset = this.#log.endOffset;
    this.#deliveredOffset = this.#log.commitOffset;
    this.#role = this.#restingRole();
    const alone = this.#isVoter && this.#voters.current.length === 1;
    this.#electionMs = alone ? nowMs : this.#role === 'observer' ? nowMs : this.#drawElection(nowMs);
    this.#options.observer?.started?.(this.#log.end, this.#log.commitOffset);
    this.#options.observer?.votersChanged?.(this.#voters.current);
  }

  get role(): Role {
    return this.#role;
  }

  get term(): Term {
    return this.#term;
  }

  get leader(): ReplicaKey | undefined {
    return this.#leader;
  }

  get voters(): VoterSet {
    return this.#voters.current;
  }

  /** Those of the committed part up to `offset`, for a snapshot of it. */
  votersAsOf(offset: Offset): VoterSet {
    return this.#voters.asOf(offset);
  }

  get commitOffset(): Offset {
    return this.#log.commitOffset;
  }

  get logEndOffset(): Offset {
    return this.#log.endOffset;
  }

  /** Whether this replica leads and its commit offset is the cluster's. */
  get isServing(): boolean {
    return this.#leadership?.isServing === true;
  }

  /** When `tick` is wanted next; -Infinity for at once. */
  get deadlineMs(): number {
    return this.#leadership?.deadlineMs ?? this.#electionMs;
  }

  status(nowMs: number): RaftStatus {
    const { commitOffset, logStartOffset, endOffset: logEndOffset } = this.#log;
    return {
      role: this.#role,
      term: this.#term,
      leader: this.#leader,
      voters: this.#voters.current,
      commitOffset,
      logStartOffset,
      logEndOffset,
      isServing: this.isServing,
      replicas: this.#leadership?.statuses(nowMs) ?? [],
    };
  }

  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#leadership !== undefined) {
      this.#leadership.tick(nowMs);
      this.#isDirty = true;
      return;
    }
    if (nowMs < this.#electionMs) return;
    this.#isDirty = true;
    if (this.#isElectable) this.#campaign(true, nowMs);
    else this.#join(nowMs);
  }

  /** A campaign without waiting, e.g. of one voter right after the first start of all. */
  campaignNow(nowMs: number): void {
    if (this.#leadership === undefined && this.#isElectable) this.#electionMs = nowMs;
  }

  /** Puts `payload` behind everything, `count` offsets wide. NOT_CONTROLLER or THROTTLING_QUOTA_EXCEEDED: nothing was proposed. */
  propose(payload: Uint8Array, count: number, nowMs: number): Proposed | Failure {
    this.#nowMs = nowMs;
    const leadership = this.#leadership;
    if (leadership === undefined) return this.#notLeader();
    invariant(Number.isSafeInteger(count) && count > 0, 'an entry is at least one offset wide', { count });
    const refusal = leadership.refusal(payload.length);
    if (refusal !== undefined) return refusal;
    return this.#append('data', payload, count, nowMs);
  }

  /** Adds one voter, which must follow already, or removes one. Failures say why not; retriable ones may work later. */
  proposeVoters(change: VoterChange, nowMs: number): Proposed | Failure {
    const leadership = this.#leadership;
    if (leadership === undefined) return this.#notLeader();
    const refusal = leadership.refusal(0) ?? leadership.voterChangeRefusal(this.#voters.endOffset);
    if (refusal !== undefined) return refusal;
    const next = change.type === 'add' ? this.#added(change.voter, nowMs) : this.#removed(change.replica);
    if (!('length' in next)) return next;
    return this.#append('voters', encodeVoters(next), 1, nowMs);
  }

  /** Asks for a confirmation that this replica leads; it comes in `confirmedReads` or `failedReads` under `id`. */
  readIndex(id: number): void {
    this.#isDirty = true;
    if (this.#leadership === undefined) this.#outbox.failedReads.push({ id, cause: this.#notLeader() });
    else this.#leadership.readIndex(id);
  }

  /** Begins to hand over; whether it worked shows in `leader`. */
  transferLeadership(to: NodeId | undefined, nowMs: number): { readonly ok: true } | Failure {
    if (this.#leadership === undefined) return this.#notLeader();
    if (to === this.#self.nodeId) return { ok: true };
    this.#isDirty = true;
    return this.#leadership.transferTo(to, nowMs) ?? { ok: true };
  }

  /** The answer to an `EntryRead`; no entries when they could not be read. */
  entriesRead(to: ReplicaKey, from: Offset, entries: readonly Entry[]): void {
    this.#isDirty = true;
    this.#leadership?.entriesRead(to, from, entries);
  }

  /** The answer to a `SnapshotRead`; undefined when that snapshot is gone. */
  snapshotPiece(to: ReplicaKey, piece: SnapshotPiece | undefined, nowMs: number): void {
    this.#isDirty = true;
    this.#leadership?.snapshotPiece(to, piece, nowMs);
  }

  /** The log on disk begins at `offset` now; everything below is in a snapshot on this disk. */
  logRemovedBefore(offset: Offset): void {
    this.#log.removedBefore(offset);
  }

  /** Everything below is in a snapshot on this disk: older voters are of no use. */
  snapshotTaken(offset: Offset): void {
    this.#voters.forgetBefore(offset);
  }

  step(message: RaftMessage, nowMs: number): void {
    this.#nowMs = nowMs;
    if (!this.#isForMe(message)) return;
    this.#isDirty = true;
    if (!this.#adoptTerm(message, nowMs)) return;
    switch (message.type) {
      case 'vote':
        this.#onVote(message, nowMs);
        return;
      case 'voteResponse':
        this.#onVoteResponse(message, nowMs);
        return;
      case 'append':
        this.#onAppend(message, nowMs);
        return;
      case 'appendResponse':
        this.#leadership?.appendResponse(message, nowMs);
        return;
      case 'snapshot':
        this.#onSnapshot(message, nowMs);
        return;
      case 'snapshotResponse':
        this.#leadership?.snapshotResponse(message, nowMs);
        return;
      case 'join':
        this.#onJoin(message, nowMs);
        return;
      case 'leaderHint':
        this.#onHint(message);
        return;
      case 'timeoutNow':
        this.#onTimeoutNow(message, nowMs);
    }
  }

  /** Whether `takeReady` may have something. */
  get hasReady(): boolean {
    return this.#isDirty;
  }

  /**
   * While an earlier `Ready` is being written, and no hard state is: messages that may go out at once, because they promise nothing
   * that is not on disk. None when a new hard state must be written first.
   */
  takeUrgent(nowMs: number): readonly RaftMessage[] {
    this.#leadership?.flush(nowMs);
    const { term, vote } = this.#hardState;
    if (term !== this.#term || replicaNameOf(vote) !== replicaNameOf(this.#vote)) return [];
    return this.#outbox.takeMessages();
  }

  takeReady(nowMs: number): Ready {
    this.#leadership?.flush(nowMs);
    this.#isDirty = false;
    const log = this.#log;
    const upTo = this.#leadership?.releasedOffset ?? log.endOffset;
    const found = log.slice(this.#handedOffset, upTo, Infinity);
    const entries = found === 'onDisk' ? [] : found;
    const position = {
      endOffset: entries.at(-1)?.endOffset ?? this.#handedOffset,
      term: log.termAt(entries.at(-1)?.endOffset ?? this.#handedOffset) ?? log.end.term,
    };
    this.#handedOffset = position.endOffset;
    const hardState = this.#changedHardState();
    const ready: Ready = {
      hardState,
      install: this.#install,
      truncateTo: this.#truncateTo,
      entries,
      position,
      committed: this.#committed(),
      ...this.#outbox.take(),
    };
    this.#install = undefined;
    this.#truncateTo = undefined;
    if (ready.install !== undefined || ready.truncateTo !== undefined || entries.length > 0) {
      this.#writing.push({ ready, upTo: position.endOffset });
    }
    return ready;
  }

  /** Steps 1 to 3 of `ready` are done, and of every one before. */
  persisted(ready: Ready): void {
    const at = this.#writing.findIndex((writing) => writing.ready === ready);
    if (at < 0) return;
    const { upTo } = this.#writing[at]!;
    this.#writing.splice(0, at + 1);
    if (!this.#log.stableTo(upTo)) return;
    this.#isDirty = true;
    this.#leadership?.advanceCommit();
  }

  get #isVoter(): boolean {
    return findVoter(this.#voters.current, this.#self) !== undefined;
  }

  /**
   * Whether it may be elected: a voter, or one whose removal is in its log and not known to be committed. The others may need it,
   * when its log is the only one that holds the removal (Raft thesis, 4.2.2).
   */
  get #isElectable(): boolean {
    if (this.#isVoter) return true;
    const isPending = this.#voters.endOffset > this.#log.commitOffset;
    return isPending && findVoter(this.#voters.previous ?? [], this.#self) !== undefined;
  }

  #restingRole(): Role {
    return this.#isElectable ? 'follower' : 'observer';
  }

  #notLeader(): Failure {
    const where =
      this.#leader === undefined || this.#leader.nodeId === this.#self.nodeId
        ? 'No leader is known at the moment; retry.'
        : `Node ${this.#leader.nodeId} is, as far as this node knows.`;
    return failure('NOT_CONTROLLER', `Node ${this.#self.nodeId} is not the active controller. ${where}`);
  }

  /** Between once and twice the election timeout from now. */
  #drawElection(nowMs: number): number {
    const { timing, prng } = this.#options;
    return nowMs + timing.electionTimeoutMs + prng.below(timing.electionTimeoutMs);
  }

  /** Sooner, for who has lost an election or asks in vain: nobody leads, so every moment counts. */
  #drawRetry(nowMs: number): number {
    const { timing, prng } = this.#options;
    const fifth = Math.max(1, Math.floor(timing.electionTimeoutMs / 5));
    return nowMs + fifth + prng.below(fifth * 3);
  }

  #isForMe({ to }: RaftMessage): boolean {
    if (to.nodeId !== this.#self.nodeId) return false;
    return to.directoryId === this.#self.directoryId || to.directoryId === NO_DIRECTORY;
  }

  /** Settles whose term counts. Answers false when the message is done with. */
  #adoptTerm(message: RaftMessage, nowMs: number): boolean {
    const { type, term } = message;
    if (term > this.#term) {
      if (type === 'vote') {
        // A leader is there, or was a moment ago: an election would only disturb it (Raft thesis, 4.2.3).
        if (!message.transfer && this.#hasLeaderContact(nowMs)) return message.pre;
        if (message.pre) return true;
      }
      if (type === 'voteResponse' && message.pre && message.granted) return true;
      const leads = type === 'append' || type === 'snapshot';
      this.#becomeFollower(term, leads ? message.from : undefined, nowMs);
      return true;
    }
    if (term === this.#term) return true;
    if (type === 'append' || type === 'snapshot') this.#sayTerm(message);
    return type === 'vote' || type === 'join' || type === 'leaderHint';
  }

  /** To a leader whose term is over: it resigns when it hears of a newer one. */
  #sayTerm({ from, round }: AppendRequest | SnapshotRequest): void {
    this.#outbox.messages.push({
      ...this.#envelope(from),
      type: 'appendResponse',
      round,
      matchOffset: undefined,
      refused: undefined,
    });
  }

  #hasLeaderContact(nowMs: number): boolean {
    if (this.#leadership !== undefined) return true;
    return (
      this.#leader !== undefined && nowMs - this.#leaderContactMs < this.#options.timing.electionTimeoutMs
    );
  }

  #envelope(to: ReplicaKey): { readonly from: ReplicaKey; readonly to: ReplicaKey; readonly term: Term } {
    return { from: this.#self, to: { nodeId: to.nodeId, directoryId: to.directoryId }, term: this.#term };
  }

  #changeRole(role: Role, leader: ReplicaKey | undefined): void {
    const isSame =
      this.#role === role &&
      this.#toldTerm === this.#term &&
      replicaNameOf(this.#leader) === replicaNameOf(leader);
    this.#role = role;
    this.#leader = leader;
    this.#toldTerm = this.#term;
    if (!isSame) this.#options.observer?.roleChanged?.(role, this.#term, leader);
  }

  #becomeFollower(term: Term, leader: ReplicaKey | undefined, nowMs: number): void {
    if (term > this.#term) {
      this.#term = term;
      this.#vote = undefined;
    }
    this.#endLeadership();
    this.#votes.clear();
    this.#electionMs =
      this.#isElectable || leader !== undefined ? this.#drawElection(nowMs) : this.#drawRetry(nowMs);
    this.#changeRole(this.#restingRole(), leader);
  }

  #endLeadership(): void {
    const leadership = this.#leadership;
    if (leadership === undefined) return;
    this.#leadership = undefined;
    leadership.failReads(failure('NOT_CONTROLLER', `Node ${this.#self.nodeId} leads no longer; retry.`));
  }

  #resign(nowMs: number): void {
    this.#becomeFollower(this.#term, undefined, nowMs);
  }

  // --- elections ---

  /** Asks for pre-votes first: only who would win raises the term. */
  #campaign(pre: boolean, nowMs: number): void {
    const isUnanswered = pre && this.#role === 'prospective' && this.#votes.size <= 1;
    this.#votes.clear();
    if (pre) {
      this.#changeRole('prospective', undefined);
    } else {
      this.#term = (this.#term + 1) as Term;
      this.#vote = this.#self;
      this.#changeRole('candidate', undefined);
      this.#options.observer?.voted?.(this.#term, this.#self);
    }
    this.#electionMs = this.#drawRetry(nowMs);
    this.#votes.set(replicaName(this.#self), true);
    if (this.#countVotes(nowMs)) return;
    for (const voter of this.#voters.current) {
      if (isSameReplica(voter, this.#self)) continue;
      this.#outbox.messages.push({
        ...this.#envelope(voter),
        type: 'vote',
        pre,
        term: (pre ? this.#term + 1 : this.#term) as Term,
        last: this.#log.end,
        transfer: this.#isTransferred,
      });
    }
    // The voters it knows may all have been replaced while it was down.
    if (isUnanswered) this.#askForLeader();
  }

  #onVote(message: VoteRequest, nowMs: number): void {
    const { from, term, pre, last, transfer } = message;
    const isFree = transfer || !this.#hasLeaderContact(nowMs);
    const isNewer = term > this.#term;
    const mayVote =
      isSameReplica(this.#vote, from) || (this.#vote === undefined && this.#leader === undefined);
    const granted =
      isUpToDate(last, this.#log.end) &&
      isFree &&
      (pre ? isNewer || (term === this.#term && mayVote) : term === this.#term && mayVote);
    if (granted && !pre) {
      this.#vote = from;
      this.#electionMs = this.#drawElection(nowMs);
      this.#options.observer?.voted?.(this.#term, from);
    }
    this.#outbox.messages.push({
      ...this.#envelope(from),
      type: 'voteResponse',
      pre,
      term: granted ? term : this.#term,
      granted,
    });
    // Whoever campaigns while there is a leader does not hear it: because it was removed while it was down, for one.
    if (!isFree) this.#hint(from);
  }

  #onVoteResponse({ from, pre, granted, term }: VoteResponse, nowMs: number): void {
    if (this.#role !== (pre ? 'prospective' : 'candidate')) return;
    if (granted && term !== this.#term + (pre ? 1 : 0)) return;
    this.#votes.set(replicaName(from), granted);
    this.#countVotes(nowMs);
  }

  #countVotes(nowMs: number): boolean {
    const voters = this.#voters.current;
    const yes = voters.filter((voter) => this.#votes.get(replicaName(voter)) === true).length;
    if (yes < majorityOf(voters.length)) return false;
    if (this.#role === 'prospective') this.#campaign(false, nowMs);
    else this.#becomeLeader(nowMs);
    return true;
  }

  #onTimeoutNow({ from }: TimeoutNow, nowMs: number): void {
    if (!this.#isElectable || this.#leadership !== undefined || !isSameReplica(from, this.#leader)) return;
    this.#isTransferred = true;
    this.#campaign(false, nowMs);
    this.#isTransferred = false;
  }

  #becomeLeader(nowMs: number): void {
    const first = this.#entry('leaderChange', new Uint8Array(0), 1);
    this.#changeRole('leader', this.#self);
    this.#pushEntry(first);
    this.#leadership = new Leadership(this.#leadershipContext(), nowMs);
  }

  #leadershipContext(): LeadershipContext {
    const { timing, limits, preferredLeader } = this.#options;
    // Getters below are the machine's own, read at the time of use.
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const raft = this;
    return {
      self: this.#self,
      term: this.#term,
      log: this.#log,
      outbox: this.#outbox,
      timing,
      limits,
      preferredLeader,
      get voters() {
        return raft.#voters.current;
      },
      committed: (offset) => this.#commitTo(offset),
      readConfirmed: (offset) => this.#options.observer?.readConfirmed?.(offset),
      resign: (_why, nowMs) => this.#resign(nowMs),
    };
  }

  // --- the leader's own log ---

  #append(kind: EntryKind, payload: Uint8Array, count: number, nowMs: number): Proposed {
    const entry = this.#entry(kind, payload, count);
    this.#pushEntry(entry);
    this.#leadership?.appended(nowMs);
    if (kind === 'voters') this.#leadership?.votersChanged(nowMs);
    this.#isDirty = true;
    return { ok: true, baseOffset: entry.baseOffset, term: this.#term };
  }

  #entry(kind: EntryKind, payload: Uint8Array, count: number): Entry {
    const baseOffset = this.#log.endOffset;
    return { kind, term: this.#term, baseOffset, endOffset: (baseOffset + count) as Offset, payload };
  }

  #pushEntry(entry: Entry): void {
    this.#log.append(entry);
    this.#options.observer?.appended?.([entry]);
    if (this.#voters.appended(entry)) this.#options.observer?.votersChanged?.(this.#voters.current);
  }

  #added(voter: Voter, nowMs: number): VoterSet | Failure {
    const voters = this.#voters.current;
    const same = voters.find(({ nodeId }) => nodeId === voter.nodeId);
    if (same !== undefined) {
      const message = isSameReplica(same, voter)
        ? `Node ${voter.nodeId} is a voter already.`
        : `Node ${voter.nodeId} is a voter with another directory id, ${same.directoryId}; remove that one first.`;
      return failure('INVALID_REQUEST', message);
    }
    if (voters.length >= MAX_VOTERS) {
      return failure(
        'INVALID_REQUEST',
        `There are ${voters.length} voters already, and no more are allowed.`,
      );
    }
    if (!this.#leadership!.isCaughtUp(voter, nowMs)) {
      return failure(
        'REPLICA_NOT_AVAILABLE',
        `Node ${voter.nodeId} with directory id ${voter.directoryId} does not follow this leader closely yet. Start it, and retry when quorum status shows it without lag.`,
      );
    }
    return [...voters, voter].sort((a, b) => a.nodeId - b.nodeId);
  }

  #removed(replica: ReplicaKey): VoterSet | Failure {
    const voters = this.#voters.current;
    if (findVoter(voters, replica) === undefined) {
      return failure(
        'INVALID_REQUEST',
        `No voter has node id ${replica.nodeId} and directory id ${replica.directoryId}.`,
      );
    }
    if (voters.length === 1) return failure('INVALID_REQUEST', 'The last voter cannot be removed.');
    return voters.filter((voter) => !isSameReplica(voter, replica));
  }

  #commitTo(offset: Offset): void {
    if (!this.#log.commitTo(offset)) return;
    this.#isDirty = true;
    this.#options.observer?.committed?.(this.#log.commitOffset);
    const isDecided = this.#voters.endOffset <= this.#log.commitOffset;
    if (!isDecided || this.#isVoter) return;
    if (this.#leadership !== undefined) this.#leaveQuorum();
    else if (this.#role === 'follower') this.#changeRole('observer', this.#leader);
  }

  /** Its own removal is committed: it has led long enough (Raft thesis, 4.2.2). The others elect whom they like. */
  #leaveQuorum(): void {
    this.#leadership!.flush(this.#nowMs);
    this.#resign(this.#nowMs);
  }

  // --- following ---

  #follow(leader: ReplicaKey, nowMs: number): void {
    invariant(this.#leadership === undefined, 'one leader in a term', { term: this.#term });
    this.#leaderContactMs = nowMs;
    this.#electionMs = this.#drawElection(nowMs);
    this.#votes.clear();
    this.#changeRole(this.#restingRole(), leader);
  }

  #onAppend(message: AppendRequest, nowMs: number): void {
    this.#follow(message.from, nowMs);
    const { previous, entries, commitOffset, round } = message;
    const log = this.#log;
    const answer = { ...this.#envelope(message.from), type: 'appendResponse', round } as const;
    // What is committed here is in every leader's log; it needs no comparing.
    const isCommitted = previous.endOffset < log.commitOffset;
    if (!isCommitted && log.termAt(previous.endOffset) !== previous.term) {
      const conflict = log.endOfTerm(previous.term);
      this.#outbox.messages.push({ ...answer, matchOffset: undefined, refused: { previous, conflict } });
      return;
    }
    this.#take(isCommitted ? entries.filter(({ endOffset }) => endOffset > log.commitOffset) : entries);
    const sentUpTo = entries.at(-1)?.endOffset ?? previous.endOffset;
    const matchOffset = Math.max(sentUpTo, isCommitted ? log.commitOffset : 0) as Offset;
    this.#commitTo(Math.min(commitOffset, matchOffset) as Offset);
    if (matchOffset <= log.stableOffset) {
      this.#outbox.messages.push({ ...answer, matchOffset, refused: undefined });
      return;
    }
    this.#outbox.messagesAfterPersist.push({ ...answer, matchOffset, refused: undefined });
    // A slow disk is no reason to take the follower for dead.
    if (entries.length === 0) {
      this.#outbox.messages.push({ ...answer, matchOffset: log.stableOffset, refused: undefined });
    }
  }

  /** Appends what is new. Only an entry that differs takes anything off: a late message must not undo a later one. */
  #take(entries: readonly Entry[]): void {
    const log = this.#log;
    const firstNew = entries.findIndex(({ endOffset, term }) => log.termAt(endOffset) !== term);
    if (firstNew < 0) return;
    const news = entries.slice(firstNew);
    const from = news[0]!.baseOffset;
    if (from < log.endOffset) this.#truncate(from);
    let hasVoters = false;
    for (const entry of news) {
      log.append(entry);
      hasVoters = this.#voters.appended(entry) || hasVoters;
    }
    this.#options.observer?.appended?.(news);
    if (hasVoters) this.#votersChanged();
  }

  #truncate(from: Offset): void {
    this.#log.truncate(from);
    for (const writing of this.#writing) writing.upTo = Math.min(writing.upTo, from) as Offset;
    if (this.#handedOffset > from) {
      this.#handedOffset = from;
      this.#truncateTo = Math.min(this.#truncateTo ?? Infinity, from) as Offset;
    }
    this.#options.observer?.truncated?.(from);
    if (this.#voters.truncated(from)) this.#votersChanged();
  }

  /** A follower may have become an observer, or the other way round. */
  #votersChanged(): void {
    this.#options.observer?.votersChanged?.(this.#voters.current);
    if (this.#leadership === undefined) this.#changeRole(this.#restingRole(), this.#leader);
  }

  #onSnapshot(message: SnapshotRequest, nowMs: number): void {
    this.#follow(message.from, nowMs);
    const { snapshot, voters, round } = message;
    const log = this.#log;
    const answer = { ...this.#envelope(message.from), type: 'snapshotResponse', snapshot, round } as const;
    // What it has is not replaced: entries behind may be acknowledged, and must stay (Raft, figure 13, step 6).
    if (snapshot.endOffset <= log.commitOffset || log.termAt(snapshot.endOffset) === snapshot.term) {
      this.#receiver.reset();
      this.#commitTo(snapshot.endOffset);
      const isOnDisk = snapshot.endOffset <= log.stableOffset;
      const { messages, messagesAfterPersist } = this.#outbox;
      (isOnDisk ? messages : messagesAfterPersist).push({ ...answer, nextPosition: undefined });
      return;
    }
    const { nextPosition, pieces } = this.#receiver.receive(message);
    if (pieces === undefined) {
      this.#outbox.messages.push({ ...answer, nextPosition });
      return;
    }
    for (const writing of this.#writing) writing.upTo = 0 as Offset;
    log.restart({ endOffset: snapshot.endOffset, term: snapshot.term });
    this.#voters.restarted(voters, snapshot.endOffset);
    this.#handedOffset = snapshot.endOffset;
    this.#deliveredOffset = snapshot.endOffset;
    this.#truncateTo = undefined;
    this.#install = { snapshot, voters, pieces };
    this.#outbox.messagesAfterPersist.push({ ...answer, nextPosition: undefined });
    this.#options.observer?.snapshotInstalled?.(snapshot, voters);
    this.#votersChanged();
  }

  // --- observers ---

  #join(nowMs: number): void {
    this.#electionMs = this.#drawRetry(nowMs);
    this.#changeRole('observer', undefined);
    this.#askForLeader();
  }

  #askForLeader(): void {
    const to = this.#whomToAsk();
    if (to === undefined) return;
    this.#outbox.messages.push({
      ...this.#envelope(to),
      type: 'join',
      last: this.#log.end,
      endpoint: this.#options.endpoint,
    });
  }

  /** In turn: the voters as far as they are known, and the nodes named at the start, whatever their directory ids. */
  #whomToAsk(): ReplicaKey | undefined {
    const { bootstrapNodes } = this.#options;
    const known: ReplicaKey[] = [
      ...this.#voters.current,
      ...bootstrapNodes.map((nodeId) => ({ nodeId, directoryId: NO_DIRECTORY })),
    ].filter(({ nodeId }) => nodeId !== this.#self.nodeId);
    if (known.length === 0) return undefined;
    return known[this.#joinTurn++ % known.length];
  }

  #onJoin(message: JoinRequest, nowMs: number): void {
    if (this.#leadership !== undefined) {
      this.#leadership.joined(message, nowMs);
      return;
    }
    this.#hint(message.from);
  }

  #hint(to: ReplicaKey): void {
    this.#outbox.messages.push({
      ...this.#envelope(to),
      type: 'leaderHint',
      leader: this.#leader,
      voters: this.#voters.current,
    });
  }

  /** Ask who is said to lead next; what it says decides, not the hint. */
  #onHint({ leader }: LeaderHint): void {
    if (this.#leader !== undefined || leader === undefined) return;
    if (this.#role !== 'observer' && this.#role !== 'prospective') return;
    if (leader.nodeId === this.#self.nodeId) return;
    this.#outbox.messages.push({
      ...this.#envelope(leader),
      type: 'join',
      last: this.#log.end,
      endpoint: this.#options.endpoint,
    });
  }

  // --- ready ---

  #changedHardState(): HardState | undefined {
    const { term, vote } = this.#hardState;
    if (term === this.#term && replicaNameOf(vote) === replicaNameOf(this.#vote)) return undefined;
    this.#hardState = { term: this.#term, vote: this.#vote };
    return this.#hardState;
  }

  #committed(): readonly Entry[] {
    const log = this.#log;
    const upTo = Math.min(log.commitOffset, log.stableOffset) as Offset;
    const found = log.slice(this.#deliveredOffset, upTo, Infinity);
    if (found === 'onDisk' || found.length === 0) return [];
    this.#deliveredOffset = found.at(-1)!.endOffset;
    log.forget(this.#deliveredOffset, this.#options.limits.maxCachedBytes);
    return found;
  }
}

const replicaNameOf = (key: ReplicaKey | undefined): string => (key === undefined ? '' : replicaName(key));
