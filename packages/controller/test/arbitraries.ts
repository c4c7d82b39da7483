// Metadata records with every field drawn at random, for the codec's properties.

import fc, { type Arbitrary } from 'fast-check';
import { scramMechanisms, topicIdFromBytes, type TopicId, type TopicName } from '@tidemark/core';
import { quotaNames, type MetadataRecord } from '@tidemark/controller';
import { aclOf, bytes } from './access-arbitraries.ts';

const int32 = <T extends number>() => fc.nat(2 ** 31 - 1) as unknown as Arbitrary<T>;
const int64 = <T extends number>() => fc.maxSafeNat() as unknown as Arbitrary<T>;
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const uuid: Arbitrary<TopicId> = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(topicIdFromBytes);
const topicName = fc.stringMatching(/^[a-zA-Z0-9_-]{1,40}$/) as unknown as Arbitrary<TopicName>;
const ids = <T extends number>() => fc.array(int32<T>(), { maxLength: 5 });
const leader = fc.oneof(fc.constant(-1 as const), int32());
const endpoint = fc.record({ name: text, host: text, port: fc.nat(65535) });
const maybe = <T>(some: Arbitrary<T>) => fc.option(some, { nil: undefined });
const value = fc.option(text, { nil: null });

const scram = {
  user: text,
  mechanism: fc.constantFrom(...scramMechanisms),
  salt: bytes,
  storedKey: bytes,
  serverKey: bytes,
  iterations: int32(),
};
const acl = aclOf(text);

type Shapes = {
  [T in MetadataRecord['type']]: {
    [K in keyof Omit<Extract<MetadataRecord, { type: T }>, 'type'>]-?: Arbitrary<
      Extract<MetadataRecord, { type: T }>[K]
    >;
  };
};

const shapes = {
  cluster: { clusterId: text },
  featureLevel: { feature: text, level: int32() },
  registerBroker: {
    brokerId: int32(),
    brokerEpoch: int64(),
    incarnationId: uuid,
    endpoints: fc.array(endpoint, { maxLength: 4 }),
    rack: text,
    fenced: fc.boolean(),
    directoryId: text,
  },
  brokerChange: {
    brokerId: int32(),
    brokerEpoch: int64(),
    fenced: maybe(fc.boolean()),
    inControlledShutdown: maybe(fc.constant(true as const)),
  },
  unregisterBroker: { brokerId: int32(), brokerEpoch: int64() },
  topic: { topicId: uuid, name: topicName },
  removeTopic: { topicId: uuid },
  partition: {
    topicId: uuid,
    partition: int32(),
    replicas: ids(),
    isr: ids(),
    leader: leader as Shapes['partition']['leader'],
    leaderEpoch: int32(),
    partitionEpoch: int32(),
  },
  partitionChange: {
    topicId: uuid,
    partition: int32(),
    replicas: maybe(ids()),
    isr: maybe(ids()),
    leader: maybe(leader) as Shapes['partitionChange']['leader'],
    elr: maybe(ids()),
    lastKnownElr: maybe(ids()),
    leaderRecoveryState: maybe(fc.constantFrom('recovered', 'recovering')),
    addingReplicas: maybe(ids()),
    removingReplicas: maybe(ids()),
  },
  topicConfig: { topicId: uuid, name: text, value },
  brokerConfig: { brokerId: fc.option(int32(), { nil: null }), name: text, value },
  scramCredential: scram,
  removeScramCredential: { user: scram.user, mechanism: scram.mechanism },
  acl,
  removeAcl: acl,
  clientQuota: {
    user: maybe(text),
    clientId: maybe(text),
    name: fc.constantFrom(...quotaNames),
    value: fc.option(fc.double({ noDefaultInfinity: true, noNaN: true }), { nil: null }),
  },
  producerIds: { brokerId: int32(), brokerEpoch: int64(), nextProducerId: int64() },
} satisfies Shapes;

/** Any record; fields that are undefined are absent, as the codec leaves them. */
export const anyRecord: Arbitrary<MetadataRecord> = fc
  .oneof(
    ...Object.entries(shapes).map(([type, shape]) =>
      fc.record<Record<string, unknown>>({ ...shape, type: fc.constant(type) }),
    ),
  )
  .map(
    (record) =>
      Object.fromEntries(
        Object.entries(record).filter(([, field]) => field !== undefined),
      ) as unknown as MetadataRecord,
  );
