// The binary form of the answers to commands: frame version, the command's type, version (unsigned varints), a byte that says
// whether the command as a whole was refused, then the failure or the fields. Rules as in command-codec.ts.

import {
  type BrokerEpoch,
  type BrokerId,
  type Failure,
  type FieldCodec,
  flag,
  isFailure,
  isTopicName,
  listOf,
  MalformedRecord,
  optional,
  type PartitionIndex,
  struct,
  text,
  textThat,
  type TopicId,
  uuid,
} from '@tidemark/core';
import { accessResponseFields } from './access-command-codec.ts';
import { configResource, undecodable } from './command-codec.ts';
import {
  commandCodes,
  decodeFrame,
  encodeFrame,
  failureFields,
  int32,
  int64,
  leaderId,
  resultOf,
  signed,
  wordOf,
  type CommandType,
} from './command-fields.ts';
import type {
  AlterConfigsResult,
  AlteredPartition,
  ControllerResponses,
  CreatedTopic,
  CreatePartitionsResult,
  DeleteTopic,
  DeleteTopicResult,
  FailedPartition,
  FailedTopic,
  TopicPartitionName,
  TopicPartitionResult,
} from './command.ts';

/** Which part of a result is the outcome that was asked for. */
type Done<T> = Extract<T, { readonly ok: true }>;
type Refused<T> = Extract<T, Failure>;

const named = struct<{ readonly name: string }>({ name: text });
const fenced = struct<{ readonly fenced: boolean }>({ fenced: flag });
const changed = struct<{ readonly changed: number }>({ changed: int32() });
const partitionIds = { topicId: uuid<TopicId>(), partition: int32<PartitionIndex>() };
const topicPartition = struct<TopicPartitionName>({ topic: text, partition: signed });
const topicPartitionResults = struct<{ readonly partitions: readonly TopicPartitionResult[] }>({
  partitions: listOf(
    resultOf<Done<TopicPartitionResult>, Refused<TopicPartitionResult>>(topicPartition, topicPartition),
  ),
});

/** The fields by version; the last one is written. */
const schemas: { readonly [T in CommandType]: readonly FieldCodec<ControllerResponses[T]>[] } = {
  registerCluster: [struct({ clusterId: text, metadataVersion: int32() })],
  registerBroker: [struct({ brokerEpoch: int64<BrokerEpoch>() })],
  fenceBroker: [fenced],
  unfenceBroker: [fenced],
  unregisterBroker: [struct({ brokerId: int32<BrokerId>() })],
  heartbeat: [struct({ fenced: flag, caughtUp: flag, inControlledShutdown: flag, shouldShutDown: flag })],
  settlePartitions: [changed],
  alterPartition: [
    struct({
      partitions: listOf(
        resultOf<AlteredPartition, FailedPartition>(
          struct<Omit<AlteredPartition, 'ok'>>({
            ...partitionIds,
            leader: leaderId,
            leaderEpoch: int32(),
            isr: listOf(int32<BrokerId>()),
            partitionEpoch: int32(),
            leaderRecoveryState: wordOf('recovered', 'recovering'),
          }),
          struct(partitionIds),
        ),
      ),
    }),
  ],
  reportOfflineReplicas: [changed],
  electLeaders: [topicPartitionResults],
  balanceLeaders: [changed],
  reassignPartitions: [topicPartitionResults],
  createTopics: [
    struct({
      topics: listOf(
        resultOf<CreatedTopic, FailedTopic>(
          struct<Omit<CreatedTopic, 'ok'>>({
            name: text,
            topicId: optional(uuid<TopicId>()),
            partitionCount: int32(),
            replicationFactor: int32(),
          }),
          named,
        ),
      ),
    }),
  ],
  deleteTopics: [
    struct({
      topics: listOf(
        resultOf<Done<DeleteTopicResult>, Refused<DeleteTopicResult>>(
          struct({ name: textThat(isTopicName, 'a topic name'), topicId: uuid<TopicId>() }),
          struct<DeleteTopic>({ name: optional(text), topicId: optional(uuid<TopicId>()) }),
        ),
      ),
    }),
  ],
  createPartitions: [
    struct({ topics: listOf(resultOf<Done<CreatePartitionsResult>, FailedTopic>(named, named)) }),
  ],
  alterConfigs: [
    struct({
      resources: listOf(
        resultOf<Done<AlterConfigsResult>, Refused<AlterConfigsResult>>(
          struct({ resource: configResource }),
          struct({ resource: configResource }),
        ),
      ),
    }),
  ],
  allocateProducerIds: [struct({ firstProducerId: int64(), length: int32() })],
  ...accessResponseFields,
};

/** A command's answer or why it was refused as a whole. */
type Outcome<T extends CommandType> = ControllerResponses[T] | Failure;

function outcomeOf<T>(answer: FieldCodec<T>): FieldCodec<T | Failure> {
  return {
    write: (writer, outcome) => {
      const refused = isFailure(outcome);
      flag.write(writer, refused);
      if (refused) failureFields.write(writer, outcome);
      else answer.write(writer, outcome);
    },
    read: (reader) => (flag.read(reader) ? failureFields.read(reader) : answer.read(reader)),
  };
}

function versionsOf<T extends CommandType>(type: T): readonly FieldCodec<Outcome<T>>[] {
  return schemas[type].map((codec) => outcomeOf(codec));
}

export function encodeResponse<T extends CommandType>(type: T, response: Outcome<T>): Uint8Array {
  return encodeFrame(commandCodes[type], versionsOf(type), response);
}

/**
 * The answer to a command of `type`; or the failure it was refused with, or why the bytes are no such answer, which leaves open
 * what became of the command. Keeps no reference to `bytes`.
 */
export function decodeResponse<T extends CommandType>(type: T, bytes: Uint8Array): Outcome<T> {
  try {
    return decodeFrame<Outcome<T>>(bytes, (code) => {
      if (code !== commandCodes[type]) throw new MalformedRecord(`answers type ${code}, not ${type}`);
      return versionsOf(type);
    }).value;
  } catch (error) {
    return undecodable(error, 'response');
  }
}
