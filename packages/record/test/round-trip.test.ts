import { nodeCodecs } from '@tidemark/compression';
import { compressionTypes, validateBatches } from '@tidemark/record';
import { expect } from 'chai';
import fc from 'fast-check';
import { build, readAll } from './batches.ts';

const codecs = nodeCodecs();

const bytes = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 80 }) },
  // Long and repetitive, so that the compressors have something to refer back to.
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(2000)).map(([unit, count]) => {
    return Uint8Array.from({ length: count }, (_, index) => unit[index % unit.length]!);
  }),
);
const record = fc.record({
  timestampMs: fc.oneof(
    fc.integer({ min: -1, max: 5 }),
    fc.integer({ min: 1.7e12, max: 1.7e12 + 1000 }),
    fc.maxSafeNat(),
    fc.constantFrom(-1, 0, 2 ** 29, 2 ** 30, 2 ** 47, 2 ** 48, 2 ** 52, Number.MAX_SAFE_INTEGER),
  ),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(
    fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 9 }), value: fc.option(bytes) }),
    {
      maxLength: 3,
    },
  ),
});

describe('What a builder builds', () => {
  for (const compression of compressionTypes) {
    it(`is valid and reads back as it was, with ${compression}`, () => {
      const runs = { numRuns: compression === 'none' ? 300 : 100 };
      fc.assert(
        fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
          const batch = build(records, { compression, codecs });
          const limits = { maxBatchBytes: 1 << 24, maxInflatedBytes: 1 << 24, codecs };
          expect(validateBatches(batch, limits)).to.include({ ok: true });
          const read = readAll(batch, { codecs });
          expect(read.cursor.failure).to.equal(undefined);
          expect(read.records).to.deep.equal(records.map((one, offset) => ({ offset, ...one })));
        }),
        runs,
      );
    });
  }
});
