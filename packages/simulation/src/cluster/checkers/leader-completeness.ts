// Leader completeness (Raft, figure 3): the log of a leader holds every entry that was committed in an earlier term. A candidate
// whose votes arrive late may come to lead a term that is over; what was committed after it is none of its business.

import { nameOf, prefixOf } from '../log-history.ts';
import { type Checker, type CheckerState } from './checker.ts';

export function leaderCompleteness({ report, committed }: CheckerState): Checker {
  return {
    elected: ({ name, term, tip }) => {
      const last = committed.before(term);
      if (last === undefined || prefixOf(tip, last.endOffset) === last) return;
      report(
        'leader-completeness',
        `${name} leads in term ${term} with a log up to ${nameOf(tip)}, which lacks the committed ${nameOf(last)}`,
      );
    },
  };
}
