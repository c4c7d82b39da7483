export * from './command.ts';
export { decodeCommand, encodeCommand, type DecodedCommand } from './command-codec.ts';
export { type CommandType } from './command-fields.ts';
export * from './broker-sessions.ts';
export { type CommandContext, type CommandInput, type Handled } from './context.ts';
export { Controller } from './controller.ts';
export { drawTopicId } from './handlers/create-topics.ts';
export { PRODUCER_ID_BLOCK_LENGTH } from './handlers/producer-ids.ts';
export * from './image-builder.ts';
export * from './image-changes.ts';
export { ImageDigester, imageDigest } from './image-digest.ts';
export { imageEntries, imageWrites } from './image-entries.ts';
export { imageKeyRange } from './image-entry-codec.ts';
export { imageFromEntries, ImageLoader } from './image-loader.ts';
export {
  metricName,
  MetadataImage,
  type BrokerImage,
  type PartitionImage,
  type TopicImage,
} from './metadata-image.ts';
export * from './metadata-record.ts';
export { PersistentMap } from './persistent-map.ts';
export { decodeRecord, encodeRecord, type DecodedRecord } from './record-codec.ts';
export { changePartition, type PartitionRules, type WantedChange } from './partition-change.ts';
export { MAX_SETTLED_PARTITIONS } from './partition-settling.ts';
export { indexOf } from './metadata-image.ts';
export { leaderCandidates, type Holdings, type ReplicaIndex, type TopicCounts } from './replica-index.ts';
export { decodeResponse, encodeResponse } from './response-codec.ts';
export { placeReplicas } from './replica-placer.ts';
export * from './reassignment.ts';
export * from './duties.ts';
export { imageInvariants } from './image-invariants.ts';
export * from './access.ts';
export { fitsAclFilter } from './access-commands.ts';
export type * from './access-commands.ts';
