// The chaos run itself, short: a leader is killed under clients and nothing is lost; and an acknowledgement that never was is named,
// by the run and by the history it leaves.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HistoryChecker } from '@tidemark/simulation';
import { profileOf } from '../chaos/profile.ts';
import { replay } from '../chaos/recorded-history.ts';
import { runChaos } from '../chaos/run-chaos.ts';

describe('chaos', function () {
  this.timeout(60_000);

  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-chaos-test-'));
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('finds nothing when a leader is killed, but names an acknowledgement that never was', async () => {
    const lines: string[] = [];
    const { history, historyPath, strikes } = await runChaos({
      seed: 1,
      forMs: 1,
      profile: profileOf('fast'),
      folder,
      only: ['kill-leader'],
      // Longer than the session: whoever notices a death late has noticed it by then.
      shortMs: 3_000,
      recordsPerSecond: 300,
      plantedLosses: 1,
      say: (line) => lines.push(line),
    });
    // The planted one claims an offset, is nowhere, and nobody reads it. Nothing else is wrong.
    const told = `${history.examples.join('\n')}\n${lines.join('\n')}`;
    const planted = new Map([['unseen', 1], ['lost-write', 1]]); // prettier-ignore
    assert.deepEqual(new Map(history.counts), planted, told);
    assert.ok(history.acknowledged > 100, told);
    assert.deepEqual(strikes.map(({ name, isPromised }) => [name, isPromised]), [['kill-leader', true]]); // prettier-ignore
    assert.ok(strikes[0]!.acknowledged >= 100, told);

    const again = new HistoryChecker();
    await replay(historyPath, again);
    assert.deepEqual(again.report(), history);
    const kept = await readdir(folder);
    for (const name of ['history.jsonl', 'node-1', 'node-1.log', 'node-2', 'node-3']) {
      assert.ok(kept.includes(name), kept.join());
    }
  });
});
