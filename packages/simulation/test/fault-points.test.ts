// Every disk operation of a story fails once: an I/O error, a full disk. What was promised is kept over the crash that follows,
// nothing is promised on the strength of what failed, and after a full disk the log goes on.
import { expect } from 'chai';
import { exploreFaultPoints } from '@tidemark/simulation';

/** More or other ones for a longer run: SEED=7 or SEEDS=20. */
const firstSeed = Number(process.env['SEED'] ?? 1);
const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 1) }, (_, at) => firstSeed + at);

describe('a log whose disk fails at every operation in turn', () => {
  for (const flushPolicy of ['ack', 'os'] as const) {
    for (const seed of seeds) {
      it(`keeps its promises after an I/O error, under flush.policy=${flushPolicy} (seed ${seed})`, async function () {
        this.timeout(120_000);
        const report = await exploreFaultPoints({ seed, steps: 40, flushPolicy, error: 'EIO' });
        expect(report.faults.join('\n')).to.equal('');
        expect(report.runs).to.be.greaterThan(40);
        // The others failed where nothing was at stake yet or any more: while opening, or in a removal.
        expect(report.offline / report.runs).to.be.greaterThan(0.2);
      });

      it(`keeps them and goes on after a full disk, under flush.policy=${flushPolicy} (seed ${seed})`, async function () {
        this.timeout(120_000);
        const report = await exploreFaultPoints({ seed, steps: 40, flushPolicy, error: 'ENOSPC', times: 2 });
        expect(report.faults.join('\n')).to.equal('');
        expect(report.runs).to.be.greaterThan(40);
        expect(report.wentOn).to.be.greaterThan(5);
      });
    }
  }
});
