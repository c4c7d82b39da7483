// Every write, sync, truncation, rename, removal and folder sync of a story told to a log, times every crash mode: what was
// promised is there, nothing else is, and the log goes on. The mutants below prove that this would be noticed.
import { expect } from 'chai';
import {
  exploreCrashPoints,
  lyingDisk,
  type CrashPointOptions,
  type CrashPointReport,
  type DiskLie,
} from '@tidemark/simulation';

const STEPS = 200;
/** More or other ones for a longer run: SEED=7 or SEEDS=50. */
const firstSeed = Number(process.env['SEED'] ?? 1);
const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 1) }, (_, at) => firstSeed + at);

function summary(report: CrashPointReport): string {
  const { boundaries, states, distinct, duringRecovery } = report;
  return `${boundaries} boundaries, ${states} crash states (${duringRecovery} during recovery), ${distinct} distinct`;
}

describe('a log crashed at every boundary', () => {
  for (const flushPolicy of ['ack', 'os'] as const) {
    for (const seed of seeds) {
      it(`keeps its promises under flush.policy=${flushPolicy} (seed ${seed})`, async function () {
        this.timeout(180_000);
        const report = await exploreCrashPoints({ seed, steps: STEPS, flushPolicy });
        console.log(`      ${flushPolicy}, seed ${seed}: ${summary(report)}`);
        expect(report.faults.join('\n')).to.equal('');
        // Too little happening is a failure of the test, not a success of the log.
        expect(report.states).to.be.greaterThan(2_000);
        expect(report.told.size, 'kinds of steps').to.be.at.least(11);
      });
    }
  }

  it('is the same run for the same seed', async () => {
    const run = (seed: number): Promise<CrashPointReport> =>
      exploreCrashPoints({ seed, steps: 40, flushPolicy: 'ack', modes: ['nothing'] });
    const [first, second, other] = [await run(3), await run(3), await run(4)];
    expect(second).to.deep.equal(first);
    expect(other.digest).not.to.equal(first.digest);
  });
});

describe('the crash-point checker catches', () => {
  const mutants: readonly (readonly [DiskLie, string])[] = [
    ['sync-does-nothing', 'a log that forgets to sync'],
    ['sync-answers-early', 'a log that acknowledges before the sync has ended'],
    ['directory-sync-does-nothing', 'a log that does not sync the names of its files'],
    ['short-writes-hidden', 'a log that ignores short writes'],
    ['truncate-does-nothing', 'a log that does not cut what it said it cut'],
  ];
  for (const [lie, what] of mutants) {
    it(what, async function () {
      this.timeout(60_000);
      const options: CrashPointOptions = { seed: 1, steps: STEPS, flushPolicy: 'ack', maxFaults: 1 };
      const report = await exploreCrashPoints({
        ...options,
        shortWriteOneIn: 3,
        recoveryCrashOneIn: 0,
        disguise: (disk) => lyingDisk(disk, lie),
      });
      expect(report.faults).to.have.length(1);
      console.log(`      caught as: ${report.faults[0]!.replace(/\s+/g, ' ').slice(0, 150)}`);
    });
  }
});
