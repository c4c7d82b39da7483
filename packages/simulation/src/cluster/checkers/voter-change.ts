// Single changes of the voters (Raft thesis, 4.1): two sets that follow each other in a log differ by one voter, and a leader
// begins a change only when the one before is committed and so is an entry of its own term (the correction of 2015).

import { replicaName, type VoterSet } from '@tidemark/raft';
import { nameOf } from '../log-history.ts';
import { type Checker, type CheckerState } from './checker.ts';

export function voterChange({ report }: CheckerState): Checker {
  return {
    appending: (view, link) => {
      if (link.voters === undefined) return;
      const before = link.previous?.votersLink;
      const difference = before?.voters === undefined ? 0 : differences(before.voters, link.voters);
      if (difference > 1) {
        report('voter-change', `${nameOf(link)} changes ${difference} voters at once`);
      }
      // The first leader puts the set that the cluster began with into the log; that changes nothing.
      if (view.role !== 'leader' || difference === 0) return;
      if (before !== undefined && before.endOffset > view.committed.endOffset) {
        report('voter-change', `${view.name} began ${nameOf(link)} before ${nameOf(before)} was committed`);
      } else if (view.committed.term !== view.term) {
        report(
          'voter-change',
          `${view.name} began ${nameOf(link)} before an entry of its term ${view.term} was committed`,
        );
      }
    },
  };
}

function differences(before: VoterSet, after: VoterSet): number {
  const old = new Set(before.map(replicaName));
  const added = after.filter((voter) => !old.has(replicaName(voter))).length;
  return added + (old.size - (after.length - added));
}
