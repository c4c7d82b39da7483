import { nodeCodecs } from '@tidemark/compression';
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';

// Compressed data of ours and of other people's clients, damaged at random. Every answer must be bytes within the bound or
// a Failure of the two documented names; the process has to survive all of it. SEED=n replays a run.

const ROUNDS = 50_000;
const BOUND = 1 << 20;
const seed = Number(process.env['SEED'] ?? 20_261_121);
const codecs = nodeCodecs();
const names = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

/** mulberry32. */
function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function corpus(name: (typeof names)[number]): Uint8Array[] {
  const folder = new URL('../../record/testdata/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(`-${name}.bin`));
  const golden = files.map((file) => Uint8Array.from(readFileSync(new URL(file, folder))).subarray(61));
  const inputs = [0, 1, 60, 900, 5000].map((length) =>
    Uint8Array.from({ length }, (_, index) => (index * index) >> (length & 7)),
  );
  return [
    ...golden.filter((bytes) => bytes.length < 5000),
    ...inputs.map((input) => codecs[name].compress(input)),
  ];
}

describe('Damaged compressed data', () => {
  for (const name of names) {
    it(`${name}: is answered, ${ROUNDS / names.length} times (SEED=${seed})`, function () {
      this.timeout(60_000);
      const random = randomFrom(seed);
      const sources = corpus(name);
      const seen = { accepted: 0, CORRUPT_MESSAGE: 0, MESSAGE_TOO_LARGE: 0 };
      for (let round = 0; round < ROUNDS / names.length; round++) {
        const bytes = Uint8Array.from(sources[random(sources.length)]!);
        for (let left = 1 + random(5); left > 0; left--) {
          // Most often near the start, where the headers are.
          const at = random(random(2) === 0 ? Math.min(24, bytes.length) : bytes.length);
          if (random(3) === 0) bytes[at] = random(256);
          else if (random(2) === 0) bytes[at] = bytes[at]! ^ (1 << random(8));
          else bytes.copyWithin(at, random(bytes.length));
        }
        const maxBytes = random(4) === 0 ? random(4000) : BOUND;
        const damaged = random(5) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
        const answer = codecs[name].decompress(damaged, maxBytes);
        if (answer.ok) expect(answer.bytes.length).to.be.at.most(maxBytes);
        const outcome = answer.ok ? 'accepted' : answer.error;
        if (!(outcome in seen)) throw new Error(`round ${round}: ${outcome}`);
        seen[outcome as keyof typeof seen] += 1;
      }
      expect(seen.CORRUPT_MESSAGE).to.be.above(1000);
      expect(seen.MESSAGE_TOO_LARGE).to.be.above(5);
      expect(seen.accepted).to.be.above(20);
    });
  }

  it('noise is answered too', () => {
    const random = randomFrom(seed);
    for (let round = 0; round < 4000; round++) {
      const bytes = Uint8Array.from({ length: random(200) }, () => random(256));
      const answer = codecs[names[round % 4]!].decompress(bytes, BOUND);
      expect(
        answer.ok || answer.error === 'CORRUPT_MESSAGE' || answer.error === 'MESSAGE_TOO_LARGE',
      ).to.equal(true);
    }
  });

  it('leaves the codecs as good as they were', () => {
    const input = Uint8Array.from({ length: 100_000 }, (_, index) => (index * index) >> 9);
    for (const name of names) {
      const answer = codecs[name].decompress(codecs[name].compress(input), input.length);
      expect(answer.ok && Buffer.compare(answer.bytes, input), name).to.equal(0);
    }
  });
});
