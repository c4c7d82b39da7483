// Leader append-only (Raft, figure 3): a leader takes nothing off its log, and adds only entries of its own term. So nobody who
// follows it has reason to take off what it got in that term: a follower that does so for a message that is late may have
// acknowledged what it loses.

import { type Checker, type CheckerState } from './checker.ts';

export function leaderAppendOnly({ report }: CheckerState): Checker {
  return {
    truncating: ({ role, name, term, tip, committed }, endOffset) => {
      if (role === 'leader') {
        report('leader-append-only', `${name} leads in term ${term} and cut its log to ${endOffset}`);
      } else if (tip.term === term && tip.endOffset > endOffset && endOffset >= committed.endOffset) {
        const what = `entries up to ${tip.endOffset} of term ${term}, whose leader has them`;
        report('leader-append-only', `${name} cut its log to ${endOffset}: ${what}`);
      }
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
