// Named interleavings of what a log does with what is asked of it meanwhile, each of which once went wrong.

import { expect } from 'chai';
import { topicIdFromBytes } from '@tidemark/core';
import type { PartitionLog } from '@tidemark/log';
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
  TOPIC_ID,
  valuesOf,
  type World,
} from './story.ts';

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

/** So many turns of the microtask queue: finer than the steps of the disk. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
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

describe('a full disk while retention looks', () => {
  it('leaves nothing of a write that failed, though the segment is rolled before it is cut', async () => {
    const world = await openFolder();
    const config = { ...smallSegments, retentionMs: 1_000 };
    const log = await openLog(world, config);
    await appended(log, { text: 'old' });
    await log.flush();
    // The group fills this segment and two more; the write to the one behind them finds no room.
    world.disk.inject({ error: 'ENOSPC', operation: 'write', skip: 3 });
    const lost = numbers(0, 50).map((text) => append(log, batchOf({ text: `lost ${text}` })));
    let retained: Promise<number> | undefined;
    let isKept = false;
    const failures: { readonly disk: SimDisk; readonly values: readonly string[] }[] = [];
    world.disk.observe(({ operation }, phase) => {
      if (phase !== 'before') return;
      if (operation === 'remove') retained ??= log.runRetention(1_000_000, at(1));
      if (retained !== undefined) isKept ||= append(log, batchOf({ text: 'kept' })).ok;
      const values = ['old', 'kept'].slice(log.logStartOffset, log.flushedOffset);
      failures.push({ disk: world.disk.fork('all', new SimPrng(3)), values });
    });
    await Promise.allSettled(lost.map(async (result) => (result.ok ? result.written : undefined)));
    await retained;
    await log.flush();
    expect(log.flushedOffset).to.equal(2);
    for (const [number, { disk, values }] of failures.entries()) {
      const again = await openFolder(disk);
      const found = await valuesOf(await openLog(again, config));
      expect(found, `the power fails before step ${number}`).to.include.members(values);
      await again.folder.close();
    }
    await world.folder.close();
  });

  it('keeps the segment that a write on its way may be taken back to', async () => {
    for (let wait = 0; wait < 40; wait++) {
      let fulls = 0;
      let isAppended = false;
      const onDiskFull = (): void => {
        fulls += 1;
        let left = wait;
        const later = (): void => {
          if (left-- > 0) queueMicrotask(later);
          else isAppended ||= append(log, batchOf({ text: 'probe', valueBytes: 800 })).ok;
        };
        if (fulls === 1) later();
      };
      const world = await openFolder(undefined, { onDiskFull });
      const log = await openLog(world, { ...smallSegments, retentionMs: 1_000 });
      for (const text of numbers(0, 30)) await appended(log, { text });
      await log.flush();
      // Neither the empty segment that retention rolls to nor that of the probe can be made.
      const path = (name: string): boolean => name.endsWith('.log');
      world.disk.inject({ error: 'ENOSPC', operation: 'open', path, times: 2 });
      await log.runRetention(1_000_000, at(30));
      await turns(wait);
      await log.quiet();
      world.disk.clearFaults();
      await appended(log, { text: 'kept' });
      await log.flush();
      expect(await valuesOf(log), `appended after ${wait} turns`).to.include('kept');
      expect(world.offline).to.deep.equal([]);
      await world.folder.close();
    }
  });
});

describe('retention', () => {
  it('goes on in a log that something is always being written to', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...smallSegments, retentionBytes: 2_000 });
    for (const text of numbers(0, 60)) await appended(log, { text });
    await log.flush();
    let last = append(log, batchOf({ text: 'more' }));
    const stop = world.disk.observe((_, phase) => {
      if (phase === 'before' && log.nextOffset < 200) last = append(log, batchOf({ text: 'more' }));
    });
    expect(await log.runRetention(0, at(60))).to.be.greaterThan(0);
    stop();
    if (last.ok) await last.written;
    await world.folder.close();
  });
});

describe('a reader', () => {
  it('leaves no file open under its name for the log that has it next, at any turn of a deletion', async () => {
    for (let turn = 0; turn < 60; turn++) {
      const world = await openFolder();
      const log = await openLog(world, smallSegments);
      for (const text of numbers(0, 60)) await appended(log, { text });
      await log.flush();
      await readFrom(log, 0);
      const deleting = world.folder.deletePartition(NAME);
      await turns(turn);
      const reading = readFrom(log, 0);
      await deleting;
      const topicId = topicIdFromBytes(new Uint8Array(16).fill(9));
      const next = await world.folder.openPartition(NAME, topicId, smallSegments);
      for (const text of numbers(100, 110)) await appended(next, { text });
      await next.flush();
      await reading;
      const again = await openFolder(world.disk.crash('nothing', new SimPrng(3)));
      const opened = await again.folder.openPartition(NAME, topicId, smallSegments);
      expect(await valuesOf(opened), `read after ${turn} turns`).to.deep.equal(numbers(100, 110));
      await again.folder.close();
    }
  });

  it('waits for the cut that is under way, and never calls the log damaged', async () => {
    for (const to of [5, 500]) {
      for (let step = 0, steps = 1; step < steps; step++) {
        const world = await openFolder();
        const log = await openLog(world, smallSegments);
        for (const text of numbers(0, 60)) await appended(log, { text });
        const reads: ReturnType<typeof readFrom>[] = [];
        const looks: Promise<unknown>[] = [];
        steps = await during(
          world,
          step,
          () => (to < 60 ? log.truncateTo(at(to)) : log.truncateFullyAndStartAt(at(to))),
          () => {
            for (const offset of [0, 3, 15, 59]) reads.push(readFrom(log, offset));
            looks.push(log.offsetForTimestamp(1_000, at(60)), log.maxTimestamp());
          },
        );
        await Promise.all(looks);
        for (const read of await Promise.all(reads)) {
          if (!read.ok)
            expect(read.error, `before step ${step}: ${read.message}`).to.equal('OFFSET_OUT_OF_RANGE');
        }
        await world.folder.close();
      }
    }
  });
});

describe('a reader that builds an index anew', () => {
  const config = { ...smallSegments, retentionMs: 1_000 };

  /** Five rolled segments without the files of their indexes. */
  async function withoutIndexes(): Promise<{ world: World; log: PartitionLog }> {
    const { disk, folder } = await openFolder();
    const log = await folder.openPartition(NAME, TOPIC_ID, config);
    for (const text of numbers(0, 60)) await appended(log, { text });
    await folder.close();
    for (const path of disk.contents().keys()) if (path.endsWith('index')) await disk.removeFile(path);
    const world = await openFolder(disk);
    return { world, log: await openLog(world, config) };
  }

  /** `act` goes before it reads the segment, or before it writes what it has built. */
  function intercept(disk: SimDisk, where: 'read' | 'write', act: () => Promise<void>): void {
    const open = disk.open.bind(disk);
    disk.open = async (path, mode) => {
      if (where === 'write' && path.endsWith('11.index') && mode === 'create') await act();
      const file = await open(path, mode);
      if (where === 'read' && path.endsWith('11.log')) {
        const read = file.read.bind(file);
        file.read = async (...from) => {
          await act();
          return read(...from);
        };
      }
      return file;
    };
  }

  const removals: [string, (log: PartitionLog) => Promise<unknown>][] = [
    ['was cut off', (log) => log.truncateTo(at(5))],
    ['gave way to a new beginning', (log) => log.truncateFullyAndStartAt(at(500))],
    ['aged out', (log) => log.runRetention(1_000_000, at(60))],
  ];
  for (const [what, remove] of removals) {
    for (const where of ['read', 'write'] as const) {
      it(`writes none for a segment that ${what} before the ${where}`, async () => {
        for (let wait = 0; wait < 600; wait += 11) {
          const { world, log } = await withoutIndexes();
          let removing: Promise<unknown> | undefined;
          intercept(world.disk, where, async () => {
            removing ??= remove(log);
            await turns(wait);
          });
          await readFrom(log, 15);
          expect(removing).to.not.equal(undefined);
          await removing;
          const bases = (ending: string): string[] =>
            [...world.disk.contents().keys()]
              .filter((path) => path.endsWith(ending))
              .map((path) => path.slice(0, -ending.length));
          expect(bases('.log'), `${wait} turns`).to.include.members(bases('.index'));
          expect(bases('.log'), `${wait} turns`).to.include.members(bases('.timeindex'));
          await world.folder.close();
        }
      });
    }
  }
});

describe('flush.ms', () => {
  it('holds for what is written while something else is synced', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...smallSegments, flushPolicy: 'os', flushMs: 1_000 });
    // Several segments, which takes a while to sync, and is begun because they were rolled.
    const results = numbers(0, 40).map((text) => append(log, batchOf({ text })));
    const last = results.at(-1)!;
    if (last.ok) await last.written;
    await appended(log, { text: 'later' });
    expect(log.flushedOffset, 'the sync is still under way').to.equal(0);
    await turns(50);
    expect([log.flushedOffset, log.logEndOffset]).to.deep.equal([40, 41]);
    await world.clock.advance(1_000);
    await turns(50);
    expect(log.flushedOffset).to.equal(41);
    await world.folder.close();
  });
});
