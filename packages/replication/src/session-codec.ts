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
  ResetMessage,
  SessionId,
  SessionMessage,
  SlotAcknowledgement,
  SlotAnswer,
  SlotBatches,
  SlotProgress,
  Subscription,
} from './session-message.ts';

const VERSION = 1;
const MAX_INT32 = 2 ** 31 - 1;
const SMALL_MESSAGE_BYTES = 128;
/** Without its batches. */
const SMALL_ANSWER_BYTES = 40;

const count = integer<number>(Number.MAX_SAFE_INTEGER);
const offset = integer<Offset>(Number.MAX_SAFE_INTEGER);
const epoch = integer<LeaderEpoch>(MAX_INT32);

const sessionId = struct<SessionId>({
  brokerEpoch: integer<BrokerEpoch>(Number.MAX_SAFE_INTEGER),
  number: count,
});

const subscription = struct<Subscription>({
  slot: count,
  topicId: uuid<TopicId>(),
  partition: integer<PartitionIndex>(MAX_INT32),
  leaderEpoch: epoch,
  fetchOffset: offset,
  lastFetchedEpoch: integer<LeaderEpoch | -1>(MAX_INT32, -1),
  acknowledgeableEnd: offset,
});

const acknowledgement = struct<SlotAcknowledgement>({ slot: count, endOffset: offset });

/** The error by its code, which is at least -1. */
const failureCodec: FieldCodec<Failure> = {
  write: (writer, { error, message }) => {
    writer.unsigned(errorTable[error].code + 1);
    text.write(writer, message);
  },
  read: (reader) => failure(errorName(reader.unsigned(2 ** 15) - 1), text.read(reader)),
};

const progressFields = { highWatermark: offset, logStartOffset: offset };
const batchesCodec = struct<Omit<SlotBatches, 'type'>>({
  baseOffset: offset,
  ...progressFields,
  bytes: byteString,
});
const progressCodec = struct<Omit<SlotProgress, 'type'>>(progressFields);
const divergingCodec = struct<Omit<Diverging, 'type'>>({ epoch, endOffset: offset });
const outOfRangeCodec = struct<Omit<OutOfRange, 'type'>>({ logStartOffset: offset, logEndOffset: offset });
const refusedCodec = struct<Omit<Refused, 'type'>>({ failure: failureCodec });

const answer: FieldCodec<SlotAnswer> = {
  write: (writer, value) => {
    switch (value.type) {
      case 'batches':
        writer.byte(1);
        batchesCodec.write(writer, value);
        break;
      case 'progress':
        writer.byte(2);
        progressCodec.write(writer, value);
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
        return { type: 'batches', ...batchesCodec.read(reader) };
      case 2:
        return { type: 'progress', ...progressCodec.read(reader) };
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

const followerFields = struct<Omit<FollowerMessage, 'type'>>({
  session: sessionId,
  sequence: count,
  creditBytes: count,
  unsubscribed: listOf(count),
  subscribed: listOf(subscription),
  acknowledged: listOf(acknowledgement),
});
const leaderFields = struct<Omit<LeaderMessage, 'type'>>({
  session: sessionId,
  sequence: count,
  answers: listOf(struct<LeaderMessage['answers'][number]>({ slot: count, answer })),
});
const resetFields = struct<Omit<ResetMessage, 'type'>>({ session: sessionId });

/** `prefixBytes` zero bytes come first, for who sends it on to fill in. */
export function encodeSessionMessage(message: SessionMessage, prefixBytes = 0): Uint8Array {
  const writer = new FieldWriter(capacityFor(message) + prefixBytes);
  for (let at = 0; at < prefixBytes; at++) writer.byte(0);
  writer.unsigned(VERSION);
  switch (message.type) {
    case 'follower':
      writer.byte(1);
      followerFields.write(writer, message);
      break;
    case 'leader':
      writer.byte(2);
      leaderFields.write(writer, message);
      break;
    case 'reset':
      writer.byte(3);
      resetFields.write(writer, message);
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
      return { type: 'follower', ...followerFields.read(reader) };
    case 2:
      return { type: 'leader', ...leaderFields.read(reader) };
    case 3:
      return { type: 'reset', ...resetFields.read(reader) };
    default:
      return undefined;
  }
}

function unsupported(): Failure {
  const message = 'Another version of Tidemark sent a message that this one cannot read.';
  return failure('UNSUPPORTED_VERSION', message);
}
