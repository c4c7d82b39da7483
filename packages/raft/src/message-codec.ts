// Messages as bytes: version, type, then the fields in order (unsigned varints, lengths before bytes). A message of a newer
// version is refused by itself; nothing about it is guessed.

import {
  byteString,
  failure,
  FieldReader,
  FieldWriter,
  flag,
  integer,
  listOf,
  MalformedRecord,
  optional,
  struct,
  type Failure,
  type FieldCodec,
  type NodeId,
  type Offset,
  type Term,
  uuid,
} from '@tidemark/core';
import type { Entry, EntryKind, LogPosition } from './entry.ts';
import type { AppendRequest, AppendResponse, RaftMessage, SnapshotId } from './message.ts';
import type { ReplicaKey } from './replica.ts';
import { decodeVoters, endpointCodec, nodeIdCodec, replicaCodec, votersCodec } from './voters-codec.ts';

const VERSION = 1;

const offsetCodec = integer<Offset>(Number.MAX_SAFE_INTEGER);
const termCodec = integer<Term>(2 ** 31 - 1);
const count = integer<number>(Number.MAX_SAFE_INTEGER);
const position = struct<LogPosition>({ endOffset: offsetCodec, term: termCodec });
const snapshotId = struct<SnapshotId>({ endOffset: offsetCodec, term: termCodec });

/** The receiver's directory id may be unknown to the sender. */
const receiver: FieldCodec<ReplicaKey> = {
  write: (writer, { nodeId, directoryId }) => {
    nodeIdCodec.write(writer, nodeId);
    optionalUuid.write(writer, directoryId === '' ? undefined : directoryId);
  },
  read: (reader) => {
    const nodeId: NodeId = nodeIdCodec.read(reader);
    return { nodeId, directoryId: optionalUuid.read(reader) ?? '' };
  },
};
const optionalUuid = optional(uuid<string>());

const KINDS: readonly EntryKind[] = ['data', 'leaderChange', 'voters'];

const entry: FieldCodec<Entry> = {
  write: (writer, { kind, term, baseOffset, endOffset, payload }) => {
    writer.byte(KINDS.indexOf(kind));
    termCodec.write(writer, term);
    offsetCodec.write(writer, baseOffset);
    writer.unsigned(endOffset - baseOffset);
    byteString.write(writer, payload);
  },
  read: (reader) => {
    const kind = KINDS[reader.byte()];
    if (kind === undefined) throw new MalformedRecord('holds an entry of an unknown kind');
    const term = termCodec.read(reader);
    const baseOffset = offsetCodec.read(reader);
    const width = reader.unsigned();
    const endOffset = (baseOffset + width) as Offset;
    if (width === 0 || !Number.isSafeInteger(endOffset)) {
      throw new MalformedRecord('holds an entry without offsets');
    }
    const payload = byteString.read(reader);
    // Whoever takes such an entry could not go on: it is refused while it is only a message.
    if (kind !== 'data' && width !== 1)
      throw new MalformedRecord(`holds a ${kind} entry ${width} offsets wide`);
    if (kind === 'voters' && !decodeVoters(payload).ok)
      throw new MalformedRecord('holds voters that make no set');
    return { kind, term, baseOffset, endOffset, payload };
  },
};

const entryList = listOf(entry);

/** Entries follow each other without a gap, and their terms do not fall. */
const entries: FieldCodec<readonly Entry[]> = {
  write: entryList.write,
  read: (reader) => {
    const list = entryList.read(reader);
    for (let at = 1; at < list.length; at++) {
      const before = list[at - 1]!;
      if (list[at]!.baseOffset !== before.endOffset || list[at]!.term < before.term) {
        throw new MalformedRecord('holds entries out of order');
      }
    }
    return list;
  },
};

type TypeOf = RaftMessage['type'];
type MessageOf<T extends TypeOf> = Extract<RaftMessage, { readonly type: T }>;
type Fields<T extends TypeOf> = Omit<MessageOf<T>, 'type' | 'from' | 'to' | 'term'>;
/** `timeoutNow` says all it has to say by coming. */
const nothing: FieldCodec<object> = { write: () => undefined, read: () => ({}) };

