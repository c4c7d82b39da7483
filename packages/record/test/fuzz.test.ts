import { nodeCodecs } from '@tidemark/compression';
import { RecordCursor, validateBatches } from '@tidemark/record';
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { concat, plainBatch, sealed } from './batches.ts';

// Real batches, damaged at random, with and without a CRC that covers it up. What must hold: the validator answers, the
// cursor comes to an end, and whatever the validator lets in the cursor reads to the last record. SEED=n replays a run.

const ROUNDS = 50_000;
const seed = Number(process.env['SEED'] ?? 20_261_121);
const codecs = nodeCodecs();
const limits = { maxBatchBytes: 1 << 20, maxInflatedBytes: 1 << 19, codecs };
const documented = new Set([
  'CORRUPT_MESSAGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'MESSAGE_TOO_LARGE',
  'UNSUPPORTED_COMPRESSION_TYPE',
]);

type Random = (below: number) => number;

/** mulberry32. */
function randomFrom(start: number): Random {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The first batch of every golden file, small ones often, and a few of our own. */
function corpus(): Uint8Array[] {
  const folder = new URL('../testdata/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.bin'));
  const golden = files.map((file) => Uint8Array.from(readFileSync(new URL(file, folder))));
  const plain = golden.filter((bytes) => (bytes[22]! & 7) === 0);
  return [...golden, ...plain, ...plain, plainBatch(1), plainBatch(20), plainBatch(3)].map(firstBatch);
}

function firstBatch(bytes: Uint8Array): Uint8Array {
  return bytes.slice(0, 12 + new DataView(bytes.buffer).getInt32(8));
}

const INTERESTING = [0, 1, 2, 3, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff];

function damaged(source: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(source);
  for (let left = 1 + random(4); left > 0; left--) {
    const at = 12 + random(bytes.length - 12);
    switch (random(6)) {
      case 0:
        bytes[at] = bytes[at]! ^ (1 << random(8));
        break;
      case 1:
        bytes[at] = INTERESTING[random(INTERESTING.length)]!;
        break;
      case 2:
        bytes[at] = random(256);
        break;
      case 3:
        bytes.fill(random(2) * 0xff, at, at + random(8));
        break;
      case 4:
        bytes.copyWithin(at, 61 + random(Math.max(1, bytes.length - 61)), bytes.length);
        break;
      default:
        bytes = random(2) === 0 ? bytes.slice(0, Math.max(61, at)) : concat(bytes, new Uint8Array(random(9)));
    }
  }
  if (random(10) === 0) return bytes;
  // Most inputs get a true length and CRC, or nothing behind those checks would ever be reached.
  bytes[16] = 2;
  new DataView(bytes.buffer).setInt32(8, bytes.length - 12);
  return sealed(bytes);
}

/** How many records the cursor shows before it stops, for whatever reason. */
function count(cursor: RecordCursor, bytes: Uint8Array): number {
  let records = 0;
  cursor.load(bytes);
  while (cursor.next()) {
    records += 1;
    cursor.key();
    cursor.value();
    cursor.headers();
  }
  return records;
}

describe('Damaged batches', () => {
  it(`never surprise the validator or the cursor (${ROUNDS} of them, SEED=${seed})`, function () {
    this.timeout(60_000);
    const random = randomFrom(seed);
    const sources = corpus();
    const strict = new RecordCursor({
      codecs,
      maxInflatedBytes: limits.maxInflatedBytes,
      showControlRecords: true,
    });
    const lenient = new RecordCursor({ codecs, maxInflatedBytes: limits.maxInflatedBytes, checkCrcs: false });
    const seen = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = damaged(sources[random(sources.length)]!, random);
      const origin = random(2) === 0 ? 'client' : 'replica';
      const maxInflatedBytes = random(8) === 0 ? 100 : limits.maxInflatedBytes;
      const answer = validateBatches(bytes, { ...limits, maxInflatedBytes, origin });
      const outcome = answer.ok ? 'accepted' : answer.error;
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      if (answer.ok) {
        const records = count(strict, bytes);
        if (strict.failure !== undefined)
          throw new Error(`round ${round}: accepted, but ${strict.failure.message}`);
        const expected = answer.batches.reduce((sum, batch) => sum + batch.recordCount, 0);
        if (origin === 'client' || answer.batches.every((batch) => batch.baseOffset >= 0)) {
          expect(records, `round ${round}`).to.equal(expected);
        }
      } else if (!documented.has(answer.error)) {
        throw new Error(`round ${round}: ${answer.error} ${answer.message}`);
      } else if (round % 3 === 0) {
        // A record has at least seven bytes, and no batch here inflates beyond the bound.
        expect(count(lenient, bytes)).to.be.below((bytes.length / 61 + 1) * limits.maxInflatedBytes);
      }
    }
    // The damage must reach everything, or the test says nothing.
    for (const outcome of ['accepted', ...documented])
      expect(seen.get(outcome) ?? 0, outcome).to.be.above(50);
  });
});
