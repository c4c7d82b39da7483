export * from './byte-budget.ts';
export * from './fetch-purgatory.ts';
export * from './full-disk.ts';
export { sizeOf } from './fetch.ts';
export * from './fetch-session.ts';
export * from './partition.ts';
export * from './periodic-task.ts';
export * from './producer-ids.ts';
export * from './replica-manager.ts';
export * from './replica-observer.ts';
export * from './requests.ts';
export * from './topic-settings.ts';
export {
  decodeMetadataBatches,
  encodeMetadataBatch,
  METADATA_LOG_NAME,
  METADATA_TOPIC,
  METADATA_TOPIC_ID,
  metadataLogConfig,
} from './metadata-batch.ts';
export * from './peer-requests.ts';
export * from './peer-router.ts';
export * from './broker-lifecycle.ts';
export type { BrokerIdentity, BrokerMetadata, Registration } from './broker-registration.ts';
export * from './controller-duties.ts';
export * from './active-controller.ts';
export * from './metadata-node.ts';
export * from './peer-directory.ts';
export { type ImageListener as MetadataImageListener } from './quorum/metadata-state.ts';
export { findTopicIn } from './hosted-partitions.ts';
export type { ReplicationSettings } from './replica/replica-context.ts';
export * from './group/index.ts';
export type { LeadershipListener } from './replica/leaderships.ts';