/** A type's code never changes and is never given to another type. */
const schemas: { readonly [T in TypeOf]: { readonly code: number; readonly fields: FieldCodec<Fields<T>> } } =
  {
    vote: { code: 1, fields: struct<Fields<'vote'>>({ pre: flag, last: position, transfer: flag }) },
    voteResponse: { code: 2, fields: struct<Fields<'voteResponse'>>({ pre: flag, granted: flag }) },
    append: {
      code: 3,
      fields: struct<Fields<'append'>>({
        previous: position,
        commitOffset: offsetCodec,
        round: count,
        entries,
      }),
    },
    appendResponse: {
      code: 4,
      fields: struct<Fields<'appendResponse'>>({
        round: count,
        matchOffset: optional(offsetCodec),
        refused: optional(
          struct<NonNullable<AppendResponse['refused']>>({ previous: position, conflict: position }),
        ),
      }),
    },
    snapshot: {
      code: 5,
      fields: struct<Fields<'snapshot'>>({
        snapshot: snapshotId,
        voters: votersCodec,
        position: count,
        isLast: flag,
        round: count,
        bytes: byteString,
      }),
    },
    snapshotResponse: {
      code: 6,
      fields: struct<Fields<'snapshotResponse'>>({
        snapshot: snapshotId,
        nextPosition: optional(count),
        round: count,
      }),
    },
    join: { code: 7, fields: struct<Fields<'join'>>({ last: position, endpoint: endpointCodec }) },
    leaderHint: {
      code: 8,
      fields: struct<Fields<'leaderHint'>>({ leader: optional(replicaCodec), voters: votersCodec }),
    },
    timeoutNow: { code: 9, fields: nothing },
  };

const typeByCode = new Map(
  (Object.keys(schemas) as TypeOf[]).map((type) => [schemas[type].code, type] as const),
);

/** `prefixBytes` zero bytes come first, for who sends it on to fill in. */
export function encodeMessage(message: RaftMessage, prefixBytes = 0): Uint8Array {
  const writer = new FieldWriter();
  for (let at = 0; at < prefixBytes; at++) writer.byte(0);
  const { code, fields } = schemas[message.type];
  writer.unsigned(VERSION);
  writer.unsigned(code);
  replicaCodec.write(writer, message.from);
  receiver.write(writer, message.to);
  termCodec.write(writer, message.term);
  (fields as FieldCodec<object>).write(writer, message);
  return writer.handOver();
}

/** Fields that are undefined are left out by the reader; the types want them named. */
const ABSENT: { readonly [T in TypeOf]?: readonly string[] } = {
  appendResponse: ['matchOffset', 'refused'],
  snapshotResponse: ['nextPosition'],
  leaderHint: ['leader'],
};
const NONE: readonly string[] = [];

/** The entries go on where `previous` ends, and no leader has entries of a term after its own. */
function checkAppend({ term, previous, entries }: AppendRequest): void {
  const [first] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return;
  if (first.baseOffset !== previous.endOffset || first.term < previous.term || last.term > term) {
    throw new MalformedRecord('holds entries that do not follow what they are said to follow');
  }
}

/** Payloads and pieces are views into `bytes`. CORRUPT_MESSAGE, or UNSUPPORTED_VERSION. */
export function decodeMessage(
  bytes: Uint8Array,
): { readonly ok: true; readonly message: RaftMessage } | Failure {
  const reader = new FieldReader(bytes);
  try {
    const version = reader.unsigned();
    const type = typeByCode.get(reader.unsigned());
    if (version !== VERSION || type === undefined) {
      return failure(
        'UNSUPPORTED_VERSION',
        'Another version of Tidemark sent a message that this one cannot read.',
      );
    }
    const from = replicaCodec.read(reader);
    const to = receiver.read(reader);
    const term = termCodec.read(reader);
    const fields = (schemas[type].fields as FieldCodec<object>).read(reader);
    if (reader.left > 0) throw new MalformedRecord(`has ${reader.left} bytes too many`);
    // Filled up in place: this is done for every message there is.
    const message = fields as Record<string, unknown>;
    for (const name of ABSENT[type] ?? NONE) message[name] ??= undefined;
    message['type'] = type;
    message['from'] = from;
    message['to'] = to;
    message['term'] = term;
    const decoded = message as unknown as RaftMessage;
    if (decoded.type === 'append') checkAppend(decoded);
    return { ok: true, message: decoded };
  } catch (error) {
    if (error instanceof MalformedRecord) return failure('CORRUPT_MESSAGE', `A message ${error.message}.`);
    throw error;
  }
}
