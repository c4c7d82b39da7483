// The entries an image is kept as in an ordered key-value store: what their keys and values look like. A key is the byte
// 0x69 ('i'), a byte for the kind, and ids in an order-preserving form; a value is its version (unsigned varint), then fields.
// A kind's byte is never given to another kind; a reader refuses a kind or a version it does not know, as with records.

import {
  encodeUtf8,
  FieldReader,
  FieldWriter,
  flag,
  integer,
  isTopicName,
  listOf,
  MalformedRecord,
  struct,
  text,
  textThat,
  topicIdToBytes,
  uuid,
  writeInt32,
  type BrokerEpoch,
  type BrokerId,
  type FieldCodec,
  type KeyValueRange,
  type LeaderEpoch,
  type PartitionEpoch,
  type PartitionIndex,
  type ProducerId,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import { accessValues, type AccessEntryCodec, type AccessEntryValues } from './access-entries.ts';
import type { BrokerImage, PartitionImage } from './metadata-image.ts';
import type { Endpoint, LeaderId } from './metadata-record.ts';

const IMAGE_PREFIX = 0x69;
const MAX_INT32 = 2 ** 31 - 1;

/** In the order in which a loader needs them: a topic before its configs and its partitions. */
export const entryKinds = {
  offset: 1,
  cluster: 2,
  producerIds: 3,
  feature: 4,
  broker: 5,
  allBrokersConfig: 6,
  brokerConfig: 7,
  topic: 8,
  topicConfig: 9,
  partition: 10,
  scram: 11,
  acl: 12,
  clientQuota: 13,
} as const;
export type EntryKind = keyof typeof entryKinds;

/** Every key an image has, and nobody else's. */
export function imageKeyRange(): KeyValueRange {
  return { from: Uint8Array.of(IMAGE_PREFIX), to: Uint8Array.of(IMAGE_PREFIX + 1) };
}

export interface TopicEntry {
  readonly name: TopicName;
  /** So that a partition missing at the end is noticed. */
  readonly partitionCount: number;
}

const int32 = <T extends number>(): FieldCodec<T> => integer<T>(MAX_INT32);
const int64 = <T extends number>(minimum: 0 | -1 = 0): FieldCodec<T> =>
  integer<T>(Number.MAX_SAFE_INTEGER - 1, minimum);
const NO_IDS: readonly BrokerId[] = [];
const leaderId = integer<LeaderId>(MAX_INT32, -1);

/** Bits of a partition's first byte: what is not as it usually is, and therefore follows. */
const ISR_DIFFERS = 1;
const HAS_ELR = 2;
const HAS_LAST_KNOWN_ELR = 4;
const RECOVERING = 8;
const HAS_ADDING = 16;
const HAS_REMOVING = 32;
const ALL_BITS = 63;

/** By hand: there are many partitions, and of most there is little to say. */
const partition: FieldCodec<PartitionImage> = {
  write: (writer, image) => {
    const { replicas, isr, elr, lastKnownElr, addingReplicas, removingReplicas } = image;
    const isrDiffers = isr.length !== replicas.length || isr.some((id, at) => id !== replicas[at]);
    writer.byte(
      (isrDiffers ? ISR_DIFFERS : 0) |
        (elr.length > 0 ? HAS_ELR : 0) |
        (lastKnownElr.length > 0 ? HAS_LAST_KNOWN_ELR : 0) |
        (image.leaderRecoveryState === 'recovering' ? RECOVERING : 0) |
        (addingReplicas.length > 0 ? HAS_ADDING : 0) |
        (removingReplicas.length > 0 ? HAS_REMOVING : 0),
    );
    writeIds(writer, replicas);
    if (isrDiffers) writeIds(writer, isr);
    leaderId.write(writer, image.leader);
    writer.unsigned(image.leaderEpoch);
    writer.unsigned(image.partitionEpoch);
    for (const ids of [elr, lastKnownElr, addingReplicas, removingReplicas]) {
      if (ids.length > 0) writeIds(writer, ids);
    }
  },
  read: (reader) => {
    const bits = reader.byte();
    if (bits > ALL_BITS) throw new MalformedRecord(`holds the bits ${bits} where none is above ${ALL_BITS}`);
    const replicas = readIds(reader);
    if (replicas.length === 0) throw new MalformedRecord('holds a partition without replicas');
    return {
      // The index is in the key: see `decodePartition`.
      partition: 0 as PartitionIndex,
      replicas,
      isr: (bits & ISR_DIFFERS) === 0 ? replicas : readIds(reader),
      leader: leaderId.read(reader),
      leaderEpoch: reader.unsigned(MAX_INT32) as LeaderEpoch,
      partitionEpoch: reader.unsigned(MAX_INT32) as PartitionEpoch,
      elr: (bits & HAS_ELR) === 0 ? NO_IDS : readIds(reader),
      lastKnownElr: (bits & HAS_LAST_KNOWN_ELR) === 0 ? NO_IDS : readIds(reader),
      leaderRecoveryState: (bits & RECOVERING) === 0 ? 'recovered' : 'recovering',
      addingReplicas: (bits & HAS_ADDING) === 0 ? NO_IDS : readIds(reader),
      removingReplicas: (bits & HAS_REMOVING) === 0 ? NO_IDS : readIds(reader),
    };
  },
};

function writeIds(writer: FieldWriter, ids: readonly BrokerId[]): void {
  writer.unsigned(ids.length);
  for (const id of ids) writer.unsigned(id);
}

function readIds(reader: FieldReader): readonly BrokerId[] {
  const count = reader.unsigned();
  if (count > reader.left) throw new MalformedRecord(`declares ${count} ids in ${reader.left} bytes`);
  const ids: BrokerId[] = [];
  for (let at = 0; at < count; at++) ids.push(reader.unsigned(MAX_INT32) as BrokerId);
  return ids;
}

interface EntryValues extends AccessEntryValues {
  readonly offset: number;
  readonly cluster: string;
  readonly producerIds: ProducerId;
  /** The level. */
  readonly feature: number;
  readonly broker: Omit<BrokerImage, 'id'>;
  readonly allBrokersConfig: string;
  readonly brokerConfig: string;
  readonly topic: TopicEntry;
  readonly topicConfig: string;
  /** Read with index 0: the index is in the key. */
  readonly partition: PartitionImage;
}

/** The fields of each kind by version; the last one is written. */
const values: { readonly [K in EntryKind]: readonly FieldCodec<EntryValues[K]>[] } = {
  offset: [int64()],
  cluster: [text],
  producerIds: [int64<ProducerId>()],
  feature: [int32()],
  broker: [
    struct<Omit<BrokerImage, 'id'>>({
      epoch: int64<BrokerEpoch>(),
      incarnationId: uuid<string>(),
      endpoints: listOf(struct<Endpoint>({ name: text, host: text, port: integer(65535) })),
      rack: text,
      fenced: flag,
      directoryId: text,
      inControlledShutdown: flag,
      controlledShutdownOffset: int64(-1),
    }),
  ],
  allBrokersConfig: [text],
  brokerConfig: [text],
  topic: [struct<TopicEntry>({ name: textThat(isTopicName, 'a topic name'), partitionCount: int32() })],
  topicConfig: [text],
  partition: [partition],
  ...accessValues,
};

export function encodeValue<K extends EntryKind>(kind: K, value: EntryValues[K]): Uint8Array {
  const versions = values[kind];
  const writer = new FieldWriter();
  writer.unsigned(versions.length - 1);
  versions.at(-1)!.write(writer, value);
  return writer.finish();
}

/** Something a newer version wrote. */
export class UnsupportedEntry extends Error {
  override readonly name = 'UnsupportedEntry';
}

/** As `decodeValue`, with the index that is in the key. */
export function decodePartition(index: PartitionIndex, bytes: Uint8Array): PartitionImage {
  const image: { -readonly [K in keyof PartitionImage]: PartitionImage[K] } = decodeValue('partition', bytes);
  image.partition = index;
  return image;
}

/** Throws `MalformedRecord` or `UnsupportedEntry`. */
export function decodeValue<K extends EntryKind>(kind: K, bytes: Uint8Array): EntryValues[K] {
  const reader = new FieldReader(bytes);
  const version = reader.unsigned();
  const codec = values[kind][version];
  if (codec === undefined) throw new UnsupportedEntry(`version ${version} of the entry ${kind}`);
  const value = codec.read(reader);
  if (reader.left > 0) throw new MalformedRecord(`has ${reader.left} bytes too many`);
  return value;
}

const kindByByte = new Map<number, EntryKind>(
  (Object.keys(entryKinds) as EntryKind[]).map((kind) => [entryKinds[kind], kind]),
);

/** Throws `MalformedRecord` or `UnsupportedEntry`. */
export function kindOfKey(key: Uint8Array): EntryKind {
  if (key.length < 2 || key[0] !== IMAGE_PREFIX) throw new MalformedRecord('has a key that is not its own');
  const kind = kindByByte.get(key[1]!);
  if (kind === undefined) throw new UnsupportedEntry(`entry kind ${key[1]}`);
  return kind;
}

/** Where the ids begin in a key. */
export const KEY_IDS_AT = 2;
export const TOPIC_ID_BYTES = 16;

/** Of the kinds there is one entry of. */
export function singleKey(kind: 'offset' | 'cluster' | 'producerIds'): Uint8Array {
  return Uint8Array.of(IMAGE_PREFIX, entryKinds[kind]);
}

export function nameKey(kind: 'feature' | 'allBrokersConfig', name: string): Uint8Array {
  const bytes = encodeUtf8(name);
  const key = newKey(kind, bytes.length);
  key.set(bytes, KEY_IDS_AT);
  return key;
}

export function brokerKey(id: BrokerId): Uint8Array {
  const key = newKey('broker', 4);
  writeInt32(key, KEY_IDS_AT, id);
  return key;
}

export function brokerConfigKey(id: BrokerId, name: string): Uint8Array {
  const bytes = encodeUtf8(name);
  const key = newKey('brokerConfig', 4 + bytes.length);
  writeInt32(key, KEY_IDS_AT, id);
  key.set(bytes, KEY_IDS_AT + 4);
  return key;
}

/** The keys of one topic, whose id is taken apart once. */
export class TopicKeys {
  readonly #id: Uint8Array;

  constructor(id: TopicId) {
    this.#id = topicIdToBytes(id);
  }

  get idBytes(): Uint8Array {
    return this.#id;
  }

  topic(): Uint8Array {
    return this.#key('topic', 0);
  }

  config(name: string): Uint8Array {
    const bytes = encodeUtf8(name);
    const key = this.#key('topicConfig', bytes.length);
    key.set(bytes, KEY_IDS_AT + TOPIC_ID_BYTES);
    return key;
  }

  partition(index: PartitionIndex): Uint8Array {
    const key = this.#key('partition', 4);
    writeInt32(key, KEY_IDS_AT + TOPIC_ID_BYTES, index);
    return key;
  }

  #key(kind: EntryKind, moreBytes: number): Uint8Array {
    const key = newKey(kind, TOPIC_ID_BYTES + moreBytes);
    key.set(this.#id, KEY_IDS_AT);
    return key;
  }
}

function newKey(kind: EntryKind, idBytes: number): Uint8Array {
  const key = new Uint8Array(KEY_IDS_AT + idBytes);
  key[0] = IMAGE_PREFIX;
  key[1] = entryKinds[kind];
  return key;
}

export const accessEntryCodec: AccessEntryCodec = {
  key: (kind, nameBytes) => {
    const key = newKey(kind, nameBytes.length);
    key.set(nameBytes, KEY_IDS_AT);
    return key;
  },
  // What it makes of a kind of access is what `encodeValue` takes for that kind.
  value: (kind, value) => encodeValue(kind, value as never),
};

/** The order of a key-value store: by bytes, a prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = a[at]! - b[at]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
