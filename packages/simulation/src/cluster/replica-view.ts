// What the checkers know of one incarnation of a replica: its role and its log, kept from what its observer says.
// Contract: a view is changed by `ClusterChecks` alone, before or after the checkers look at it, as `Checker` says.

import { type Term } from '@tidemark/core';
import { replicaName, type ReplicaKey, type Role } from '@tidemark/raft';
import { type Link } from './log-history.ts';

export class ReplicaView {
  readonly key: ReplicaKey;
  readonly incarnation: number;
  readonly name: string;
  role: Role = 'observer';
  term = 0 as Term;
  /** The log in memory. */
  tip: Link;
  /** What the replica knows to be committed. */
  committed: Link;
  /** Entries behind `committed`, oldest first, from `#head` on. */
  #pending: Link[] = [];
  #head = 0;

  constructor(key: ReplicaKey, incarnation: number, origin: Link) {
    this.key = key;
    this.incarnation = incarnation;
    this.name = `${replicaName(key)}/${incarnation}`;
    this.tip = origin;
    this.committed = origin;
  }

  /** The log is `tip` now, of which everything up to `committed` is known to be committed. */
  restart(tip: Link, committed: Link): void {
    this.tip = tip;
    this.committed = committed;
    this.#pending = [];
    this.#head = 0;
    for (let at: Link | undefined = tip; at !== undefined && at !== committed; at = at.previous) {
      this.#pending.push(at);
    }
    this.#pending.reverse();
  }

  push(link: Link): void {
    this.tip = link;
    this.#pending.push(link);
  }

  /** Takes off what ends above `endOffset`; answers false when that reaches into what is committed. */
  truncate(endOffset: number): boolean {
    while (this.#pending.length > this.#head && this.#pending.at(-1)!.endOffset > endOffset)
      this.#pending.pop();
    this.tip = this.#pending.length > this.#head ? this.#pending.at(-1)! : this.committed;
    return this.tip.endOffset === endOffset;
  }

  /** The next entry that is not committed yet, if it ends at or below `endOffset`; it is committed from now on. */
  commitNext(endOffset: number): Link | undefined {
    const next = this.#pending[this.#head];
    if (next === undefined || next.endOffset > endOffset) return undefined;
    this.#head++;
    this.committed = next;
    if (this.#head > 1_000) {
      this.#pending.splice(0, this.#head);
      this.#head = 0;
    }
    return next;
  }
}
