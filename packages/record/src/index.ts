export {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  BATCH_OVERHEAD_BYTES,
  batchAttributes,
  batchBaseOffset,
  batchBaseSequence,
  batchBaseTimestamp,
  batchCompression,
  batchCrc,
  batchCrcIsValid,
  batchIsControl,
  batchIsTransactional,
  batchLastOffset,
  batchLastOffsetDelta,
  batchLeaderEpoch,
  batchMagic,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  readBatchHeader,
  rewriteBatch,
  rewriteProducerState,
  rewriteTimestampToLogAppendTime,
  type BatchHeader,
  type TimestampType,
} from './batch-header.ts';
export {
  batchHasDeleteHorizon,
  compactBatch,
  emptiedBatch,
  forEachRecord,
  type CompactedBatch,
  type CompactedRecord,
  type CompactionRules,
} from './batch-compaction.ts';
export {
  BatchBuilder,
  MAX_BATCH_BYTES,
  type BatchBuilderOptions,
  type BuildOptions,
} from './batch-builder.ts';
export {
  validateBatches,
  type ValidatedBatch,
  type ValidatedBatches,
  type ValidationRules,
} from './batch-validation.ts';
export {
  compressionCode,
  compressionFromCode,
  compressionTypes,
  type Codecs,
  type CompressionCodec,
  type CompressionType,
  type Inflated,
} from './compression-type.ts';
export {
  controlRecordKey,
  controlRecordType,
  decodeEndTxnMarker,
  encodeEndTxnMarker,
  type ControlRecordType,
  type EndTxnMarker,
} from './control-record.ts';
export { crc32c } from './crc32c.ts';
export { murmur2 } from './murmur2.ts';
export { DEFAULT_MAX_INFLATED_BYTES, RecordCursor, type RecordCursorOptions } from './record-cursor.ts';
export { MIN_RECORD_BYTES } from './record-frame.ts';
export type { RecordHeader } from './record-header.ts';
export {
  decodeXerial,
  encodeXerial,
  snappyBlockSize,
  XERIAL_BLOCK_BYTES,
  type SnappyBlockCodec,
} from './xerial.ts';
