// An image as the entries of an ordered key-value store, and the difference of two images as writes to it. Small entries on
// purpose: one for each partition, so that a new leader writes some forty bytes and not a topic.
//
// Equal images have equal entries, whatever their histories. The image before the first record has none.

import type { BrokerId, KeyValueEntry, KeyValueWrite } from '@tidemark/core';
import { accessEntries, accessWrites } from './access-entries.ts';
import { changedPartitions, changedTopics, type TopicChange } from './image-changes.ts';
import {
  accessEntryCodec,
  brokerConfigKey,
  brokerKey,
  compareBytes,
  encodeValue,
  nameKey,
  singleKey,
  TopicKeys,
} from './image-entry-codec.ts';
import type { BrokerImage, ImageParts, MetadataImage, PartitionImage, TopicImage } from './metadata-image.ts';

/** Every entry, in the order of the keys, all of them in `imageKeyRange`. */
export function* imageEntries(image: MetadataImage): IterableIterator<KeyValueEntry> {
  const { parts } = image;
  yield* singleEntries(parts);
  yield* sortedByKey([...parts.features].map(([name, level]) => featureEntry(name, level)));
  for (const broker of image.brokers()) yield brokerEntry(broker);
  yield* sortedByKey(allBrokersConfigEntries(parts.allBrokersConfigs));
  yield* sortedByKey([...parts.brokerConfigs].flatMap(([id, configs]) => brokerConfigEntries(id, configs)));
  const topics = [...image.topics()]
    .map((topic) => ({ topic, keys: new TopicKeys(topic.id) }))
    .sort((a, b) => compareBytes(a.keys.idBytes, b.keys.idBytes));
  for (const { topic, keys } of topics) yield topicEntry(topic, keys);
  for (const { topic, keys } of topics) yield* sortedByKey(topicConfigEntries(topic, keys));
  for (const { topic, keys } of topics) {
    for (const partition of topic.partitions) yield partitionEntry(partition, keys);
  }
  for (const entries of accessEntries(parts.access, accessEntryCodec)) yield* sortedByKey(entries);
}

/**
 * What turns the entries of `previous` into those of `image`, in no particular order. Costs what has changed: whatever the two
 * share is not looked at.
 */
export function imageWrites(image: MetadataImage, previous: MetadataImage): KeyValueWrite[] {
  const writes: KeyValueWrite[] = [];
  const now = image.parts;
  const before = previous.parts;
  replace(writes, [...singleEntries(before)], [...singleEntries(now)]);
  replaceEach(writes, before.features, now.features, (name, level) => [featureEntry(name, level)]);
  replaceEach(writes, before.brokers, now.brokers, (_, broker) => [brokerEntry(broker)]);
  if (now.allBrokersConfigs !== before.allBrokersConfigs) {
    replace(
      writes,
      allBrokersConfigEntries(before.allBrokersConfigs),
      allBrokersConfigEntries(now.allBrokersConfigs),
    );
  }
  replaceEach(writes, before.brokerConfigs, now.brokerConfigs, brokerConfigEntries);
  for (const change of changedTopics(image, previous)) writeTopic(writes, change);
  writes.push(...accessWrites(now.access, before.access, accessEntryCodec));
  return writes;
}

/** The entries of a topic, in the order of their keys within each kind. */
export function* topicEntries(topic: TopicImage): IterableIterator<KeyValueEntry> {
  const keys = new TopicKeys(topic.id);
  yield topicEntry(topic, keys);
  yield* topicConfigEntries(topic, keys);
  for (const partition of topic.partitions) yield partitionEntry(partition, keys);
}

/** The entries of everything but topics. */
export function* clusterEntries(image: MetadataImage): IterableIterator<KeyValueEntry> {
  const { parts } = image;
  yield* singleEntries(parts);
  for (const [name, level] of parts.features) yield featureEntry(name, level);
  for (const broker of image.brokers()) yield brokerEntry(broker);
  yield* allBrokersConfigEntries(parts.allBrokersConfigs);
  for (const [id, configs] of parts.brokerConfigs) yield* brokerConfigEntries(id, configs);
  for (const entries of accessEntries(parts.access, accessEntryCodec)) yield* entries;
}

