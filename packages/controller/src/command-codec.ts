// The binary form in which commands travel between nodes: frame version, command type, version (unsigned varints), then the
// fields. A reader refuses what a newer version wrote with UNSUPPORTED_VERSION, and anything malformed with CORRUPT_MESSAGE.
// Every command has its line in the table, or it does not compile.

import {
  failure,
  flag,
  listOf,
  MalformedRecord,
  optional,
  struct,
  text,
  uuid,
  type BrokerEpoch,
  type BrokerId,
  type Failure,
  type FieldCodec,
  type PartitionIndex,
  type TopicId,
} from '@tidemark/core';
import { accessCommandFields } from './access-command-codec.ts';
import type {
  AlterPartition,
  ConfigResource,
  ControllerCommand,
  DeleteTopic,
  IsrMember,
  NewPartitions,
  NewTopic,
  OfflineReplica,
  PartitionReassignment,
  ReplicaAssignment,
  TopicPartitionName,
} from './command.ts';
import {
  brokerEpochFields,
  commandCodes,
  decodeFrame,
  encodeFrame,
  endpoint,
  int32,
  int64,
  int64OrMinusOne,
  nothing,
  signed,
  textMap,
  UnsupportedFrame,
  wordOf,
  type CommandType,
} from './command-fields.ts';

/** Of a type that may share its interface with others. */
type CommandOf<T extends CommandType> = ControllerCommand extends infer C
  ? C extends { readonly type: infer Types }
    ? T extends Types
      ? C
      : never
    : never
  : never;
type Fields<T extends CommandType> = Omit<CommandOf<T>, 'type'>;

const assignments = listOf(struct<ReplicaAssignment>({ partition: signed, replicas: listOf(signed) }));
export const configResource = struct<ConfigResource>({ type: wordOf('topic', 'broker'), name: text });

const registerBrokerParts = {
  clusterId: text,
  brokerId: int32<BrokerId>(),
  incarnationId: uuid<string>(),
  endpoints: listOf(endpoint),
  rack: text,
  directoryId: text,
  previousBrokerEpoch: int64OrMinusOne<BrokerEpoch | -1>(),
};
const registerBrokerFields = struct<Omit<Fields<'registerBroker'>, 'flushPolicy'>>(registerBrokerParts);

/** The fields by version; the last one is written. */
const schemas: { readonly [T in CommandType]: readonly FieldCodec<Fields<T>>[] } = {
  registerCluster: [struct({ clusterId: text })],
  registerBroker: [
    // A broker that does not say how it flushes is taken for one that does not.
    {
      write: (writer, command) => registerBrokerFields.write(writer, command),
      read: (reader) => ({ ...registerBrokerFields.read(reader), flushPolicy: 'os' }),
    },
    struct<Fields<'registerBroker'>>({ ...registerBrokerParts, flushPolicy: wordOf('ack', 'os') }),
  ],
  fenceBroker: [struct(brokerEpochFields)],
  unfenceBroker: [struct(brokerEpochFields)],
  heartbeat: [
    struct<Fields<'heartbeat'>>({
      ...brokerEpochFields,
      wantFence: flag,
      wantShutDown: flag,
      appliedOffset: int64(),
    }),
  ],
  unregisterBroker: [struct({ brokerId: int32<BrokerId>() })],
  settlePartitions: [nothing],
  alterPartition: [
    struct<Fields<'alterPartition'>>({
      ...brokerEpochFields,
      partitions: listOf(
        struct<AlterPartition>({
          topicId: uuid<TopicId>(),
          partition: int32<PartitionIndex>(),
          leaderEpoch: int32(),
          partitionEpoch: int32(),
          newIsr: listOf(struct<IsrMember>(brokerEpochFields)),
        }),
      ),
    }),
  ],
  reportOfflineReplicas: [
    struct<Fields<'reportOfflineReplicas'>>({
      ...brokerEpochFields,
      partitions: listOf(
        struct<OfflineReplica>({ topicId: uuid<TopicId>(), partition: int32<PartitionIndex>() }),
      ),
    }),
  ],
  electLeaders: [
    struct<Fields<'electLeaders'>>({
      election: wordOf('preferred', 'unclean'),
      partitions: optional(listOf(struct<TopicPartitionName>({ topic: text, partition: signed }))),
    }),
  ],
  balanceLeaders: [nothing],
  reassignPartitions: [
    struct<Fields<'reassignPartitions'>>({
      partitions: listOf(
        struct<PartitionReassignment>({ topic: text, partition: signed, replicas: optional(listOf(signed)) }),
      ),
      allowReplicationFactorChange: flag,
    }),
  ],
  createTopics: [
    struct<Fields<'createTopics'>>({
      topics: listOf(
        struct<NewTopic>({
          name: text,
          partitionCount: signed,
          replicationFactor: signed,
          assignments,
          configs: textMap,
          topicId: optional(uuid<TopicId>()),
        }),
      ),
      validateOnly: flag,
    }),
  ],
  deleteTopics: [
    struct<Fields<'deleteTopics'>>({
      topics: listOf(struct<DeleteTopic>({ name: optional(text), topicId: optional(uuid<TopicId>()) })),
    }),
  ],
  createPartitions: [
    struct<Fields<'createPartitions'>>({
      topics: listOf(struct<NewPartitions>({ name: text, totalCount: signed, assignments })),
      validateOnly: flag,
    }),
  ],
  alterConfigs: [
    struct<Fields<'alterConfigs'>>({
      resources: listOf(
        struct<Fields<'alterConfigs'>['resources'][number]>({
          resource: configResource,
          changes: listOf(
            struct<{ readonly name: string; readonly value: string | undefined }>({
              name: text,
              value: optional(text),
            }),
          ),
        }),
      ),
      validateOnly: flag,
    }),
  ],
  allocateProducerIds: [struct(brokerEpochFields)],
  ...accessCommandFields,
};

const typeByCode = new Map(
  (Object.keys(commandCodes) as CommandType[]).map((type) => [commandCodes[type], type]),
);

/** Throws RangeError when an id in it cannot be one: the sender's mistake. */
export function encodeCommand(command: ControllerCommand): Uint8Array {
  const versions = schemas[command.type] as unknown as readonly FieldCodec<ControllerCommand>[];
  return encodeFrame(commandCodes[command.type], versions, command);
}

export type DecodedCommand = { readonly ok: true; readonly command: ControllerCommand } | Failure;

/** Keeps no reference to `bytes`. */
export function decodeCommand(bytes: Uint8Array): DecodedCommand {
  try {
    const { code, value } = decodeFrame<object>(bytes, (found) => {
      const type = typeByCode.get(found);
      return type && schemas[type];
    });
    return { ok: true, command: { type: typeByCode.get(code), ...value } as ControllerCommand };
  } catch (error) {
    return undecodable(error, 'command');
  }
}

/** Throws what is not about the bytes. */
export function undecodable(error: unknown, what: string): Failure {
  if (error instanceof MalformedRecord) return failure('CORRUPT_MESSAGE', `A ${what} ${error.message}.`);
  if (error instanceof UnsupportedFrame) {
    return failure(
      'UNSUPPORTED_VERSION',
      `A ${what} has ${error.message}, which a newer version sent and this one cannot read.`,
    );
  }
  throw error;
}
