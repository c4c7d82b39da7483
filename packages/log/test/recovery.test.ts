import { expect } from 'chai';
import { TidemarkError } from '@tidemark/core';
import type { LogConfig } from '@tidemark/log';
import { SimPrng, type SimDisk } from '@tidemark/simulation';
import {
  appended,
  batchOf,
  NAME,
  openFolder,
  openLog,
  readFrom,
  smallSegments,
  valuesOf,
  type World,
} from './story.ts';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

const FIRST = `data/${NAME}/00000000000000000000.log`;
const SIZE = batchOf({ text: '0' }).length;

/** Thirty records, of which the first `checked` are below the recovery point; then the power fails. */
async function crashed(checked: number, total = 30): Promise<SimDisk> {
  const world = await openFolder();
  const log = await openLog(world, smallSegments);
  for (const text of numbers(0, total)) {
    await appended(log, { text });
    if (Number(text) + 1 === checked) await world.folder.checkpoint();
  }
  await log.flush();
  return world.disk.crash('all', new SimPrng(1));
}

async function patch(disk: SimDisk, path: string, position: number, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, 'write');
  await file.write([bytes], position);
  await file.sync();
  await file.close();
}

async function cut(disk: SimDisk, path: string, sizeBytes: number): Promise<void> {
  const file = await disk.open(path, 'write');
  await file.truncate(sizeBytes);
  await file.sync();
  await file.close();
}

const lastLog = (disk: SimDisk): { path: string; bytes: Uint8Array } => {
  const [path, bytes] = [...disk.contents()].filter(([name]) => name.endsWith('.log')).at(-1)!;
  return { path, bytes };
};

async function reopened(disk: SimDisk): Promise<{ world: World; log: Awaited<ReturnType<typeof openLog>> }> {
  const world = await openFolder(disk);
  return { world, log: await openLog(world, smallSegments) };
}

