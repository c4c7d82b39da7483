import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { productionNodes, runSeed, type Regression } from '@tidemark/simulation';

/** `SEED` and `SEEDS` run others, or more of them; `make sim` is faster. */
const FIRST = Number(process.env['SEED'] ?? 1);
const COUNT = Number(process.env['SEEDS'] ?? 4);
const REGRESSIONS = new URL('../regressions/', import.meta.url);

describe('a simulated cluster of production nodes', function () {
  this.timeout(120_000);

  it('does the same for the same seed, to the last event', async () => {
    const run = () => runSeed({ seed: FIRST, factory: productionNodes(FIRST), minEvents: 3_000 });
    const [first, second] = [await run(), await run()];
    expect([first.digest, first.events]).to.deep.equal([second.digest, second.events]);
  });

  for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
    it(`breaks no promise under seed ${seed}, works meanwhile, and comes back`, async () => {
      const result = await runSeed({ seed, factory: productionNodes(seed), minEvents: 8_000 });
      expect(result.violation).to.equal(undefined);
      expect(result.acknowledged).to.be.above(20);
      expect(result.reads).to.be.above(10);
    });
  }

  for (const name of readdirSync(REGRESSIONS).filter((file) => file.endsWith('.json'))) {
    const { seed, schedule, loads, note } = JSON.parse(
      readFileSync(new URL(name, REGRESSIONS), 'utf8'),
    ) as Regression;
    it(`breaks no promise as in ${name}: ${note}`, async () => {
      const { violation } = await runSeed({ seed, schedule, loads, factory: productionNodes(seed) });
      expect(violation).to.equal(undefined);
    });
  }
});