function writeTopic(writes: KeyValueWrite[], change: TopicChange): void {
  const { before, after } = change;
  if (before === undefined || after === undefined) {
    const old = before === undefined ? [] : topicEntries(before);
    for (const { key } of old) writes.push({ key, value: undefined });
    for (const entry of after === undefined ? [] : topicEntries(after)) writes.push(entry);
    return;
  }
  const keys = new TopicKeys(after.id);
  if (after.name !== before.name || after.partitions.length !== before.partitions.length) {
    writes.push(topicEntry(after, keys));
  }
  if (after.configs !== before.configs) {
    replace(writes, topicConfigEntries(before, keys), topicConfigEntries(after, keys));
  }
  for (const partition of changedPartitions(change)) writes.push(partitionEntry(partition, keys));
  for (const { partition } of before.partitions.slice(after.partitions.length)) {
    writes.push({ key: keys.partition(partition), value: undefined });
  }
}

/** Values that are identical are not looked at. */
function replaceEach<K, V>(
  writes: KeyValueWrite[],
  before: ReadonlyMap<K, V>,
  now: ReadonlyMap<K, V>,
  entriesOf: (key: K, value: V) => readonly KeyValueEntry[],
): void {
  if (now === before) return;
  for (const [key, old] of before) {
    if (!now.has(key)) replace(writes, entriesOf(key, old), []);
  }
  for (const [key, value] of now) {
    const old = before.get(key);
    if (old !== value) replace(writes, old === undefined ? [] : entriesOf(key, old), entriesOf(key, value));
  }
}

/** For a handful of entries: removes the keys that are gone, puts the values that differ. */
function replace(
  writes: KeyValueWrite[],
  before: readonly KeyValueEntry[],
  now: readonly KeyValueEntry[],
): void {
  for (const { key } of before) {
    if (!now.some((entry) => compareBytes(entry.key, key) === 0)) writes.push({ key, value: undefined });
  }
  for (const entry of now) {
    const same = before.some(
      ({ key, value }) => compareBytes(key, entry.key) === 0 && compareBytes(value, entry.value) === 0,
    );
    if (!same) writes.push(entry);
  }
}

function* singleEntries(parts: ImageParts): IterableIterator<KeyValueEntry> {
  if (parts.offset >= 0) yield { key: singleKey('offset'), value: encodeValue('offset', parts.offset) };
  if (parts.clusterId !== '') {
    yield { key: singleKey('cluster'), value: encodeValue('cluster', parts.clusterId) };
  }
  if (parts.nextProducerId > 0) {
    yield { key: singleKey('producerIds'), value: encodeValue('producerIds', parts.nextProducerId) };
  }
}

function featureEntry(name: string, level: number): KeyValueEntry {
  return { key: nameKey('feature', name), value: encodeValue('feature', level) };
}

function brokerEntry(broker: BrokerImage): KeyValueEntry {
  return { key: brokerKey(broker.id), value: encodeValue('broker', broker) };
}

function allBrokersConfigEntries(configs: ReadonlyMap<string, string>): KeyValueEntry[] {
  return [...configs].map(([name, value]) => ({
    key: nameKey('allBrokersConfig', name),
    value: encodeValue('allBrokersConfig', value),
  }));
}

function brokerConfigEntries(id: BrokerId, configs: ReadonlyMap<string, string>): KeyValueEntry[] {
  return [...configs].map(([name, value]) => ({
    key: brokerConfigKey(id, name),
    value: encodeValue('brokerConfig', value),
  }));
}

function topicEntry(topic: TopicImage, keys: TopicKeys): KeyValueEntry {
  const value = { name: topic.name, partitionCount: topic.partitions.length };
  return { key: keys.topic(), value: encodeValue('topic', value) };
}

function topicConfigEntries(topic: TopicImage, keys: TopicKeys): KeyValueEntry[] {
  return [...topic.configs].map(([name, value]) => ({
    key: keys.config(name),
    value: encodeValue('topicConfig', value),
  }));
}

function partitionEntry(partition: PartitionImage, keys: TopicKeys): KeyValueEntry {
  return { key: keys.partition(partition.partition), value: encodeValue('partition', partition) };
}

function sortedByKey(entries: readonly KeyValueEntry[]): KeyValueEntry[] {
  return entries.toSorted((a, b) => compareBytes(a.key, b.key));
}
