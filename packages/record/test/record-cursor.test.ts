import { leaderEpoch, offset } from '@tidemark/core';
import { encodeEndTxnMarker, rewriteBatch } from '@tidemark/record';
import { expect } from 'chai';
import {
  batchAround,
  build,
  bytesOf,
  concat,
  noCodecs,
  patched,
  plainBatch,
  readAll,
  T0,
} from './batches.ts';

/** As a leader would have stored them: three batches at 10..12, 13..14 and 20..20. */
function stored(): Uint8Array {
  const batches = [plainBatch(3), plainBatch(2), plainBatch(1)];
  [10, 13, 20].forEach((base, index) => rewriteBatch(batches[index]!, 0, offset(base), leaderEpoch(index)));
  return concat(...batches);
}

describe('A record cursor', () => {
  it('goes over the records of all batches', () => {
    const { records, cursor } = readAll(stored());
    expect(records.map((record) => record.offset)).to.deep.equal([10, 11, 12, 13, 14, 20]);
    expect(records[4]!.value).to.deep.equal(bytesOf('value-1'));
    expect([cursor.failure, cursor.trailingBytes, cursor.nextOffset]).to.deep.equal([undefined, 0, 21]);
    expect([cursor.leaderEpoch, cursor.batch().baseOffset]).to.deep.equal([2, 20]);
  });

  it('begins at the offset it is asked for, in the middle of a batch and between two', () => {
    expect(readAll(stored(), {}, 14).records.map((record) => record.offset)).to.deep.equal([14, 20]);
    expect(readAll(stored(), {}, 17).records.map((record) => record.offset)).to.deep.equal([20]);
    const { records, cursor } = readAll(stored(), {}, 21);
    expect([records.length, cursor.nextOffset]).to.deep.equal([0, 21]);
  });

  it('passes over a batch below the offset without inflating it', () => {
    const bytes = patched(plainBatch(2), { attributes: 1 });
    expect(readAll(bytes, { codecs: noCodecs }, 2).cursor.failure).to.equal(undefined);
    expect(() => readAll(bytes, { codecs: noCodecs }, 1)).to.throw('no codec');
  });

  it('leaves a batch alone that a fetch has cut off', () => {
    const whole = stored();
    for (const missing of [1, 20, plainBatch(1).length - 1]) {
      const { records, cursor } = readAll(whole.subarray(0, whole.length - missing));
      expect(records.map((record) => record.offset)).to.deep.equal([10, 11, 12, 13, 14]);
      expect([cursor.failure, cursor.nextOffset]).to.deep.equal([undefined, 15]);
      expect(cursor.trailingBytes).to.equal(plainBatch(1).length - missing);
    }
  });

  it('knows where to go on after every single record', () => {
    const { cursor } = readAll(new Uint8Array(0));
    cursor.load(stored());
    expect(cursor.nextOffset).to.equal(-1);
    const positions: number[] = [];
    while (cursor.next()) positions.push(cursor.nextOffset);
    expect(positions).to.deep.equal([11, 12, 13, 14, 15, 21]);
  });

  it('tells null from empty, in keys, values and headers', () => {
    const headers = [
      { key: '', value: null },
      { key: 'ключ 🗝', value: new Uint8Array(0) },
      { key: 'ключ 🗝', value: bytesOf('again') },
    ];
    const records = [
      { timestampMs: -1, key: null, value: null, headers: [] },
      { timestampMs: -1, key: new Uint8Array(0), value: new Uint8Array(0), headers },
    ];
    expect(readAll(build(records)).records).to.deep.equal(
      records.map((record, index) => ({ offset: index, ...record })),
    );
  });

  it('writes a lone surrogate in a header key as U+FFFD', () => {
    const headers = [{ key: 'a\ud800b\udc00', value: null }];
    const { records } = readAll(build([{ timestampMs: 0, key: null, value: null, headers }]));
    expect(records[0]!.headers).to.deep.equal([{ key: 'a\ufffdb\ufffd', value: null }]);
  });

  it('hides control batches, counts them, and shows them when asked', () => {
    const { key, value } = encodeEndTxnMarker({ type: 'commit', coordinatorEpoch: 3 });
    const control = build([{ timestampMs: T0, key, value, headers: [] }], {
      isControl: true,
      isTransactional: true,
      producerId: 1,
      producerEpoch: 0,
      baseOffset: 1,
    });
    const bytes = concat(plainBatch(1), control);
    const hidden = readAll(bytes);
    expect([hidden.records.length, hidden.cursor.nextOffset]).to.deep.equal([1, 2]);
    const shown = readAll(bytes, { showControlRecords: true });
    expect(shown.records.map((record) => record.offset)).to.deep.equal([0, 1]);
    expect([shown.cursor.isControl, shown.cursor.batch().isTransactional]).to.deep.equal([true, true]);
  });

  it('reads a batch that compaction has thinned, and counts the offsets at its end', () => {
    const thinned = patched(plainBatch(2), { lastOffsetDelta: 9 });
    const { records, cursor } = readAll(thinned);
    expect(records.map((record) => record.offset)).to.deep.equal([0, 1]);
    expect([cursor.failure, cursor.nextOffset]).to.deep.equal([undefined, 10]);
    const emptied = patched(thinned.subarray(0, 61), { recordCount: 0, batchLength: 49 });
    expect(readAll(emptied).cursor.nextOffset).to.equal(10);
  });

  it('stops at the first thing wrong and says where and what', () => {
    const good = plainBatch(2);
    const flipped = Uint8Array.from(good);
    flipped[70] = flipped[70]! ^ 1;
    const broken: [string, Uint8Array, string][] = [
      ['CORRUPT_MESSAGE', flipped, 'CRC'],
      ['CORRUPT_MESSAGE', patched(good, { magic: 1 }), 'magic is 1'],
      ['CORRUPT_MESSAGE', patched(good, { batchLength: 10 }), 'length is 22'],
      ['CORRUPT_MESSAGE', patched(good, { baseOffset: -5 }), 'offsets'],
      ['CORRUPT_MESSAGE', patched(good, { lastOffsetDelta: -1 }), 'offsets'],
      ['CORRUPT_MESSAGE', patched(good, { recordCount: 3 }), 'cut off'],
      ['CORRUPT_MESSAGE', patched(good, { recordCount: 1 }), 'follow the last record'],
      ['CORRUPT_MESSAGE', patched(good, { recordCount: -1 }), 'counts -1'],
      ['CORRUPT_MESSAGE', patched(good, { lastOffsetDelta: 0 }), 'offset delta 1'],
      ['UNSUPPORTED_COMPRESSION_TYPE', patched(good, { attributes: 6 }), 'code 6'],
      ['CORRUPT_MESSAGE', batchAround([14, 0, 0, 0, 1, 1, 0], 1), 'length says 7'],
      ['CORRUPT_MESSAGE', batchAround([12, 0, 0, 0, 20, 1, 0], 1), 'do not fit'],
    ];
    for (const [error, bytes, text] of broken) {
      const { cursor } = readAll(concat(good, bytes));
      expect(cursor.failure, text).to.include({ ok: false, error });
      expect(cursor.failure!.message).to.contain(text).and.contain(`byte ${good.length}`);
      expect(cursor.next()).to.equal(false);
    }
  });

  it('trusts the CRC when told to', () => {
    const flipped = patched(plainBatch(1), { crc: 1 });
    expect(readAll(flipped).cursor.failure).to.include({ error: 'CORRUPT_MESSAGE' });
    expect(readAll(flipped, { checkCrcs: false }).records).to.have.length(1);
  });

  it('starts afresh with every load, also after a failure', () => {
    const { cursor } = readAll(patched(plainBatch(1), { crc: 1 }));
    cursor.load(plainBatch(1));
    expect([cursor.next(), cursor.offset, cursor.failure]).to.deep.equal([true, 0, undefined]);
  });
});
