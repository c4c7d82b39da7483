import {
  BATCH_HEADER_BYTES,
  BatchBuilder,
  batchCrcIsValid,
  batchLastOffset,
  batchLeaderEpoch,
  batchMaxTimestamp,
  readBatchHeader,
  rewriteBatch,
  rewriteProducerState,
  rewriteTimestampToLogAppendTime,
} from '@tidemark/record';
import { leaderEpoch, offset, producerEpoch, producerId } from '@tidemark/core';
import { expect } from 'chai';
import { bytesOf, plainBatch, readAll, T0 } from './batches.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('A batch builder', () => {
  it('writes the format byte for byte', () => {
    const builder = new BatchBuilder({ capacityBytes: 1024 });
    builder.append(T0, bytesOf('k'), bytesOf('v'), [{ key: 'h', value: bytesOf('1') }]);
    builder.append(T0 + 300, null, bytesOf(''));
    const batch = builder.build({
      baseOffset: 258,
      leaderEpoch: 7,
      producerId: 9,
      producerEpoch: 2,
      baseSequence: 3,
    });
    expect(hex(batch)).to.equal(
      [
        '0000000000000102', // base offset
        '00000046', // 61 - 12 + 13 + 8 bytes after this field
        '00000007', // leader epoch
        '02', // magic
        hex(batch.subarray(17, 21)), // the CRC, checked below
        '0000', // attributes
        '00000001', // last offset delta
        '0000018bcfe56800', // base timestamp
        '0000018bcfe5692c', // max timestamp
        '0000000000000009', // producer id
        '0002', // producer epoch
        '00000003', // base sequence
        '00000002', // record count
        '18',
        '00',
        '00',
        '00',
        '026b',
        '0276',
        '02',
        '0268',
        '0231', // length 12, delta 0, offset 0, k, v, 1 header
        '0e',
        '00',
        'd804',
        '02',
        '01',
        '00',
        '00', // length 7, delta 300, offset 1, null key, empty value
      ].join(''),
    );
    expect(batchCrcIsValid(batch, 0)).to.equal(true);
  });

  it('says before and after how large it is', () => {
    const builder = new BatchBuilder({ capacityBytes: 0 });
    expect(builder.sizeBytes).to.equal(BATCH_HEADER_BYTES);
    for (let index = 0; index < 200; index++) {
      const args = [
        T0 - index * 40_000,
        bytesOf('x'.repeat(index)),
        null,
        [{ key: 'ключ', value: null }],
      ] as const;
      const expected = builder.sizeBytes + builder.nextRecordBytes(...args);
      builder.append(...args);
      expect(builder.sizeBytes).to.equal(expected);
    }
    expect(builder.recordCount).to.equal(200);
    expect(builder.build().length).to.equal(builder.sizeBytes);
  });

  it('takes the largest timestamp as the batch’s, and the first as the base, whatever their order', () => {
    const builder = new BatchBuilder({ capacityBytes: 64 });
    for (const timestampMs of [T0, T0 + 5, T0 - 5]) builder.append(timestampMs, null, null);
    const { baseTimestamp, maxTimestamp } = readBatchHeader(builder.build());
    expect([baseTimestamp, maxTimestamp]).to.deep.equal([T0, T0 + 5]);
  });

  it('forgets everything but its memory at a reset', () => {
    const builder = new BatchBuilder({ capacityBytes: 64 });
    builder.append(T0 + 99, bytesOf('old'), bytesOf('o'.repeat(5000)));
    builder.build();
    const { capacityBytes } = builder;
    builder.reset();
    builder.append(1, null, bytesOf('new'));
    const { records } = readAll(builder.build());
    expect(records).to.deep.equal([
      { offset: 0, timestampMs: 1, key: null, value: bytesOf('new'), headers: [] },
    ]);
    expect(builder.capacityBytes).to.equal(capacityBytes);
    expect(readBatchHeader(builder.build()).maxTimestamp).to.equal(1);
  });

  it('can be built again with other options, compressed ones too, since the records stay as they were', () => {
    const reverse = {
      compress: (bytes: Uint8Array) => Uint8Array.from(bytes).reverse(),
      decompress: () => never(),
    };
    const codecs = { gzip: reverse, snappy: reverse, lz4: reverse, zstd: reverse };
    const builder = new BatchBuilder({ capacityBytes: 64 });
    builder.append(T0, bytesOf('a'), bytesOf('b'));
    const plain = builder.build().slice();
    const packed = builder.build({
      compression: 'lz4',
      codecs,
      producerId: 5,
      producerEpoch: 0,
      baseSequence: 0,
    });
    expect(readBatchHeader(packed)).to.include({ compression: 'lz4', producerId: 5, recordCount: 1 });
    expect(hex(packed.slice(61).reverse())).to.equal(hex(plain.slice(61)));
    expect(batchCrcIsValid(packed, 0)).to.equal(true);
    expect(hex(builder.build())).to.equal(hex(plain));
  });

  it('refuses to be misused: no records, no codecs, a timestamp that is none', () => {
    const builder = new BatchBuilder({ capacityBytes: 64 });
    expect(() => builder.build()).to.throw('at least one record');
    expect(() => builder.append(1.5, null, null)).to.throw('timestamp');
    expect(() => builder.append(-2, null, null)).to.throw('timestamp');
    builder.append(0, null, null);
    expect(() => builder.build({ compression: 'gzip' })).to.throw('codecs');
  });

  it('writes -1 in all fields that nobody has set', () => {
    const header = readBatchHeader(plainBatch(1));
    expect(header).to.include({
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
      partitionLeaderEpoch: -1,
    });
    expect(header).to.include({
      baseOffset: 0,
      lastOffset: 0,
      timestampType: 'CreateTime',
      compression: 'none',
    });
    expect(header).to.include({ isControl: false, isTransactional: false });
  });
});

