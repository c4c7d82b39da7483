// What became of a record: the receipt says where it is and how safe it was when the leader answered.
import type { TidemarkError } from '@tidemark/core';

export interface Receipt {
  readonly topic: string;
  /** Tells a topic from one of the same name that was created after it. Empty with acks=0. */
  readonly topicId: string;
  readonly partition: number;
  /** -1 with acks=0, and for a repeat so old that the leader no longer knows where it stored it. */
  readonly offset: number;
  /** What the record carries: the broker's time when the topic has LogAppendTime, else the producer's. */
  readonly timestampMs: number;
  /** -1 with acks=0. */
  readonly leaderEpoch: number;
  /** The in-sync replicas when the answer was made; empty with acks=0. */
  readonly inSyncReplicas: readonly number[];
  /** On the leader's disk, not only in its page cache. */
  readonly onDisk: boolean;
  /** The leader had it already: an earlier attempt had arrived, only its answer was lost. */
  readonly duplicate: boolean;
}

/** Called once for each record, in the order the batches are settled. Exactly one of the two is given. */
export type DeliveryCallback = (error: TidemarkError | undefined, receipt: Receipt | undefined) => void;

/** How a whole batch was settled. */
export interface BatchReceipt {
  readonly topicId: string;
  readonly baseOffset: number;
  /** -1 when the records keep their own. */
  readonly logAppendTimeMs: number;
  readonly leaderEpoch: number;
  readonly inSyncReplicas: readonly number[];
  readonly onDisk: boolean;
  readonly duplicate: boolean;
}
