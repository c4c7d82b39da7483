import { expect } from 'chai';
import { batchHasDeleteHorizon } from '@tidemark/record';
import { SimPrng, type SimDisk } from '@tidemark/simulation';
import {
  cleanAll,
  keyedBatch,
  openCompacted,
  put,
  recordsOf,
  rollOver,
  type Found,
} from './compaction-story.ts';
import { append, at, epoch, headersOf, NAME, readAll, readFrom } from './story.ts';

const brief = (found: readonly Found[]): (readonly [number, string | null, string | null])[] =>
  found
    .filter(({ key }) => key?.startsWith('filler') !== true)
    .map(({ offset, key, value }) => [offset, key, value]);
const files = (disk: SimDisk, ending: string): string[] =>
  [...disk.contents().keys()].filter((path) => path.startsWith(`data/${NAME}/`) && path.endsWith(ending));

describe('compaction', () => {
  it('keeps the last value of each key at its offset', async () => {
    const world = await openCompacted();
    const { log } = world;
    await put(log, [
      ['a', '1'],
      ['b', '1'],
      ['c', '1'],
    ]);
    await put(log, [['a', '2']]);
    await put(log, [
      ['b', '2'],
      ['d', '1'],
    ]);
    await rollOver(log);
    const end = log.logEndOffset;
    const [report] = await cleanAll(world);
    expect(report).to.include({ type: 'cleaned', isComplete: true });
    expect(brief(await recordsOf(log))).to.deep.equal([
      [2, 'c', '1'],
      [3, 'a', '2'],
      [4, 'b', '2'],
      [5, 'd', '1'],
    ]);
    expect([log.logStartOffset, log.logEndOffset]).to.deep.equal([0, end]);
    const [first] = await readAll(log);
    expect(first).to.include({ baseOffset: 0, lastOffsetDelta: 2, recordCount: 1, partitionLeaderEpoch: 1 });
    await world.folder.close();
    const again = await openCompacted(world.disk);
    expect(again.log.logEndOffset).to.equal(end);
    expect(brief(await recordsOf(again.log))).to.have.length(4);
    expect(await cleanAll(again), 'nothing is dirty after a restart').to.deep.equal([]);
    await again.folder.close();
  });

  it('takes out records that an earlier cleaning kept, once they are replaced', async () => {
    const world = await openCompacted();
    const { log } = world;
    for (let round = 0; round < 5; round++) {
      await put(log, [
        ['a', String(round)],
        ['b', String(round)],
      ]);
      await rollOver(log);
      await cleanAll(world);
      expect(brief(await recordsOf(log)).map(([, key, value]) => `${key}${value}`)).to.deep.equal([
        `a${round}`,
        `b${round}`,
      ]);
    }
    await world.folder.close();
  });

  it('answers the next batch for an offset in a gap, across segments and after a restart', async () => {
    const world = await openCompacted(undefined, { segmentBytes: 200 });
    const { log } = world;
    for (let value = 0; value < 12; value++) await put(log, [['a', String(value).padEnd(30, '.')]]);
    await put(log, [['z', 'end'.padEnd(30, '.')]]);
    const before = log.segmentCount;
    await cleanAll(world);
    expect(log.segmentCount).to.be.at.most(before);
    const kept = (await recordsOf(log)).map(({ offset }) => offset);
    expect(kept[0]).to.be.greaterThan(5);
    for (let offset = 0; offset < log.logEndOffset; offset++) {
      const result = await readFrom(log, offset, { maxBytes: 1 });
      expect(result.ok && headersOf(result.parts[0]!)[0]!.lastOffset, String(offset)).to.equal(
        kept.find((each) => each >= offset),
      );
    }
    expect(await readFrom(log, 2, { upTo: 5 }), 'nothing below the limit').to.include({
      sizeBytes: 0,
      nextOffset: 2,
    });
    await world.folder.close();
  });

  it('keeps a tombstone for delete.retention.ms after its first cleaning, then drops it', async () => {
    const world = await openCompacted();
    const { log } = world;
    await put(
      log,
      [
        ['a', '1'],
        ['b', '1'],
      ],
      { timestampMs: 5_000 },
    );
    await put(
      log,
      [
        ['a', null],
        ['c', '1'],
      ],
      { timestampMs: 6_000 },
    );
    await rollOver(log);
    await cleanAll(world, 10_000);
    expect(brief(await recordsOf(log))).to.deep.equal([
      [1, 'b', '1'],
      [2, 'a', null],
      [3, 'c', '1'],
    ]);
    const found = (await recordsOf(log)).filter(({ offset }) => offset < 4);
    expect(
      found.map(({ timestampMs }) => timestampMs),
      'times stay',
    ).to.deep.equal([5_000, 6_000, 6_000]);
    const horizons = (await readAll(log)).filter(batchHasDeleteHorizon);
    expect(horizons.map(({ baseTimestamp, maxTimestamp }) => [baseTimestamp, maxTimestamp])).to.deep.equal([
      [11_000, 6_000],
    ]);
    await rollOver(log);
    await cleanAll(world, 10_999);
    expect(brief(await recordsOf(log))).to.have.length(3);
    await rollOver(log);
    await cleanAll(world, 11_000);
    expect(brief(await recordsOf(log))).to.deep.equal([
      [1, 'b', '1'],
      [3, 'c', '1'],
    ]);
    await world.folder.close();
  });

  it('drops no tombstone that a full map did not reach, whatever its horizon', async () => {
    const world = await openCompacted(
      undefined,
      { segmentBytes: 4_000 },
      {
        cleaner: { dedupeBufferBytes: 100, ioBytesPerSecond: Infinity, maxInflatedBytes: 1 << 20 },
      },
    );
    const { log } = world;
    await put(log, [['gone', '1']]);
    for (let key = 0; key < 20; key++) await put(log, [[`key-${key}`, 'x']]);
    await put(log, [['gone', null]]);
    await rollOver(log);
    await world.folder.checkpoint();
    for (let nowMs = 10_000; ; nowMs += 5_000) {
      const report = await world.folder.cleanNext(nowMs);
      const values = (await recordsOf(log)).filter(({ key }) => key === 'gone').map(({ value }) => value);
      expect([['1', null], [null], []], `at ${nowMs}`).to.deep.include(values);
      if (report === undefined) break;
    }
    await world.folder.close();
  });

  it('leaves the active segment, what the high watermark has not passed, and what is too young', async () => {
    const world = await openCompacted(undefined, { minCompactionLagMs: 500 });
    const { log } = world;
    await put(log, [['a', '1']], { timestampMs: 1_000 });
    await put(log, [['a', '2']], { timestampMs: 1_000 });
    expect(await cleanAll(world), 'active').to.deep.equal([]);
    await rollOver(log);
    await world.folder.checkpoint();
    expect(await world.folder.cleanNext(9_000, () => at(1)), 'high watermark').to.equal(undefined);
    expect(await world.folder.cleanNext(1_499), 'too young').to.equal(undefined);
    expect(await world.folder.cleanNext(1_500)).to.include({ type: 'cleaned' });
    expect(brief(await recordsOf(log))).to.deep.equal([[1, 'a', '2']]);
    await world.folder.close();
  });

  it('waits for min.cleanable.dirty.ratio, but not longer than max.compaction.lag.ms', async () => {
    const world = await openCompacted(undefined, { minCleanableDirtyRatio: 0.6, maxCompactionLagMs: 5_000 });
    const { log } = world;
    await put(log, [['a', '1']]);
    await rollOver(log);
    expect(await cleanAll(world, 1_100)).to.have.length(1);
    await put(log, [['a', '2']]);
    await rollOver(log);
    expect(await cleanAll(world, 1_100), 'half of it is dirty').to.deep.equal([]);
    expect(await cleanAll(world, 7_000)).to.have.length(1);
    await world.folder.close();
  });

  it('keeps the last batch of a producer, empty, so that retries are still known after its snapshots are lost', async () => {
    const world = await openCompacted();
    const { log } = world;
    await put(log, [['a', '1']], { producerId: 7, baseSequence: 0 });
    await put(log, [['a', '2']], { producerId: 7, baseSequence: 1 });
    await put(log, [['a', '3']]);
    await rollOver(log);
    await cleanAll(world);
    const empty = (await readAll(log)).filter(({ recordCount }) => recordCount === 0);
    expect(empty).to.have.length(1);
    expect(empty[0]).to.include({
      baseOffset: 1,
      lastOffset: 1,
      producerId: 7,
      baseSequence: 1,
      maxTimestamp: 1_000,
    });
    await world.folder.close();
    for (const path of files(world.disk, '.snapshot')) await world.disk.removeFile(path);
    const again = await openCompacted(world.disk);
    const retry = append(again.log, keyedBatch([['a', '2']], { producerId: 7, baseSequence: 1 }));
    expect(retry).to.include({ ok: true, duplicate: true, baseOffset: 1 });
    await again.folder.close();
  });

  it('leaves an empty batch where the cleaned part ends, so that who follows gets to the end when nothing is behind it', async () => {
    const world = await openCompacted();
    const { log } = world;
    await put(log, [['a', '1']]);
    // Of the time before the topic was compacted.
    while (log.segmentCount === 1) await put(log, [[null, 'x'.repeat(60)]]);
    const end = log.logEndOffset - 1;
    await cleanAll(world);
    // The only batch behind is one of a leader that was replaced.
    expect(await log.truncateTo(at(end))).to.equal(end);
    const left = await readAll(log);
    expect(left.map(({ recordCount }) => recordCount)).to.deep.equal([1, 0]);
    expect(left.at(-1)!.lastOffset).to.equal(end - 1);
    await put(log, [['b', '1']]);
    await rollOver(log);
    await cleanAll(world);
    expect(brief(await recordsOf(log))).to.deep.equal([
      [0, 'a', '1'],
      [end, 'b', '1'],
    ]);
    expect((await readAll(log)).some(({ recordCount }) => recordCount === 0)).to.equal(false);
    await world.folder.close();
  });

  it('writes small segments together and removes the old files after file.delete.delay.ms', async () => {
    const world = await openCompacted(undefined, { fileDeleteDelayMs: 500 });
    const { log } = world;
    for (let value = 0; value < 60; value++) await put(log, [['a', String(value).padEnd(50)]]);
    const before = log.segmentCount;
    const reading = readFrom(log, 0);
    for (let turn = 0; turn < 3 && log.segmentCount > 3; turn++) {
      await rollOver(log);
      await cleanAll(world);
    }
    expect((await reading).ok).to.equal(true);
    expect(before).to.be.greaterThan(10);
    expect(log.segmentCount).to.be.lessThan(7);
    expect(files(world.disk, '.deleted').length).to.be.greaterThan(0);
    await world.clock.advance(500);
    await world.clock.runUntilIdle();
    await new Promise((resolve) => setImmediate(resolve));
    expect(files(world.disk, '.deleted')).to.deep.equal([]);
    expect(files(world.disk, '.cleaned').concat(files(world.disk, '.swap'))).to.deep.equal([]);
    await world.folder.close();
  });

  it('goes no further than a truncation that comes in between, and starts again below it', async () => {
    const world = await openCompacted();
    const { log } = world;
    for (let value = 0; value < 20; value++)
      await put(log, [
        ['a', String(value).padEnd(50)],
        [`k${value}`, 'x'],
      ]);
    await cleanAll(world);
    const end = await log.truncateTo(at(21));
    expect(end).to.be.at.most(21);
    await put(log, [['a', 'new']]);
    await rollOver(log);
    await cleanAll(world);
    expect((await recordsOf(log)).filter(({ key }) => key === 'a').map(({ value }) => value)).to.deep.equal([
      'new',
    ]);
    const view = await recordsOf(log);
    const again = await openCompacted(world.disk.crash('nothing', new SimPrng(1)));
    expect(await recordsOf(again.log)).to.deep.equal(view);
    await again.folder.close();
  });

  it('takes gaps in a follower’s batches and finds the same end after a crash', async () => {
    const world = await openCompacted();
    const { log } = world;
    const follow = (baseOffset: number): ReturnType<typeof append> => {
      const bytes = keyedBatch([[`k${baseOffset}`, 'x'.repeat(80)]]);
      new DataView(bytes.buffer).setBigInt64(0, BigInt(baseOffset));
      new DataView(bytes.buffer).setInt32(12, 3);
      return append(log, bytes, { origin: 'follower', leaderEpoch: epoch(3) });
    };
    const offsets = [5, 6, 40, 1_000, 1_001, 5_000_000_000, 5_000_000_007];
    for (const offset of offsets)
      expect(follow(offset), String(offset)).to.include({ ok: true, baseOffset: offset });
    expect(follow(1_001)).to.include({ ok: false, error: 'OFFSET_OUT_OF_RANGE' });
    await log.flush();
    expect((await recordsOf(log)).map(({ offset }) => offset)).to.deep.equal(offsets);
    expect(log.epochAt(at(40))).to.equal(3);
    const again = await openCompacted(world.disk.crash('nothing', new SimPrng(1)));
    expect(again.log.logEndOffset).to.equal(5_000_000_008);
    expect((await recordsOf(again.log)).map(({ offset }) => offset)).to.deep.equal(offsets);
    expect(await again.log.truncateTo(at(700))).to.equal(41);
    expect((await recordsOf(again.log)).map(({ offset }) => offset)).to.deep.equal([5, 6, 40]);
    await again.folder.close();
  });

  it('reports a log that is damaged, leaves it alone, and goes on with others', async () => {
    const world = await openCompacted();
    const { log } = world;
    await put(log, [['a', '1']]);
    await rollOver(log);
    await world.folder.checkpoint();
    const file = await world.disk.open(`data/${NAME}/00000000000000000000.log`, 'write');
    await file.write([Uint8Array.of(1)], 70);
    await file.close();
    expect(await world.folder.cleanNext(10_000)).to.include({ type: 'uncleanable', name: NAME });
    expect(world.folder.uncleanable.get(NAME)).to.include({ error: 'CORRUPT_MESSAGE' });
    expect(await world.folder.cleanNext(10_000)).to.equal(undefined);
    expect(world.offline).to.deep.equal([]);
    await world.folder.close();
  });

  it('lets compact,delete age out as well, and compact alone not', async () => {
    for (const cleanupPolicy of ['compact', 'compact,delete'] as const) {
      const world = await openCompacted(undefined, { cleanupPolicy, retentionMs: 100, retentionBytes: -1 });
      const { log } = world;
      await put(log, [['a', '1']]);
      await put(log, [['a', '2']]);
      await rollOver(log);
      await cleanAll(world, 1_050);
      const removed = await log.runRetention(5_000, log.logEndOffset);
      expect(removed > 0, cleanupPolicy).to.equal(cleanupPolicy === 'compact,delete');
      await world.folder.close();
    }
  });

  it('keeps to log.cleaner.io.max.bytes.per.second', async () => {
    const world = await openCompacted(
      undefined,
      {},
      {
        cleaner: { dedupeBufferBytes: 1 << 20, ioBytesPerSecond: 100, maxInflatedBytes: 1 << 20 },
      },
    );
    const { log } = world;
    await put(log, [['a', '1']]);
    await rollOver(log);
    await world.folder.checkpoint();
    const from = world.clock.monotonicMs();
    await world.clock.settle(world.folder.cleanNext(10_000));
    // Its bytes are read twice, at 100 a second.
    expect(world.clock.monotonicMs() - from).to.be.within(3_000, 10_000);
    await world.folder.close();
  });
});
