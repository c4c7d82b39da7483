import { gzipSync, gunzipSync } from 'node:zlib';
import { failure } from '@tidemark/core';
import {
  batchCrcIsValid,
  BatchBuilder,
  compactBatch,
  readBatchHeader,
  RecordCursor,
  validateBatches,
  type Codecs,
} from '@tidemark/record';
import { expect } from 'chai';
import fc from 'fast-check';

const gzip = {
  compress: (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)),
  decompress(bytes: Uint8Array, maxBytes: number) {
    const plain = new Uint8Array(gunzipSync(bytes));
    return plain.length > maxBytes
      ? failure('MESSAGE_TOO_LARGE', 'It is too large.')
      : { ok: true as const, bytes: plain };
  },
};
const codecs: Codecs = { gzip, snappy: gzip, lz4: gzip, zstd: gzip };
const MAX_MS = 2 ** 52;

describe('A compacted batch', () => {
  const record = fc.record({
    timestampMs: fc.oneof(
      fc.integer({ min: 0, max: 4e12 }),
      fc.maxSafeNat().filter((ms) => ms < MAX_MS),
    ),
    key: fc.uint8Array({ maxLength: 5 }),
    value: fc.option(fc.uint8Array({ maxLength: 200 })),
    headers: fc.array(fc.record({ key: fc.string({ maxLength: 3 }), value: fc.constant(null) }), {
      maxLength: 2,
    }),
    isKept: fc.boolean(),
  });

  it('has the records that were kept, as they were, and passes as a leader’s batch', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('none' as const, 'gzip' as const),
        fc.nat({ max: 4e12 }),
        (records, compression, deleteHorizonMs) => {
          const builder = new BatchBuilder({ capacityBytes: 512 });
          for (const { timestampMs, key, value, headers } of records)
            builder.append(timestampMs, key, value, headers);
          const options = { compression, codecs, baseOffset: 100, leaderEpoch: 3 };
          const batch = builder
            .build({ ...options, producerId: 9, producerEpoch: 1, baseSequence: 5 })
            .slice();
          const before = batch.slice();
          const kept = records
            .map((each, at) => ({ ...each, offset: 100 + at }))
            .filter(({ isKept }) => isKept);
          const result = compactBatch(batch, {
            codecs,
            maxInflatedBytes: 1 << 20,
            deleteHorizonMs,
            isKept: ({ offset }) => records[offset - 100]!.isKept,
          });
          expect(batch).to.deep.equal(before);
          if (!result.ok) throw new Error(result.message);
          if (kept.length === 0) {
            expect(result.kept).to.equal('none');
            return;
          }
          const bytes = result.kept === 'some' ? result.bytes : batch;
          const hasTombstone = kept.some(({ value }) => value === null);
          expect(result.kept).to.equal(kept.length === records.length && !hasTombstone ? 'all' : 'some');
          const header = readBatchHeader(bytes);
          expect(header).to.include({ baseOffset: 100, lastOffset: 100 + records.length - 1, producerId: 9 });
          expect(header).to.include({
            baseSequence: 5,
            partitionLeaderEpoch: 3,
            compression,
            recordCount: kept.length,
          });
          expect((header.attributes & 0x40) !== 0).to.equal(hasTombstone);
          if (hasTombstone) expect(header.baseTimestamp).to.equal(deleteHorizonMs);
          expect(batchCrcIsValid(bytes)).to.equal(true);
          const rules = {
            maxBatchBytes: 1 << 20,
            maxInflatedBytes: 1 << 20,
            codecs,
            origin: 'replica' as const,
          };
          expect(validateBatches(bytes, rules)).to.include({ ok: true });
          const cursor = new RecordCursor({ codecs });
          cursor.load(bytes);
          for (const { offset, timestampMs, key, value, headers } of kept) {
            expect(cursor.next()).to.equal(true);
            expect(cursor.offset).to.equal(offset);
            expect(cursor.timestampMs).to.equal(timestampMs);
            expect([cursor.key(), cursor.value()]).to.deep.equal([key, value]);
            expect(cursor.headers()).to.have.length(headers.length);
          }
          expect(cursor.next()).to.equal(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is refused when it would inflate beyond the bound', () => {
    const builder = new BatchBuilder({ capacityBytes: 512 });
    builder.append(1, new Uint8Array(1), new Uint8Array(5_000));
    const batch = builder.build({ compression: 'gzip', codecs }).slice();
    const rules = { codecs, maxInflatedBytes: 4_000, deleteHorizonMs: 0, isKept: () => true };
    expect(compactBatch(batch, rules)).to.include({ ok: false });
  });
});
