// Messages of the fetch session as bytes: version, type, then the fields in order (unsigned varints, lengths before bytes). Batches
// travel as they are. A message of a newer version is refused by itself.

import {
  byteString,
  errorName,
  errorTable,
  failure,
  FieldReader,
  FieldWriter,
  integer,
  listOf,
  MalformedRecord,
  struct,
  text,
  unreachable,
  uuid,
  type BrokerEpoch,
  type Failure,
  type FieldCodec,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type TopicId,
} from '@tidemark/core';
import type { Diverging, OutOfRange, Refused } from './fetch-decision.ts';
import type {
  FollowerMessage,
  LeaderMessage,
  SessionId,
  SessionMessage,
  SlotAcknowledgement,
  SlotAnswer,
  SlotBatches,
  SlotLogStart,
  SlotProgress,
  Subscription,
} from './session-message.ts';

const VERSION = 2;
const MAX_INT32 = 2 ** 31 - 1;
const SMALL_MESSAGE_BYTES = 128;
/** Without its batches. */
const SMALL_ANSWER_BYTES = 40;

const count = integer<number>(Number.MAX_SAFE_INTEGER);
const offset = integer<Offset>(Number.MAX_SAFE_INTEGER);
const epoch = integer<LeaderEpoch>(MAX_INT32);

const subscription = struct<Subscription>({
  slot: count,
  topicId: uuid<TopicId>(),
  partition: integer<PartitionIndex>(MAX_INT32),
  leaderEpoch: epoch,
  fetchOffset: offset,
  lastFetchedEpoch: integer<LeaderEpoch | -1>(MAX_INT32, -1),
  acknowledgeableEnd: offset,
  logStartOffset: offset,
});

/** The error by its code, which is at least -1. */
const failureCodec: FieldCodec<Failure> = {
  write: (writer, { error, message }) => {
    writer.unsigned(errorTable[error].code + 1);
    text.write(writer, message);
  },
  read: (reader) => failure(errorName(reader.unsigned(2 ** 15) - 1), text.read(reader)),
};

const divergingCodec = struct<Omit<Diverging, 'type'>>({ epoch, endOffset: offset });
const outOfRangeCodec = struct<Omit<OutOfRange, 'type'>>({ logStartOffset: offset, logEndOffset: offset });
const refusedCodec = struct<Omit<Refused, 'type'>>({ failure: failureCodec });

const answer: FieldCodec<SlotAnswer> = {
  write: (writer, value) => {
    switch (value.type) {
      case 'batches':
        writer.byte(1);
        writer.unsigned(value.baseOffset);
        writeProgress(writer, value);
        byteString.write(writer, value.bytes);
        break;
      case 'progress':
        writer.byte(2);
        writeProgress(writer, value);
        break;
      case 'diverging':
        writer.byte(3);
        divergingCodec.write(writer, value);
        break;
      case 'outOfRange':
        writer.byte(4);
        outOfRangeCodec.write(writer, value);
        break;
      case 'refused':
        writer.byte(5);
        refusedCodec.write(writer, value);
        break;
      default:
        unreachable(value);
    }
  },
  read: (reader) => {
    switch (reader.byte()) {
      case 1:
        return readBatches(reader);
      case 2:
        return readProgress(reader);
      case 3:
        return { type: 'diverging', ...divergingCodec.read(reader) };
      case 4:
        return { type: 'outOfRange', ...outOfRangeCodec.read(reader) };
      case 5:
        return { type: 'refused', ...refusedCodec.read(reader) };
      default:
        throw new MalformedRecord('holds an answer of an unknown kind');
    }
  },
};

const slotList = listOf(count);
const subscriptionList = listOf(subscription);
const logStartList = listOf(struct<SlotLogStart>({ slot: count, logStartOffset: offset }));

// There is one of these messages for every batch and follower in each direction, so that what they always have is written out: a struct
// looks its fields up by name, which costs more than all the rest of such a message.

function readOffset(reader: FieldReader): Offset {
  return reader.unsigned() as Offset;
}

function writeProgress(
  writer: FieldWriter,
  { highWatermark, logStartOffset }: Pick<SlotProgress, 'highWatermark' | 'logStartOffset'>,
): void {
  writer.unsigned(highWatermark);
  writer.unsigned(logStartOffset);
}

function readProgress(reader: FieldReader): SlotProgress {
  const highWatermark = readOffset(reader);
  return { type: 'progress', highWatermark, logStartOffset: readOffset(reader) };
}

function readBatches(reader: FieldReader): SlotBatches {
  const baseOffset = readOffset(reader);
  const highWatermark = readOffset(reader);
  const logStartOffset = readOffset(reader);
  return { type: 'batches', baseOffset, highWatermark, logStartOffset, bytes: byteString.read(reader) };
}

