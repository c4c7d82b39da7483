// The seam under the controller: something that puts records into one order all nodes agree on. `LocalQuorum` is a quorum of
// one over a log; Raft takes its place without a change to who calls it.
//
// Records get their offsets when they are proposed and count once `committed` has brought them back. Between the two they may
// be lost: a full disk, a new leader. `abandoned` then says from which offset on.

import type { MetadataRecord } from '@tidemark/controller';
import type { Failure, Offset } from '@tidemark/core';

/** Records at consecutive offsets. Those of one proposal come together and in one piece. */
export interface CommittedRecords {
  readonly baseOffset: Offset;
  readonly records: readonly MetadataRecord[];
}

export interface QuorumListener {
  /** In the order of the offsets, each offset once: what is in the log at the start, then what is proposed, by whomever. */
  committed(batch: CommittedRecords): void;
  /**
   * Nothing this node has proposed at or above `fromOffset` can be counted on any more. It may still be committed later, if
   * another node got it: then it comes like anybody else's.
   */
  abandoned(fromOffset: Offset, cause: Failure): void;
}

export interface Proposed {
  readonly ok: true;
  readonly baseOffset: Offset;
}

export interface MetadataQuorum {
  /** The offset the next proposal begins at. */
  readonly nextOffset: Offset;
  /** Resolves once everything committed so far has been handed to the listener. Rejects when the log cannot be read. */
  start(listener: QuorumListener): Promise<void>;
  /**
   * Orders the records behind all before them, as one unit: all are committed or none. At least one. Failures, all retriable:
   * NOT_CONTROLLER, KAFKA_STORAGE_ERROR, THROTTLING_QUOTA_EXCEEDED (too much is under way); nothing was proposed then.
   */
  propose(records: readonly MetadataRecord[]): Proposed | Failure;
  /** Refuses proposals from now on; resolves when those under way are committed or abandoned. */
  close(): Promise<void>;
}
