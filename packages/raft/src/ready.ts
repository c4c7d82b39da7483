// What the machine wants done. The order is the contract, and the driver must keep it:
//
//   1. `hardState`, durably: a vote or a term that is answered before it is on disk can be given twice after a restart
//   2. `messages` go out. They may overtake 3: a leader's own disk is but one of a majority (Raft thesis, 10.2.1)
//   3. `install`, `truncateTo`, `entries`, in this order, durably
//   4. `Raft.persisted(ready)`, then `messagesAfterPersist` go out: they say that 3 is on disk
//   5. `committed` is applied, in order. It holds only what an earlier `Ready` has put on this disk
//   The next `Ready` may be taken once 2 is done, and its own 1 and 2 done while 3 is under way, so that a slow disk does not
//   silence a replica; 3 and 4 of all of them go in the order in which they were taken, and so does 5. Who takes one at a time
//   gets what need not wait for 3 from `Raft.takeUrgent`: heartbeats, their answers, entries for others
//   `reads`, `snapshotReads` and the reads' outcomes have no order: they are served whenever it suits
//
// When 1 or 3 fails the replica has no say any more: nothing is retried, nothing more is sent, the process ends.

import type { Failure, Offset, Term } from '@tidemark/core';
import type { Entry, LogPosition } from './entry.ts';
import type { RaftMessage, SnapshotId } from './message.ts';
import type { ReplicaKey, VoterSet } from './replica.ts';

/** What must never be forgotten. */
export interface HardState {
  readonly term: Term;
  /** Who got this replica's vote in `term`. */
  readonly vote: ReplicaKey | undefined;
}

/** A snapshot that has arrived whole: it takes the place of the image and of the log, all or nothing. */
export interface InstallSnapshot {
  readonly snapshot: SnapshotId;
  readonly voters: VoterSet;
  readonly pieces: readonly Uint8Array[];
}

/** Entries for a replica that is so far behind that they are on the disk only. Answer: `Raft.entriesRead`. */
export interface EntryRead {
  readonly to: ReplicaKey;
  readonly from: Offset;
  /** Exclusive. */
  readonly upTo: Offset;
  readonly maxBytes: number;
}

/** A piece of a snapshot for a replica whose entries are gone. Answer: `Raft.snapshotPiece`. */
export interface SnapshotRead {
  readonly to: ReplicaKey;
  /** The one under way; undefined: begin with the newest there is. */
  readonly snapshot: SnapshotId | undefined;
  readonly position: number;
  readonly maxBytes: number;
}

export interface ConfirmedRead {
  readonly id: number;
  /** Apply everything below before the read is answered. */
  readonly offset: Offset;
}

export interface FailedRead {
  readonly id: number;
  readonly cause: Failure;
}

export interface Ready {
  /** Undefined when the last one still holds. */
  readonly hardState: HardState | undefined;
  readonly messages: readonly RaftMessage[];
  readonly install: InstallSnapshot | undefined;
  /** Entries from here on leave the log on disk. */
  readonly truncateTo: Offset | undefined;
  readonly entries: readonly Entry[];
  /** Where the log on disk ends once 3 is done; for `persisted`. */
  readonly position: LogPosition;
  readonly messagesAfterPersist: readonly RaftMessage[];
  readonly committed: readonly Entry[];
  readonly reads: readonly EntryRead[];
  readonly snapshotReads: readonly SnapshotRead[];
  readonly confirmedReads: readonly ConfirmedRead[];
  readonly failedReads: readonly FailedRead[];
}

/** Collects what the next `Ready` will hold besides the log's part. */
export class Outbox {
  messages: RaftMessage[] = [];
  messagesAfterPersist: RaftMessage[] = [];
  reads: EntryRead[] = [];
  snapshotReads: SnapshotRead[] = [];
  confirmedReads: ConfirmedRead[] = [];
  failedReads: FailedRead[] = [];

  get isEmpty(): boolean {
    return (
      this.messages.length === 0 &&
      this.messagesAfterPersist.length === 0 &&
      this.reads.length === 0 &&
      this.snapshotReads.length === 0 &&
      this.confirmedReads.length === 0 &&
      this.failedReads.length === 0
    );
  }

  takeMessages(): readonly RaftMessage[] {
    const { messages } = this;
    this.messages = [];
    return messages;
  }

  /** Everything, and the outbox is empty. */
  take(): Pick<
    Ready,
    'messages' | 'messagesAfterPersist' | 'reads' | 'snapshotReads' | 'confirmedReads' | 'failedReads'
  > {
    const { messages, messagesAfterPersist, reads, snapshotReads, confirmedReads, failedReads } = this;
    this.messages = [];
    this.messagesAfterPersist = [];
    this.reads = [];
    this.snapshotReads = [];
    this.confirmedReads = [];
    this.failedReads = [];
    return { messages, messagesAfterPersist, reads, snapshotReads, confirmedReads, failedReads };
  }
}
