import { expect } from 'chai';
import fc from 'fast-check';
import {
  failure,
  topicIdFromBytes,
  type BrokerEpoch,
  type ErrorName,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
} from '@tidemark/core';
import {
  decodeSessionMessage,
  encodeSessionMessage,
  type SessionMessage,
  type SlotAnswer,
} from '@tidemark/replication';

const safe = fc.maxSafeNat();
const int32 = fc.nat(2 ** 31 - 1);
const offset = safe as fc.Arbitrary<Offset>;
const epoch = int32 as unknown as fc.Arbitrary<LeaderEpoch>;
const session = fc.record({ brokerEpoch: safe as unknown as fc.Arbitrary<BrokerEpoch>, number: safe });
const bytes = fc.uint8Array({ maxLength: 40 });
const error = fc.constantFrom<ErrorName>('FENCED_LEADER_EPOCH', 'UNKNOWN_SERVER_ERROR', 'STALE_BROKER_EPOCH');
const answer: fc.Arbitrary<SlotAnswer> = fc.oneof(
  fc.record({
    type: fc.constant('batches' as const),
    baseOffset: offset,
    highWatermark: offset,
    logStartOffset: offset,
    bytes,
  }),
  fc.record({ type: fc.constant('progress' as const), highWatermark: offset, logStartOffset: offset }),
  fc.record({ type: fc.constant('diverging' as const), epoch, endOffset: offset }),
  fc.record({ type: fc.constant('outOfRange' as const), logStartOffset: offset, logEndOffset: offset }),
  fc.record({
    type: fc.constant('refused' as const),
    failure: fc
      .tuple(error, fc.string({ unit: 'grapheme' }))
      .map(([name, message]) => failure(name, message)),
  }),
);
const subscription = fc.record({
  slot: safe,
  topicId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(topicIdFromBytes),
  partition: int32 as unknown as fc.Arbitrary<PartitionIndex>,
  leaderEpoch: epoch,
  fetchOffset: offset,
  lastFetchedEpoch: fc.oneof(epoch, fc.constant(-1 as const)),
  acknowledgeableEnd: offset,
  logStartOffset: offset,
});
const message: fc.Arbitrary<SessionMessage> = fc.oneof(
  fc.record({
    type: fc.constant('follower' as const),
    session,
    sequence: safe,
    creditBytes: safe,
    unsubscribed: fc.array(safe),
    subscribed: fc.array(subscription),
    acknowledged: fc.array(fc.record({ slot: safe, endOffset: offset })),
    logStarts: fc.array(fc.record({ slot: safe, logStartOffset: offset })),
  }),
  fc.record({
    type: fc.constant('leader' as const),
    session,
    sequence: safe,
    answers: fc.array(fc.record({ slot: safe, answer })),
  }),
  fc.record({ type: fc.constant('reset' as const), session }),
);

describe('the fetch session’s messages as bytes', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(message, (before) => {
        expect(decodeSessionMessage(encodeSessionMessage(before))).to.deep.equal({
          ok: true,
          message: before,
        });
      }),
    );
  });

  it('batches are views, not copies', () => {
    const payload = Uint8Array.from({ length: 1000 }, (_, index) => index & 0xff);
    const encoded = encodeSessionMessage({
      type: 'leader',
      session: { brokerEpoch: 1 as BrokerEpoch, number: 1 },
      sequence: 0,
      answers: [
        {
          slot: 1,
          answer: {
            type: 'batches',
            baseOffset: 0 as Offset,
            highWatermark: 0 as Offset,
            logStartOffset: 0 as Offset,
            bytes: payload,
          },
        },
      ],
    });
    const decoded = decodeSessionMessage(encoded);
    if (!decoded.ok || decoded.message.type !== 'leader') throw new Error('not decoded');
    const [first] = decoded.message.answers;
    if (first?.answer.type !== 'batches') throw new Error('no batches');
    expect(first.answer.bytes).to.deep.equal(payload);
    expect(first.answer.bytes.buffer).to.equal(encoded.buffer);
  });

  it('damaged or made up, they are refused and never thrown over', () => {
    const judge = (bytes: Uint8Array) => {
      const decoded = decodeSessionMessage(bytes);
      if (!decoded.ok) expect(decoded.error).to.be.oneOf(['CORRUPT_MESSAGE', 'UNSUPPORTED_VERSION']);
      return decoded.ok;
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => void judge(noise)));
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(255), (before, where, change) => {
        const encoded = encodeSessionMessage(before);
        expect(judge(encoded.subarray(0, where % encoded.length)), 'cut short').to.equal(false);
        expect(judge(Uint8Array.of(...encoded, 0)), 'with more at the end').to.equal(false);
        encoded[where % encoded.length]! ^= change;
        judge(encoded);
      }),
    );
  });

  it('a newer version or type is refused by itself', () => {
    const encoded = encodeSessionMessage({
      type: 'reset',
      session: { brokerEpoch: 1 as BrokerEpoch, number: 1 },
    });
    for (const [at, value] of [
      [0, 3],
      [1, 9],
    ] as const) {
      const changed = Uint8Array.from(encoded);
      changed[at] = value;
      expect(decodeSessionMessage(changed)).to.include({ ok: false, error: 'UNSUPPORTED_VERSION' });
    }
  });

  it('leaves room in front for who sends it on', () => {
    const reset: SessionMessage = { type: 'reset', session: { brokerEpoch: 1 as BrokerEpoch, number: 1 } };
    expect([...encodeSessionMessage(reset, 2)]).to.deep.equal([0, 0, ...encodeSessionMessage(reset)]);
  });
});
