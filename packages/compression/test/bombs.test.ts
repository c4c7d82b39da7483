import { nodeCodecs } from '@tidemark/compression';
import { expect } from 'chai';

// A gibibyte of zeros, in the smallest form each format has for it, against a bound of 8 MiB. Peak memory is what counts:
// an answer that comes after the allocation comes too late.

const GIBIBYTE = 2 ** 30;
const BOUND = 8 * 1024 * 1024;
/** The bound, what the codecs need themselves, and what garbage may lie about: a ninth of what the bomb would take. */
const ALLOWED_MIB = 120;
const codecs = nodeCodecs();

const peakMib = (): number => process.resourceUsage().maxRSS / 1024;

function repeated(part: Uint8Array, times: number, before: Uint8Array, after: Uint8Array): Buffer {
  const bomb = Buffer.alloc(before.length + part.length * times + after.length);
  bomb.set(before);
  if (times > 0) bomb.fill(part, before.length, before.length + part.length * times);
  bomb.set(after, bomb.length - after.length);
  return bomb;
}

const none = new Uint8Array(0);
const zeros = (bytes: number): Uint8Array => new Uint8Array(bytes);
const MIB = 1024 * 1024;

/** Small input for each, made of one piece that is inflated over and over. */
const bombs: readonly (readonly [string, keyof typeof codecs, number, () => Buffer])[] = [
  ['gzip', 'gzip', 1.2, () => repeated(codecs.gzip.compress(zeros(MIB)), 1024, none, none)],
  [
    'snappy in blocks',
    'snappy',
    52,
    () =>
      repeated(
        codecs.snappy.compress(zeros(32 * 1024)).slice(16),
        GIBIBYTE / 32 / 1024,
        codecs.snappy.compress(none),
        none,
      ),
  ],
  [
    'lz4',
    'lz4',
    4.5,
    () => {
      const frame = codecs.lz4.compress(zeros(4 * MIB));
      return repeated(frame.slice(7, -4), 256, frame.slice(0, 7), frame.slice(-4));
    },
  ],
  [
    'zstd that declares its size',
    'zstd',
    0.2,
    () => repeated(codecs.zstd.compress(zeros(2 * MIB)), 512, none, none),
  ],
  [
    'zstd of run-length blocks that declares nothing',
    'zstd',
    0.1,
    () => {
      const header = Buffer.from('28b52ffd0058', 'hex');
      const block = (last: number) => Buffer.from([2 | last, 0, 16, 0]);
      return repeated(block(0), GIBIBYTE / 128 / 1024 - 1, header, block(1));
    },
  ],
  [
    'zstd of compressed blocks that declares nothing',
    'zstd',
    0.6,
    () => {
      const frame = codecs.zstd.compress(zeros(128 * 1024));
      // Magic, descriptor, a content size of four bytes, one block. Without its size, behind a header of its own.
      const last = Buffer.from(frame.subarray(9));
      const block = Buffer.from(last);
      block[0] = block[0]! & 0xfe;
      const header = Buffer.from('28b52ffd0058', 'hex');
      const twice = codecs.zstd.decompress(Buffer.concat([header, block, last]), BOUND);
      expect(twice.ok && twice.bytes.length).to.equal(2 * 128 * 1024);
      return repeated(block, 8191, header, last);
    },
  ],
];

describe('A gibibyte of zeros', () => {
  for (const [what, name, mebibytes, make] of bombs) {
    it(`as ${what} costs the bound and no more`, () => {
      const bomb = make();
      expect(bomb.length / MIB).to.be.below(mebibytes);
      const before = peakMib();
      expect(codecs[name].decompress(bomb, BOUND)).to.include({ ok: false, error: 'MESSAGE_TOO_LARGE' });
      expect(peakMib() - before).to.be.below(ALLOWED_MIB);
    });
  }

  it('declared by a few bytes of snappy is a lie, and none of it is allocated', () => {
    const before = peakMib();
    const bomb = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x04, 0, 0);
    expect(codecs.snappy.decompress(bomb, 2 * GIBIBYTE)).to.include({ ok: false, error: 'CORRUPT_MESSAGE' });
    expect(peakMib() - before).to.be.below(ALLOWED_MIB);
  });

  it('declared as the window of a zstd frame is not allocated', () => {
    const before = peakMib();
    const bomb = Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3]),
      Buffer.from('090000', 'hex'),
      Buffer.of(7),
    ]);
    const answer = codecs.zstd.decompress(bomb, BOUND);
    expect(answer.ok && [...answer.bytes]).to.deep.equal([7]);
    expect(peakMib() - before).to.be.below(ALLOWED_MIB);
  });
});
