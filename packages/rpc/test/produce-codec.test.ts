import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeProduceRequest,
  decodeProduceStreamRequest,
  encodeProduceStreamResponse,
  errorDetail,
  logService,
} from '@tidemark/rpc';

const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const int64 = fc.maxSafeInteger();
const optional = (name: string, value: fc.Arbitrary<unknown>) =>
  fc.option(value, { nil: undefined }).map((each) => (each === undefined ? {} : { [name]: each }));
const merged = (...parts: fc.Arbitrary<object>[]) =>
  fc.tuple(...parts).map((each) => Object.assign({}, ...each) as object);

const header = merged(fc.record({ key: fc.string() }), optional('value', bytes));
const record = merged(
  optional('key', bytes),
  optional('value', bytes),
  optional('timestampMs', int64),
  fc.record({ headers: fc.array(header, { maxLength: 3 }) }),
);
const partition = merged(
  fc.record({ topic: fc.string(), topicId: fc.string(), partition: int32, batches: bytes }),
  optional('currentLeaderEpoch', int32),
  fc.record({ records: fc.array(record, { maxLength: 3 }) }),
);
const request = fc.record({
  acks: fc.constantFrom('ACKS_UNSPECIFIED', 'ACKS_NONE', 'ACKS_LEADER', 'ACKS_ALL'),
  timeoutMs: int32,
  partitions: fc.array(partition, { maxLength: 3 }),
});

describe('the produce codec', () => {
  it('decodes every request as proto-loader does', () => {
    fc.assert(
      fc.property(int64, request, fc.string(), (correlationId, each, traceparent) => {
        const wire = logService.ProduceStream.requestSerialize({ correlationId, request: each, traceparent });
        expect(decodeProduceStreamRequest(wire)).to.deep.equal(
          logService.ProduceStream.requestDeserialize(wire),
        );
        const unary = logService.Produce.requestSerialize(each);
        expect(decodeProduceRequest(unary)).to.deep.equal(logService.Produce.requestDeserialize(unary));
      }),
    );
  });

  it('hands out batches as a view of the message, not as a copy', () => {
    const wire = logService.Produce.requestSerialize({
      partitions: [{ topic: 't', batches: Buffer.alloc(5_000, 7) }],
    });
    const decoded = decodeProduceRequest(wire);
    expect(decoded.partitions[0]?.batches.buffer).to.equal(wire.buffer);
  });

  it('refuses bytes that end early or claim more than there is, and never reads past the end', () => {
    const wire = logService.Produce.requestSerialize({
      partitions: [{ topic: 'orders', batches: Buffer.alloc(64) }],
    });
    for (let length = 1; length < wire.length; length++) {
      expect(() => decodeProduceRequest(wire.subarray(0, length)), `cut to ${length}`).to.throw(
        'INVALID_REQUEST',
      );
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        try {
          decodeProduceStreamRequest(Buffer.from(noise));
        } catch (error) {
          expect(String(error)).to.contain('INVALID_REQUEST');
        }
      }),
    );
  });

  it('encodes answers that proto-loader reads back', () => {
    fc.assert(
      fc.property(
        int64,
        int64,
        int32,
        fc.array(fc.nat(), { maxLength: 5 }),
        fc.string(),
        (id, offset, code, isr, text) => {
          const answer = {
            correlationId: id,
            response: {
              throttleMs: code,
              results: [
                {
                  topic: text,
                  topicId: 'x',
                  partition: code,
                  error: { ...errorDetail('UNKNOWN_SERVER_ERROR', text), controller: null },
                  baseOffset: offset,
                  logAppendTimeMs: -1,
                  logStartOffset: 5,
                  leaderEpoch: code,
                  inSyncReplicas: isr,
                  onDisk: true,
                  duplicate: false,
                  currentLeader: { leaderId: -1, leaderEpoch: 7 },
                },
              ],
            },
          };
          const decoded = logService.ProduceStream.responseDeserialize(
            encodeProduceStreamResponse(answer).toBuffer(),
          );
          expect(decoded).to.deep.equal(answer);
        },
      ),
    );
  });
});
