import { isFailure, type PartitionIndex } from '@tidemark/core';
import {
  decodeGroupRecord,
  encodeGroupRecord,
  type Generation,
  type GroupId,
  type GroupRecord,
  type InstanceId,
  type MemberId,
} from '@tidemark/group';
import { expect } from 'chai';
import fc from 'fast-check';

const groupId = 'g' as GroupId;
const hex = (bytes: Uint8Array | null): string =>
  bytes === null ? 'null' : Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const string = fc.string({ unit: 'grapheme', maxLength: 20 });
const int32 = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const int64 = fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER });
const bytes = fc.uint8Array({ maxLength: 40 });
const member = fc.record({
  memberId: string.map((text) => text as MemberId),
  instanceId: fc.option(
    string.map((text) => text as InstanceId),
    { nil: undefined },
  ),
  clientId: string,
  clientHost: string,
  rebalanceTimeoutMs: int32,
  sessionTimeoutMs: int32,
  subscription: bytes,
  assignment: bytes,
});
const anyGroupId = string.map((text) => text as GroupId);
const anyRecord: fc.Arbitrary<GroupRecord> = fc.oneof(
  fc.record({
    type: fc.constant('offset' as const),
    groupId: anyGroupId,
    topic: string,
    partition: int32.map((value) => value as PartitionIndex),
    value: fc.option(
      fc.record({
        offset: int64,
        leaderEpoch: fc.integer({ min: -1, max: 100 }),
        metadata: string,
        commitTimestampMs: int64,
      }),
      { nil: undefined },
    ),
  }),
  fc.record({
    type: fc.constant('group' as const),
    groupId: anyGroupId,
    value: fc.option(
      fc.record({
        protocolType: string,
        generation: int32.map((value) => value as Generation),
        protocol: fc.option(string, { nil: undefined }),
        leader: fc.option(
          string.map((text) => text as MemberId),
          { nil: undefined },
        ),
        stateTimestampMs: int64,
        members: fc.array(member, { maxLength: 4 }),
      }),
      { nil: undefined },
    ),
  }),
);

describe('records of __consumer_offsets', () => {
  it('are what Kafka writes: an offset', () => {
    const { key, value } = encodeGroupRecord({
      type: 'offset',
      groupId,
      topic: 'orders',
      partition: 3 as PartitionIndex,
      value: { offset: 258, leaderEpoch: 7, metadata: 'm', commitTimestampMs: 1_700_000_000_000 },
    });
    expect(hex(key)).equals(hex(unhex('0001 0001 67 0006 6f7264657273 00000003')));
    expect(hex(value)).equals(hex(unhex('0003 0000000000000102 00000007 0001 6d 0000018bcfe56800')));
  });

  it('are what Kafka writes: a group', () => {
    const { key, value } = encodeGroupRecord({
      type: 'group',
      groupId,
      value: {
        protocolType: 'consumer',
        generation: 2 as Generation,
        protocol: 'range',
        leader: 'a' as MemberId,
        stateTimestampMs: 5,
        members: [
          {
            memberId: 'a' as MemberId,
            instanceId: undefined,
            clientId: 'c',
            clientHost: '/h',
            rebalanceTimeoutMs: 300_000,
            sessionTimeoutMs: 45_000,
            subscription: Uint8Array.of(1, 2),
            assignment: Uint8Array.of(3),
          },
        ],
      },
    });
    expect(hex(key)).equals(hex(unhex('0002 0001 67')));
    expect(hex(value)).equals(
      hex(
        unhex(
          '0003 0008 636f6e73756d6572 00000002 0005 72616e6765 0001 61 0000000000000005 00000001' +
            '0001 61 ffff 0001 63 0002 2f68 000493e0 0000afc8 00000002 0102 00000001 03',
        ),
      ),
    );
  });

  it('of earlier versions are read', () => {
    const key = unhex('0000 0001 67 0001 74 00000000');
    const offset = (value: string): unknown => decodeGroupRecord(key, unhex(value));
    const expected = (leaderEpoch: number): unknown => ({
      ok: true,
      record: {
        type: 'offset',
        groupId,
        topic: 't',
        partition: 0,
        value: { offset: 9, leaderEpoch, metadata: '', commitTimestampMs: 8 },
      },
    });
    expect(offset('0000 0000000000000009 0000 0000000000000008')).deep.equals(expected(-1));
    expect(offset('0001 0000000000000009 0000 0000000000000008 0000000000000010')).deep.equals(expected(-1));
    expect(offset('0002 0000000000000009 0000 0000000000000008')).deep.equals(expected(-1));
    const old = decodeGroupRecord(
      unhex('0002 0001 67'),
      unhex('0000 0001 63 00000001 ffff ffff 00000001 0001 61 0001 63 0001 68 00000007 00000000 00000000'),
    );
    expect(old.ok && old.record.type === 'group' && old.record.value).deep.includes({ stateTimestampMs: -1 });
    expect(old.ok && old.record.type === 'group' && old.record.value?.members[0]).deep.includes({
      rebalanceTimeoutMs: 7,
      sessionTimeoutMs: 7,
    });
  });

  it('of other protocols are refused, and so is what does not parse', () => {
    const newer = decodeGroupRecord(unhex('0003 0001 67'), null);
    expect(isFailure(newer) && newer.error).equals('UNSUPPORTED_VERSION');
    const value = decodeGroupRecord(unhex('0002 0001 67'), unhex('0004 00'));
    expect(isFailure(value) && value.error).equals('UNSUPPORTED_VERSION');
    const cut = decodeGroupRecord(unhex('0002 0005 67'), null);
    expect(isFailure(cut) && cut.error).equals('CORRUPT_MESSAGE');
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const { key, value } = encodeGroupRecord(record);
        expect(decodeGroupRecord(key, value)).deep.equals({ ok: true, record });
      }),
    );
  });

  it('that are damaged are refused or read, and nothing is thrown', () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(), fc.integer({ min: 0, max: 255 }), (record, where, byte) => {
        const { key, value } = encodeGroupRecord(record);
        const target = where % 2 === 0 || value === null ? key : value;
        target[(where >> 1) % target.length] = byte;
        const short = target.subarray(0, (where >> 3) % target.length);
        decodeGroupRecord(key, value);
        if (target === key) decodeGroupRecord(short, value);
        else decodeGroupRecord(key, short);
      }),
    );
  });
});
