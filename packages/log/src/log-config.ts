// What a partition's log can be told, with Kafka's defaults (TopicConfig and LogConfig of its sources).
// Contract: a plain value; `PartitionLog.updateConfig` takes a new one at any time and applies it from the next append on.

export interface LogConfig {
  /** `segment.bytes`: a segment that would grow beyond this is rolled. */
  readonly segmentBytes: number;
  /** `segment.ms`: roll when a batch is this much younger than the first one of the segment. */
  readonly segmentMs: number;
  /** `segment.index.bytes`: the largest offset index (and time index); the segment rolls when one is full. */
  readonly segmentIndexBytes: number;
  /** `index.interval.bytes`: an index entry for about every so many bytes of log. */
  readonly indexIntervalBytes: number;
  /** `retention.ms`; -1: none. */
  readonly retentionMs: number;
  /** `retention.bytes`; -1: none. */
  readonly retentionBytes: number;
  /** `ack`: data counts once it is fsynced. `os`: once it is in the page cache, as in Kafka. */
  readonly flushPolicy: 'ack' | 'os';
  /** `flush.messages`, under `os`: sync in the background after so many records. */
  readonly flushMessages: number;
  /** `flush.ms`, under `os`: sync in the background when data has waited so long. */
  readonly flushMs: number;
  /** `file.delete.delay.ms`: from renaming a file to `.deleted` to removing it. */
  readonly fileDeleteDelayMs: number;
  /** `producer.id.expiration.ms`: how long a silent producer id is remembered. */
  readonly producerIdExpirationMs: number;
  /** `cleanup.policy`. `delete` unless given. */
  readonly cleanupPolicy?: CleanupPolicy | undefined;
  /** `min.cleanable.dirty.ratio`: the part of the log that must be dirty before it is cleaned. 0.5 unless given. */
  readonly minCleanableDirtyRatio?: number | undefined;
  /** `delete.retention.ms`: how long a tombstone stays after it was first cleaned. A day unless given. */
  readonly deleteRetentionMs?: number | undefined;
  /** `min.compaction.lag.ms`: records younger than this are not cleaned. 0 unless given. */
  readonly minCompactionLagMs?: number | undefined;
  /** `max.compaction.lag.ms`: a log with older dirty records is cleaned whatever the ratio. No limit unless given. */
  readonly maxCompactionLagMs?: number | undefined;
  /** `message.timestamp.type`. `CreateTime` unless given. */
  readonly messageTimestampType?: 'CreateTime' | 'LogAppendTime' | undefined;
}

export type CleanupPolicy = 'delete' | 'compact' | 'compact,delete';

export const isCompacted = ({ cleanupPolicy }: LogConfig): boolean =>
  cleanupPolicy === 'compact' || cleanupPolicy === 'compact,delete';

/** Whether retention by time and size applies. */
export const hasRetention = ({ cleanupPolicy }: LogConfig): boolean => cleanupPolicy !== 'compact';

/** A segment of a compacted log is closed in time to be cleaned within `max.compaction.lag.ms`, as in Kafka. */
export function maxSegmentMs(config: LogConfig): number {
  return isCompacted(config)
    ? Math.min(config.segmentMs, config.maxCompactionLagMs ?? Infinity)
    : config.segmentMs;
}

export const defaultLogConfig: LogConfig = {
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 60 * 60 * 1000,
  segmentIndexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  retentionBytes: -1,
  flushPolicy: 'ack',
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  fileDeleteDelayMs: 60_000,
  producerIdExpirationMs: 24 * 60 * 60 * 1000,
};

/** A batch above this is neither appended nor believed when recovery finds its length on the disk. */
export const MAX_BATCH_BYTES = 128 * 1024 * 1024;
