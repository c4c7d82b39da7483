// Named interleavings of what a log does with what is asked of it meanwhile, each of which once went wrong.

import { expect } from 'chai';
import { append, appended, at, batchOf, openFolder, openLog, smallSegments, type World } from './story.ts';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

/** Runs `act` before the step of that number, if there is one, while `work` goes on. Answers how many steps there were. */
async function during(
  world: World,
  number: number,
  work: () => Promise<unknown>,
  act: () => void,
): Promise<number> {
  let steps = 0;
  const stop = world.disk.observe((_, phase) => {
    if (phase === 'before' && steps++ === number) act();
  });
  await work();
  stop();
  return steps;
}

describe('a cut that waits for its turn', () => {
  it('keeps the log from being taken for quiet, and refuses appends, from when it is asked for', async () => {
    const world = await openFolder();
    const log = await openLog(world, smallSegments);
    for (const text of numbers(0, 40)) await appended(log, { text });
    let isQuiet: boolean | undefined;
    let refused: unknown;
    let cutting: Promise<unknown> | undefined;
    let quiet: Promise<void> | undefined;
    await during(
      world,
      1,
      () => log.checkpoint(),
      () => {
        cutting = log.truncateTo(at(15));
        isQuiet = log.isQuiet;
        refused = append(log, batchOf({ text: 'of the next leader' }));
        quiet = log.quiet();
      },
    );
    await quiet;
    expect(log.nextOffset, 'once it is quiet its end is what it is').to.equal(15);
    expect(isQuiet).to.equal(false);
    expect(refused).to.include({ ok: false, error: 'REPLICA_NOT_AVAILABLE' });
    await cutting;
    await world.folder.close();
  });
});
