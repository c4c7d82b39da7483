// Back from the entries of a key-value store to an image. Entries come in the order of their keys, as a store or a snapshot
// gives them, a few at a time; the image is built once, at the end, in bulk.
//
// Whatever the bytes are, the outcome is an image or a `Failure`: UNSUPPORTED_VERSION for what a newer version wrote,
// CORRUPT_MESSAGE for anything that cannot be or is not whole. After the first failure a loader takes nothing more.

import {
  decodeUtf8Strict,
  failure,
  MalformedRecord,
  readUint32,
  topicIdFromBytes,
  unreachable,
  type BrokerId,
  type Failure,
  type KeyValueEntry,
  type PartitionIndex,
  type TopicId,
} from '@tidemark/core';
import type { AclBinding, ClientQuota, ScramCredential } from './access.ts';
import { keyedAccess } from './access-entries.ts';
import {
  compareBytes,
  decodePartition,
  decodeValue,
  KEY_IDS_AT,
  kindOfKey,
  TOPIC_ID_BYTES,
  UnsupportedEntry,
  type TopicEntry,
} from './image-entry-codec.ts';
import {
  metricName,
  MetadataImage,
  type BrokerImage,
  type PartitionImage,
  type TopicImage,
} from './metadata-image.ts';
import { METADATA_VERSION, METADATA_VERSION_LEVEL } from './metadata-record.ts';
import { PersistentMap } from './persistent-map.ts';

interface LoadedTopic {
  readonly idBytes: Uint8Array;
  readonly entry: TopicEntry;
  readonly partitions: PartitionImage[];
  readonly configs: Map<string, string>;
}

const MAX_INT32 = 2 ** 31 - 1;

export class ImageLoader {
  #offset: number | undefined;
  #clusterId: string | undefined;
  #nextProducerId: number | undefined;
  readonly #features = new Map<string, number>();
  readonly #brokers = new Map<BrokerId, BrokerImage>();
  readonly #allBrokersConfigs = new Map<string, string>();
  readonly #brokerConfigs = new Map<BrokerId, Map<string, string>>();
  /** In the order of their ids, as are their configs and their partitions. */
  readonly #topics: LoadedTopic[] = [];
  readonly #scram: (readonly [string, ScramCredential])[] = [];
  readonly #acls: (readonly [string, AclBinding])[] = [];
  readonly #quotas: (readonly [string, ClientQuota])[] = [];
  #topicOfConfigs = 0;
  #topicOfPartitions = 0;
  #lastKey: Uint8Array = new Uint8Array(0);
  #failure: Failure | undefined;

  /** The next entry; keeps references to it. Answers why it, or one before, cannot be. */
  add(entry: KeyValueEntry): Failure | undefined {
    if (this.#failure !== undefined) return this.#failure;
    try {
      if (compareBytes(this.#lastKey, entry.key) >= 0) {
        throw new MalformedRecord('has entries that are not in the order of their keys');
      }
      this.#lastKey = entry.key;
      this.#take(entry);
    } catch (error) {
      this.#failure = refusal(error);
    }
    return this.#failure;
  }

  /** The image of all entries added; without any, the one before the first record. */
  build(): MetadataImage | Failure {
    if (this.#failure !== undefined) return this.#failure;
    try {
      return this.#lastKey.length === 0 ? MetadataImage.empty() : this.#image();
    } catch (error) {
      this.#failure = refusal(error);
      return this.#failure;
    }
  }

  #take({ key, value }: KeyValueEntry): void {
    const kind = kindOfKey(key);
    switch (kind) {
      case 'offset':
        this.#offset = decodeValue(kind, alone(key, value));
        return;
      case 'cluster':
        this.#clusterId = decodeValue(kind, alone(key, value));
        return;
      case 'producerIds':
        this.#nextProducerId = decodeValue(kind, alone(key, value));
        return;
      case 'feature':
        this.#takeFeature(nameIn(key, KEY_IDS_AT), decodeValue(kind, value));
        return;
      case 'broker': {
        if (key.length !== KEY_IDS_AT + 4) throw malformedKey();
        const id = brokerIdIn(key);
        this.#brokers.set(id, { id, ...decodeValue(kind, value) });
        return;
      }
      case 'allBrokersConfig':
        this.#allBrokersConfigs.set(nameIn(key, KEY_IDS_AT), decodeValue(kind, value));
        return;
      case 'brokerConfig': {
        const id = brokerIdIn(key);
        const configs = this.#brokerConfigs.get(id) ?? new Map<string, string>();
        this.#brokerConfigs.set(id, configs.set(nameIn(key, KEY_IDS_AT + 4), decodeValue(kind, value)));
        return;
      }
      case 'topic': {
        if (key.length !== KEY_IDS_AT + TOPIC_ID_BYTES) throw malformedKey();
        const entry = decodeValue(kind, value);
        const idBytes = key.subarray(KEY_IDS_AT);
        this.#topics.push({ idBytes, entry, partitions: [], configs: new Map() });
        return;
      }
      case 'topicConfig': {
        this.#topicOfConfigs = this.#topicFrom(this.#topicOfConfigs, key);
        const name = nameIn(key, KEY_IDS_AT + TOPIC_ID_BYTES);
        this.#topics[this.#topicOfConfigs]!.configs.set(name, decodeValue(kind, value));
        return;
      }
      case 'partition':
        this.#takePartition(key, value);
        return;
      case 'scram':
        this.#scram.push(keyedAccess(kind, nameIn(key, KEY_IDS_AT), decodeValue(kind, value)));
        return;
      case 'acl':
        this.#acls.push(keyedAccess(kind, nameIn(key, KEY_IDS_AT), decodeValue(kind, value)));
        return;
      case 'clientQuota':
        this.#quotas.push(keyedAccess(kind, nameIn(key, KEY_IDS_AT), decodeValue(kind, value)));
        return;
      default:
        unreachable(kind);
    }
  }

  #takeFeature(name: string, level: number): void {
    if (name === METADATA_VERSION && level > METADATA_VERSION_LEVEL) {
      throw new UnsupportedEntry(`${name} ${level}`);
    }
    this.#features.set(name, level);
  }

  #takePartition(key: Uint8Array, value: Uint8Array): void {
    this.#topicOfPartitions = this.#topicFrom(this.#topicOfPartitions, key);
    if (key.length !== KEY_IDS_AT + TOPIC_ID_BYTES + 4) throw malformedKey();
    const { partitions } = this.#topics[this.#topicOfPartitions]!;
    const index = readUint32(key, KEY_IDS_AT + TOPIC_ID_BYTES);
    if (index !== partitions.length) {
      throw new MalformedRecord(`has partition ${index} where ${partitions.length} is due`);
    }
    partitions.push(decodePartition(index as PartitionIndex, value));
  }