describe('recovery after an unclean stop', () => {
  it('cuts a torn batch at the end, goes on there, and finds the same log when it is done again', async () => {
    for (const lost of [1, 30, SIZE - 1]) {
      const disk = await crashed(12);
      const { path, bytes } = lastLog(disk);
      await cut(disk, path, bytes.length - lost);
      const { world, log } = await reopened(disk);
      expect(await valuesOf(log)).to.deep.equal(numbers(0, 29));
      expect(log.recovery).to.include({ clean: false, truncatedBytes: SIZE - lost });
      expect(world.warnings.join()).to.contain('was cut at byte');
      const twice = await reopened(world.disk.crash('nothing', new SimPrng(1)));
      expect(await valuesOf(twice.log)).to.deep.equal(numbers(0, 29));
      expect(twice.log.recovery.truncatedBytes).to.equal(0);
      await appended(twice.log, { text: 'next' });
      expect((await valuesOf(twice.log)).at(-1)).to.equal('next');
      await twice.world.folder.close();
    }
  });

  const damages: [string, (disk: SimDisk) => Promise<void>][] = [
    ['a flipped bit', (disk) => patch(disk, lastLog(disk).path, SIZE + 70, new Uint8Array([0xee]))],
    ['zeros', (disk) => patch(disk, lastLog(disk).path, SIZE, new Uint8Array(SIZE))],
    [
      'a length beyond the file',
      (disk) => patch(disk, lastLog(disk).path, SIZE + 8, new Uint8Array([0, 0, 9, 9])),
    ],
    [
      'a length below a header',
      (disk) => patch(disk, lastLog(disk).path, SIZE + 8, new Uint8Array([0, 0, 0, 3])),
    ],
    ['an offset that goes back', (disk) => patch(disk, lastLog(disk).path, SIZE + 7, new Uint8Array([0]))],
    ['another magic', (disk) => patch(disk, lastLog(disk).path, SIZE + 16, new Uint8Array([1]))],
  ];
  for (const [what, damage] of damages) {
    it(`cuts the log at ${what} past the recovery point`, async () => {
      const disk = await crashed(12);
      const base = Number(/(\d{20})\.log$/.exec(lastLog(disk).path)![1]);
      await damage(disk);
      const { world, log } = await reopened(disk);
      expect(await valuesOf(log)).to.deep.equal(numbers(0, base + 1));
      await world.folder.close();
    });
  }

  it('drops a segment that does not follow the one before, past the recovery point', async () => {
    const disk = await crashed(5, 60);
    const logs = [...disk.contents().keys()].filter((path) => path.endsWith('.log'));
    await disk.removeFile(logs[2]!);
    const { world, log } = await reopened(disk);
    const base = Number(/(\d{20})\.log$/.exec(logs[2]!)![1]);
    expect(await valuesOf(log)).to.deep.equal(numbers(0, base));
    expect(log.recovery.removedSegments).to.equal(logs.length - 3);
    await world.folder.close();
  });

  it('reads only what is past the recovery point', async () => {
    const disk = await crashed(28);
    const { world, log } = await reopened(disk);
    // From the last index entry below the recovery point on: at most an interval, and a batch, more.
    expect(log.recovery.scannedBytes).to.be.lessThan(2 * SIZE + smallSegments.indexIntervalBytes + 2 * SIZE);
    await world.folder.close();
  });

  it('leaves damage below the recovery point for readers to meet: it was synced once', async () => {
    const disk = await crashed(30);
    await patch(disk, FIRST, 3 * SIZE + 70, new Uint8Array([0xee]));
    const { world, log } = await reopened(disk);
    expect(log.logEndOffset).to.equal(30);
    const before = await readFrom(log, 0);
    expect(before).to.include({ ok: true, nextOffset: 3 });
    expect(await readFrom(log, 3)).to.include({ ok: false, error: 'CORRUPT_MESSAGE' });
    expect(await readFrom(log, 4)).to.include({ ok: true });
    await world.folder.close();
  });

  it('passes over a damaged batch between the place it starts from and the recovery point', async () => {
    const disk = await crashed(30);
    const { path, bytes } = lastLog(disk);
    await patch(disk, path, bytes.length - 4, new Uint8Array([0xee]));
    const { world, log } = await reopened(disk);
    expect(log.recovery).to.include({ damagedBatches: 1, truncatedBytes: 0 });
    expect(log.logEndOffset).to.equal(30);
    expect(await readFrom(log, 29)).to.include({ ok: false, error: 'CORRUPT_MESSAGE' });
    await world.folder.close();
  });

  it('refuses to open a log whose end cannot be found because synced data is gone', async () => {
    const disk = await crashed(30);
    const { path, bytes } = lastLog(disk);
    await patch(disk, path, bytes.length - SIZE + 8, new Uint8Array([0x7f]));
    const world = await openFolder(disk);
    let refused: unknown;
    try {
      await openLog(world, smallSegments);
    } catch (error) {
      refused = error;
    }
    expect(refused).to.be.instanceOf(TidemarkError).and.to.include({ error: 'CORRUPT_MESSAGE' });
    expect((refused as TidemarkError).message).to.contain('restore the file');
    await world.folder.close();
  });

  it('tells when the log ends below the recovery point', async () => {
    const disk = await crashed(30);
    const { path, bytes } = lastLog(disk);
    await cut(disk, path, bytes.length - SIZE);
    const { world, log } = await reopened(disk);
    expect(log.recovery.lostOffsets).to.equal(1);
    expect(world.warnings.join()).to.contain('synced are gone');
    await world.folder.close();
  });

  const indexDamages: [string, (disk: SimDisk, path: string) => Promise<void>][] = [
    ['missing', (disk, path) => disk.removeFile(path)],
    ['of no whole number of entries', (disk, path) => cut(disk, path, 5)],
    ['not increasing', (disk, path) => patch(disk, path, 0, new Uint8Array([0x7f, 0xff, 0xff, 0xff]))],
    [
      'pointing beyond the log',
      (disk, path) => patch(disk, path, 4, new Uint8Array([0x7f, 0xff, 0xff, 0xff])),
    ],
  ];
  for (const [what, damage] of indexDamages) {
    it(`builds an index anew that is ${what}`, async () => {
      const disk = await crashed(20);
      for (const path of [...disk.contents().keys()].filter((name) => name.endsWith('.index'))) {
        if (disk.contents().get(path)!.length > 0) await damage(disk, path);
      }
      const { world, log } = await reopened(disk);
      expect(await valuesOf(log)).to.deep.equal(numbers(0, 30));
      for (let offset = 0; offset < 30; offset++) {
        expect(await readFrom(log, offset, { maxBytes: 1 })).to.include({ ok: true, nextOffset: offset + 1 });
      }
      await world.folder.close();
    });
  }

  it('checks everything when the checkpoint of recovery points cannot be read', async () => {
    const disk = await crashed(20);
    await patch(disk, 'data/recovery-point-offset-checkpoint', 0, Buffer.from('x'));
    const { world, log } = await reopened(disk);
    expect(await valuesOf(log)).to.deep.equal(numbers(0, 30));
    expect(log.recovery.scannedBytes).to.equal(30 * SIZE);
    expect(world.warnings[0]).to.contain('recovery-point-offset-checkpoint cannot be read');
    await world.folder.close();
  });

  it('syncs what it keeps before anything is appended behind it', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...smallSegments, flushPolicy: 'os' });
    for (const text of numbers(0, 5)) await appended(log, { text });
    // The process dies, the page cache stays.
    const second = await openFolder(world.disk.crash('all', new SimPrng(1)));
    const again = await openLog(second, smallSegments);
    expect(again.flushedOffset).to.equal(5);
    const third = await openFolder(second.disk.crash('nothing', new SimPrng(1)));
    expect(await valuesOf(await openLog(third, smallSegments))).to.deep.equal(numbers(0, 5));
    await third.folder.close();
  });
});

