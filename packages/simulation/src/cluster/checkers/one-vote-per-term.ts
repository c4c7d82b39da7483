// A replica gives one vote in a term, whatever happens to its process. A vote counts once it has left the node: before that it
// may be forgotten.

import { type Term } from '@tidemark/core';
import { replicaName } from '@tidemark/raft';
import { type Checker, type CheckerState } from './checker.ts';

export function oneVotePerTerm({ report }: CheckerState): Checker {
  const votes = new Map<string, Map<Term, string>>();
  return {
    voteSent: (voter, term, candidate) => {
      const name = replicaName(voter);
      let terms = votes.get(name);
      if (terms === undefined) votes.set(name, (terms = new Map<Term, string>()));
      const to = replicaName(candidate);
      const before = terms.get(term);
      if (before === undefined) terms.set(term, to);
      else if (before !== to) {
        report('one-vote-per-term', `${name} voted for ${before} and for ${to} in term ${term}`);
      }
    },
  };
}
