// What every Prng must do, seeded or not. The statistical bounds are wide enough that a sound generator fails one less than
// once in a thousand million runs.

import assert from 'node:assert/strict';
import { type Prng } from '@tidemark/core';
import { type ConformanceCase } from './case.ts';

const DRAWS = 20_000;

export const prngConformance: readonly ConformanceCase<Prng>[] = [
  {
    name: 'draws integers over the whole of 0 .. 2^32 - 1',
    run: async (make) => {
      const prng = await make();
      let sum = 0;
      for (let draw = 0; draw < DRAWS; draw++) {
        const drawn = prng.uint32();
        assert(Number.isInteger(drawn) && drawn >= 0 && drawn < 2 ** 32, `drew ${drawn}`);
        sum += drawn / 2 ** 32;
      }
      // The mean of n uniform draws has a deviation of 1 / sqrt(12 n) = 0.002.
      assert(Math.abs(sum / DRAWS - 0.5) < 0.0135, `the mean is ${sum / DRAWS}`);
    },
  },
  {
    name: 'sets every bit of a draw as often as not',
    run: async (make) => {
      const prng = await make();
      const counts = new Array<number>(32).fill(0);
      for (let draw = 0; draw < DRAWS; draw++) {
        const drawn = prng.uint32();
        for (let bit = 0; bit < 32; bit++) counts[bit]! += (drawn >>> bit) & 1;
      }
      for (const [bit, count] of counts.entries()) {
        assert(Math.abs(count - DRAWS / 2) < 500, `bit ${bit} was set ${count} times in ${DRAWS}`);
      }
    },
  },
  {
    name: 'stays below the bound and reaches every number below it',
    run: async (make) => {
      const prng = await make();
      for (const bound of [1, 2, 3, 7, 10]) {
        const counts = new Array<number>(bound).fill(0);
        for (let draw = 0; draw < DRAWS; draw++) {
          const drawn = prng.below(bound);
          assert(Number.isInteger(drawn) && drawn >= 0 && drawn < bound, `below(${bound}) drew ${drawn}`);
          counts[drawn]!++;
        }
        const expected = DRAWS / bound;
        for (const count of counts) {
          assert(
            Math.abs(count - expected) < 7 * Math.sqrt(expected) + 1,
            `below(${bound}): ${counts.join()}`,
          );
        }
      }
    },
  },
  {
    name: 'does not favour small numbers when the bound does not divide 2^32',
    run: async (make) => {
      const prng = await make();
      // Reducing 32 bits modulo 3 * 2^30 would draw from the lowest third half of the time.
      const bound = 3 * 2 ** 30;
      let low = 0;
      for (let draw = 0; draw < DRAWS; draw++) if (prng.below(bound) < 2 ** 30) low++;
      assert(Math.abs(low - DRAWS / 3) < 470, `${low} of ${DRAWS} in the lowest third`);
    },
  },
  {
    name: 'accepts the bounds 1 and 2^32 and refuses what is outside or no integer',
    run: async (make) => {
      const prng = await make();
      assert.equal(prng.below(1), 0);
      assert(prng.below(2 ** 32) < 2 ** 32);
      for (const bound of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) {
        assert.throws(() => prng.below(bound), RangeError, `below(${bound})`);
      }
    },
  },
  {
    name: 'answers as many bytes as asked, uniform, in memory that it never touches again',
    run: async (make) => {
      const prng = await make();
      assert.equal(prng.bytes(0).length, 0);
      for (const length of [1, 3, 4, 5, 16, 4099]) assert.equal(prng.bytes(length).length, length);
      const kept = Array.from({ length: 512 }, () => prng.bytes(16));
      const before = kept.map((bytes) => bytes.join());
      for (let draw = 0; draw < 2_000; draw++) prng.bytes(16).fill(0);
      assert.deepEqual(
        kept.map((bytes) => bytes.join()),
        before,
      );
      assert.equal(new Set(before).size, before.length, 'two of 512 draws of 16 bytes are the same');
      const seen = new Set(prng.bytes(DRAWS));
      assert.equal(seen.size, 256, 'a byte value is never drawn');
    },
  },
];
