// Branded ids: an offset is not an epoch is not a broker id, although each is a number.
//
// Offsets and timestamps are int64 on the wire and on disk, and plain numbers up to 2^53 - 1 in here (at one million
// records a second an offset lasts 285 years). `int64ToNumber` is the one place that checks, at the edge.

declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Position of a record in a partition, 0 .. 2^53 - 1. */
export type Offset = Brand<number, 'Offset'>;
/** Generation of a partition's leadership, 0 .. 2^31 - 1; -1 on the wire means "not known". */
export type LeaderEpoch = Brand<number, 'LeaderEpoch'>;
/** Version of a partition's leader and ISR, raised by every change the controller makes to it. */
export type PartitionEpoch = Brand<number, 'PartitionEpoch'>;
/** Raft term of the controller quorum. */
export type Term = Brand<number, 'Term'>;
/** `node.id` of a process in the broker role, 0 .. 2^31 - 1. */
export type BrokerId = Brand<number, 'BrokerId'>;
/** One per incarnation of a broker; the offset of its registration record. */
export type BrokerEpoch = Brand<number, 'BrokerEpoch'>;
/** A UUID in Kafka's text form: 22 characters of unpadded base64url over its 16 bytes. */
export type TopicId = Brand<string, 'TopicId'>;
/** `[a-zA-Z0-9._-]{1,249}`, neither `.` nor `..`. */
export type TopicName = Brand<string, 'TopicName'>;
/** Index of a partition in its topic, 0 .. 2^31 - 1. */
export type PartitionIndex = Brand<number, 'PartitionIndex'>;
/** Id of an idempotent producer; -1 on the wire means "not idempotent". */
export type ProducerId = Brand<number, 'ProducerId'>;
/** Generation of a producer id, 0 .. 32767. */
export type ProducerEpoch = Brand<number, 'ProducerEpoch'>;
/** Milliseconds since the Unix epoch; -1 means "none". */
export type TimestampMs = number;

const MAX_INT32 = 2 ** 31 - 1;
const MAX_INT16 = 2 ** 15 - 1;

function checked(value: number, maximum: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > maximum) {
    throw new RangeError(`${what} must be an integer from 0 to ${maximum}, but is ${value}`);
  }
  return value;
}

export const offset = (value: number): Offset =>
  checked(value, Number.MAX_SAFE_INTEGER, 'an offset') as Offset;
export const leaderEpoch = (value: number): LeaderEpoch =>
  checked(value, MAX_INT32, 'a leader epoch') as LeaderEpoch;
export const partitionEpoch = (value: number): PartitionEpoch =>
  checked(value, MAX_INT32, 'a partition epoch') as PartitionEpoch;
export const term = (value: number): Term => checked(value, MAX_INT32, 'a term') as Term;
export const brokerId = (value: number): BrokerId => checked(value, MAX_INT32, 'a broker id') as BrokerId;
export const brokerEpoch = (value: number): BrokerEpoch =>
  checked(value, Number.MAX_SAFE_INTEGER, 'a broker epoch') as BrokerEpoch;
export const partitionIndex = (value: number): PartitionIndex =>
  checked(value, MAX_INT32, 'a partition index') as PartitionIndex;
export const producerId = (value: number): ProducerId =>
  checked(value, Number.MAX_SAFE_INTEGER, 'a producer id') as ProducerId;
export const producerEpoch = (value: number): ProducerEpoch =>
  checked(value, MAX_INT16, 'a producer epoch') as ProducerEpoch;

/** The rule for topic names, as Kafka has it (`org.apache.kafka.common.internals.Topic`). */
export const TOPIC_NAME_PATTERN = /^[a-zA-Z0-9._-]{1,249}$/;

export function isTopicName(text: string): text is TopicName {
  return TOPIC_NAME_PATTERN.test(text) && text !== '.' && text !== '..';
}

const TOPIC_ID_PATTERN = /^[A-Za-z0-9_-]{21}[AQgw]$/;

export function isTopicId(text: string): text is TopicId {
  return TOPIC_ID_PATTERN.test(text);
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The text form of 16 bytes. */
export function topicIdFromBytes(bytes: Uint8Array): TopicId {
  if (bytes.length !== 16) throw new RangeError(`a topic id has 16 bytes, not ${bytes.length}`);
  let text = '';
  for (let at = 0; at < 15; at += 3) {
    const group = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    text += BASE64URL[group >> 18]! + BASE64URL[(group >> 12) & 63]!;
    text += BASE64URL[(group >> 6) & 63]! + BASE64URL[group & 63]!;
  }
  return (text + BASE64URL[bytes[15]! >> 2]! + BASE64URL[(bytes[15]! & 3) << 4]!) as TopicId;
}

/** What each character stands for, by its code; 255: nothing. */
const SEXTETS = new Uint8Array(128).fill(0xff);
for (let sextet = 0; sextet < BASE64URL.length; sextet++) SEXTETS[BASE64URL.charCodeAt(sextet)] = sextet;

/** The 16 bytes of a topic id. */
export function topicIdToBytes(id: TopicId): Uint8Array {
  const bytes = new Uint8Array(16);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let character = 0; character < id.length; character++) {
    bits = ((bits << 6) | SEXTETS[id.charCodeAt(character)]!) & 0xffff;
    held += 6;
    if (held >= 8 && at < 16) {
      held -= 8;
      bytes[at++] = (bits >> held) & 0xff;
    }
  }
  return bytes;
}
