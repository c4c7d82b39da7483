import { crc32c, murmur2 } from '@tidemark/record';
import { expect } from 'chai';
import fc from 'fast-check';
import { bytesOf } from './batches.ts';

/** Bit by bit, straight from the definition. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('CRC32C', () => {
  it('gives the check value of the polynomial', () => {
    expect(crc32c(bytesOf('123456789'))).to.equal(0xe3069283);
  });

  it('gives the vectors of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).to.equal(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).to.equal(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).to.equal(0x46dd794e);
  });

  it('looks at the span it is given and nothing else, also in a view of a larger buffer', () => {
    const framed = new Uint8Array(40).fill(0xee);
    framed.set(bytesOf('123456789'), 17);
    expect(crc32c(framed, 17, 26)).to.equal(0xe3069283);
    expect(crc32c(framed.subarray(10), 7, 16)).to.equal(0xe3069283);
    expect(crc32c(new Uint8Array(0))).to.equal(0);
  });

  it('agrees with the definition on any bytes and any part of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        const start = Math.min(cut, bytes.length);
        expect(crc32c(bytes.subarray(start))).to.equal(slowCrc32c(bytes.subarray(start)));
        expect(crc32c(bytes, start)).to.equal(slowCrc32c(bytes.subarray(start)));
        expect(crc32c(bytes, 0, start)).to.equal(slowCrc32c(bytes.subarray(0, start)));
      }),
    );
  });
});

describe('murmur2', () => {
  it('gives the hashes that Kafka publishes, so that keys land on the partitions where Kafka puts them', () => {
    const hashes = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107,
    };
    for (const [text, hash] of Object.entries(hashes)) expect(murmur2(bytesOf(text)), text).to.equal(hash);
  });

  it('hashes every length of tail to an int32', () => {
    for (let length = 0; length < 12; length++) {
      const hash = murmur2(new Uint8Array(length).fill(200));
      expect(hash).to.equal(hash | 0);
    }
  });
});
