// Commands and their answers with every field drawn at random. A command that is missing here does not compile.

import fc, { type Arbitrary } from 'fast-check';
import {
  quotaNames,
  type CommandType,
  type ControllerCommand,
  type ControllerResponses,
} from '@tidemark/controller';
import { aclOf, bytes } from './access-arbitraries.ts';
import { errorTable, scramMechanisms, topicIdFromBytes, type ErrorName, type Failure } from '@tidemark/core';

const int32 = fc.nat(2 ** 31 - 1);
const int64 = fc.maxSafeNat().map((n) => Math.floor(n / 2));
const asked = fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 1));
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(topicIdFromBytes);
const topicName = fc.stringMatching(/^[a-zA-Z0-9_-]{1,40}$/);
const some = <T>(of: Arbitrary<T>): Arbitrary<T[]> => fc.array(of, { maxLength: 4 });
const maybe = <T>(of: Arbitrary<T>): Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const brokerEpoch = { brokerId: int32, brokerEpoch: int64 };
const topicPartition = { topic: text, partition: asked };
const assignments = some(fc.record({ partition: asked, replicas: some(asked) }));
const resource = fc.record({ type: fc.constantFrom('topic', 'broker'), name: text });
const leader = fc.oneof(fc.constant(-1), int32);

const scramName = { user: text, mechanism: fc.constantFrom(...scramMechanisms) };
const acl = aclOf(text);
const quotaChange = fc.record({
  name: fc.constantFrom(...quotaNames),
  value: fc.option(fc.double({ noDefaultInfinity: true, noNaN: true }), { nil: null }),
});

type Shape = Readonly<Record<string, Arbitrary<unknown>>>;

const commandShapes: { readonly [T in CommandType]: Shape } = {
  registerCluster: { clusterId: text },
  registerBroker: {
    clusterId: text,
    brokerId: int32,
    incarnationId: uuid,
    endpoints: some(fc.record({ name: text, host: text, port: fc.nat(65535) })),
    rack: text,
    directoryId: text,
    previousBrokerEpoch: fc.oneof(fc.constant(-1), int64),
    flushPolicy: fc.constantFrom('ack', 'os'),
  },
  fenceBroker: brokerEpoch,
  unfenceBroker: brokerEpoch,
  heartbeat: { ...brokerEpoch, wantFence: fc.boolean(), wantShutDown: fc.boolean(), appliedOffset: int64 },
  settlePartitions: {},
  alterPartition: {
    ...brokerEpoch,
    partitions: some(
      fc.record({
        topicId: uuid,
        partition: int32,
        leaderEpoch: int32,
        partitionEpoch: int32,
        newIsr: some(fc.record(brokerEpoch)),
      }),
    ),
  },
  reportOfflineReplicas: { ...brokerEpoch, partitions: some(fc.record({ topicId: uuid, partition: int32 })) },
  electLeaders: {
    election: fc.constantFrom('preferred', 'unclean'),
    partitions: maybe(some(fc.record(topicPartition))),
  },
  unregisterBroker: { brokerId: int32 },
  balanceLeaders: {},
  reassignPartitions: {
    partitions: some(fc.record({ ...topicPartition, replicas: maybe(some(asked)) })),
    allowReplicationFactorChange: fc.boolean(),
  },
  createTopics: {
    topics: some(
      fc.record({
        name: text,
        partitionCount: asked,
        replicationFactor: asked,
        assignments,
        configs: some(fc.tuple(text, text)).map((pairs) => new Map(pairs)),
      }),
    ),
    validateOnly: fc.boolean(),
  },
  deleteTopics: { topics: some(fc.record({ name: maybe(text), topicId: maybe(uuid) })) },
  createPartitions: {
    topics: some(fc.record({ name: text, totalCount: asked, assignments })),
    validateOnly: fc.boolean(),
  },
  alterConfigs: {
    resources: some(fc.record({ resource, changes: some(fc.record({ name: text, value: maybe(text) })) })),
    validateOnly: fc.boolean(),
  },
  allocateProducerIds: brokerEpoch,
  alterScramCredentials: {
    upsertions: some(
      fc.record({ ...scramName, salt: bytes, storedKey: bytes, serverKey: bytes, iterations: int32 }),
    ),
    deletions: some(fc.record(scramName)),
  },
  createAcls: { bindings: some(fc.record(acl)) },
  deleteAcls: {
    filters: some(
      fc.record(Object.fromEntries(Object.entries(acl).map(([name, of]) => [name, maybe<unknown>(of)]))),
    ),
  },
  alterClientQuotas: {
    alterations: some(fc.record({ user: maybe(text), clientId: maybe(text), changes: some(quotaChange) })),
    validateOnly: fc.boolean(),
  },
};

