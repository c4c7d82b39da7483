// What a replica does only while it leads: gets its log to the others, finds out what is committed, proves that it still leads,
// changes the voters and hands over. One object per leadership; it ends with it.

import { failure, type Failure, type NodeId, type Offset, type Term } from '@tidemark/core';
import type { Entry, LogPosition } from './entry.ts';
import type { AppendResponse, JoinRequest, RaftMessage, SnapshotId, SnapshotResponse } from './message.ts';
import type { RaftLimits, RaftTiming } from './options.ts';
import { Progress, type ProgressState } from './progress.ts';
import { QuorumReads } from './quorum-reads.ts';
import type { RaftLog } from './raft-log.ts';
import type { Outbox } from './ready.ts';
import {
  findVoter,
  isSameReplica,
  majorityOf,
  replicaName,
  type ReplicaKey,
  type VoterSet,
} from './replica.ts';

/** What a leader needs of the replica it is. */
export interface LeadershipContext {
  readonly self: ReplicaKey;
  readonly term: Term;
  readonly log: RaftLog;
  readonly outbox: Outbox;
  readonly timing: RaftTiming;
  readonly limits: RaftLimits;
  readonly preferredLeader: NodeId | undefined;
  /** Those in force. */
  readonly voters: VoterSet;
  committed(offset: Offset): void;
  readConfirmed(offset: Offset): void;
  /** A majority of the voters has not answered in time. */
  resign(nowMs: number): void;
}

/** A piece of a snapshot, as the driver has it. */
export interface SnapshotPiece {
  readonly snapshot: SnapshotId;
  readonly voters: VoterSet;
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

export interface ReplicaStatus {
  readonly key: ReplicaKey;
  readonly isVoter: boolean;
  readonly matchOffset: Offset;
  readonly lastContactMsAgo: number;
  readonly state: ProgressState;
}

/** An observer that says nothing for so many check-quorum times is forgotten; it joins again when it is back. */
const OBSERVER_TIMES = 3;
/** Between two attempts to hand over to the preferred leader, in election timeouts. */
const PREFERENCE_TIMES = 10;

interface Transfer {
  readonly to: ReplicaKey;
  readonly untilMs: number;
  isAsked: boolean;
}

export class Leadership {
  readonly #context: LeadershipContext;
  readonly #progress = new Map<string, Progress>();
  readonly #reads: QuorumReads;
  /** Where this leader's first entry ends: nothing is served before that is committed. */
  readonly #servesFrom: Offset;
  /** Entries below may be written and sent; those above still linger. */
  #released: Offset;
  #lingerUntilMs = Infinity;
  #round = 0;
  #nextHeartbeatMs: number;
  #transfer: Transfer | undefined;
  #nextPreferenceMs: number;

  /** `before`: where its log ended when it was elected. It holds this leader's first entry already. */
  constructor(context: LeadershipContext, before: Offset, nowMs: number) {
    this.#context = context;
    this.#servesFrom = context.log.endOffset;
    this.#released = context.log.endOffset;
    this.#reads = new QuorumReads(context.outbox, context.limits.maxPendingReads);
    // The first message to everybody is the probe for where the logs part.
    this.#nextHeartbeatMs = nowMs + context.timing.heartbeatIntervalMs;
    this.#nextPreferenceMs = nowMs + PREFERENCE_TIMES * context.timing.electionTimeoutMs;
    // What they are most likely to lack is what this leader begins with.
    for (const voter of context.voters) {
      if (!isSameReplica(voter, context.self)) this.#ensure(voter, nowMs, before);
    }
  }

  /** Whether its own first entry is committed, so that its commit offset is the cluster's (Raft, section 8). */
  get isServing(): boolean {
    return this.#context.log.commitOffset >= this.#servesFrom;
  }

  get releasedOffset(): Offset {
    return this.#released;
  }

