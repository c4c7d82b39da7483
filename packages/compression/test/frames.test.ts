import { nodeCodecs } from '@tidemark/compression';
import { expect } from 'chai';

// Frames made by hand, for what our own compressors never write but other people's may, or only an attacker would.

const { lz4, zstd } = nodeCodecs();
const bound = 1 << 20;
const le = (value: number, width: number): number[] =>
  Array.from({ length: width }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff);

const inflate = (codec: typeof lz4, bytes: readonly number[], maxBytes = bound): string => {
  const answer = codec.decompress(Uint8Array.from(bytes), maxBytes);
  return answer.ok
    ? `${answer.bytes.length}: ${Buffer.from(answer.bytes.subarray(0, 20)).toString()}`
    : answer.error;
};

describe('LZ4 frames', () => {
  const magic = [0x04, 0x22, 0x4d, 0x18];
  const header = [...magic, 0x60, 0x40, 0x82];
  const stored = (text: string): number[] => [...le(text.length + 2 ** 31, 4), ...Buffer.from(text)];
  const packed = (...block: number[]): number[] => [...le(block.length, 4), ...block];
  const end = [0, 0, 0, 0];

  it('hold stored and compressed blocks of any number', () => {
    expect(inflate(lz4, [...header, ...end])).to.equal('0: ');
    expect(inflate(lz4, [...header, ...stored('plain'), ...stored(' text'), ...end])).to.equal(
      '10: plain text',
    );
    // One literal 'a', a match of 4 + 15 + 1 at distance 1, then the five literals that every block ends with.
    const run = packed(0x1f, 97, 1, 0, 1, 0x50, 98, 99, 100, 101, 102);
    expect(inflate(lz4, [...header, ...run, ...end])).to.equal('26: aaaaaaaaaaaaaaaaaaaa');
    expect(inflate(lz4, [...header, ...run, ...end], 25)).to.equal('MESSAGE_TOO_LARGE');
  });

  it('may have blocks that refer back to earlier ones', () => {
    const linked = [...magic, 0x40, 0x40, 0xc0, ...stored('abcdefgh')];
    const back = packed(0x04, 8, 0, 0x50, 118, 119, 120, 121, 122);
    expect(inflate(lz4, [...linked, ...back, ...end])).to.equal('21: abcdefghabcdefghvwxy');
    // Kafka's clients refuse them even where no block does.
    expect(lz4.kafkaRefusal!(Buffer.from([...linked, ...end]))).to.match(/independent blocks/);
    expect(lz4.kafkaRefusal!(Buffer.from([...header, ...stored('abcdefgh'), ...end]))).to.equal(undefined);
    expect(lz4.kafkaRefusal!(lz4.compress(new Uint8Array(100_000)))).to.equal(undefined);
  });

  it('are bounded by what they declare, before anything is inflated', () => {
    const declaring = (size: number): number[] => [...magic, 0x68, 0x40, ...le(size, 8), 0];
    expect(inflate(lz4, [...declaring(2 ** 40), ...end])).to.equal('MESSAGE_TOO_LARGE');
    expect(inflate(lz4, [...declaring(9), ...stored('text'), ...end])).to.equal('CORRUPT_MESSAGE');
  });

  it('are refused when anything about them is not as it must be', () => {
    const broken: [string, number[]][] = [
      ['a checksum of the header that is wrong', [...magic, 0x60, 0x40, 0x83, ...stored('a'), ...end]],
      ['version 2', [...magic, 0xa0, 0x40, 0x82, ...end]],
      ['a dictionary', [...magic, 0x61, 0x40, 1, 2, 3, 4, 0x82, ...end]],
      ['blocks of an unknown size', [...magic, 0x60, 0x30, 0x82, ...end]],
      ['the old frame format', [0x02, 0x21, 0x4c, 0x18, ...packed(0x10, 97)]],
      ['a skippable frame', [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]],
      [
        'a block larger than the frame allows',
        [...header, ...le(65537, 4), ...Array<number>(65537).fill(0), ...end],
      ],
      [
        'a block that inflates to more than the frame allows',
        [...header, ...packed(0x1f, 97, 1, 0, ...Array<number>(300).fill(255), 0, 0x10, 98), ...end],
      ],
      ['a match that begins before the start', [...header, ...packed(0x10, 97, 9, 0, 0x10, 98), ...end]],
      ['literals past the end of the block', [...header, ...packed(0x50, 97), ...end]],
      ['a length that never ends', [...header, ...packed(0xf0, 255, 255), ...end]],
      ['a block that ends with a match', [...header, ...packed(0x10, 97, 1, 0), ...end]],
      ['no end mark', [...header, ...stored('a')]],
      ['bytes behind the end mark', [...header, ...stored('a'), ...end, 0]],
    ];
    for (const [what, bytes] of broken) expect(inflate(lz4, bytes), what).to.equal('CORRUPT_MESSAGE');
  });
});

