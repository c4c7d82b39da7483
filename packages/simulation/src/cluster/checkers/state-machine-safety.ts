// State machine safety (Raft, figure 3): whatever two replicas have committed at an offset is the same, and so is everything below
// it; also across restarts, and for what a snapshot stands for.

import { nameOf, type Link } from '../log-history.ts';
import { type Checker, type CheckerState } from './checker.ts';

export function stateMachineSafety({ report, committed }: CheckerState): Checker {
  const check = (name: string, link: Link, doing: string): void => {
    const known = committed.at(link.endOffset);
    if (known === link) return;
    const there = known === undefined ? 'nothing that ends there' : nameOf(known);
    report('state-machine-safety', `${name} ${doing} ${nameOf(link)}; committed is ${there}`);
  };
  return {
    started: (view) => check(view.name, view.committed, 'starts with'),
    installed: (view, before) => {
      if (view.committed.endOffset < before.endOffset) {
        report(
          'state-machine-safety',
          `${view.name} went back from ${nameOf(before)} to a snapshot of ${nameOf(view.committed)}`,
        );
      } else check(view.name, view.committed, 'installed a snapshot of');
    },
    committing: (view, link) => {
      if (link.previous === committed.tip) committed.push(link, view.term);
      else check(view.name, link, 'committed');
    },
  };
}
