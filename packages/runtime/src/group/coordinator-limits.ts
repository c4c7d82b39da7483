// What one coordinator may hold in memory for those who ask, and how it reads and retries.

export interface CoordinatorLimits {
  /** Requests of one partition's groups that wait for their answer: joins and syncs that are parked, and writes. */
  readonly maxWaitingRequests: number;
  /** Bytes they carry: subscriptions and assignments. */
  readonly maxWaitingBytes: number;
  /** Bytes of one partition that are written and not committed yet. */
  readonly maxUncommittedBytes: number;
  /** A partition is read in pieces of about so many bytes. */
  readonly loadChunkBytes: number;
  /** `max.inflated.batch.bytes`; what coordinators of Tidemark write is not compressed. */
  readonly maxInflatedBatchBytes: number;
  /**
   * `group.coordinator.append.linger.ms`: while a batch is on its way to be committed, records gather for the next one for so long at
   * most.
   */
  readonly appendLingerMs: number;
  /** Between two tries to read or to remove something, in milliseconds. */
  readonly retryMs: number;
}

const MIB = 1024 * 1024;

export const defaultCoordinatorLimits: CoordinatorLimits = {
  maxWaitingRequests: 10_000,
  maxWaitingBytes: 64 * MIB,
  maxUncommittedBytes: 16 * MIB,
  loadChunkBytes: MIB / 4,
  maxInflatedBatchBytes: 64 * MIB,
  appendLingerMs: 5,
  retryMs: 1_000,
};
