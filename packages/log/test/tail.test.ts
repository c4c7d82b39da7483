import { expect } from 'chai';
import {
  append,
  appended,
  at,
  batchOf,
  concat,
  headersOf,
  openFolder,
  openLog,
  readFrom,
  smallSegments,
  type World,
} from './story.ts';

const reads = (world: World): (() => number) => {
  let steps = 0;
  world.disk.observe((step, phase) => {
    if (phase === 'before' && step.operation === 'read') steps += 1;
  });
  return () => steps;
};

describe('the tail in memory', () => {
  it('answers at once, without the disk, and the disk answers what has gone from it', async () => {
    const world = await openFolder(undefined, { tailBytes: 2000 });
    const log = await openLog(world, smallSegments);
    for (let index = 0; index < 30; index++) await appended(log, { text: String(index) });
    await log.flush();
    const steps = reads(world);
    const newest = log.read(at(28), { maxBytes: 1 << 20, upTo: at(30), atLeastOne: true });
    expect(newest).to.not.be.instanceOf(Promise);
    expect(newest).to.include({ ok: true, nextOffset: 30 });
    expect(steps()).to.equal(0);
    const oldest = log.read(at(0), { maxBytes: 1, upTo: at(30), atLeastOne: true });
    expect(oldest).to.be.instanceOf(Promise);
    expect(await oldest).to.include({ ok: true, nextOffset: 1 });
    expect(steps()).to.be.greaterThan(0);
    await world.folder.close();
  });

  it('shares one budget between the partitions of a folder, and the oldest append of all goes first', async () => {
    const size = batchOf({ text: '0' }).length;
    const world = await openFolder(undefined, { tailBytes: 4 * (size + 160) });
    const [a, b] = [await openLog(world, smallSegments, 'a-0'), await openLog(world, smallSegments, 'b-0')];
    for (let index = 0; index < 3; index++) await appended(a, { text: String(index) });
    for (let index = 0; index < 3; index++) await appended(b, { text: String(index) });
    expect(world.folder.tailBytes).to.be.at.most(4 * (size + 160));
    const isInMemory = (log: typeof a, offset: number): boolean =>
      !(log.read(at(offset), { maxBytes: 1, upTo: at(3), atLeastOne: true }) instanceof Promise);
    expect([0, 1, 2].map((offset) => isInMemory(a, offset))).to.deep.equal([false, false, true]);
    expect([0, 1, 2].map((offset) => isInMemory(b, offset))).to.deep.equal([true, true, true]);
    await world.folder.close();
    expect(world.folder.tailBytes).to.equal(0);
  });

  it('charges what it keeps alive: a large buffer whole and once, and copies a small view out of one', async () => {
    const world = await openFolder(undefined, { tailBytes: 1 << 20 });
    const log = await openLog(world);
    const batch = batchOf({ valueBytes: 20_000 });
    const message = new Uint8Array(100_000);
    for (const place of [0, 30_000]) message.set(batch, place);
    for (const place of [0, 30_000]) {
      const view = message.subarray(place, place + batch.length);
      const result = append(log, view, { handOver: true });
      if (result.ok) await result.written;
    }
    expect(world.folder.tailBytes).to.be.within(100_000, 101_000);
    const small = batchOf();
    const slab = new Uint8Array(500_000);
    slab.set(small, 1000);
    const result = append(log, slab.subarray(1000, 1000 + small.length), { handOver: true });
    if (result.ok) await result.written;
    expect(world.folder.tailBytes).to.be.within(100_000, 102_000);
    await world.folder.close();
  });

  it('may be smaller than an append, which then is read from the disk', async () => {
    const world = await openFolder(undefined, { tailBytes: 500 });
    const log = await openLog(world);
    await appended(log, { valueBytes: 1000 });
    expect(log.read(at(0), { maxBytes: 1, upTo: at(1), atLeastOne: true })).to.be.instanceOf(Promise);
    await appended(log);
    expect(await readFrom(log, 0)).to.include({ ok: true, nextOffset: 2 });
    await world.folder.close();
  });

  it('goes over several batches of one append one by one when not all are asked for', async () => {
    const world = await openFolder(undefined, { tailBytes: 1 << 20 });
    const log = await openLog(world);
    const batches = Array.from({ length: 5 }, () => batchOf({ records: 2 }));
    const size = batches[0]!.length;
    const result = append(log, concat(batches));
    if (result.ok) await result.written;
    const middle = await readFrom(log, 5, { maxBytes: 2 * size });
    if (!middle.ok) throw new Error(middle.message);
    expect(middle.nextOffset).to.equal(8);
    expect(headersOf(concat(middle.parts)).map(({ baseOffset }) => baseOffset)).to.deep.equal([4, 6]);
    expect(await readFrom(log, 5, { upTo: 7 })).to.include({ nextOffset: 6, sizeBytes: size });
    await world.folder.close();
  });
});