describe('Rewriting a batch in place', () => {
  it('stamps offset and epoch without touching what the CRC covers', () => {
    const bytes = plainBatch(3);
    const crc = readBatchHeader(bytes).crc;
    rewriteBatch(bytes, 0, offset(2 ** 40 + 17), leaderEpoch(12));
    expect(readBatchHeader(bytes)).to.include({ baseOffset: 2 ** 40 + 17, partitionLeaderEpoch: 12, crc });
    expect([batchLastOffset(bytes, 0), batchLeaderEpoch(bytes, 0)]).to.deep.equal([2 ** 40 + 19, 12]);
    expect(batchCrcIsValid(bytes, 0)).to.equal(true);
  });

  it('keeps the largest offset exact', () => {
    const bytes = plainBatch(1);
    rewriteBatch(bytes, 0, offset(Number.MAX_SAFE_INTEGER), leaderEpoch(2 ** 31 - 1));
    expect(batchLastOffset(bytes, 0)).to.equal(Number.MAX_SAFE_INTEGER);
  });

  it('turns it into a LogAppendTime batch, in which every record has the broker’s time', () => {
    const bytes = plainBatch(2);
    rewriteTimestampToLogAppendTime(bytes, 0, T0 + 60_000);
    expect(readBatchHeader(bytes)).to.include({ timestampType: 'LogAppendTime', baseTimestamp: T0 });
    expect([batchMaxTimestamp(bytes, 0), batchCrcIsValid(bytes, 0)]).to.deep.equal([T0 + 60_000, true]);
    expect(readAll(bytes).records.map(({ timestampMs }) => timestampMs)).to.deep.equal([
      T0 + 60_000,
      T0 + 60_000,
    ]);
  });

  it('gives it to a new epoch of its producer', () => {
    const bytes = plainBatch(2, { producerId: 4, producerEpoch: 1, baseSequence: 50 });
    rewriteProducerState(bytes, 0, producerId(4), producerEpoch(2), 0);
    expect(readBatchHeader(bytes)).to.include({ producerId: 4, producerEpoch: 2, baseSequence: 0 });
    expect(batchCrcIsValid(bytes, 0)).to.equal(true);
  });
});

function never(): never {
  throw new Error('not expected to be called');
}
