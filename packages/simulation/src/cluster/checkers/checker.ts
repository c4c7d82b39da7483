// A checker of one property. It is asked at the moments it names, and reports the first thing that breaks its property. All of
// them look at the same views, so each costs a few comparisons an event.

import { type Offset, type Term } from '@tidemark/core';
import { type ReplicaKey } from '@tidemark/raft';
import { type CommittedLog } from '../committed-log.ts';
import { type Link, type LogHistory } from '../log-history.ts';
import { type ReplicaView } from '../replica-view.ts';
import { type Report } from '../violations.ts';

export interface CheckerState {
  readonly report: Report;
  readonly history: LogHistory;
  readonly committed: CommittedLog;
}

export interface Checker {
  /** The view has the log that was found on the disk. */
  started?(view: ReplicaView): void;
  /** The replica leads; its log is as it was before its first entry as leader. */
  elected?(view: ReplicaView): void;
  /** Not in the view's log yet. */
  appending?(view: ReplicaView, link: Link): void;
  /** Still in the view's log. Also before a snapshot takes the log's place. */
  truncating?(view: ReplicaView, endOffset: Offset): void;
  /** The view's log is the snapshot's; `committed` is what it had been. */
  installed?(view: ReplicaView, committed: Link): void;
  /** The entry is committed in the view already. One call an entry, in order. */
  committing?(view: ReplicaView, link: Link): void;
  /** Everything up to the view's `committed` was committed by it. One call, after those for the entries. */
  committed?(view: ReplicaView): void;
  voteSent?(voter: ReplicaKey, term: Term, candidate: ReplicaKey): void;
}
