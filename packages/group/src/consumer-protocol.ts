// What consumers tell each other through the coordinator: ConsumerProtocolSubscription and ConsumerProtocolAssignment, v0 to v3. A newer
// version is read as v3, since versions only add to the end.

import { failure, MalformedRecord, type Failure, type PartitionIndex } from '@tidemark/core';
import type { TopicPartition } from './group-request.ts';
import { KafkaReader, KafkaWriter } from './kafka-fields.ts';

export const CONSUMER_PROTOCOL_VERSION = 3;

export interface Subscription {
  readonly topics: readonly string[];
  readonly userData: Uint8Array | undefined;
  /** v1: what the member still has; empty under the eager protocol. */
  readonly ownedPartitions: readonly TopicPartition[];
  /** v2: in which it got them; -1 when not known. */
  readonly generation: number;
  /** v3 */
  readonly rack: string | undefined;
}

export interface Assignment {
  readonly partitions: readonly TopicPartition[];
  readonly userData: Uint8Array | undefined;
}

export function encodeSubscription(value: Subscription, version = CONSUMER_PROTOCOL_VERSION): Uint8Array {
  const writer = new KafkaWriter();
  writer.int16(version);
  writer.array(value.topics, (topic) => writer.string(topic));
  writer.nullableBytes(value.userData);
  if (version >= 1) writePartitions(writer, value.ownedPartitions);
  if (version >= 2) writer.int32(value.generation);
  if (version >= 3) writer.nullableString(value.rack);
  return writer.finish();
}

export type DecodedSubscription = { readonly ok: true; readonly subscription: Subscription } | Failure;

export function decodeSubscription(bytes: Uint8Array): DecodedSubscription {
  return parsed('subscription', () => {
    const reader = new KafkaReader(bytes);
    const version = versionOf(reader);
    const subscription: Subscription = {
      topics: reader.array(() => reader.string()),
      userData: reader.nullableBytes(),
      ownedPartitions: version >= 1 ? readPartitions(reader) : [],
      generation: version >= 2 ? reader.int32() : -1,
      rack: version >= 3 ? reader.nullableString() : undefined,
    };
    return { ok: true, subscription };
  });
}

export function encodeAssignment(value: Assignment, version = CONSUMER_PROTOCOL_VERSION): Uint8Array {
  const writer = new KafkaWriter();
  writer.int16(version);
  writePartitions(writer, value.partitions);
  writer.nullableBytes(value.userData);
  return writer.finish();
}

export type DecodedAssignment = { readonly ok: true; readonly assignment: Assignment } | Failure;

/** No bytes at all are an empty assignment: the leader left the member out. */
export function decodeAssignment(bytes: Uint8Array): DecodedAssignment {
  if (bytes.length === 0) return { ok: true, assignment: { partitions: [], userData: undefined } };
  return parsed('assignment', () => {
    const reader = new KafkaReader(bytes);
    versionOf(reader);
    const assignment = { partitions: readPartitions(reader), userData: reader.nullableBytes() };
    return { ok: true, assignment };
  });
}

/** The topics alone, which stand at the beginning in every version; undefined when they cannot be read. */
export function subscribedTopics(bytes: Uint8Array): readonly string[] | undefined {
  const decoded = parsed('subscription', () => {
    const reader = new KafkaReader(bytes);
    versionOf(reader);
    return { ok: true as const, topics: reader.array(() => reader.string()) };
  });
  return decoded.ok ? decoded.topics : undefined;
}

function parsed<T>(what: string, read: () => T): T | Failure {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedRecord) {
      return failure('CORRUPT_MESSAGE', `A consumer's ${what} ${error.message}.`);
    }
    throw error;
  }
}

function versionOf(reader: KafkaReader): number {
  const version = reader.int16();
  if (version < 0) throw new MalformedRecord(`has version ${version}`);
  return version;
}

/** By topic, in the order in which topics come first. */
export function writePartitions(writer: KafkaWriter, partitions: readonly TopicPartition[]): void {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const list = byTopic.get(topic);
    if (list === undefined) byTopic.set(topic, [partition]);
    else list.push(partition);
  }
  writer.array([...byTopic], ([topic, indexes]) => {
    writer.string(topic);
    writer.array(indexes, (index) => writer.int32(index));
  });
}

export function readPartitions(reader: KafkaReader): readonly TopicPartition[] {
  return reader
    .array(() => {
      const topic = reader.string();
      return reader.array(() => {
        const partition = reader.int32() as PartitionIndex;
        if (partition < 0) throw new MalformedRecord(`holds partition ${partition}`);
        return { topic, partition };
      });
    })
    .flat();
}