describe('Zstandard frames', () => {
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  const block = (type: 'raw' | 'rle', size: number, bytes: number[], last = true): number[] => [
    ...le((size << 3) | ((type === 'raw' ? 0 : 1) << 1) | (last ? 1 : 0), 3),
    ...bytes,
  ];
  const text = (value: string): number[] => block('raw', value.length, [...Buffer.from(value)]);
  /** No content size, a window of 2 MiB: what a streaming compressor writes, Java's for one. */
  const streamed = [...magic, 0x00, 0x58];

  it('need not say how much they hold', () => {
    expect(inflate(zstd, [...streamed, ...text('streamed')])).to.equal('8: streamed');
    expect(inflate(zstd, [...streamed, ...block('rle', 5, [97], false), ...text('b')])).to.equal('6: aaaaab');
    expect(inflate(zstd, [...streamed, ...block('rle', 5, [97])], 4)).to.equal('MESSAGE_TOO_LARGE');
  });

  it('may be several, with skippable ones among them', () => {
    const skippable = [0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    const frames = [...streamed, ...text('one, '), ...skippable, ...streamed, ...text('two')];
    expect(inflate(zstd, frames)).to.equal('8: one, two');
    expect(inflate(zstd, frames, 7)).to.equal('MESSAGE_TOO_LARGE');
    expect(inflate(zstd, [...frames, ...streamed, ...block('raw', 9, [97])])).to.equal('CORRUPT_MESSAGE');
    expect(inflate(zstd, [...skippable, ...streamed, ...text('')], 0)).to.equal('0: ');
  });

  it('are bounded by what they declare, before anything is inflated', () => {
    const declaring = (size: number): number[] => [...magic, 0xe0, ...le(size, 8)];
    expect(inflate(zstd, [...declaring(2 ** 40), ...text('a')])).to.equal('MESSAGE_TOO_LARGE');
    expect(inflate(zstd, [...declaring(2 ** 32 + 1), ...text('a')])).to.equal('MESSAGE_TOO_LARGE');
    expect(inflate(zstd, [...declaring(2), ...text('a')])).to.equal('CORRUPT_MESSAGE');
    expect(inflate(zstd, [...declaring(1), ...text('ab')])).to.equal('CORRUPT_MESSAGE');
  });

  it('do not get the window they ask for, since no content within the bound could use it', () => {
    for (const log of [11, 17, 20, 27, 30, 31, 41]) {
      const frame = [...magic, 0x00, (log - 10) << 3, ...text('wide')];
      expect(inflate(zstd, frame), `2^${log}`).to.equal('4: wide');
      const refusal = zstd.kafkaRefusal!(Buffer.from(frame));
      expect(refusal?.includes('window'), `2^${log}`).to.equal(log > 27 ? true : undefined);
    }
  });

  it('are refused when anything about them is not as it must be', () => {
    const broken: [string, number[]][] = [
      ['a reserved bit', [...magic, 0x08, 0x58, ...text('a')]],
      ['a dictionary', [...magic, 0x01, 0x58, 7, ...text('a')]],
      ['a header that is cut off', [...magic, 0xe0, 1]],
      ['a block of the reserved type', [...streamed, 0x0f, 0, 0, 97]],
      ['a block larger than blocks may be', [...streamed, ...block('rle', 128 * 1024 + 1, [97])]],
      ['a block larger than its window', [...magic, 0x00, 0x00, ...block('rle', 1025, [97])]],
      ['no last block', [...streamed, ...block('raw', 1, [97], false)]],
      ['a block that is cut off', [...streamed, ...block('raw', 9, [97])]],
      ['a checksum that is cut off', [...magic, 0x04, 0x58, ...text('a'), 1, 2]],
      ['a checksum that is wrong', [...magic, 0x04, 0x58, ...text('a'), 1, 2, 3, 4]],
      ['a compressed block of noise', [...streamed, ...le((9 << 3) | 4 | 1, 3), 9, 9, 9, 9, 9, 9, 9, 9, 9]],
      ['a skippable frame that is cut off', [0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1]],
      [
        'more frames than anybody needs',
        Array.from({ length: 1001 }, () => [...streamed, ...text('')]).flat(),
      ],
      ['bytes behind the last frame', [...streamed, ...text('a'), 0, 0, 0]],
    ];
    for (const [what, bytes] of broken) expect(inflate(zstd, bytes), what).to.equal('CORRUPT_MESSAGE');
  });
});
