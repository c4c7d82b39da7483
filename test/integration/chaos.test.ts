// The chaos run itself, short: a leader is killed under clients and nothing is lost; and an acknowledgement that never was is named.
import assert from 'node:assert/strict';
import { runChaos } from '../chaos/run-chaos.ts';
import { HASTY } from './cluster.ts';

describe('chaos', function () {
  this.timeout(60_000);

  it('finds nothing when a leader is killed, but names an acknowledgement that never was', async () => {
    const lines: string[] = [];
    const { history, nodeLogs } = await runChaos({
      seed: 1,
      forMs: 1,
      only: ['kill-leader'],
      recordsPerSecond: 300,
      plantedLosses: 1,
      settings: HASTY,
      say: (line) => lines.push(line),
    });
    // The planted one claims an offset, is nowhere, and nobody reads it. Nothing else is wrong.
    const told = `${history.examples.join('\n')}\n${lines.join('\n')}\n${nodeLogs}`;
    assert.deepEqual(new Map(history.counts), new Map([['unseen', 1], ['lost-write', 1]]), told); // prettier-ignore
    assert.ok(history.acknowledged > 100, told);
  });
});
