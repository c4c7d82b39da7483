// The recovery points and the cleaner's checkpoint tell a gap that compaction has left from a segment that a crash has taken. Where
// they are damaged, nothing may be lost for it.

import { expect } from 'chai';
import { SimPrng, type SimDisk } from '@tidemark/simulation';
import { cleanAll, openCompacted, put, recordsOf, rollOver, type Found } from './compaction-story.ts';
import { appended, NAME, openFolder, openLog, smallSegments } from './story.ts';

const RECOVERY_POINTS = 'data/recovery-point-offset-checkpoint';
const CLEANER = 'data/cleaner-offset-checkpoint';

async function overwrite(disk: SimDisk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, 'write');
  await file.truncate(0);
  await file.write([Buffer.from(text)], 0);
  await file.sync();
  await file.close();
}

const damage = (disk: SimDisk, path: string): Promise<void> => overwrite(disk, path, 'x');

const logFiles = (disk: SimDisk): string[] =>
  [...disk.contents().keys()].filter((path) => path.startsWith(`data/${NAME}/`) && path.endsWith('.log'));

/** Records of `b` and of fillers around segments that cleaning has emptied; then the power fails. */
async function cleanedAndCrashed(): Promise<{ disk: SimDisk; kept: readonly Found[] }> {
  const world = await openCompacted(undefined, { segmentBytes: 200 });
  const { log } = world;
  for (let round = 0; round < 3; round++) {
    await put(log, [[`b${round}`, 'kept'.padEnd(100, '.')]]);
    for (let value = 0; value < 6; value++) await put(log, [['a', String(value).padEnd(30, '.')]]);
  }
  await rollOver(log);
  await cleanAll(world);
  await world.folder.checkpoint();
  const kept = await recordsOf(log);
  return { disk: world.disk.crash('nothing', new SimPrng(1)), kept };
}

describe('a log that may have been cleaned, nobody knows how far', () => {
  const damages: [string, readonly string[]][] = [
    ['the recovery points', [RECOVERY_POINTS]],
    ['the cleaner’s checkpoint', [CLEANER]],
    ['both', [RECOVERY_POINTS, CLEANER]],
  ];
  for (const [what, paths] of damages) {
    it(`keeps what is behind a gap when ${what} cannot be read`, async () => {
      const { disk, kept } = await cleanedAndCrashed();
      for (const path of paths) await damage(disk, path);
      const again = await openCompacted(disk, { segmentBytes: 200 });
      expect(await recordsOf(again.log)).to.deep.equal(kept);
      expect(again.log.recovery).to.include({ truncatedBytes: 0, removedSegments: 0 });
      await again.folder.close();
    });
  }

  it('keeps it too when a run before wrote the files anew and did not open the log', async () => {
    const { disk, kept } = await cleanedAndCrashed();
    await damage(disk, RECOVERY_POINTS);
    await damage(disk, CLEANER);
    const between = await openFolder(disk);
    await appended(await openLog(between, smallSegments, 'others-0'));
    await between.folder.checkpoint();
    const again = await openCompacted(between.disk.crash('nothing', new SimPrng(1)), { segmentBytes: 200 });
    expect(again.warnings).to.deep.equal([]);
    expect(await recordsOf(again.log)).to.deep.equal(kept);
    await again.folder.close();
  });

  it('keeps it when the first cleaning did not come to its end, and the recovery points are gone', async () => {
    const { disk, kept } = await cleanedAndCrashed();
    await damage(disk, RECOVERY_POINTS);
    // As it was when the cleaning began.
    await overwrite(disk, CLEANER, '0\n1\norders 0 0\n');
    const again = await openCompacted(disk, { segmentBytes: 200 });
    expect(await recordsOf(again.log)).to.deep.equal(kept);
    await again.folder.close();
  });

  it('is cleaned from its beginning', async () => {
    const { disk } = await cleanedAndCrashed();
    await damage(disk, RECOVERY_POINTS);
    await damage(disk, CLEANER);
    const again = await openCompacted(disk, { segmentBytes: 200 });
    const [report] = await cleanAll(again);
    expect(report).to.include({ type: 'cleaned', isComplete: true });
    expect(await cleanAll(again)).to.deep.equal([]);
    await again.folder.close();
  });

  it('is cut again at a segment that a crash has taken, as soon as its recovery point is known', async () => {
    const { disk, kept } = await cleanedAndCrashed();
    await damage(disk, RECOVERY_POINTS);
    await damage(disk, CLEANER);
    const world = await openCompacted(disk, { segmentBytes: 200 });
    await world.folder.checkpoint();
    for (let value = 0; value < 12; value++)
      await put(world.log, [[`c${value}`, String(value).padEnd(100, '.')]]);
    const torn = world.disk.crash('all', new SimPrng(1));
    await torn.removeFile(logFiles(torn).at(-3)!);
    await torn.syncDirectory(`data/${NAME}`);
    const again = await openCompacted(torn, { segmentBytes: 200 });
    expect(again.log.recovery.removedSegments).to.equal(2);
    expect((await recordsOf(again.log)).slice(0, kept.length)).to.deep.equal(kept);
    await again.folder.close();
  });
});
