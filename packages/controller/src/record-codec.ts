// The binary form of a metadata record: frame version, record type, record version (unsigned varints), then the fields.
// Each type has its own version: a reader refuses a type or a version it does not know, because skipping it would make its
// image differ from the others'; that is what UNSUPPORTED_VERSION asks to upgrade for. Anything else is CORRUPT_MESSAGE.

import {
  type BrokerEpoch,
  type BrokerId,
  failure,
  type Failure,
  type FieldCodec,
  FieldReader,
  FieldWriter,
  flag,
  integer,
  isTopicName,
  listOf,
  MalformedRecord,
  nullable,
  optional,
  type PartitionIndex,
  struct,
  text,
  textThat,
  type TopicId,
  unreachable,
  uuid,
} from '@tidemark/core';
import { aclFields, quotaRecordFields, scramFields, scramNameFields } from './access-records.ts';
import {
  METADATA_VERSION,
  METADATA_VERSION_LEVEL,
  type Endpoint,
  type LeaderId,
  type LeaderRecoveryState,
  type MetadataRecord,
  type MetadataRecordType,
} from './metadata-record.ts';

const FRAME_VERSION = 1;

type RecordOf<T extends MetadataRecordType> = Extract<MetadataRecord, { readonly type: T }>;
type Fields<T extends MetadataRecordType> = Omit<RecordOf<T>, 'type'>;

interface RecordSchema<T extends MetadataRecordType> {
  readonly type: T;
  /** The fields by version; the last one is written. */
  readonly versions: readonly FieldCodec<Fields<T>>[];
}

const MAX_INT32 = 2 ** 31 - 1;
const int32 = <T extends number>() => integer<T>(MAX_INT32);
const int64 = <T extends number>() => integer<T>(Number.MAX_SAFE_INTEGER);
const leader = integer<LeaderId>(MAX_INT32, -1);
const topicName = textThat(isTopicName, 'a topic name');
const endpoint = struct<Endpoint>({ name: text, host: text, port: integer(65535) });

const brokerIds = listOf(int32<BrokerId>());
const recoveryState: FieldCodec<LeaderRecoveryState> = {
  write: (writer, value) => flag.write(writer, value === 'recovering'),
  read: (reader) => (flag.read(reader) ? 'recovering' : 'recovered'),
};
const onlyTrue: FieldCodec<true | undefined> = {
  write: (writer, value) => flag.write(writer, value === true),
  read: (reader) => (flag.read(reader) ? true : undefined),
};

/** Reads what an older version wrote; `defaults` stands for the fields it did not know. Never written. */
function older<T extends object>(
  codec: Pick<FieldCodec<object>, 'read'>,
  defaults: Partial<T> = {},
): FieldCodec<T> {
  return {
    write: () => unreachable(undefined as never),
    read: (reader) => ({ ...codec.read(reader), ...defaults }) as T,
  };
}

const registerBrokerV0 = {
  brokerId: int32<BrokerId>(),
  brokerEpoch: int64<BrokerEpoch>(),
  incarnationId: uuid<string>(),
  endpoints: listOf(endpoint),
  rack: text,
  fenced: flag,
};
const brokerEpochFields = { brokerId: int32<BrokerId>(), brokerEpoch: int64<BrokerEpoch>() };
const partitionChangeV0 = {
  topicId: uuid<TopicId>(),
  partition: int32<PartitionIndex>(),
  replicas: optional(brokerIds),
  isr: optional(brokerIds),
  leader: optional(leader),
};

