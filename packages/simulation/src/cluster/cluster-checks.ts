// Watches every replica of a simulated cluster and asks the checkers after everything one of them does. Contract: feed it each
// incarnation's observer events in the order they happen; it keeps the views, the history of all logs and the one committed log.

import { type Offset, type Term } from '@tidemark/core';
import {
  type Entry,
  type LogPosition,
  type RaftObserver,
  type ReplicaKey,
  type Role,
  type SnapshotId,
  type VoterSet,
} from '@tidemark/raft';
import { type Checker, type CheckerState } from './checkers/checker.ts';
import { electionSafety } from './checkers/election-safety.ts';
import { leaderAppendOnly } from './checkers/leader-append-only.ts';
import { leaderCommit } from './checkers/leader-commit.ts';
import { leaderCompleteness } from './checkers/leader-completeness.ts';
import { oneVotePerTerm } from './checkers/one-vote-per-term.ts';
import { stateMachineSafety } from './checkers/state-machine-safety.ts';
import { voterChange } from './checkers/voter-change.ts';
import { CommittedLog } from './committed-log.ts';
import { LogHistory, nameOf, prefixOf } from './log-history.ts';
import { ReplicaView } from './replica-view.ts';
import { type Report } from './violations.ts';

export class ClusterChecks {
  readonly #report: Report;
  readonly #state: CheckerState;
  readonly #checkers: readonly Checker[];

