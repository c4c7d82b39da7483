// Random sequences of metadata records that fit each other, as a log holds them: every draw is made to mean something in the
// state the draws before it have led to.

import fc, { type Arbitrary } from 'fast-check';
import { topicIdFromBytes, type BrokerId, type TopicId } from '@tidemark/core';
import type { MetadataRecord } from '@tidemark/controller';

interface Draw {
  readonly what: number;
  readonly which: number;
  readonly other: number;
  readonly some: readonly number[];
  readonly more: readonly number[];
  readonly text: string;
  readonly flag: boolean;
}

interface State {
  /** Epochs by broker id. */
  readonly brokers: Map<number, number>;
  /** Partition counts by topic; a topic's number is in its id and its name. */
  readonly topics: Map<number, number>;
  topicsMade: number;
  nextProducerId: number;
}

const idOfTopic = (n: number): TopicId =>
  topicIdFromBytes(
    Uint8Array.from({ length: 16 }, (_, at) => Math.imul(n + 1, 0x9e3779b1 + at * 977) >>> 11),
  );
const unique = (ids: readonly number[]): BrokerId[] => [...new Set(ids)] as BrokerId[];
const pick = <T>(all: readonly T[], which: number): T | undefined => all[which % Math.max(1, all.length)];

function clusterRecord(draw: Draw, state: State, offset: number): object | undefined {
  const { which, text, flag } = draw;
  switch (draw.what % 8) {
    case 0:
      return { type: 'cluster', clusterId: text };
    case 1:
      return { type: 'featureLevel', feature: flag ? 'metadata.version' : text, level: flag ? 1 : which };
    case 2:
    case 3: {
      const brokerId = which % 6;
      state.brokers.set(brokerId, offset);
      const incarnationId = idOfTopic(offset);
      const endpoints = draw.some.map((port) => ({ name: text, host: `host-${port}`, port: port & 0xffff }));
      const own = { brokerId, brokerEpoch: offset, incarnationId, endpoints };
      return {
        type: 'registerBroker',
        ...own,
        rack: text,
        fenced: flag,
        directoryId: `${incarnationId}${text}`,
      };
    }
    case 4: {
      const [brokerId, brokerEpoch] = pick([...state.brokers], which) ?? [];
      if (brokerId === undefined) return undefined;
      const change = flag ? { inControlledShutdown: true } : { fenced: draw.other % 2 === 0 };
      return { type: 'brokerChange', brokerId, brokerEpoch, ...change };
    }
    case 6: {
      const [brokerId, brokerEpoch] = pick([...state.brokers], which) ?? [];
      if (brokerId === undefined || !flag) return undefined;
      state.brokers.delete(brokerId);
      return { type: 'unregisterBroker', brokerId, brokerEpoch };
    }
    case 5:
      state.nextProducerId += which;
      return { type: 'producerIds', brokerId: 1, brokerEpoch: 1, nextProducerId: state.nextProducerId };
    default: {
      const value = flag ? text : null;
      return {
        type: 'brokerConfig',
        brokerId: which % 3 === 0 ? null : which % 3,
        name: `c${draw.other % 3}`,
        value,
      };
    }
  }
}

function topicRecord(draw: Draw, state: State): object | undefined {
  const { which, other, some, more, flag } = draw;
  const [n, count] = pick([...state.topics], which) ?? [];
  const kind = n === undefined ? 0 : draw.what % 10;
  if (kind === 0 || n === undefined || count === undefined) {
    const made = state.topicsMade++;
    state.topics.set(made, 0);
    return { type: 'topic', topicId: idOfTopic(made), name: `${flag ? 'a.b' : 'c_d'}-${made}` };
  }
  const topicId = idOfTopic(n);
  if (kind === 1) {
    state.topics.delete(n);
    return { type: 'removeTopic', topicId };
  }
  if (kind === 2)
    return { type: 'topicConfig', topicId, name: `c${other % 4}`, value: flag ? draw.text : null };
  const replicas = unique([other % 9, ...some]);
  if (kind <= 5 || count === 0) {
    state.topics.set(n, count + 1);
    const epochs = { leader: flag ? replicas[0] : -1, leaderEpoch: other, partitionEpoch: other * 200 };
    return {
      type: 'partition',
      topicId,
      partition: count,
      replicas,
      isr: unique(flag ? replicas : more),
      ...epochs,
    };
  }
  return {
    type: 'partitionChange',
    topicId,
    partition: other % count,
    ...(which % 2 === 0 && { replicas }),
    ...(which % 3 === 0 && { isr: unique(more) }),
    ...(which % 5 === 0 && { leader: flag ? replicas[0] : -1 }),
    ...(which % 7 === 0 && { elr: unique(some) }),
    ...(which % 4 === 1 && { lastKnownElr: unique(more).slice(0, 1) }),
    ...(which % 4 === 2 && { leaderRecoveryState: flag ? 'recovering' : 'recovered' }),
    ...(which % 4 === 3 && { addingReplicas: unique(some), removingReplicas: unique(more) }),
  };
}

