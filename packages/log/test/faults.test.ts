import { expect } from 'chai';
import { TidemarkError, type DiskErrorCode } from '@tidemark/core';
import type { PartitionLog } from '@tidemark/log';
import { SimDisk, SimPrng, type DiskOperation } from '@tidemark/simulation';
import {
  append,
  appended,
  batchOf,
  epoch,
  openFolder,
  openLog,
  readFrom,
  smallSegments,
  valuesOf,
  type World,
} from './story.ts';

async function rejection(work: Promise<unknown>): Promise<TidemarkError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof TidemarkError) return error;
    throw error;
  }
  throw new Error('it was expected to reject');
}

const count = (disk: SimDisk, operation: DiskOperation): (() => number) => {
  let steps = 0;
  disk.observe((step, phase) => {
    if (phase === 'before' && step.operation === operation) steps += 1;
  });
  return () => steps;
};

async function written(world: World, texts: readonly string[]): Promise<Awaited<ReturnType<typeof openLog>>> {
  const log = await openLog(world, smallSegments);
  for (const text of texts) await appended(log, { text });
  await log.flush();
  return log;
}

describe('short writes', () => {
  it('are continued until everything is written', async () => {
    const disk = new SimDisk({ shortWriteOneIn: 2 });
    const world = await openFolder(disk);
    const log = await openLog(world, smallSegments);
    const texts = Array.from({ length: 60 }, (_, index) => `record ${index}`);
    await Promise.all(texts.map((text) => appended(log, { text })));
    for (const text of texts) await appended(log, { text });
    expect(await valuesOf(log)).to.deep.equal([...texts, ...texts]);
    await world.folder.close();
  });
});

