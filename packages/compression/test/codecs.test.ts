import { nodeCodecs } from '@tidemark/compression';
import { expect } from 'chai';
import fc from 'fast-check';

const codecs = nodeCodecs();
const names = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

const input = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ size: 'max', maxLength: 200_000 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(300_000)).map(([unit, length]) => {
    return Uint8Array.from({ length }, (_, index) => unit[index % unit.length]!);
  }),
);

describe('Each codec', () => {
  for (const name of names) {
    const codec = codecs[name];

    it(`${name}: gives back what it took, at exactly the bound and above`, () => {
      fc.assert(
        fc.property(input, fc.nat(1000), (bytes, more) => {
          const packed = codec.compress(bytes);
          const inflated = codec.decompress(packed, bytes.length + more);
          expect(inflated.ok && Buffer.compare(inflated.bytes, bytes)).to.equal(0);
          const exactly = codec.decompress(packed, bytes.length);
          expect(exactly.ok && exactly.bytes.length).to.equal(bytes.length);
        }),
        { numRuns: 60 },
      );
    });

    it(`${name}: answers MESSAGE_TOO_LARGE for one byte more than the bound`, () => {
      for (const size of [1, 100, 32 * 1024, 32 * 1024 + 1, 70_000, 300_000]) {
        const packed = codec.compress(new Uint8Array(size).fill(65));
        const answer = codec.decompress(packed, size - 1);
        expect(answer, `${size} bytes`).to.include({ ok: false, error: 'MESSAGE_TOO_LARGE' });
        expect(answer.ok ? '' : answer.message).to.contain(name);
      }
    });

    it(`${name}: is not misled by where in a larger buffer its input lies, and leaves it as it was`, () => {
      const bytes = Uint8Array.from({ length: 5000 }, (_, index) => (index * index) >> 5);
      const wide = new Uint8Array(6000);
      wide.set(bytes, 500);
      const packed = codec.compress(wide.subarray(500, 5500));
      const wider = new Uint8Array(packed.length + 20).fill(0xaa);
      wider.set(packed, 7);
      const answer = codec.decompress(wider.subarray(7, 7 + packed.length), 5000);
      expect(answer.ok && Buffer.compare(answer.bytes, bytes)).to.equal(0);
      expect(Buffer.compare(wider.subarray(7, 7 + packed.length), packed)).to.equal(0);
    });

    it(`${name}: answers CORRUPT_MESSAGE for input that is cut off anywhere`, () => {
      const packed = codec.compress(Uint8Array.from({ length: 3000 }, (_, index) => (index * index) >> 7));
      for (let length = 0; length < packed.length; length += length < 40 ? 1 : 37) {
        const answer = codec.decompress(packed.subarray(0, length), 1 << 20);
        // Behind its header, xerial's framing has no end: between two blocks it cannot be told from a shorter one.
        if (name === 'snappy' && length === 16) expect(answer.ok && answer.bytes.length).to.equal(0);
        else
          expect(answer, `${length} of ${packed.length}`).to.include({ ok: false, error: 'CORRUPT_MESSAGE' });
      }
    });

    it(`${name}: answers CORRUPT_MESSAGE for input of another kind`, () => {
      const others = names
        .filter((other) => other !== name)
        .map((other) => codecs[other].compress(new Uint8Array(99)));
      for (const bytes of [new Uint8Array(0), Uint8Array.of(1), new Uint8Array(64).fill(0xff), ...others]) {
        expect(codec.decompress(bytes, 1 << 20)).to.include({ ok: false, error: 'CORRUPT_MESSAGE' });
      }
    });
  }

  it('writes the format Kafka knows it by', () => {
    const start = (name: (typeof names)[number], length: number): string =>
      Buffer.from(codecs[name].compress(new Uint8Array(1000))).toString('hex', 0, length);
    expect(start('gzip', 2)).to.equal('1f8b');
    expect(start('snappy', 16)).to.equal('82534e41505059000000000100000001');
    // A frame of version 1, blocks independent of each other: Java's clients refuse any other.
    expect(start('lz4', 5)).to.equal('04224d1860');
    expect(start('zstd', 4)).to.equal('28b52ffd');
  });
});
