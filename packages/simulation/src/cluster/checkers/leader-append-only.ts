// Leader append-only (Raft, figure 3): a leader takes nothing off its log, and adds only entries of its own term.

import { type Checker, type CheckerState } from './checker.ts';

export function leaderAppendOnly({ report }: CheckerState): Checker {
  return {
    truncating: ({ role, name, term }, endOffset) => {
      if (role !== 'leader') return;
      report('leader-append-only', `${name} leads in term ${term} and cut its log to ${endOffset}`);
    },
    appending: ({ role, name, term }, link) => {
      if (role !== 'leader' || link.term === term) return;
      report(
        'leader-append-only',
        `${name} leads in term ${term} and appended an entry of term ${link.term}`,
      );
    },
  };
}
