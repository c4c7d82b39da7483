// The one log that the cluster has committed, as the first replica to say so had it. Everybody else's must be the same.

import { type Term } from '@tidemark/core';
import { type Link } from './log-history.ts';

export class CommittedLog {
  readonly #byEnd = new Map<number, Link>();
  /** The last entry committed by the leader of each term, terms rising. */
  readonly #byTerm: { readonly term: Term; link: Link }[] = [];
  tip: Link;

  constructor(origin: Link) {
    this.tip = origin;
    this.#byEnd.set(origin.endOffset, origin);
  }

  at(endOffset: number): Link | undefined {
    return this.#byEnd.get(endOffset);
  }

  /** In the term `term` the next entry was committed. */
  push(link: Link, term: Term): void {
    this.tip = link;
    this.#byEnd.set(link.endOffset, link);
    const last = this.#byTerm.at(-1);
    if (last !== undefined && last.term >= term) last.link = link;
    else this.#byTerm.push({ term, link });
  }

  /** The last entry that was committed in a term before `term`. */
  before(term: Term): Link | undefined {
    return this.#byTerm.findLast((committed) => committed.term < term)?.link;
  }
}
