// Records as Kafka's own tools read them in `__consumer_offsets`: OffsetCommitKey v0-v1 and value v0-v3, GroupMetadataKey v2 and
// value v0-v3; the highest of each is written. Any other key version belongs to another protocol (4 and up are KIP-848's and the
// share groups') and is UNSUPPORTED_VERSION; what does not parse is CORRUPT_MESSAGE.

import { failure, MalformedRecord, type Failure, type PartitionIndex } from '@tidemark/core';
import type { Generation, GroupId, InstanceId, MemberId } from './group-ids.ts';
import type { CommittedOffset, GroupRecord, StoredGroup, StoredMember } from './group-record.ts';
import { KafkaReader, KafkaWriter } from './kafka-fields.ts';

const OFFSET_KEY_VERSION = 1;
const GROUP_KEY_VERSION = 2;
const VALUE_VERSION = 3;

export interface EncodedGroupRecord {
  readonly key: Uint8Array;
  /** Null is a tombstone. */
  readonly value: Uint8Array | null;
}

export function encodeGroupRecord(record: GroupRecord): EncodedGroupRecord {
  const key = new KafkaWriter();
  if (record.type === 'offset') {
    key.int16(OFFSET_KEY_VERSION);
    key.string(record.groupId);
    key.string(record.topic);
    key.int32(record.partition);
    return { key: key.finish(), value: record.value === undefined ? null : encodeOffset(record.value) };
  }
  key.int16(GROUP_KEY_VERSION);
  key.string(record.groupId);
  return { key: key.finish(), value: record.value === undefined ? null : encodeGroup(record.value) };
}

function encodeOffset(value: CommittedOffset): Uint8Array {
  const writer = new KafkaWriter();
  writer.int16(VALUE_VERSION);
  writer.int64(value.offset);
  writer.int32(value.leaderEpoch);
  writer.string(value.metadata);
  writer.int64(value.commitTimestampMs);
  return writer.finish();
}

function encodeGroup(value: StoredGroup): Uint8Array {
  const writer = new KafkaWriter();
  writer.int16(VALUE_VERSION);
  writer.string(value.protocolType);
  writer.int32(value.generation);
  writer.nullableString(value.protocol);
  writer.nullableString(value.leader);
  writer.int64(value.stateTimestampMs);
  writer.array(value.members, (member) => {
    writer.string(member.memberId);
    writer.nullableString(member.instanceId);
    writer.string(member.clientId);
    writer.string(member.clientHost);
    writer.int32(member.rebalanceTimeoutMs);
    writer.int32(member.sessionTimeoutMs);
    writer.bytes(member.subscription);
    writer.bytes(member.assignment);
  });
  return writer.finish();
}

export type DecodedGroupRecord = { readonly ok: true; readonly record: GroupRecord } | Failure;

/** Keeps no reference to the bytes. */
export function decodeGroupRecord(key: Uint8Array, value: Uint8Array | null): DecodedGroupRecord {
  try {
    return decode(new KafkaReader(key), value === null ? undefined : new KafkaReader(value));
  } catch (error) {
    if (error instanceof MalformedRecord) {
      return failure('CORRUPT_MESSAGE', `A record of __consumer_offsets ${error.message}.`);
    }
    throw error;
  }
}

function decode(key: KafkaReader, value: KafkaReader | undefined): DecodedGroupRecord {
  const keyVersion = key.int16();
  if (keyVersion < 0 || keyVersion > GROUP_KEY_VERSION) return tooNew(`a key of version ${keyVersion}`);
  const groupId = key.string() as GroupId;
  const isGroup = keyVersion === GROUP_KEY_VERSION;
  const place = isGroup ? undefined : { topic: key.string(), partition: key.int32() as PartitionIndex };
  if (place !== undefined && place.partition < 0) throw new MalformedRecord('holds a negative partition');
  atEnd(key);
  const version = value?.int16() ?? VALUE_VERSION;
  if (version < 0 || version > VALUE_VERSION) return tooNew(`a value of version ${version}`);
  const record: GroupRecord =
    place === undefined
      ? { type: 'group', groupId, value: value && decodeGroup(value, version) }
      : { type: 'offset', groupId, ...place, value: value && decodeOffset(value, version) };
  if (value !== undefined) atEnd(value);
  return { ok: true, record };
}

function decodeOffset(reader: KafkaReader, version: number): CommittedOffset {
  const offset = reader.int64();
  const leaderEpoch = version >= 3 ? reader.int32() : -1;
  const metadata = reader.string();
  const commitTimestampMs = reader.int64();
  // Version 1 alone had a time to expire of its own; retention decides now.
  if (version === 1) reader.int64();
  return { offset, leaderEpoch, metadata, commitTimestampMs };
}

function decodeGroup(reader: KafkaReader, version: number): StoredGroup {
  return {
    protocolType: reader.string(),
    generation: reader.int32() as Generation,
    protocol: reader.nullableString(),
    leader: reader.nullableString() as MemberId | undefined,
    stateTimestampMs: version >= 2 ? reader.int64() : -1,
    members: reader.array(() => decodeMember(reader, version)),
  };
}

function decodeMember(reader: KafkaReader, version: number): StoredMember {
  const memberId = reader.string() as MemberId;
  const instanceId = version >= 3 ? (reader.nullableString() as InstanceId | undefined) : undefined;
  const clientId = reader.string();
  const clientHost = reader.string();
  const rebalanceTimeoutMs = version >= 1 ? reader.int32() : -1;
  const sessionTimeoutMs = reader.int32();
  return {
    memberId,
    instanceId,
    clientId,
    clientHost,
    // Before version 1 there was one time-out for both.
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    sessionTimeoutMs,
    subscription: reader.bytes(),
    assignment: reader.bytes(),
  };
}

function atEnd(reader: KafkaReader): void {
  if (reader.left > 0) throw new MalformedRecord(`has ${reader.left} bytes too many`);
}

function tooNew(what: string): Failure {
  return failure(
    'UNSUPPORTED_VERSION',
    `__consumer_offsets has ${what}, which another protocol or a newer version wrote. Start this node with the newer version.`,
  );
}
