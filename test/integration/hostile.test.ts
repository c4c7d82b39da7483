// Every attack for a short while, one after another on one broker; `make hostile` does each for longer. The bounds are generous: this
// is about a broker that stays up and goes on serving, on a machine that does other things as well.
import { expect } from 'chai';
import { memoryNeededBytes } from '../../packages/broker/src/memory-sizing.ts';
import { testConfig } from '../../packages/broker/test/harness.ts';
import { attacks } from '../hostile/attacks.ts';
import { HEADER, HostileRun, line } from '../hostile/run-hostile.ts';

const ATTACK_MS = 400;
const MAX_P99_MS = 8_000;
const MIB = 1024 * 1024;
/** As in the compose files: docs/operations.md, "Memory". */
const SMALL = {
  'socket.request.max.bytes': '16777216',
  'queued.max.request.bytes': '33554432',
  'queued.max.response.bytes': '33554432',
  'fetch.max.bytes': '8388608',
  'max.inflated.batch.bytes': '33554432',
  'log.tail.bytes': '33554432',
};
/** A heap that objects of strangers would fill. */
const HEAP_MB = 96;
/** What the limits add up to, as the broker itself does it at its start. */
const MAX_RSS_MB = memoryNeededBytes(testConfig('/nowhere', SMALL), HEAP_MB * MIB) / MIB;

describe('a broker under attack', function () {
  this.timeout(240_000);

  it('serves a healthy client and stays within its memory', async () => {
    const run = await HostileRun.start({
      settings: SMALL,
      nodeOptions: [`--max-old-space-size=${HEAP_MB}`],
    });
    const lines = [HEADER];
    try {
      for (const name of Object.keys(attacks)) {
        const figures = await run.under(name, ATTACK_MS);
        lines.push(line(figures));
        const told = `${lines.join('\n')}\n${figures.lastFailure}`;
        expect(run.server.isRunning, told).to.equal(true);
        expect(figures.requests, told).to.be.at.least(1);
        expect(figures.p99Ms, told).to.be.below(MAX_P99_MS);
        expect(figures.peakRssMb, told).to.be.below(MAX_RSS_MB);
        expect(figures.failures, told).to.equal(0);
      }
      // And it still ends as it should.
      expect(await run.server.stop()).to.equal(0);
    } finally {
      await run.dispose();
    }
  });
});
