import { expect } from 'chai';
import { RandomRun } from './random-run.ts';
import type { Cheat } from './replica-group.ts';
import { SafetyViolation } from './safety-checker.ts';

// SEED=n replays one seed; SEEDS=n runs so many, from FIRST_SEED (1) on.
const only = process.env['SEED'];
const first = Number(process.env['FIRST_SEED'] ?? 1);
const count = Number(process.env['SEEDS'] ?? 300);
const seeds = only === undefined ? Array.from({ length: count }, (_, at) => first + at) : [Number(only)];

describe('random faults', () => {
  it('never break a safety property, and end with everybody in agreement', function () {
    this.timeout(0);
    const failed: string[] = [];
    const total = { committed: 0, terms: 0, snapshots: 0, voterChanges: 0, reads: 0 };
    for (const seed of seeds) {
      try {
        const result = new RandomRun(seed).run();
        for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += result[key];
      } catch (error) {
        failed.push(`SEED=${seed}: ${(error as Error).message}`);
      }
    }
    expect(failed.slice(0, 10).join('\n')).equals('');
    if (only !== undefined) return;
    // Runs in which nothing happens would find nothing.
    for (const [what, times] of Object.entries(total)) expect(times, what).above(count / 20);
  });

  const planted: readonly (readonly [Cheat, RegExp])[] = [
    ['forgets votes', /^(one vote in a term|election safety)/],
    ['acknowledges early', /^(acknowledged means on disk|committed means on the disks)/],
    [
      'loses entries',
      /^(committed means|leader completeness|state machine safety|what is acknowledged|log matching)/,
    ],
    ['mixes up reads', /^linearizable reads/],
  ];
  for (const [cheat, property] of planted) {
    it(`are told from a driver that ${cheat}`, () => {
      const found = violation(cheat);
      expect(found?.message).match(property);
    });
  }
});

/** The first safety property that is broken. */
function violation(cheat: Cheat): SafetyViolation | undefined {
  for (let seed = 1; seed <= 500; seed++) {
    try {
      new RandomRun(seed, cheat).run();
    } catch (error) {
      if (error instanceof SafetyViolation) return error;
    }
  }
  return undefined;
}