/** A type's code never changes and is never given to another type. */
const schemas: { readonly [T in MetadataRecordType]: RecordSchema<T> & { readonly code: number } } = {
  cluster: { code: 1, type: 'cluster', versions: [struct({ clusterId: text })] },
  featureLevel: { code: 2, type: 'featureLevel', versions: [struct({ feature: text, level: int32() })] },
  registerBroker: {
    code: 3,
    type: 'registerBroker',
    versions: [
      older<Fields<'registerBroker'>>(struct(registerBrokerV0), { directoryId: '' }),
      struct<Fields<'registerBroker'>>({ ...registerBrokerV0, directoryId: text }),
    ],
  },
  brokerChange: {
    code: 4,
    type: 'brokerChange',
    versions: [
      older<Fields<'brokerChange'>>(struct({ ...brokerEpochFields, fenced: flag })),
      struct<Fields<'brokerChange'>>({
        ...brokerEpochFields,
        fenced: optional(flag),
        inControlledShutdown: onlyTrue,
      }),
    ],
  },
  topic: { code: 5, type: 'topic', versions: [struct({ topicId: uuid(), name: topicName })] },
  removeTopic: { code: 6, type: 'removeTopic', versions: [struct({ topicId: uuid() })] },
  partition: {
    code: 7,
    type: 'partition',
    versions: [
      struct({
        topicId: uuid(),
        partition: int32(),
        replicas: listOf(int32()),
        isr: listOf(int32()),
        leader,
        leaderEpoch: int32(),
        partitionEpoch: int32(),
      }),
    ],
  },
  partitionChange: {
    code: 8,
    type: 'partitionChange',
    versions: [
      older<Fields<'partitionChange'>>(struct(partitionChangeV0)),
      struct<Fields<'partitionChange'>>({
        ...partitionChangeV0,
        elr: optional(brokerIds),
        lastKnownElr: optional(brokerIds),
        leaderRecoveryState: optional(recoveryState),
        addingReplicas: optional(brokerIds),
        removingReplicas: optional(brokerIds),
      }),
    ],
  },
  topicConfig: {
    code: 9,
    type: 'topicConfig',
    versions: [struct({ topicId: uuid(), name: text, value: nullable(text) })],
  },
  brokerConfig: {
    code: 10,
    type: 'brokerConfig',
    versions: [struct({ brokerId: nullable(int32()), name: text, value: nullable(text) })],
  },
  producerIds: {
    code: 11,
    type: 'producerIds',
    versions: [struct({ brokerId: int32(), brokerEpoch: int64(), nextProducerId: int64() })],
  },
  unregisterBroker: { code: 12, type: 'unregisterBroker', versions: [struct(brokerEpochFields)] },
  scramCredential: { code: 13, type: 'scramCredential', versions: [scramFields] },
  removeScramCredential: { code: 14, type: 'removeScramCredential', versions: [scramNameFields] },
  acl: { code: 15, type: 'acl', versions: [aclFields] },
  removeAcl: { code: 16, type: 'removeAcl', versions: [aclFields] },
  clientQuota: { code: 17, type: 'clientQuota', versions: [quotaRecordFields] },
};

type AnySchema = RecordSchema<MetadataRecordType> & { readonly code: number };
const schemaByCode = new Map(
  (Object.values(schemas) as unknown as AnySchema[]).map((schema) => [schema.code, schema]),
);

export function encodeRecord(record: MetadataRecord): Uint8Array {
  const schema = schemas[record.type] as unknown as AnySchema;
  const version = schema.versions.length - 1;
  const writer = new FieldWriter();
  writer.unsigned(FRAME_VERSION);
  writer.unsigned(schema.code);
  writer.unsigned(version);
  schema.versions[version]!.write(writer, record);
  return writer.finish();
}

export type DecodedRecord = { readonly ok: true; readonly record: MetadataRecord } | Failure;

/** Keeps no reference to `bytes`. */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  try {
    return decode(new FieldReader(bytes));
  } catch (error) {
    if (error instanceof MalformedRecord) {
      return failure('CORRUPT_MESSAGE', `A metadata record ${error.message}.`);
    }
    throw error;
  }
}

function decode(reader: FieldReader): DecodedRecord {
  const frame = reader.unsigned();
  if (frame === 0) throw new MalformedRecord('has frame version 0');
  if (frame > FRAME_VERSION) return tooNew(`frame version ${frame}`);
  const code = reader.unsigned();
  const version = reader.unsigned();
  const schema = schemaByCode.get(code);
  if (schema === undefined) return tooNew(`record type ${code}`);
  const codec = schema.versions[version];
  if (codec === undefined) return tooNew(`version ${version} of record type ${schema.type}`);
  const record = { type: schema.type, ...codec.read(reader) } as MetadataRecord;
  if (reader.left > 0) throw new MalformedRecord(`has ${reader.left} bytes too many`);
  if (
    record.type === 'featureLevel' &&
    record.feature === METADATA_VERSION &&
    record.level > METADATA_VERSION_LEVEL
  ) {
    return tooNew(`${METADATA_VERSION} ${record.level}`);
  }
  return { ok: true, record };
}

function tooNew(what: string): Failure {
  return failure(
    'UNSUPPORTED_VERSION',
    `The metadata log has ${what}, which a newer version wrote and this one cannot read. Start this node with the newer version.`,
  );
}