  /** `voters`: those the cluster begins with. */
  constructor(report: Report, voters: VoterSet) {
    this.#report = report;
    const history = new LogHistory(voters);
    this.#state = { report, history, committed: new CommittedLog(history.origin) };
    this.#checkers = [
      electionSafety(this.#state),
      leaderAppendOnly(this.#state),
      leaderCompleteness(this.#state),
      leaderCommit(this.#state),
      voterChange(this.#state),
      stateMachineSafety(this.#state),
      oneVotePerTerm(this.#state),
    ];
  }

  /** How far any replica has ever known the log to be committed. */
  get committedOffset(): Offset {
    return this.#state.committed.tip.endOffset;
  }

  /** The voters of the newest committed set. */
  get committedVoters(): VoterSet | undefined {
    return this.#state.committed.tip.votersLink?.voters;
  }

  /** For one incarnation of a replica. After `isAlive` answers false nothing of it counts. */
  observe(key: ReplicaKey, incarnation: number, isAlive: () => boolean = () => true): RaftObserver {
    const view = new ReplicaView(key, incarnation, this.#state.history.origin);
    const watching = new ReplicaWatch(view, this.#state, this.#checkers);
    const guarded =
      <A extends readonly unknown[]>(handle: (...args: A) => void) =>
      (...args: A): void => {
        if (isAlive()) handle(...args);
      };
    return {
      started: guarded((end: LogPosition, commitOffset: Offset) => watching.started(end, commitOffset)),
      roleChanged: guarded((role: Role, term: Term) => watching.roleChanged(role, term)),
      appended: guarded((entries: readonly Entry[]) => watching.appended(entries)),
      truncated: guarded((endOffset: Offset) => watching.truncated(endOffset)),
      snapshotInstalled: guarded((snapshot: SnapshotId) => watching.snapshotInstalled(snapshot)),
      committed: guarded((endOffset: Offset) => watching.committed(endOffset)),
    };
  }

  /** A vote has left the node: from now on somebody may count on it. */
  voteSent(voter: ReplicaKey, term: Term, candidate: ReplicaKey): void {
    for (const checker of this.#checkers) checker.voteSent?.(voter, term, candidate);
  }

  /** A linearizable read that was asked for when `committedOffset` was `askedAt` has been answered. */
  readAnswered(node: string, askedAt: Offset, readOffset: Offset, imageOffset: number): void {
    if (readOffset < askedAt) {
      this.#report(
        'linearizable-read',
        `${node} confirmed a read at ${readOffset}, but ${askedAt} was committed when it was asked`,
      );
    } else if (imageOffset < this.#lastRecordBelow(readOffset)) {
      this.#report(
        'linearizable-read',
        `${node} answered a read at ${readOffset} from an image that ends with ${imageOffset}`,
      );
    }
  }

  /** What leaders and voters put into the log leaves no mark in an image. */
  #lastRecordBelow(offset: number): number {
    let link = this.#state.committed.at(offset);
    while (link !== undefined && link.kind !== 'data') link = link.previous;
    return link === undefined ? -1 : link.endOffset - 1;
  }
}

/** Keeps one view up to date and shows it around. */
class ReplicaWatch {
  readonly #view: ReplicaView;
  readonly #state: CheckerState;
  readonly #checkers: readonly Checker[];

  constructor(view: ReplicaView, state: CheckerState, checkers: readonly Checker[]) {
    this.#view = view;
    this.#state = state;
    this.#checkers = checkers;
  }

  started(end: LogPosition, commitOffset: Offset): void {
    const { report, history } = this.#state;
    const tip = history.find(end);
    if (tip === undefined) {
      report(
        'log-matching',
        `${this.#view.name} starts with a log up to ${end.term}:${end.endOffset}, which nobody ever had`,
      );
      return;
    }
    const committed = prefixOf(tip, commitOffset);
    if (committed === undefined) {
      report(
        'state-machine-safety',
        `${this.#view.name} starts with ${commitOffset} committed, where no entry of its log ends`,
      );
      return;
    }
    this.#view.restart(tip, committed);
    for (const checker of this.#checkers) checker.started?.(this.#view);
  }

  roleChanged(role: Role, term: Term): void {
    const view = this.#view;
    const before = view.role;
    view.role = role;
    view.term = term;
    if (role !== 'leader' || before === 'leader') return;
    for (const checker of this.#checkers) checker.elected?.(view);
  }

  appended(entries: readonly Entry[]): void {
    const view = this.#view;
    const { report, history } = this.#state;
    for (const entry of entries) {
      if (entry.baseOffset !== view.tip.endOffset) {
        report(
          'log-matching',
          `${view.name} appended at ${entry.baseOffset} to a log that ends at ${nameOf(view.tip)}`,
        );
        return;
      }
      const link = history.extend(view.tip, entry);
      if (link === undefined) {
        const other = history.find(entry)!;
        report(
          'log-matching',
          `${view.name} has a log up to ${entry.term}:${entry.endOffset} behind ${nameOf(view.tip)} that is not ${nameOf(other)}`,
        );
        return;
      }
      for (const checker of this.#checkers) checker.appending?.(view, link);
      view.push(link);
    }
  }

  truncated(endOffset: Offset): void {
    const view = this.#view;
    for (const checker of this.#checkers) checker.truncating?.(view, endOffset);
    if (!view.truncate(endOffset)) {
      this.#state.report(
        'state-machine-safety',
        `${view.name} cut its log to ${endOffset}, below what it knew to be committed or inside an entry`,
      );
    }
  }

  snapshotInstalled({ endOffset, term }: SnapshotId): void {
    const view = this.#view;
    for (const checker of this.#checkers) checker.truncating?.(view, endOffset);
    const link = this.#state.history.find({ endOffset, term });
    if (link === undefined) {
      this.#state.report(
        'log-matching',
        `${view.name} installed a snapshot of ${term}:${endOffset}, which no log ever reached`,
      );
      return;
    }
    const before = view.committed;
    view.restart(link, link);
    for (const checker of this.#checkers) checker.installed?.(view, before);
  }

  committed(endOffset: Offset): void {
    const view = this.#view;
    if (endOffset < view.committed.endOffset) {
      this.#state.report(
        'state-machine-safety',
        `${view.name} took its commit offset back from ${view.committed.endOffset} to ${endOffset}`,
      );
      return;
    }
    for (let link = view.commitNext(endOffset); link !== undefined; link = view.commitNext(endOffset)) {
      for (const checker of this.#checkers) checker.committing?.(view, link);
    }
    for (const checker of this.#checkers) checker.committed?.(view);
    if (view.committed.endOffset !== endOffset) {
      this.#state.report(
        'state-machine-safety',
        `${view.name} committed up to ${endOffset}, where no entry of its log ends`,
      );
    }
  }
}