export const anyFailure: Arbitrary<Failure> = fc.record({
  ok: fc.constant(false as const),
  error: fc.constantFrom(...(Object.keys(errorTable) as ErrorName[])),
  message: text,
});

/** Done with these fields, or a failure with those. */
const result = (done: Shape, refused: Shape): Arbitrary<object> =>
  fc.oneof(
    fc.record({ ok: fc.constant(true), ...done }),
    fc.tuple(anyFailure, fc.record(refused)).map(([failure, fields]) => ({ ...failure, ...fields })),
  );
const partitionIds = { topicId: uuid, partition: int32 };

const responseShapes: {
  readonly [T in CommandType]: { readonly [K in keyof ControllerResponses[T]]: Arbitrary<unknown> };
} = {
  registerCluster: { clusterId: text, metadataVersion: int32 },
  registerBroker: { brokerEpoch: int64 },
  fenceBroker: { fenced: fc.boolean() },
  unfenceBroker: { fenced: fc.boolean() },
  heartbeat: {
    fenced: fc.boolean(),
    caughtUp: fc.boolean(),
    inControlledShutdown: fc.boolean(),
    shouldShutDown: fc.boolean(),
  },
  settlePartitions: { changed: int32 },
  alterPartition: {
    partitions: some(
      result(
        {
          ...partitionIds,
          leader,
          leaderEpoch: int32,
          isr: some(int32),
          partitionEpoch: int32,
          leaderRecoveryState: fc.constantFrom('recovered', 'recovering'),
        },
        partitionIds,
      ),
    ),
  },
  reportOfflineReplicas: { changed: int32 },
  electLeaders: { partitions: some(result(topicPartition, topicPartition)) },
  unregisterBroker: { brokerId: int32 },
  balanceLeaders: { changed: int32 },
  reassignPartitions: { partitions: some(result(topicPartition, topicPartition)) },
  createTopics: {
    topics: some(
      result(
        { name: text, topicId: maybe(uuid), partitionCount: int32, replicationFactor: int32 },
        { name: text },
      ),
    ),
  },
  deleteTopics: {
    topics: some(result({ name: topicName, topicId: uuid }, { name: maybe(text), topicId: maybe(uuid) })),
  },
  createPartitions: { topics: some(result({ name: text }, { name: text })) },
  alterConfigs: { resources: some(result({ resource }, { resource })) },
  allocateProducerIds: { firstProducerId: int64, length: int32 },
  alterScramCredentials: { results: some(result(scramName, scramName)) },
  createAcls: { results: some(result({}, {})) },
  deleteAcls: { results: some(fc.record({ deleted: some(fc.record(acl)) })) },
  alterClientQuotas: { results: some(result({}, {})) },
};

export const commandTypes = Object.keys(commandShapes) as CommandType[];

/** Without the keys whose value is undefined, as the codecs leave them out. */
function defined<T>(value: T): T {
  if (Array.isArray(value)) return value.map(defined) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map || value instanceof Uint8Array) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, defined(field) as unknown])) as T;
}

export function commandOf(type: CommandType): Arbitrary<ControllerCommand> {
  return fc
    .record({ type: fc.constant(type), ...commandShapes[type] })
    .map((command) => defined(command) as unknown as ControllerCommand);
}

export function responseOf<T extends CommandType>(type: T): Arbitrary<ControllerResponses[T]> {
  return fc
    .record<Record<string, unknown>>({ ...responseShapes[type] })
    .map((response) => defined(response) as unknown as ControllerResponses[T]);
}
