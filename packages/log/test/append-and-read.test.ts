import { expect } from 'chai';
import { defaultLogConfig } from '@tidemark/log';
import { SimPrng } from '@tidemark/simulation';
import {
  append,
  appended,
  batchOf,
  brokerEpoch,
  concat,
  openFolder,
  openLog,
  readAll,
  readFrom,
  smallSegments,
  valuesOf,
} from './story.ts';

describe('a partition log', () => {
  for (const tailBytes of [0, 1 << 20]) {
    const where = tailBytes === 0 ? 'from the disk' : 'from memory';

    it(`gives out offsets in call order and reads the batches back ${where}`, async () => {
      const world = await openFolder(undefined, { tailBytes });
      const log = await openLog(world, smallSegments);
      const results = ['a', 'b', 'c'].map((text) => append(log, batchOf({ text, records: 2 })));
      expect(results.map((result) => result.ok && result.baseOffset)).to.deep.equal([0, 2, 4]);
      expect(log.nextOffset).to.equal(6);
      expect(log.logEndOffset, 'nothing is readable before it is written').to.equal(0);
      await log.flush();
      expect(log.logEndOffset).to.equal(6);
      expect(log.acknowledgeableEndOffset).to.equal(6);
      expect(await valuesOf(log)).to.deep.equal(['a', 'a', 'b', 'b', 'c', 'c']);
      await world.folder.close();
    });

    it(`answers whole batches: the one that holds the offset first, none that ends at the limit, ${where}`, async () => {
      const world = await openFolder(undefined, { tailBytes });
      const log = await openLog(world);
      const size = batchOf({ records: 3 }).length;
      await appended(log, { records: 3 });
      await appended(log, { records: 3 });
      await appended(log, { records: 3 });
      const middle = await readFrom(log, 4, { maxBytes: size });
      expect(middle).to.include({ ok: true, sizeBytes: size, nextOffset: 6 });
      const bounded = await readFrom(log, 0, { upTo: 6 });
      expect(bounded).to.include({ sizeBytes: size * 2, nextOffset: 6 });
      expect(await readFrom(log, 0, { upTo: 5 })).to.include({ sizeBytes: size, nextOffset: 3 });
      const none = await readFrom(log, 0, { maxBytes: size - 1, atLeastOne: false });
      expect(none).to.include({ ok: true, sizeBytes: 0, nextOffset: 0 });
      expect(await readFrom(log, 0, { maxBytes: 1 })).to.include({ sizeBytes: size, nextOffset: 3 });
      expect(await readFrom(log, 9)).to.include({ ok: true, sizeBytes: 0, nextOffset: 9 });
      expect(await readFrom(log, 10)).to.include({ ok: false, error: 'OFFSET_OUT_OF_RANGE' });
      await world.folder.close();
    });
  }

  it('is the same after a clean stop, which leaves the broker epoch, and checks nothing', async () => {
    const first = await openFolder();
    expect(first.folder.cleanShutdown).to.equal(undefined);
    const log = await openLog(first, smallSegments);
    for (let index = 0; index < 50; index++) await appended(log, { text: String(index) });
    expect(log.segmentCount).to.be.greaterThan(3);
    await first.folder.close({ brokerEpoch: brokerEpoch(42) });

    const second = await openFolder(first.disk);
    expect(second.folder.cleanShutdown).to.deep.equal({ version: 1, brokerEpoch: 42 });
    expect(second.folder.listPartitions().map(({ name }) => name)).to.deep.equal(['orders-0']);
    const again = await openLog(second, smallSegments);
    expect(again.recovery).to.include({ clean: true, truncatedBytes: 0 });
    expect(again.logEndOffset).to.equal(50);
    expect(await valuesOf(again)).to.deep.equal(Array.from({ length: 50 }, (_, index) => String(index)));
    await appended(again, { text: 'more' });
    expect((await readAll(again, 50)).map(({ baseOffset }) => baseOffset)).to.deep.equal([50]);
    expect(second.warnings).to.deep.equal([]);
    await second.folder.close();
  });

  it('is whole after a stop without a close', async () => {
    const first = await openFolder();
    const log = await openLog(first, smallSegments);
    for (let index = 0; index < 50; index++) await appended(log, { text: String(index) });
    await log.flush();
    const disk = first.disk.fork('nothing', new SimPrng(1));

    const second = await openFolder(disk);
    expect(second.folder.cleanShutdown).to.equal(undefined);
    const again = await openLog(second, smallSegments);
    expect(again.recovery.clean).to.equal(false);
    expect(await valuesOf(again)).to.deep.equal(Array.from({ length: 50 }, (_, index) => String(index)));
    await second.folder.close();
    await first.folder.close();
  });

  it('takes several batches in one append, over the end of a segment', async () => {
    const world = await openFolder();
    const log = await openLog(world, smallSegments);
    const bytes = concat(
      Array.from({ length: 30 }, (_, index) => batchOf({ text: String(index), records: 2 })),
    );
    const result = append(log, bytes);
    expect(result).to.include({ ok: true, baseOffset: 0, lastOffset: 59 });
    await log.flush();
    expect(log.segmentCount).to.be.greaterThan(2);
    expect(await valuesOf(log)).to.have.length(60);
    expect((await readAll(log, 13, 1)).map(({ baseOffset }) => baseOffset)[0]).to.equal(12);
    await world.folder.close();
  });

  it('syncs in the background under flush.policy=os: after flush.messages records, after flush.ms, at a roll', async () => {
    const config = { ...defaultLogConfig, flushPolicy: 'os' as const, flushMessages: 10, flushMs: 500 };
    const world = await openFolder();
    const log = await openLog(world, config);
    const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await appended(log, { records: 9 });
    await rest();
    expect(log.flushedOffset).to.equal(0);
    await appended(log, { records: 1 });
    await rest();
    expect(log.flushedOffset).to.equal(10);
    await appended(log);
    await world.clock.advance(499);
    expect(log.flushedOffset).to.equal(10);
    await world.clock.advance(1);
    await rest();
    expect(log.flushedOffset).to.equal(11);
    log.updateConfig({ ...config, flushMessages: 1e9, flushMs: 1e12, segmentBytes: 100 });
    await appended(log);
    await rest();
    expect(log.flushedOffset, 'the roll flushes what is written by then').to.equal(12);
    await world.folder.close();
  });

  it('never takes back what it acknowledged when the policy changes', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...defaultLogConfig, flushPolicy: 'os' });
    await appended(log);
    const heard: number[] = [];
    log.onAcknowledgeable((end) => heard.push(end));
    log.updateConfig(defaultLogConfig);
    expect(log.acknowledgeableEndOffset).to.equal(1);
    await log.flush();
    await appended(log);
    await log.flush();
    expect(heard).to.deep.equal([2]);
    await world.folder.close();
  });

  it('acknowledges at the write under flush.policy=os, and only after the sync under ack', async () => {
    for (const flushPolicy of ['os', 'ack'] as const) {
      const world = await openFolder();
      const log = await openLog(world, { ...defaultLogConfig, flushPolicy });
      const heard: number[] = [];
      log.onAcknowledgeable((end) => heard.push(end));
      const before = world.disk.stepCount;
      await appended(log);
      if (flushPolicy === 'os') {
        expect(heard).to.deep.equal([1]);
        expect(log.flushedOffset).to.equal(0);
      } else expect(heard, `after ${world.disk.stepCount - before} steps`).to.deep.equal([]);
      await log.flush();
      expect(heard).to.deep.equal([1]);
      expect(log.flushedOffset).to.equal(1);
      await world.folder.close();
    }
  });
});