describe('a full disk', () => {
  it('refuses appends with what to do, goes on reading, and takes appends again once there is room', async () => {
    const world = await openFolder();
    const log = await written(world, ['a', 'b']);
    world.disk.capacityBytes = world.disk.usedBytes;
    const big = append(log, batchOf({ text: 'big', valueBytes: 9000 }));
    expect(big.ok, 'larger than a segment').to.equal(false);

    const config = { ...smallSegments, segmentBytes: 100_000 };
    log.updateConfig(config);
    const lost = append(
      log,
      batchOf({ text: 'lost', valueBytes: 9000, producerId: 5, producerEpoch: 0, baseSequence: 0 }),
    );
    if (!lost.ok) throw new Error(lost.message);
    const queued = append(log, batchOf({ text: 'queued' }));
    if (!queued.ok) throw new Error(queued.message);
    const flushing = rejection(log.flush());
    const error = await rejection(lost.written);
    expect(error.error).to.equal('KAFKA_STORAGE_ERROR');
    expect(error.message).to.contain('disk is full').and.to.contain('retention.ms');
    expect((await rejection(queued.written)).error, 'what was queued behind it').to.equal(
      'KAFKA_STORAGE_ERROR',
    );
    expect((await flushing).error).to.equal('KAFKA_STORAGE_ERROR');
    expect(log.nextOffset).to.equal(2);
    expect(log.pendingBytes).to.equal(0);
    expect(world.folder.pendingBytes).to.equal(0);
    expect(await valuesOf(log)).to.deep.equal(['a', 'b']);
    expect(world.offline).to.deep.equal([]);

    // One append at a time goes through as a probe, the others are refused at once.
    const probe = append(log, batchOf({ text: 'probe', valueBytes: 9000 }));
    if (!probe.ok) throw new Error(probe.message);
    expect(append(log, batchOf({ text: 'more' }))).to.include({ ok: false, error: 'KAFKA_STORAGE_ERROR' });
    await rejection(probe.written);

    world.disk.capacityBytes = Infinity;
    const retry = append(
      log,
      batchOf({ text: 'lost', valueBytes: 9000, producerId: 5, producerEpoch: 0, baseSequence: 0 }),
    );
    expect(retry, 'the failed one is not taken for the original').to.include({
      ok: true,
      duplicate: false,
      baseOffset: 2,
    });
    await log.flush();
    await appended(log, { text: 'c' });
    expect(await valuesOf(log)).to.deep.equal(['a', 'b', 'lost', 'c']);
    await world.folder.close();

    const again = await openFolder(world.disk);
    expect(await valuesOf(await openLog(again, config))).to.deep.equal(['a', 'b', 'lost', 'c']);
    await again.folder.close();
  });

  it('that shows in the middle of a write around a roll leaves nothing of it', async () => {
    const world = await openFolder();
    const log = await written(world, ['a', 'b']);
    const before = [...world.disk.contents().keys()].filter((path) => path.endsWith('.log'));
    // The first write of the group fills the first segment, the next one begins another.
    world.disk.inject({ error: 'ENOSPC', operation: 'write', skip: 2 });
    const many = Array.from({ length: 30 }, (_, index) => append(log, batchOf({ text: `lost ${index}` })));
    for (const result of many) if (result.ok) await rejection(result.written);
    const after = [...world.disk.contents().keys()].filter((path) => path.endsWith('.log'));
    expect(after).to.deep.equal(before);
    expect(await valuesOf(log)).to.deep.equal(['a', 'b']);
    world.disk.clearFaults();
    for (let index = 0; index < 30; index++) await appended(log, { text: `kept ${index}` });
    expect(await valuesOf(log)).to.have.length(32);
    await world.folder.close();
    expect(world.offline).to.deep.equal([]);
  });

  it('leaves the leader in its epoch, which goes on from where the log ends', async () => {
    const world = await openFolder();
    const log = await written(world, ['a', 'b']);
    log.assignLeaderEpoch(epoch(4));
    world.disk.inject({ error: 'ENOSPC', operation: 'write' });
    const lost = append(log, batchOf(), { leaderEpoch: epoch(4) });
    if (!lost.ok) throw new Error(lost.message);
    await rejection(lost.written);
    expect(log.endOffsetForEpoch(epoch(4))).to.deep.equal({ epoch: 4, endOffset: 2 });
    expect(log.endOffsetForEpoch(epoch(1))).to.deep.equal({ epoch: 1, endOffset: 2 });
    await appended(log, { leaderEpoch: 4 });
    expect(log.endOffsetForEpoch(epoch(1))).to.deep.equal({ epoch: 1, endOffset: 2 });
    await world.folder.close();
  });

  it('is told to the owner each time, who can ask whether there is room again', async () => {
    let told = 0;
    const world = await openFolder(new SimDisk(), { onDiskFull: () => (told += 1) });
    const log = await written(world, ['a']);
    log.updateConfig({ ...smallSegments, segmentBytes: 100_000 });
    const names = [...world.disk.contents().keys()];
    world.disk.capacityBytes = world.disk.usedBytes;
    for (let more = 0; more < 2; more++) {
      const result = append(log, batchOf({ text: 'x', valueBytes: 9000 }));
      if (result.ok) await rejection(result.written);
    }
    expect(told).to.equal(2);
    expect(await world.folder.hasRoom()).to.equal(false);
    world.disk.capacityBytes = Infinity;
    expect(await world.folder.hasRoom()).to.equal(true);
    expect([...world.disk.contents().keys()], 'it leaves nothing behind').to.deep.equal(names);
    await world.folder.close();
    expect(await world.folder.hasRoom()).to.equal(false);
    expect(world.offline).to.deep.equal([]);
  });

  it('does not keep retention from freeing space', async () => {
    const world = await openFolder();
    const texts = Array.from({ length: 40 }, (_, index) => String(index));
    const log = await written(world, texts);
    await log.checkpoint();
    world.disk.capacityBytes = world.disk.usedBytes;
    log.updateConfig({ ...smallSegments, retentionBytes: 1500 });
    expect(await log.runRetention(0, log.logEndOffset)).to.be.greaterThan(0);
    const held = world.disk.usedBytes;
    await world.clock.advance(smallSegments.fileDeleteDelayMs);
    await Promise.resolve();
    await log.read(log.logStartOffset, { maxBytes: 1, upTo: log.logEndOffset, atLeastOne: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.disk.usedBytes).to.be.lessThan(held);
    const result = append(log, batchOf({ text: 'fits again' }));
    expect(result.ok).to.equal(true);
    if (result.ok) await result.written;
    world.disk.capacityBytes = Infinity;
    await world.folder.close();
  });
});

describe('a failing disk', () => {
  const failures: { what: string; operation: DiskOperation; error: DiskErrorCode }[] = [
    { what: 'a failed write', operation: 'write', error: 'EIO' },
    { what: 'a failed sync', operation: 'sync', error: 'EIO' },
    { what: 'a sync that finds the disk full', operation: 'sync', error: 'ENOSPC' },
  ];
  for (const { what, operation, error } of failures) {
    it(`takes the whole folder offline after ${what}: told once, nothing written or synced any more`, async () => {
      const world = await openFolder();
      const log = await written(world, ['a']);
      const other = await openLog(world, smallSegments, 'other-0');
      world.disk.inject({ error, operation });
      const result = append(log, batchOf({ text: 'b' }));
      if (!result.ok) throw new Error(result.message);
      const flushed = rejection(log.flush());
      if (operation === 'write')
        expect((await rejection(result.written)).error).to.equal('KAFKA_STORAGE_ERROR');
      expect((await flushed).error).to.equal('KAFKA_STORAGE_ERROR');
      expect(world.offline).to.have.length(1);
      expect(log.acknowledgeableEndOffset).to.equal(1);

      world.disk.clearFaults();
      const [writes, syncs] = [count(world.disk, 'write'), count(world.disk, 'sync')];
      for (const each of [log, other]) {
        expect(append(each, batchOf())).to.include({ ok: false, error: 'KAFKA_STORAGE_ERROR' });
        const read = await each.read(each.logStartOffset, {
          maxBytes: 9,
          upTo: each.logEndOffset,
          atLeastOne: true,
        });
        expect(read).to.include({ ok: false, error: 'KAFKA_STORAGE_ERROR' });
        await rejection(each.flush());
        await rejection(each.truncateTo(each.logStartOffset));
      }
      await rejection(world.folder.openPartition('third-0', log.topicId, smallSegments));
      await world.folder.checkpoint();
      await world.folder.runRetention(0);
      await world.folder.close();
      expect([writes(), syncs()], 'writes and syncs after the failure').to.deep.equal([0, 0]);
      expect(world.offline).to.have.length(1);

      const again = await openFolder(world.disk);
      expect(again.folder.cleanShutdown, 'no marker of a clean stop').to.equal(undefined);
      expect((await valuesOf(await openLog(again, smallSegments)))[0]).to.equal('a');
      await again.folder.close();
    });
  }
});

describe('a disk that fails while a log is opened', () => {
  for (const operation of ['read', 'sync'] as const) {
    it(`takes the folder offline after a failed ${operation}: nobody leads a partition that cannot be opened`, async () => {
      const before = await openFolder();
      await written(before, ['a', 'b']);
      const disk = before.disk.crash('all', new SimPrng(1));
      const world = await openFolder(disk);
      disk.inject({ operation, error: 'EIO' });
      expect((await rejection(openLog(world, smallSegments))).error).to.equal('KAFKA_STORAGE_ERROR');
      expect(world.offline).to.have.length(1);
      await world.folder.close();
    });
  }
});

describe('a truncation that the disk breaks off', () => {
  it('takes the folder offline, for memory and disk are apart then', async () => {
    for (const operation of ['truncate', 'remove', 'syncDirectory'] as const) {
      const world = await openFolder();
      const log = await written(
        world,
        Array.from({ length: 30 }, (_, index) => String(index)),
      );
      world.disk.inject({ operation, error: 'EIO' });
      expect((await rejection(log.truncateTo(5 as typeof log.logEndOffset))).error).to.equal(
        'KAFKA_STORAGE_ERROR',
      );
      expect(world.offline, operation).to.have.length(1);
      await world.folder.close();
      world.disk.clearFaults();
      const again = await openFolder(world.disk);
      const values = await valuesOf(await openLog(again, smallSegments));
      expect(values).to.deep.equal(Array.from({ length: values.length }, (_, index) => String(index)));
      expect(values.length).to.be.within(5, 30);
      await again.folder.close();
    }
  });
});

describe('a checkpoint that cannot be synced', () => {
  const works: { what: string; file: string; work: (world: World) => Promise<unknown> }[] = [
    {
      what: 'the start of a log',
      file: 'log-start-offset-checkpoint',
      work: async (world) => (await openLog(world, smallSegments)).deleteRecordsBefore(5 as never),
    },
    {
      what: 'the recovery point before a cut',
      file: 'recovery-point-offset-checkpoint',
      work: async (world) => (await openLog(world, smallSegments)).truncateTo(5 as never),
    },
  ];
  for (const { what, file, work } of works) {
    it(`takes the folder offline and is not tried again: ${what}`, async () => {
      const world = await openFolder();
      const log = await written(
        world,
        Array.from({ length: 30 }, (_, index) => String(index)),
      );
      await log.flush();
      await world.folder.checkpoint();
      world.disk.inject({ operation: 'sync', error: 'EIO', path: (path) => path.includes(file) });
      expect((await rejection(work(world))).error).to.equal('KAFKA_STORAGE_ERROR');
      expect(world.offline).to.have.length(1);
      world.disk.clearFaults();
      const syncs = count(world.disk, 'sync');
      await rejection(work(world));
      await world.folder.close();
      expect(syncs()).to.equal(0);
      const again = await openFolder(world.disk);
      const kept = await valuesOf(await openLog(again, smallSegments));
      expect(kept.at(-1)).to.equal('29');
      await again.folder.close();
    });
  }
});

describe('an index that a reader has built anew', () => {
  /** Rolled segments without the files of their indexes, opened. */
  async function withoutIndexes(): Promise<{ world: World; log: PartitionLog }> {
    const before = await openFolder();
    const values = Array.from({ length: 30 }, (_, index) => String(index));
    await written(before, values);
    await before.folder.close();
    const { disk } = before;
    for (const path of disk.contents().keys()) if (path.endsWith('index')) await disk.removeFile(path);
    const world = await openFolder(disk);
    return { world, log: await openLog(world, smallSegments) };
  }

  for (const operation of ['write', 'sync'] as const) {
    it(`and that cannot be written for a failed ${operation} takes the folder offline`, async () => {
      const { world, log } = await withoutIndexes();
      world.disk.inject({ operation, error: 'EIO', path: (path) => path.endsWith('.index') });
      await readFrom(log, 3);
      expect(world.offline).to.have.length(1);
      world.disk.clearFaults();
      const writes = count(world.disk, 'write');
      await readFrom(log, 15);
      await world.folder.close();
      expect(writes()).to.equal(0);
    });
  }

  it('stays in memory while the disk is full', async () => {
    const { world, log } = await withoutIndexes();
    world.disk.inject({ operation: 'write', error: 'ENOSPC', path: (path) => path.endsWith('.index') });
    expect(await readFrom(log, 3)).to.include({ ok: true });
    expect(world.warnings.join()).to.contain('could not be written');
    expect(world.offline).to.have.length(0);
    await world.folder.close();
  });
});

describe('what waits to be written', () => {
  it('is bounded by partition and by folder, and the refusal names the limit', async () => {
    const size = batchOf().length;
    const limits = { maxPartitionPendingBytes: 3 * size, maxFolderPendingBytes: 4 * size };
    const world = await openFolder(undefined, limits);
    const log = await openLog(world);
    const other = await openLog(world, smallSegments, 'other-0');
    for (let index = 0; index < 3; index++) expect(append(log, batchOf()).ok).to.equal(true);
    const refused = append(log, batchOf());
    expect(refused).to.include({ ok: false, error: 'THROTTLING_QUOTA_EXCEEDED' });
    if (!refused.ok) expect(refused.message).to.contain(`the limit is ${3 * size}`);
    expect(append(other, batchOf()).ok).to.equal(true);
    const full = append(other, batchOf());
    if (full.ok) throw new Error('it was expected to be refused');
    expect(full.message).to.contain(`log folder already and the limit is ${4 * size}`);
    expect(append(other, batchOf(), { isUrgent: true }).ok).to.equal(true);
    await log.flush();
    await other.flush();
    expect(append(log, batchOf()).ok).to.equal(true);
    await world.folder.close();
    expect(world.folder.pendingBytes).to.equal(0);
  });

  it('goes out gathered: what arrives during a write is one write, and one sync covers it', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    const [writes, syncs] = [count(world.disk, 'write'), count(world.disk, 'sync')];
    const ends: number[] = [];
    log.onAcknowledgeable((end) => ends.push(end));
    const results = Array.from({ length: 100 }, () => append(log, batchOf()));
    await log.flush();
    expect(results.every(({ ok }) => ok)).to.equal(true);
    expect(writes()).to.equal(1);
    expect(syncs()).to.equal(1);
    expect(ends).to.deep.equal([100]);
    await world.folder.close();
  });
});
