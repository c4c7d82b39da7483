export * from './image-builder.ts';
export * from './image-changes.ts';
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
