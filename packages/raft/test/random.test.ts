import { expect } from 'chai';
import { RandomRun } from './random-run.ts';

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
});