  get deadlineMs(): number {
    return Math.min(this.#nextHeartbeatMs, this.#lingerUntilMs);
  }

  get isTransferring(): boolean {
    return this.#transfer !== undefined;
  }

  /** Voters that are new get a progress; who is none any more is an observer from now on. */
  votersChanged(nowMs: number): void {
    for (const voter of this.#context.voters) {
      if (!isSameReplica(voter, this.#context.self)) this.#ensure(voter, nowMs);
    }
  }

  /** New entries are in the log. They go out with those before, or when nothing is under way, or when they have lingered. */
  appended(nowMs: number): void {
    if (this.#lingerUntilMs === Infinity) this.#lingerUntilMs = nowMs + this.#context.timing.lingerMs;
  }

  /** Puts into the outbox whatever can be sent now. */
  flush(nowMs: number): void {
    this.#release(nowMs);
    if (this.isServing && this.#reads.isWaitingToBegin) this.#broadcast('voters');
    for (const progress of this.#progress.values()) this.#replicate(progress, nowMs);
    this.#continueTransfer();
  }

  tick(nowMs: number): void {
    const { timing } = this.#context;
    if (!this.#hasMajority(nowMs)) {
      this.#context.resign(nowMs);
      return;
    }
    this.#release(nowMs);
    if (this.#transfer !== undefined && nowMs >= this.#transfer.untilMs) this.#transfer = undefined;
    if (nowMs >= this.#nextHeartbeatMs) {
      this.#forgetObservers(nowMs);
      this.#prefer(nowMs);
      this.#broadcast('all');
      this.#nextHeartbeatMs = nowMs + timing.heartbeatIntervalMs;
    }
  }

  /** Whether a proposal is taken; the failure says why not. */
  refusal(payloadBytes: number): Failure | undefined {
    const { log, limits } = this.#context;
    if (this.#transfer !== undefined) {
      return failure(
        'NOT_CONTROLLER',
        `The leadership is being handed to node ${this.#transfer.to.nodeId}; retry.`,
      );
    }
    const waiting = log.uncommittedBytes;
    if (waiting > 0 && waiting + payloadBytes > limits.maxUncommittedBytes) {
      return failure(
        'THROTTLING_QUOTA_EXCEEDED',
        `${waiting} bytes of metadata wait for a majority; retry a little later.`,
      );
    }
    return undefined;
  }

  /** Whether the voters may change now: one change at a time, and judged by what is committed (Raft thesis 4.1, KAFKA-20740). */
  voterChangeRefusal(votersEndOffset: Offset): Failure | undefined {
    if (!this.isServing) {
      return failure('NOT_CONTROLLER', 'This leader has not committed anything of its own term yet; retry.');
    }
    if (votersEndOffset > this.#context.log.commitOffset) {
      return failure('INVALID_REQUEST', 'Another change of the voters is under way; retry when it is done.');
    }
    return undefined;
  }

  /** Whether the replica follows closely enough to become a voter without holding up commits. */
  isCaughtUp(replica: ReplicaKey, nowMs: number): boolean {
    const progress = this.#progress.get(replicaName(replica));
    if (progress?.state !== 'replicating') return false;
    if (nowMs - progress.lastContactMs > this.#context.timing.electionTimeoutMs) return false;
    return progress.matchOffset >= this.#context.log.commitOffset;
  }

  readIndex(id: number): void {
    this.#reads.ask(id);
  }

  failReads(cause: Failure): void {
    this.#reads.failAll(cause);
  }

  /** Undefined: to whoever is furthest. Answers the failure, or nothing when it has begun. */
  transferTo(to: NodeId | undefined, nowMs: number): Failure | undefined {
    const best = this.#furthest(nowMs, to);
    if (best === undefined) {
      const whom = to === undefined ? 'No other voter can' : `Node ${to} cannot`;
      return failure('INVALID_REQUEST', `${whom} take over: it must be a voter that answers.`);
    }
    this.#transfer = {
      to: best.key,
      untilMs: nowMs + this.#context.timing.electionTimeoutMs,
      isAsked: false,
    };
    return undefined;
  }

  /** Its own removal is committed: says so, and asks the voter that is furthest to campaign, so that nobody waits for a timeout. */
  leave(nowMs: number): void {
    this.flush(nowMs);
    const next = this.#furthest(nowMs);
    if (next === undefined) return;
    const { self, term, outbox } = this.#context;
    outbox.messages.push({ type: 'timeoutNow', from: self, to: next.key, term });
  }

  appendResponse(message: AppendResponse, nowMs: number): void {
    const progress = this.#heard(message, nowMs);
    if (progress === undefined) return;
    progress.confirmedRound = Math.max(progress.confirmedRound, message.round);
    const { matchOffset, refused } = message;
    if (matchOffset !== undefined) this.#accepted(progress, matchOffset);
    else if (refused !== undefined) this.#refused(progress, refused.previous, refused.conflict);
    this.#confirmReads();
  }

  snapshotResponse(message: SnapshotResponse, nowMs: number): void {
    const progress = this.#heard(message, nowMs);
    if (progress === undefined) return;
    progress.confirmedRound = Math.max(progress.confirmedRound, message.round);
    this.#confirmReads();
    const { snapshot } = progress;
    if (progress.state !== 'snapshot' || snapshot?.id === undefined) return;
    if (message.snapshot.endOffset !== snapshot.id.endOffset || message.snapshot.term !== snapshot.id.term)
      return;
    if (message.nextPosition === undefined) {
      progress.acknowledged(snapshot.id.endOffset);
      progress.become('probing', snapshot.id.endOffset);
      return;
    }
    // About an earlier piece: overtaken.
    if (snapshot.sent?.round !== message.round) return;
    const expected = snapshot.position + snapshot.sent.bytes;
    snapshot.sent = undefined;
    if (message.nextPosition === expected) snapshot.position = message.nextPosition;
    // It does not have what came before (any more), or something else: it gets the newest from its beginning.
    else progress.beginSnapshot();
  }

  /** An observer asks for the log. */
  joined({ from, last }: JoinRequest, nowMs: number): void {
    const known = this.#progress.get(replicaName(from));
    if (known === undefined && this.#progress.size >= this.#context.limits.maxObservers) return;
    const progress = known ?? this.#ensure(from, nowMs);
    // A voter that asks does not hear this leader: it is none of the majority that a leader needs.
    if (findVoter(this.#context.voters, from) === undefined) progress.lastContactMs = nowMs;
    // Its disk is not what it was. A join that is only old does no harm: what it has is found again at once.
    if (last.endOffset < progress.matchOffset) progress.lostLog();
    // It joins because it hears nothing: whatever was under way is lost.
    if (progress.state === 'replicating') progress.become('probing', progress.nextOffset);
    progress.isProbeSent = false;
    if (progress.state === 'probing' && last.endOffset < progress.nextOffset) {
      progress.nextOffset = Math.max(progress.matchOffset, last.endOffset) as Offset;
    }
  }

  entriesRead(to: ReplicaKey, from: Offset, entries: readonly Entry[]): void {
    const progress = this.#progress.get(replicaName(to));
    if (progress?.isReading !== true) return;
    progress.isReading = false;
    if (progress.nextOffset !== from || progress.state === 'snapshot') return;
    if (entries.length > 0) this.#sendEntries(progress, entries);
    // It may be possible at the next heartbeat.
    else progress.isProbeSent = true;
  }

  /** Undefined: it cannot be read any more, begin anew. */
  snapshotPiece(to: ReplicaKey, piece: SnapshotPiece | undefined, nowMs: number): void {
    const { self, term, outbox } = this.#context;
    const progress = this.#progress.get(replicaName(to));
    const snapshot = progress?.snapshot;
    if (progress === undefined || snapshot?.isReading !== true) return;
    snapshot.isReading = false;
    if (piece === undefined) {
      // Not at once: it may be the newest that cannot be read.
      progress.beginSnapshot();
      progress.isProbeSent = true;
      return;
    }
    if (piece.position !== snapshot.position) return;
    snapshot.id = piece.snapshot;
    // Each piece has a round of its own, so that its answer is told from one to an earlier piece.
    snapshot.sent = { atMs: nowMs, round: ++this.#round, bytes: piece.bytes.length };
    outbox.messages.push({ type: 'snapshot', from: self, to, term, round: this.#round, ...piece });
  }

  /** The largest offset a majority has on disk; committed if it is of this term (Raft, 5.4.2). */
  advanceCommit(): void {
    const { self, log, voters, term } = this.#context;
    const matches = voters.map((voter) =>
      isSameReplica(voter, self)
        ? log.stableOffset
        : (this.#progress.get(replicaName(voter))?.matchOffset ?? (0 as Offset)),
    );
    const majority = matches.sort((a, b) => b - a)[majorityOf(voters.length) - 1];
    if (majority === undefined || majority <= log.commitOffset || log.termAt(majority) !== term) return;
    this.#context.committed(majority);
    this.#confirmReads();
  }

  statuses(nowMs: number): readonly ReplicaStatus[] {
    return [...this.#progress.values()].map(({ key, matchOffset, lastContactMs, state }) => ({
      key,
      isVoter: findVoter(this.#context.voters, key) !== undefined,
      matchOffset,
      lastContactMsAgo: Math.max(0, nowMs - lastContactMs),
      state,
    }));
  }

  #ensure(key: ReplicaKey, nowMs: number, nextOffset = this.#context.log.endOffset): Progress {
    const name = replicaName(key);
    const known = this.#progress.get(name);
    if (known !== undefined) return known;
    const { nodeId, directoryId } = key;
    const progress = new Progress({ nodeId, directoryId }, nextOffset, nowMs);
    this.#progress.set(name, progress);
    return progress;
  }

  /** Among the voters that answer, or of node `to`. */
  #furthest(nowMs: number, to?: NodeId): Progress | undefined {
    const { self, voters, timing } = this.#context;
    return voters
      .filter((voter) => !isSameReplica(voter, self) && (to === undefined || voter.nodeId === to))
      .map((voter) => this.#progress.get(replicaName(voter))!)
      .filter(({ lastContactMs }) => nowMs - lastContactMs <= timing.checkQuorumMs)
      .sort((a, b) => b.matchOffset - a.matchOffset)[0];
  }

  #heard({ from }: RaftMessage, nowMs: number): Progress | undefined {
    const progress = this.#progress.get(replicaName(from));
    if (progress !== undefined) progress.lastContactMs = nowMs;
    return progress;
  }

  #accepted(progress: Progress, matchOffset: Offset): void {
    if (progress.state === 'snapshot') return;
    const isFound = progress.state === 'probing' && matchOffset >= progress.nextOffset;
    progress.acknowledged(matchOffset);
    if (isFound) progress.become('replicating', matchOffset);
    this.advanceCommit();
  }

  #refused(progress: Progress, previous: LogPosition, conflict: LogPosition): void {
    if (progress.state === 'snapshot') return;
    // Overtaken: since then it has confirmed more than it refused then.
    if (previous.endOffset <= progress.matchOffset) return;
    if (progress.state === 'probing' && previous.endOffset !== progress.nextOffset) return;
    const mine = this.#context.log.endOfTerm(conflict.term);
    const common =
      mine.term === conflict.term ? Math.min(mine.endOffset, conflict.endOffset) : mine.endOffset;
    const next = Math.max(progress.matchOffset, Math.min(common, previous.endOffset)) as Offset;
    progress.become('probing', next);
  }

  #replicate(progress: Progress, nowMs: number): void {
    const { log, limits } = this.#context;
    while (!progress.isReading && !progress.isProbeSent) {
      if (progress.state === 'snapshot') {
        this.#requestPiece(progress, nowMs);
        return;
      }
      const { nextOffset } = progress;
      if (log.termAt(nextOffset) === undefined || nextOffset < log.logStartOffset) {
        progress.become('snapshot', nextOffset);
        continue;
      }
      if (nextOffset >= this.#released) {
        const isNews = progress.sentCommitOffset < log.commitOffset || progress.state === 'probing';
        if (isNews) this.#sendEntries(progress, []);
        return;
      }
      if (!progress.hasRoom(limits.maxInFlightBytes, limits.maxInFlightMessages)) return;
      const entries = log.slice(nextOffset, this.#released, limits.maxMessageBytes);
      if (entries === 'onDisk') {
        progress.isReading = true;
        const { key: to } = progress;
        // Not further than memory goes back: what is there may not be on the disk, or another entry may be yet.
        const read = { to, from: nextOffset, upTo: log.cachedFrom, maxBytes: limits.maxMessageBytes };
        this.#context.outbox.reads.push(read);
        return;
      }
      this.#sendEntries(progress, entries);
    }
  }

  #sendEntries(progress: Progress, entries: readonly Entry[]): void {
    const { self, term, log, outbox } = this.#context;
    // An entry that holds the next offset inside it comes whole, and so does what is said to precede it.
    const previousEnd = entries[0]?.baseOffset ?? progress.nextOffset;
    const previousTerm = log.termAt(previousEnd);
    if (previousTerm === undefined) {
      progress.become('snapshot', progress.nextOffset);
      return;
    }
    if (progress.state === 'probing') progress.nextOffset = previousEnd;
    const { commitOffset } = log;
    outbox.messages.push({
      type: 'append',
      from: self,
      to: progress.key,
      term,
      previous: { endOffset: previousEnd, term: previousTerm },
      entries,
      commitOffset,
      round: this.#round,
    });
    progress.sentCommitOffset = commitOffset;
    const last = entries.at(-1);
    if (last !== undefined) {
      progress.sent(
        last.endOffset,
        entries.reduce((sum, { payload }) => sum + payload.length, 0),
      );
    } else if (progress.state === 'probing') progress.isProbeSent = true;
  }

  #requestPiece({ key: to, snapshot, lastContactMs }: Progress, nowMs: number): void {
    if (snapshot === undefined || snapshot.isReading) return;
    const { timing, limits, outbox } = this.#context;
    const { sent } = snapshot;
    if (sent !== undefined && nowMs - sent.atMs < timing.electionTimeoutMs) return;
    // Not again to one that is not heard: it answers heartbeats when it is back, and what is kept for it may go meanwhile.
    if (sent !== undefined && lastContactMs < sent.atMs) return;
    snapshot.isReading = true;
    outbox.snapshotReads.push({
      to,
      snapshot: snapshot.id,
      position: snapshot.position,
      maxBytes: limits.maxSnapshotPieceBytes,
    });
  }

  /**
   * A message whatever there is to say: it keeps them from campaigning, and the answers of voters confirm reads. A round for reads
   * alone is no business of the observers.
   */
  #broadcast(to: 'all' | 'voters'): void {
    const { log, self, term, outbox, voters } = this.#context;
    if (this.isServing) this.#reads.begin(() => ++this.#round);
    for (const progress of this.#progress.values()) {
      if (to === 'voters' && findVoter(voters, progress.key) === undefined) continue;
      // What was sent to probe, or was to be read, may be lost: this is the time to try again.
      progress.isProbeSent = false;
      const isReplicating = progress.state === 'replicating' && log.termAt(progress.nextOffset) !== undefined;
      if (progress.state === 'probing' && !progress.isReading) continue;
      const previous = isReplicating
        ? { endOffset: progress.nextOffset, term: log.termAt(progress.nextOffset)! }
        : log.end;
      const { commitOffset } = log;
      outbox.messages.push({
        type: 'append',
        from: self,
        to: progress.key,
        term,
        previous,
        entries: [],
        commitOffset,
        round: this.#round,
      });
      if (isReplicating) progress.sentCommitOffset = commitOffset;
    }
    this.#confirmReads();
  }

  #release(nowMs: number): void {
    const { log, limits } = this.#context;
    if (this.#released >= log.endOffset) {
      this.#lingerUntilMs = Infinity;
      return;
    }
    const isUnderWay = log.commitOffset < this.#released;
    if (isUnderWay && nowMs < this.#lingerUntilMs && log.uncommittedBytes < limits.maxMessageBytes) return;
    this.#released = log.endOffset;
    this.#lingerUntilMs = Infinity;
  }

  #confirmReads(): void {
    const { log, self, voters } = this.#context;
    if (!this.isServing) return;
    const rounds = voters.map((voter) =>
      isSameReplica(voter, self)
        ? this.#round
        : (this.#progress.get(replicaName(voter))?.confirmedRound ?? 0),
    );
    const confirmed = rounds.sort((a, b) => b - a)[majorityOf(voters.length) - 1] ?? 0;
    if (this.#reads.confirm(confirmed, log.commitOffset) > 0) this.#context.readConfirmed(log.commitOffset);
  }

  #hasMajority(nowMs: number): boolean {
    const { self, voters, timing } = this.#context;
    const alive = voters.filter((voter) => {
      if (isSameReplica(voter, self)) return true;
      const progress = this.#progress.get(replicaName(voter));
      return progress !== undefined && nowMs - progress.lastContactMs < timing.checkQuorumMs;
    });
    return alive.length >= majorityOf(voters.length);
  }

  #forgetObservers(nowMs: number): void {
    const { voters, timing } = this.#context;
    for (const [name, { key, lastContactMs }] of this.#progress) {
      if (findVoter(voters, key) !== undefined) continue;
      if (nowMs - lastContactMs > OBSERVER_TIMES * timing.checkQuorumMs) this.#progress.delete(name);
    }
  }

  #prefer(nowMs: number): void {
    const { preferredLeader, self, voters } = this.#context;
    if (preferredLeader === undefined || preferredLeader === self.nodeId) return;
    if (nowMs < this.#nextPreferenceMs || this.#transfer !== undefined) return;
    this.#nextPreferenceMs = nowMs + PREFERENCE_TIMES * this.#context.timing.electionTimeoutMs;
    const preferred = voters.find(({ nodeId }) => nodeId === preferredLeader);
    if (preferred !== undefined && this.isCaughtUp(preferred, nowMs)) this.transferTo(preferredLeader, nowMs);
  }

  #continueTransfer(): void {
    const { self, term, log, outbox } = this.#context;
    const transfer = this.#transfer;
    if (transfer === undefined || transfer.isAsked) return;
    const progress = this.#progress.get(replicaName(transfer.to));
    if (progress?.matchOffset !== log.endOffset) return;
    transfer.isAsked = true;
    outbox.messages.push({ type: 'timeoutNow', from: self, to: transfer.to, term });
  }
}
