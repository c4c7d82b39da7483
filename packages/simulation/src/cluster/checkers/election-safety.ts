// Election safety (Raft, figure 3): at most one leader in a term. A restarted replica is another leader than it was before.

import { type Term } from '@tidemark/core';
import { type Checker, type CheckerState } from './checker.ts';

export function electionSafety({ report }: CheckerState): Checker {
  const leaders = new Map<Term, string>();
  return {
    elected: ({ name, term }) => {
      const other = leaders.get(term);
      if (other === undefined) leaders.set(term, name);
      else if (other !== name) report('election-safety', `${other} and ${name} both lead in term ${term}`);
    },
  };
}