const broker = fc.oneof(fc.nat(9), fc.constant(2 ** 31 - 1));
const draw: Arbitrary<Draw> = fc.record({
  what: fc.nat(1000),
  which: fc.nat(1000),
  other: fc.nat(1000),
  some: fc.array(broker, { maxLength: 4 }),
  more: fc.array(broker, { maxLength: 4 }),
  text: fc.string({ unit: 'grapheme', maxLength: 12 }),
  flag: fc.boolean(),
});

/** Few names, so that what is put is also replaced and removed. */
const user = fc.constantFrom('ann', 'bob', '');
const scramName = { user, mechanism: fc.constantFrom('SCRAM-SHA-256', 'SCRAM-SHA-512') };
const bytes = fc.uint8Array({ maxLength: 4 });
const acl = {
  resourceType: fc.constantFrom('topic', 'group'),
  resourceName: fc.constantFrom('a', 'b'),
  patternType: fc.constantFrom('literal', 'prefixed'),
  principal: fc.constantFrom('User:ann', 'User:*'),
  host: fc.constant('*'),
  operation: fc.constantFrom('read', 'write'),
  permission: fc.constantFrom('allow', 'deny'),
};
const accessRecord = fc.oneof(
  fc.record({
    type: fc.constant('scramCredential'),
    ...scramName,
    ...{ salt: bytes, storedKey: bytes, serverKey: bytes, iterations: fc.nat(9) },
  }),
  fc.record({ type: fc.constant('removeScramCredential'), ...scramName }),
  fc.record({ type: fc.constantFrom('acl', 'removeAcl'), ...acl }),
  fc
    .record({
      type: fc.constant('clientQuota'),
      user: fc.option(user, { nil: undefined }),
      clientId: fc.option(user, { nil: undefined }),
      name: fc.constantFrom('producer_byte_rate', 'consumer_byte_rate'),
      value: fc.option(fc.nat(9), { nil: null }),
    })
    .map((quota) => Object.fromEntries(Object.entries(quota).filter(([, value]) => value !== undefined))),
) as unknown as Arbitrary<MetadataRecord>;

const clusterHistory: Arbitrary<readonly MetadataRecord[]> = fc
  .array(draw, { minLength: 1, maxLength: 60 })
  .map((draws) => {
    const state: State = { brokers: new Map(), topics: new Map(), topicsMade: 0, nextProducerId: 0 };
    const records: MetadataRecord[] = [];
    for (const each of draws) {
      const record =
        each.what % 3 === 0 ? clusterRecord(each, state, records.length) : topicRecord(each, state);
      if (record !== undefined) records.push(record as MetadataRecord);
    }
    return records;
  });

/** Records from offset 0 on; those of access, which stand by themselves, are mixed in. */
export const anyHistory: Arbitrary<readonly MetadataRecord[]> = fc
  .tuple(clusterHistory, fc.array(fc.tuple(accessRecord, fc.nat(60)), { maxLength: 20 }))
  .map(([records, access]) => {
    const places = access.map(([record, at]) => ({ record, at: at % (records.length + 1) }));
    return [undefined, ...records].flatMap((record, at) => [
      ...(record === undefined ? [] : [record]),
      ...places.filter((place) => place.at === at).map((place) => place.record),
    ]);
  });
