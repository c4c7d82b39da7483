import { expect } from 'chai';
import { crc32c } from '@tidemark/record';

describe('crc32c', () => {
  const digits = new Uint8Array([...'123456789'].map((digit) => digit.charCodeAt(0)));

  it('is the Castagnoli polynomial, by its check value', () => {
    expect(crc32c(digits)).to.equal(0xe3069283);
    expect(crc32c(new Uint8Array(0))).to.equal(0);
  });

  it('looks at the span it is given and nothing else, also in a view of a larger buffer', () => {
    const framed = new Uint8Array(40).fill(0xee);
    framed.set(digits, 17);
    expect(crc32c(framed, 17, 26)).to.equal(0xe3069283);
    expect(crc32c(framed.subarray(17, 26))).to.equal(0xe3069283);
    expect(crc32c(framed.subarray(10), 7, 16)).to.equal(0xe3069283);
  });
});
