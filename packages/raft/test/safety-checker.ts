// Raft's safety properties, checked as things happen in a group of replicas (Raft, figure 3), and what they rest on: one vote in a
// term, acknowledged means on disk, committed means on the disks of a majority. Each throws with the property's name.

import type { Offset, Term } from '@tidemark/core';
import { findVoter, replicaName } from '@tidemark/raft';
import type { Entry, LogPosition, RaftMessage, ReplicaKey, Role, SnapshotId, VoterSet } from '@tidemark/raft';
import type { FakeDisk } from './fake-disk.ts';

export class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation';
}

function check(holds: boolean, property: string, details: unknown): asserts holds {
  if (!holds) throw new SafetyViolation(`${property}: ${JSON.stringify(details)}`);
}

const textOf = ({ kind, baseOffset, payload }: Entry): string =>
  `${kind} ${baseOffset} ${Array.from(payload).join(',')}`;

/** A replica's log in memory, as its observer tells it. */
export class LogMirror {
  base: LogPosition;
  entries: Entry[];

  constructor(base: LogPosition, entries: readonly Entry[]) {
    this.base = base;
    this.entries = [...entries];
  }

  get end(): LogPosition {
    const last = this.entries.at(-1);
    return last === undefined ? this.base : { endOffset: last.endOffset, term: last.term };
  }

  termAt(endOffset: Offset): Term | undefined {
    if (endOffset === this.base.endOffset) return this.base.term;
    let low = 0;
    let high = this.entries.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle]!.endOffset < endOffset) low = middle + 1;
      else high = middle;
    }
    const found = this.entries[low];
    return found?.endOffset === endOffset ? found.term : undefined;
  }
}

export class SafetyChecker {
  readonly #leaders = new Map<Term, string>();
  readonly #votes = new Map<string, string>();
  /** What ends at `term@endOffset`, and what is before it. */
  readonly #positions = new Map<string, string>();
  /** Terms of what is committed by the offset it ends at, wherever a replica's commit offset has stood. */
  readonly #committed = new Map<Offset, Term>();
  readonly #applied = new Map<Offset, string>();
  /** By replica: up to where it has acknowledged entries, in its latest term. */
  readonly #acknowledged = new Map<string, LogPosition>();
  committedEnd: LogPosition = { endOffset: 0 as Offset, term: 0 as Term };

  roleChanged(self: ReplicaKey, role: Role, term: Term, log: LogMirror): void {
    if (role !== 'leader') return;
    const name = replicaName(self);
    const other = this.#leaders.get(term);
    check(other === undefined || other === name, 'election safety', { term, one: other, other: name });
    this.#leaders.set(term, name);
    const { endOffset, term: committedTerm } = this.committedEnd;
    const complete = endOffset < log.base.endOffset || log.termAt(endOffset) === committedTerm;
    check(complete, 'leader completeness', { name, term, committed: this.committedEnd, end: log.end });
  }