  /** Where the topic of a key is, at or behind `at`: keys of one kind come in the order of topics. */
  #topicFrom(at: number, key: Uint8Array): number {
    for (let found = at; found < this.#topics.length; found++) {
      if (beginsWith(key, this.#topics[found]!.idBytes, KEY_IDS_AT)) return found;
    }
    throw new MalformedRecord('has an entry of a topic it does not have');
  }

  #image(): MetadataImage {
    if (this.#offset === undefined) throw new MalformedRecord('has no offset');
    const topics: [TopicId, TopicImage][] = [];
    const topicIds = new Map<string, TopicId>();
    let partitionCount = 0;
    for (const { idBytes, entry, partitions, configs } of this.#topics) {
      if (partitions.length !== entry.partitionCount) {
        throw new MalformedRecord(
          `has ${partitions.length} of the ${entry.partitionCount} partitions of topic ${entry.name}`,
        );
      }
      const id = topicIdFromBytes(idBytes);
      topics.push([id, { name: entry.name, id, partitions, configs }]);
      topicIds.set(metricName(entry.name), id);
      partitionCount += partitions.length;
    }
    if (topicIds.size < topics.length) throw new MalformedRecord('has two topics of one name');
    return new MetadataImage({
      offset: this.#offset,
      clusterId: this.#clusterId ?? '',
      features: this.#features,
      brokers: this.#brokers,
      topics: PersistentMap.from(topics),
      topicIds: PersistentMap.from(topicIds),
      partitionCount,
      allBrokersConfigs: this.#allBrokersConfigs,
      brokerConfigs: this.#brokerConfigs,
      nextProducerId: (this.#nextProducerId ?? 0) as MetadataImage['nextProducerId'],
      access: {
        scram: PersistentMap.from(this.#scram),
        acls: PersistentMap.from(this.#acls),
        quotas: PersistentMap.from(this.#quotas),
      },
    });
  }
}

/** The image of all of the entries, which come in the order of their keys; or why there is none. */
export function imageFromEntries(entries: Iterable<KeyValueEntry>): MetadataImage | Failure {
  const loader = new ImageLoader();
  for (const entry of entries) {
    const failed = loader.add(entry);
    if (failed !== undefined) return failed;
  }
  return loader.build();
}

/** The value of an entry whose kind has no ids. */
function alone(key: Uint8Array, value: Uint8Array): Uint8Array {
  if (key.length !== KEY_IDS_AT) throw malformedKey();
  return value;
}

function brokerIdIn(key: Uint8Array): BrokerId {
  if (key.length < KEY_IDS_AT + 4) throw malformedKey();
  const id = readUint32(key, KEY_IDS_AT);
  if (id > MAX_INT32) throw malformedKey();
  return id as BrokerId;
}

/** The rest of a key as a text. */
function nameIn(key: Uint8Array, from: number): string {
  const name = decodeUtf8Strict(key.subarray(from));
  if (name === undefined) throw malformedKey();
  return name;
}

function beginsWith(key: Uint8Array, id: Uint8Array, from: number): boolean {
  if (key.length < from + id.length) return false;
  for (let at = 0; at < id.length; at++) if (key[from + at] !== id[at]) return false;
  return true;
}

function malformedKey(): MalformedRecord {
  return new MalformedRecord('has a malformed key');
}

function refusal(error: unknown): Failure {
  if (error instanceof MalformedRecord) {
    return failure('CORRUPT_MESSAGE', `A stored metadata image ${error.message}.`);
  }
  if (error instanceof UnsupportedEntry) {
    return failure(
      'UNSUPPORTED_VERSION',
      `A stored metadata image has ${error.message}, which a newer version wrote and this one cannot read. Start this node with the newer version.`,
    );
  }
  throw error;
}
