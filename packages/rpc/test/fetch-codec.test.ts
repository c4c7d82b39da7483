import { expect } from 'chai';
import fc from 'fast-check';
import { encodeFetchResponse, errorDetail, logService, type FetchAnswer } from '@tidemark/rpc';

const empty: FetchAnswer = {
  topic: 'orders',
  topicId: '',
  partition: 3,
  highWatermark: 2 ** 53 - 1,
  lastStableOffset: -1,
  logStartOffset: 0,
  leaderEpoch: 4,
  parts: [],
  sizeBytes: 0,
  positionId: 9,
};

describe('the fetch codec', () => {
  it('joins the parts of the log in the frame and nowhere before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 5 }),
        fc.nat(),
        (parts, throttleMs) => {
          const joined = Buffer.concat(parts);
          const message = encodeFetchResponse({
            throttleMs,
            results: [{ ...empty, parts, sizeBytes: joined.length }, empty],
          });
          const frame = Buffer.alloc(message.byteLength + 5);
          message.copy(frame, 5);
          const decoded = logService.Fetch.responseDeserialize(frame.subarray(5));
          expect(decoded.throttleMs).to.equal(throttleMs);
          expect(decoded.results).to.have.length(2);
          expect(decoded.results[0]?.batches.equals(joined)).to.equal(true);
          expect(decoded.results[0]?.highWatermark).to.equal(2 ** 53 - 1);
          expect(decoded.results[0]?.lastStableOffset).to.equal(-1);
          expect(decoded.results[1]?.positionId).to.equal(9);
        },
      ),
    );
  });

  it('tells a null key from an empty one in decoded records', () => {
    const message = encodeFetchResponse({
      throttleMs: 0,
      results: [
        {
          ...empty,
          error: errorDetail('OFFSET_OUT_OF_RANGE', 'too far'),
          currentLeader: { leaderId: 1, leaderEpoch: 2 },
          records: [
            { offset: 0, timestampMs: 1, key: null, value: new Uint8Array(), headers: [] },
            {
              offset: 1,
              timestampMs: 2,
              key: Buffer.from('k'),
              value: null,
              headers: [
                { key: 'a', value: null },
                { key: 'b', value: Buffer.from('c') },
              ],
            },
          ],
        },
      ],
    });
    const [result] = logService.Fetch.responseDeserialize(message.toBuffer()).results;
    expect(result?.error).to.deep.equal({
      code: 1,
      name: 'OFFSET_OUT_OF_RANGE',
      message: 'too far',
      retriable: false,
      controller: null,
    });
    expect(result?.currentLeader).to.deep.equal({ leaderId: 1, leaderEpoch: 2 });
    expect(result?.records[0]).to.not.have.property('key');
    expect(result?.records[0]?.value).to.deep.equal(Buffer.alloc(0));
    expect(result?.records[1]?.key).to.deep.equal(Buffer.from('k'));
    expect(result?.records[1]).to.not.have.property('value');
    expect(result?.records[1]?.headers[0]).to.not.have.property('value');
    expect(result?.records[1]?.headers[1]?.value).to.deep.equal(Buffer.from('c'));
  });
});
