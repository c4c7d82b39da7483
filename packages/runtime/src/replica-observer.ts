// What the replica manager tells whoever measures. Told once a request and partition, or once a change, never once a record.

import type { BrokerId } from '@tidemark/core';
import type { Named } from './requests.ts';

/**
 * `append`: until the leader has written the batches; `replicate`: from then until they are committed (on every in-sync replica, as
 * `flush.policy` says); `high_watermark`: both together. Only what was written and, for the last two, committed is told.
 */
export type ProduceStage = 'append' | 'replicate' | 'high_watermark';
export type IsrChange = 'shrunk' | 'expanded';

export interface ReplicaObserver {
  staged(stage: ProduceStage, durationMs: number): void;
  /** Of a partition that is led here, once the controller has decided it. */
  isrChanged(change: IsrChange): void;
  /** What a leader sent of a partition (`topic-index`) is written here. */
  followed(partition: string, leader: BrokerId, bytes: number, durationMs: number): void;
}

/** Of one produce request that somebody traces. */
export interface ProduceTrace {
  /** It ends now. */
  staged(stage: ProduceStage, partition: Named, durationMs: number): void;
}
