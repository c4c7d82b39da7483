import { expect } from 'chai';
import { type LogConfig } from '@tidemark/log';
import { SimPrng, type SimDisk } from '@tidemark/simulation';
import {
  append,
  appended,
  at,
  batchOf,
  NAME,
  openFolder,
  openLog,
  readFrom,
  smallSegments,
  valuesOf,
  type World,
} from './story.ts';

const SIZE = batchOf({ text: '0' }).length;
/** Four batches a segment. */
const config: LogConfig = { ...smallSegments, segmentBytes: 4 * SIZE, retentionMs: -1 };

const files = (disk: SimDisk, ending: string): string[] =>
  [...disk.contents().keys()].filter((path) => path.startsWith(`data/${NAME}/`) && path.endsWith(ending));

async function filled(
  log: Awaited<ReturnType<typeof openLog>>,
  batches: number,
  firstMs = 1000,
): Promise<void> {
  for (let batch = 0; batch < batches; batch++) {
    await appended(log, { text: String(batch), timestampMs: firstMs + batch });
  }
  await log.flush();
}

async function rest(world: World): Promise<void> {
  await world.clock.runUntilIdle();
  await new Promise((resolve) => setImmediate(resolve));
}

describe('retention', () => {
  it('by size keeps as much as retention.bytes says, in whole segments', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...config, retentionBytes: 9 * SIZE });
    await filled(log, 18);
    // 18 batches in segments of 4: without the first two, 10 are left; without three, 6 would be.
    expect(await log.runRetention(0, log.logEndOffset)).to.equal(2);
    expect(log.logStartOffset).to.equal(8);
    expect(log.sizeBytes).to.equal(10 * SIZE);
    expect(await readFrom(log, 7)).to.include({ ok: false, error: 'OFFSET_OUT_OF_RANGE' });
    expect((await valuesOf(log))[0]).to.equal('8');
    await world.folder.close();
  });

  it('by time goes by the largest timestamp in a segment', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...config, retentionMs: 100 });
    await filled(log, 10, 1000);
    expect(await log.runRetention(1103, log.logEndOffset), 'the first segment ends at 1003').to.equal(0);
    expect(await log.runRetention(1104, log.logEndOffset)).to.equal(1);
    expect(await log.runRetention(1107, log.logEndOffset)).to.equal(0);
    expect(await log.runRetention(1108, log.logEndOffset)).to.equal(1);
    expect(log.logStartOffset).to.equal(8);
    await world.folder.close();
  });

  it('rolls the active segment when all that is in it is too old, and then lets it go', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...config, retentionMs: 100 });
    await filled(log, 10, 1000);
    expect(await log.runRetention(9999, log.logEndOffset)).to.equal(3);
    expect([log.logStartOffset, log.logEndOffset, log.sizeBytes]).to.deep.equal([10, 10, 0]);
    await appended(log, { text: 'next' });
    await world.folder.close();
    const again = await openFolder(world.disk);
    const reopened = await openLog(again, config);
    expect(reopened.logStartOffset).to.equal(10);
    expect(await valuesOf(reopened)).to.deep.equal(['next']);
    await again.folder.close();
  });

  it('takes nothing that the high watermark has not passed', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...config, retentionMs: 100 });
    await filled(log, 10, 1000);
    expect(await log.runRetention(9999, at(7))).to.equal(1);
    expect(log.logStartOffset).to.equal(4);
    await world.folder.close();
  });

  it('keeps what has no timestamp, and everything while there is no limit', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...config, retentionMs: 100 });
    for (let batch = 0; batch < 10; batch++) await appended(log, { timestampMs: -1 });
    expect(await log.runRetention(1e12, log.logEndOffset)).to.equal(0);
    log.updateConfig(config);
    expect(await log.runRetention(1e12, log.logEndOffset)).to.equal(0);
    await world.folder.close();
  });

  it('renames files first and removes them file.delete.delay.ms later; readers are not disturbed', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...config, retentionBytes: 0, fileDeleteDelayMs: 500 });
    await filled(log, 10);
    await log.checkpoint();
    const reading = readFrom(log, 1);
    await log.runRetention(0, log.logEndOffset);
    expect((await reading).ok).to.equal(true);
    expect(files(world.disk, '.log.deleted')).to.have.length(3);
    expect(files(world.disk, '.timeindex.deleted')).to.have.length(3);
    await world.clock.advance(499);
    expect(files(world.disk, '.deleted').length).to.be.greaterThan(0);
    await world.clock.advance(1);
    await rest(world);
    expect(files(world.disk, '.deleted')).to.deep.equal([]);
    await world.folder.close();
  });

  it('is finished at the next start when the process ends before the delay is over', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...config, retentionBytes: 5 * SIZE });
    await filled(log, 10);
    await log.runRetention(0, log.logEndOffset);
    expect(files(world.disk, '.deleted').length).to.be.greaterThan(0);
    const again = await openFolder(world.disk.crash('all', new SimPrng(1)));
    const reopened = await openLog(again, config);
    expect(files(again.disk, '.deleted')).to.deep.equal([]);
    expect(reopened.logStartOffset).to.equal(4);
    await again.folder.close();
  });
});

describe('deleting records (KIP-107)', () => {
  it('moves the start of the log for good and removes the segments wholly below', async () => {
    const world = await openFolder();
    const log = await openLog(world, config);
    await filled(log, 20);
    expect(await log.deleteRecordsBefore(at(10))).to.deep.equal({ ok: true, logStartOffset: 10 });
    expect(log.segmentCount).to.equal(3);
    expect(await readFrom(log, 9)).to.include({ ok: false, error: 'OFFSET_OUT_OF_RANGE' });
    expect((await valuesOf(log))[0]).to.equal('10');
    expect(await log.deleteRecordsBefore(at(3)), 'never back').to.deep.equal({
      ok: true,
      logStartOffset: 10,
    });
    expect(await log.deleteRecordsBefore(at(21))).to.include({ ok: false, error: 'OFFSET_OUT_OF_RANGE' });
    const again = await openFolder(world.disk.crash('nothing', new SimPrng(1)));
    const reopened = await openLog(again, config);
    expect(reopened.logStartOffset).to.equal(10);
    expect((await valuesOf(reopened))[0]).to.equal('10');
    await again.folder.close();
  });

  it('of everything leaves an empty log that goes on at its end', async () => {
    const world = await openFolder();
    const log = await openLog(world, config);
    await filled(log, 10);
    await log.deleteRecordsBefore(at(10));
    expect(await valuesOf(log)).to.deep.equal([]);
    expect(append(log, batchOf())).to.include({ ok: true, baseOffset: 10 });
    await world.folder.close();
    const again = await openFolder(world.disk);
    const reopened = await openLog(again, config);
    expect([reopened.logStartOffset, reopened.logEndOffset]).to.deep.equal([10, 11]);
    await again.folder.close();
  });
});