  /** Crashed before the term was on its disk, so that nobody has heard of it (a single voter leads before that). */
  forgot(self: ReplicaKey, term: Term): void {
    if (this.#leaders.get(term) !== replicaName(self)) return;
    this.#leaders.delete(term);
    for (const key of this.#positions.keys()) if (key.startsWith(`${term}@`)) this.#positions.delete(key);
  }

  sent(message: RaftMessage, disk: FakeDisk): void {
    const { from, to, term } = message;
    check(
      disk.hardState.term >= term || message.type.startsWith('vote'),
      'a term is on disk before it is used',
      {
        message: message.type,
        disk: disk.hardState.term,
        term,
      },
    );
    if (message.type === 'appendResponse' && message.matchOffset !== undefined) {
      const endOffset = message.matchOffset;
      const known = this.#acknowledged.get(replicaName(from));
      check(disk.hardState.term > term || endOffset <= disk.endOffset, 'acknowledged means on disk', {
        from,
        endOffset,
        disk: disk.endOffset,
      });
      if (known === undefined || known.term < term || known.endOffset < endOffset) {
        this.#acknowledged.set(replicaName(from), { endOffset, term });
      }
    }
    if (message.type === 'voteResponse' && message.granted && !message.pre) {
      const vote = disk.hardState.vote;
      check(
        disk.hardState.term > term || (vote !== undefined && replicaName(vote) === replicaName(to)),
        'a vote is on disk before it is sent',
        { from, to, term, disk: disk.hardState },
      );
      const key = `${replicaName(from)} in ${term}`;
      const before = this.#votes.get(key);
      check(before === undefined || before === replicaName(to), 'one vote in a term', { key, before, to });
      this.#votes.set(key, replicaName(to));
    }
  }

  appended(entries: readonly Entry[], log: LogMirror): void {
    for (const entry of entries) {
      const before = log.end;
      check(entry.baseOffset === before.endOffset, 'a log has no gaps', { before, entry: textOf(entry) });
      const key = `${entry.term}@${entry.endOffset}`;
      const text = `${textOf(entry)} after ${before.term}@${before.endOffset}`;
      const known = this.#positions.get(key);
      check(known === undefined || known === text, 'log matching', { key, known, text });
      this.#positions.set(key, text);
      log.entries.push(entry);
    }
  }

  truncated(self: ReplicaKey, role: Role, endOffset: Offset, log: LogMirror): void {
    check(role !== 'leader', 'leader append-only', { self, endOffset });
    while (log.entries.length > 0 && log.entries.at(-1)!.endOffset > endOffset) {
      const { endOffset: lost, term } = log.entries.pop()!;
      check(this.#committed.get(lost) !== term, 'state machine safety: what is committed stays', {
        self,
        lost,
      });
    }
  }

  installed({ endOffset, term }: SnapshotId, log: LogMirror): void {
    const known = this.#committed.get(endOffset);
    check(known === term, 'a snapshot holds what is committed', { endOffset, term, known });
    log.base = { endOffset, term };
    log.entries = [];
  }

  committed(
    self: ReplicaKey,
    role: Role,
    leaderTerm: Term,
    endOffset: Offset,
    log: LogMirror,
    voters: VoterSet,
    disks: readonly (readonly [ReplicaKey, FakeDisk])[],
  ): void {
    const term = log.termAt(endOffset);
    check(term !== undefined, 'commit offsets end entries', { self, endOffset });
    const known = this.#committed.get(endOffset);
    check(known === undefined || known === term, 'state machine safety', { self, endOffset, term, known });
    this.#committed.set(endOffset, term);
    if (endOffset > this.committedEnd.endOffset) this.committedEnd = { endOffset, term };
    if (role !== 'leader') return;
    check(term === leaderTerm, 'a leader counts only entries of its own term', {
      self,
      endOffset,
      term,
      leaderTerm,
    });
    const holders = disks.filter(
      ([key, disk]) => findVoter(voters, key) !== undefined && disk.holds({ endOffset, term }),
    );
    check(holders.length * 2 > voters.length, 'committed means on the disks of a majority', {
      self,
      endOffset,
      holders: holders.map(([key]) => key.nodeId),
      voters: voters.map(({ nodeId }) => nodeId),
    });
  }

  /** The log on disk ends at `endOffset`: what was acknowledged may go only in a newer term. */
  cut(self: ReplicaKey, endOffset: Offset, diskTerm: Term): void {
    const known = this.#acknowledged.get(replicaName(self));
    const stays = known === undefined || known.term < diskTerm || known.endOffset <= endOffset;
    check(stays, 'what is acknowledged stays on disk', { self, endOffset, known });
  }

  /** Entries a leader has read from its disk for somebody else. */
  readFromDisk(self: ReplicaKey, entries: readonly Entry[]): void {
    for (const { endOffset, term } of entries) {
      const known = this.#committed.get(endOffset);
      check(known === undefined || known === term, 'entries read from disk are the committed ones', {
        self,
        endOffset,
      });
    }
  }

  applied(self: ReplicaKey, entry: Entry): void {
    const text = `${entry.term} ${textOf(entry)} ${entry.endOffset}`;
    const known = this.#applied.get(entry.baseOffset);
    check(known === undefined || known === text, 'state machine safety: applied', { self, known, text });
    this.#applied.set(entry.baseOffset, text);
  }

  readConfirmed(self: ReplicaKey, offset: Offset, committedWhenAsked: Offset): void {
    check(offset >= committedWhenAsked, 'linearizable reads', { self, offset, committedWhenAsked });
  }
}