describe('a log with a hole below the recovery point', () => {
  const holed = async (config: LogConfig): Promise<SimDisk> => {
    const world = await openFolder();
    const log = await openLog(world, config);
    for (const text of numbers(0, 60)) await appended(log, { text });
    await log.flush();
    await world.folder.checkpoint();
    const disk = world.disk.crash('nothing', new SimPrng(1));
    // The segments in the middle; the one with the recovery point stays.
    const logs = [...disk.contents().keys()].filter((path) => path.endsWith('.log')).slice(2, -1);
    for (const path of logs) {
      for (const kind of ['.log', '.index', '.timeindex']) await disk.removeFile(path.replace('.log', kind));
    }
    await disk.syncDirectory(`data/${NAME}`);
    return disk;
  };

  it('is refused with what is missing and what to do, and nothing of it is changed', async () => {
    const disk = await holed(smallSegments);
    const before = [...disk.contents()].filter(([path]) => path.startsWith(`data/${NAME}/`));
    const world = await openFolder(disk);
    const refused: unknown = await openLog(world, smallSegments).catch((cause: unknown) => cause);
    expect(refused).to.be.instanceOf(TidemarkError);
    const { error, message } = refused as TidemarkError;
    expect(error).to.equal('CORRUPT_MESSAGE');
    expect(message).to.match(
      /lacks the offsets from 22 to 54.*Nothing was changed\. Restore the files, or remove the folder/,
    );
    expect([...disk.contents()].filter(([path]) => path.startsWith(`data/${NAME}/`))).to.deep.equal(before);
    expect(world.offline).to.deep.equal([]);
    await world.folder.close();
  });

  it('is opened where compaction leaves holes', async () => {
    const config = { ...smallSegments, cleanupPolicy: 'compact' } as const;
    const world = await openFolder(await holed(config));
    const log = await openLog(world, config);
    expect((await valuesOf(log)).length).to.equal(27);
    await world.folder.close();
  });
});
