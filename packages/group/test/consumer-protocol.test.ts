import { isFailure, type PartitionIndex } from '@tidemark/core';
import {
  assignorMembers,
  decodeAssignment,
  decodeStickyUserData,
  decodeSubscription,
  encodeAssignment,
  encodeStickyUserData,
  encodeSubscription,
  type MemberId,
  type Subscription,
  type TopicPartition,
} from '@tidemark/group';
import { expect } from 'chai';
import fc from 'fast-check';

const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const string = fc.string({ unit: 'grapheme', maxLength: 12 });
const partitions: fc.Arbitrary<readonly TopicPartition[]> = fc
  .uniqueArray(fc.tuple(string, fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 5 })), {
    maxLength: 4,
    selector: ([topic]) => topic,
  })
  .map((topics) =>
    topics.flatMap(([topic, list]) =>
      list.map((partition) => ({ topic, partition: partition as PartitionIndex })),
    ),
  );
const userData = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined });
const subscription: fc.Arbitrary<Subscription> = fc.record({
  topics: fc.array(string, { maxLength: 4 }),
  userData,
  ownedPartitions: partitions,
  generation: fc.integer({ min: -1, max: 100 }),
  rack: fc.option(string, { nil: undefined }),
});

describe('the consumer protocol', () => {
  it('is what Kafka writes', () => {
    const owned = [{ topic: 'a', partition: 1 as PartitionIndex }];
    const value = { topics: ['a'], userData: undefined, ownedPartitions: owned, generation: 5, rack: 'r' };
    const bytes = encodeSubscription(value);
    expect(bytes).deep.equals(
      unhex('0003 00000001 0001 61 ffffffff 00000001 0001 61 00000001 00000001 00000005 0001 72'),
    );
    const assignment = encodeAssignment({ partitions: owned, userData: Uint8Array.of(9) }, 0);
    expect(assignment).deep.equals(unhex('0000 00000001 0001 61 00000001 00000001 00000001 09'));
  });

  it('comes back as it was, less what an older version does not have', () => {
    fc.assert(
      fc.property(subscription, fc.integer({ min: 0, max: 3 }), (value, version) => {
        const decoded = decodeSubscription(encodeSubscription(value, version));
        const expected = {
          ...value,
          ...(version < 1 ? { ownedPartitions: [] } : {}),
          ...(version < 2 ? { generation: -1 } : {}),
          ...(version < 3 ? { rack: undefined } : {}),
        };
        expect(decoded).deep.equals({ ok: true, subscription: expected });
      }),
    );
    fc.assert(
      fc.property(partitions, userData, fc.integer({ min: 0, max: 3 }), (list, data, version) => {
        const assignment = { partitions: list, userData: data };
        const decoded = decodeAssignment(encodeAssignment(assignment, version));
        expect(decoded).deep.equals({ ok: true, assignment });
      }),
    );
  });

  it('of a newer version is read as far as this one knows it', () => {
    fc.assert(
      fc.property(subscription, fc.uint8Array({ maxLength: 5 }), (value, more) => {
        const bytes = Uint8Array.from([...encodeSubscription(value, 4), ...more]);
        expect(decodeSubscription(bytes)).deep.equals({ ok: true, subscription: value });
      }),
    );
  });

  it('that is damaged is refused or read, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        decodeSubscription(bytes);
        decodeAssignment(bytes);
        decodeStickyUserData(bytes);
      }),
    );
    const cut = decodeSubscription(unhex('0001 7fffffff'));
    expect(isFailure(cut) && cut.error).equals('CORRUPT_MESSAGE');
  });

  it('of no bytes is an empty assignment', () => {
    const assignment = { partitions: [], userData: undefined };
    expect(decodeAssignment(new Uint8Array(0))).deep.equals({ ok: true, assignment });
  });

  it('tells the leader what an eager sticky member had', () => {
    const had = { ownedPartitions: [{ topic: 'a', partition: 1 as PartitionIndex }], generation: 4 };
    const eager = { topics: ['a'], ownedPartitions: [], generation: -1, rack: undefined };
    const metadata = encodeSubscription({ ...eager, userData: encodeStickyUserData(had) });
    const memberId = 'm' as MemberId;
    expect(assignorMembers([{ memberId, instanceId: undefined, metadata }])).deep.equals({
      ok: true,
      members: [{ memberId, instanceId: undefined, topics: ['a'], ...had }],
    });
  });
});
