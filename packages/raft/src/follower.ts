// What a replica does with what its leader sends: takes entries, cuts off what the leader does not have, installs snapshots, and
// says what of it is on its disk. Acknowledged entries go only when a newer leader cuts them off.

import { invariant, type Offset } from '@tidemark/core';
import type { DiskWrites } from './disk-writes.ts';
import type { Entry } from './entry.ts';
import type { AppendRequest, AppendResponse, SnapshotRequest } from './message.ts';
import { isSameReplica, type ReplicaKey } from './replica.ts';
import type { ReplicaState } from './replica-state.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';

export class Follower {
  readonly #state: ReplicaState;
  readonly #writes: DiskWrites;
  readonly #receiver: SnapshotReceiver;

  constructor(state: ReplicaState, writes: DiskWrites) {
    this.#state = state;
    this.#writes = writes;
    this.#receiver = new SnapshotReceiver(state.options.limits.maxSnapshotBytes);
  }

  onAppend(message: AppendRequest, nowMs: number): void {
    this.#follow(message.from, nowMs);
    const { previous, entries, commitOffset, round } = message;
    const { log, outbox } = this.#state;
    const answer = { ...this.#state.envelope(message.from), type: 'appendResponse', round } as const;
    // What is committed here is in every leader's log; it needs no comparing.
    const isCommitted = previous.endOffset < log.commitOffset;
    if (!isCommitted && log.termAt(previous.endOffset) !== previous.term) {
      const conflict = log.endOfTerm(previous.term);
      outbox.messages.push({ ...answer, matchOffset: undefined, refused: { previous, conflict } });
      return;
    }
    this.#take(isCommitted ? entries.filter(({ endOffset }) => endOffset > log.commitOffset) : entries);
    const sentUpTo = entries.at(-1)?.endOffset ?? previous.endOffset;
    const matchOffset = Math.max(sentUpTo, isCommitted ? log.commitOffset : 0) as Offset;
    this.#state.commitTo(Math.min(commitOffset, matchOffset) as Offset);
    if (matchOffset <= log.stableOffset) {
      outbox.messages.push({ ...answer, matchOffset, refused: undefined });
      return;
    }
    this.#acknowledgeWhenWritten({ ...answer, matchOffset, refused: undefined });
    // A slow disk is no reason to take the follower for dead.
    if (entries.length === 0) {
      outbox.messages.push({ ...answer, matchOffset: log.stableOffset, refused: undefined });
    }
  }

  onSnapshot(message: SnapshotRequest, nowMs: number): void {
    this.#follow(message.from, nowMs);
    const { snapshot, voters, round } = message;
    const { log, outbox } = this.#state;
    const answer = {
      ...this.#state.envelope(message.from),
      type: 'snapshotResponse',
      snapshot,
      round,
    } as const;
    // What it has is not replaced: entries behind may be acknowledged, and must stay (Raft, figure 13, step 6).
    if (snapshot.endOffset <= log.commitOffset || log.termAt(snapshot.endOffset) === snapshot.term) {
      this.#receiver.reset();
      this.#state.commitTo(snapshot.endOffset);
      const isOnDisk = snapshot.endOffset <= log.stableOffset;
      const messages = isOnDisk ? outbox.messages : outbox.messagesAfterPersist;
      messages.push({ ...answer, nextPosition: undefined });
      return;
    }
    const { nextPosition, pieces } = this.#receiver.receive(message);
    if (pieces === undefined) {
      outbox.messages.push({ ...answer, nextPosition });
      return;
    }
    log.restart({ endOffset: snapshot.endOffset, term: snapshot.term });
    this.#state.voters.restarted(voters, snapshot.endOffset);
    this.#writes.replaced({ snapshot, voters, pieces });
    outbox.messagesAfterPersist.push({ ...answer, nextPosition: undefined });
    this.#state.options.observer?.snapshotInstalled?.(snapshot, voters);
    this.#state.votersChanged();
  }

  /** An acknowledgement covers those before it: one is enough for everything that is written together. */
  #acknowledgeWhenWritten(answer: AppendResponse): void {
    const { messagesAfterPersist } = this.#state.outbox;
    const last = messagesAfterPersist.at(-1);
    const isCovered =
      last?.type === 'appendResponse' &&
      last.term === answer.term &&
      isSameReplica(last.to, answer.to) &&
      last.round <= answer.round &&
      (last.matchOffset ?? 0) <= (answer.matchOffset ?? 0);
    if (isCovered) messagesAfterPersist.pop();
    messagesAfterPersist.push(answer);
  }

  #follow(leader: ReplicaKey, nowMs: number): void {
    invariant(!this.#state.isLeading, 'one leader in a term', { term: this.#state.term });
    this.#receiver.heard(this.#state.term);
    this.#state.follow(leader, nowMs);
  }

  /** Appends what is new. Only an entry that differs takes anything off: a late message must not undo a later one. */
  #take(entries: readonly Entry[]): void {
    const { log } = this.#state;
    const firstNew = entries.findIndex(({ endOffset, term }) => log.termAt(endOffset) !== term);
    if (firstNew < 0) return;
    const news = entries.slice(firstNew);
    const from = news[0]!.baseOffset;
    if (from < log.endOffset) this.#truncate(from);
    this.#state.append(news);
  }

  #truncate(from: Offset): void {
    this.#state.log.truncate(from);
    this.#writes.truncated(from);
    this.#state.options.observer?.truncated?.(from);
    if (this.#state.voters.truncated(from)) this.#state.votersChanged();
  }
}
