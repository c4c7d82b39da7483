// A leader commits by counting only entries of its own term; older ones are committed with them (Raft, 5.4.2 and figure 8). What
// breaks the rule loses something only when three more things go wrong, so the rule itself is checked.

import { nameOf } from '../log-history.ts';
import { type Checker, type CheckerState } from './checker.ts';

export function leaderCommit({ report }: CheckerState): Checker {
  return {
    committed: ({ role, name, term, committed }) => {
      if (role !== 'leader' || committed.term === term) return;
      report('leader-commit', `${name} leads in term ${term} and committed ${nameOf(committed)} by counting`);
    },
  };
}