function writeSession(writer: FieldWriter, { brokerEpoch, number }: SessionId): void {
  writer.unsigned(brokerEpoch);
  writer.unsigned(number);
}

function readSession(reader: FieldReader): SessionId {
  const brokerEpoch = reader.unsigned() as BrokerEpoch;
  return { brokerEpoch, number: reader.unsigned() };
}

function writeFollower(writer: FieldWriter, message: FollowerMessage): void {
  writeSession(writer, message.session);
  writer.unsigned(message.sequence);
  writer.unsigned(message.creditBytes);
  slotList.write(writer, message.unsubscribed);
  subscriptionList.write(writer, message.subscribed);
  writer.unsigned(message.acknowledged.length);
  for (const { slot, endOffset } of message.acknowledged) {
    writer.unsigned(slot);
    writer.unsigned(endOffset);
  }
  logStartList.write(writer, message.logStarts);
}

function readFollower(reader: FieldReader): FollowerMessage {
  const session = readSession(reader);
  const sequence = reader.unsigned();
  const creditBytes = reader.unsigned();
  const unsubscribed = slotList.read(reader);
  const subscribed = subscriptionList.read(reader);
  const acknowledged: SlotAcknowledgement[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const slot = reader.unsigned();
    acknowledged.push({ slot, endOffset: readOffset(reader) });
  }
  const logStarts = logStartList.read(reader);
  return {
    type: 'follower',
    session,
    sequence,
    creditBytes,
    unsubscribed,
    subscribed,
    acknowledged,
    logStarts,
  };
}

function writeLeader(writer: FieldWriter, message: LeaderMessage): void {
  writeSession(writer, message.session);
  writer.unsigned(message.sequence);
  writer.unsigned(message.answers.length);
  for (const { slot, answer: each } of message.answers) {
    writer.unsigned(slot);
    answer.write(writer, each);
  }
}

function readLeader(reader: FieldReader): LeaderMessage {
  const session = readSession(reader);
  const sequence = reader.unsigned();
  const answers: { readonly slot: number; readonly answer: SlotAnswer }[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const slot = reader.unsigned();
    answers.push({ slot, answer: answer.read(reader) });
  }
  return { type: 'leader', session, sequence, answers };
}

/** `prefixBytes` zero bytes come first, for who sends it on to fill in. */
export function encodeSessionMessage(message: SessionMessage, prefixBytes = 0): Uint8Array {
  const writer = new FieldWriter(capacityFor(message) + prefixBytes);
  for (let at = 0; at < prefixBytes; at++) writer.byte(0);
  writer.unsigned(VERSION);
  switch (message.type) {
    case 'follower':
      writer.byte(1);
      writeFollower(writer, message);
      break;
    case 'leader':
      writer.byte(2);
      writeLeader(writer, message);
      break;
    case 'reset':
      writer.byte(3);
      writeSession(writer, message.session);
      break;
    default:
      unreachable(message);
  }
  return writer.handOver();
}

/** Enough for a message with batches, so that these are copied once. */
function capacityFor(message: SessionMessage): number {
  if (message.type !== 'leader') return SMALL_MESSAGE_BYTES;
  let bytes = SMALL_MESSAGE_BYTES;
  for (const { answer: each } of message.answers) {
    bytes += SMALL_ANSWER_BYTES + (each.type === 'batches' ? each.bytes.length : 0);
  }
  return bytes;
}

/** The batches are views into `bytes`. CORRUPT_MESSAGE, or UNSUPPORTED_VERSION. */
export function decodeSessionMessage(
  bytes: Uint8Array,
): { readonly ok: true; readonly message: SessionMessage } | Failure {
  const reader = new FieldReader(bytes);
  try {
    if (reader.unsigned() !== VERSION) return unsupported();
    const message = readMessage(reader);
    if (message === undefined) return unsupported();
    if (reader.left > 0) throw new MalformedRecord(`has ${reader.left} bytes too many`);
    return { ok: true, message };
  } catch (error) {
    if (error instanceof MalformedRecord) return failure('CORRUPT_MESSAGE', `A message ${error.message}.`);
    throw error;
  }
}

function readMessage(reader: FieldReader): SessionMessage | undefined {
  switch (reader.byte()) {
    case 1:
      return readFollower(reader);
    case 2:
      return readLeader(reader);
    case 3:
      return { type: 'reset', session: readSession(reader) };
    default:
      return undefined;
  }
}

function unsupported(): Failure {
  const message = 'Another version of Tidemark sent a message that this one cannot read.';
  return failure('UNSUPPORTED_VERSION', message);
}
