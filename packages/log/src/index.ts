export type { AppendBatch, Appended, AppendOptions, AppendResult } from './appender.ts';
export type { CleanablePart } from './cleanable-part.ts';
export { defaultCleanerSettings, type CleanerSettings } from './cleaner-settings.ts';
export type { CleanShutdown } from './clean-shutdown.ts';
export type { FolderEvents, FolderSettings } from './folder-context.ts';
export type { CleaningReport } from './log-compaction.ts';
export {
  defaultLogConfig,
  isCompacted,
  type CleanupPolicy,
  MAX_BATCH_BYTES as MAX_APPEND_BATCH_BYTES,
  type LogConfig,
} from './log-config.ts';
export { saysDiskFull } from './log-context.ts';
export { LogFolder, type HostedPartition, type LogFolderOptions } from './log-folder.ts';
export type { ReadBatches, ReadOptions, ReadResult } from './log-reader.ts';
export { PartitionLog } from './partition-log.ts';
export { parsePartitionName, type PartitionName } from './partition-name.ts';
export { decodeProducerSnapshot } from './producer-snapshot.ts';
export type { ProducerBatch, ProducerEntry } from './producer-state.ts';
export type { TimestampedOffset } from './record-time.ts';
export type { RecoveryReport } from './recovery.ts';
