import {
  controlRecordKey,
  controlRecordType,
  decodeEndTxnMarker,
  encodeEndTxnMarker,
} from '@tidemark/record';
import { expect } from 'chai';

describe('An end-of-transaction marker', () => {
  it('has Kafka’s bytes', () => {
    const { key, value } = encodeEndTxnMarker({ type: 'commit', coordinatorEpoch: 258 });
    expect([...key]).to.deep.equal([0, 0, 0, 1]);
    expect([...value]).to.deep.equal([0, 0, 0, 0, 1, 2]);
    expect([...controlRecordKey('abort')]).to.deep.equal([0, 0, 0, 0]);
  });

  it('comes back as it went', () => {
    for (const type of ['abort', 'commit'] as const) {
      const { key, value } = encodeEndTxnMarker({ type, coordinatorEpoch: 7 });
      expect(decodeEndTxnMarker(key, value)).to.deep.equal({ type, coordinatorEpoch: 7 });
    }
  });

  it('is not seen in what is none, or comes from a later version', () => {
    const value = new Uint8Array(6);
    expect(controlRecordType(Uint8Array.of(0, 0, 0, 2))).to.equal(undefined);
    expect(controlRecordType(Uint8Array.of(0xff, 0xff, 0, 1))).to.equal(undefined);
    expect(decodeEndTxnMarker(null, value)).to.equal(undefined);
    expect(decodeEndTxnMarker(Uint8Array.of(0, 0, 0), value)).to.equal(undefined);
    expect(decodeEndTxnMarker(controlRecordKey('abort'), null)).to.equal(undefined);
    expect(decodeEndTxnMarker(controlRecordKey('abort'), value.subarray(1))).to.equal(undefined);
  });
});
