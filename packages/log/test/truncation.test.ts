import { expect } from 'chai';
import { SimPrng } from '@tidemark/simulation';
import {
  append,
  appended,
  at,
  batchOf,
  concat,
  epoch,
  headersOf,
  NAME,
  openFolder,
  openLog,
  readAll,
  smallSegments,
  valuesOf,
} from './story.ts';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

describe('truncation', () => {
  it('cuts at a batch boundary at or below the offset, and appends go on there', async () => {
    const world = await openFolder(undefined, { tailBytes: 1 << 20 });
    const log = await openLog(world, smallSegments);
    for (const text of numbers(0, 20)) await appended(log, { text, records: 2 });
    expect(await log.truncateTo(at(13)), 'offset 13 is in the middle of a batch').to.equal(12);
    expect(log.nextOffset).to.equal(12);
    expect(log.acknowledgeableEndOffset).to.equal(12);
    expect((await readAll(log)).at(-1)!.lastOffset).to.equal(11);
    await appended(log, { text: 'new' });
    await log.flush();
    expect((await valuesOf(log)).slice(-2)).to.deep.equal(['5', 'new']);
    await world.folder.close();
    const again = await openFolder(world.disk);
    expect((await valuesOf(await openLog(again, smallSegments))).slice(-2)).to.deep.equal(['5', 'new']);
    await again.folder.close();
  });

  it('stays after a power failure that comes right behind it, and never mixes the old end with the new', async () => {
    for (const mode of ['nothing', 'all', 'prefix', 'reordered'] as const) {
      const world = await openFolder();
      const log = await openLog(world, smallSegments);
      for (const text of numbers(0, 40)) await appended(log, { text });
      await log.checkpoint();
      await world.folder.checkpoint();
      await log.truncateTo(at(15));
      for (const text of numbers(100, 120)) append(log, batchOf({ text }));
      await log.flush();
      for (const text of numbers(120, 130)) await appended(log, { text });
      const again = await openFolder(world.disk.crash(mode, new SimPrng(3)));
      const values = await valuesOf(await openLog(again, smallSegments));
      expect(values.slice(0, 35), mode).to.deep.equal([...numbers(0, 15), ...numbers(100, 120)]);
      expect(values.slice(35), mode).to.deep.equal(numbers(120, 120 + values.length - 35));
      await again.folder.close();
    }
  });

  it('takes nothing for synced because of a sync that is asked for meanwhile, at any step', async () => {
    for (let asked = 0; ; asked++) {
      const world = await openFolder();
      const log = await openLog(world, { ...smallSegments, flushPolicy: 'os' });
      for (const text of numbers(0, 60)) await appended(log, { text });
      let steps = 0;
      const stop = world.disk.observe(() => {
        if (steps++ !== asked) return;
        log.updateConfig({ ...log.config, flushPolicy: 'ack' });
        log.updateConfig({ ...log.config, flushPolicy: 'os' });
      });
      await log.truncateTo(at(15));
      stop();
      for (const text of numbers(100, 120)) append(log, batchOf({ text }));
      await log.flush();
      const again = await openFolder(world.disk.crash('nothing', new SimPrng(3)));
      expect(await valuesOf(await openLog(again, smallSegments)), `asked at step ${asked}`).to.deep.equal([
        ...numbers(0, 15),
        ...numbers(100, 120),
      ]);
      await again.folder.close();
      if (asked >= steps) break;
    }
  });

  it('refuses appends meanwhile', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    await appended(log);
    await appended(log);
    const cutting = log.truncateTo(at(1));
    await Promise.resolve();
    expect(append(log, batchOf())).to.include({ ok: false, error: 'REPLICA_NOT_AVAILABLE' });
    await cutting;
    expect(append(log, batchOf())).to.include({ ok: true, baseOffset: 1 });
    await world.folder.close();
  });

  it('waits for what is queued, which then is cut too', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    const results = numbers(0, 5).map((text) => append(log, batchOf({ text })));
    expect(await log.truncateTo(at(2))).to.equal(2);
    for (const result of results) if (result.ok) await result.written;
    expect(await valuesOf(log)).to.deep.equal(['0', '1']);
    await world.folder.close();
  });

  it('even to the end of the log drops the epochs that begin there (rule 2)', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    await appended(log, { leaderEpoch: 3 });
    log.assignLeaderEpoch(epoch(5));
    expect(log.latestEpoch).to.equal(5);
    await log.truncateTo(at(1));
    expect(log.latestEpoch).to.equal(3);
    await world.folder.close();
  });

  it('of the batch that the log starts inside leaves it empty at its start', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    await appended(log, { records: 5 });
    await log.flush();
    await log.deleteRecordsBefore(at(2));
    expect(await log.truncateTo(at(4))).to.equal(2);
    expect([log.logStartOffset, log.logEndOffset]).to.deep.equal([2, 2]);
    await appended(log, { text: 'next' });
    await world.folder.close();
    const again = await openFolder(world.disk);
    const reopened = await openLog(again);
    expect([reopened.logStartOffset, reopened.logEndOffset]).to.deep.equal([2, 3]);
    expect(await valuesOf(reopened)).to.deep.equal(['next']);
    await again.folder.close();
  });

  it('below the start of the log, or wholly, begins anew at the offset given', async () => {
    const world = await openFolder();
    const log = await openLog(world, smallSegments);
    for (const text of numbers(0, 30)) await appended(log, { text });
    expect(await log.truncateFullyAndStartAt(at(500))).to.equal(500);
    expect([log.logStartOffset, log.logEndOffset, log.flushedOffset]).to.deep.equal([500, 500, 500]);
    await appended(log, { text: 'first' });
    await log.flush();
    expect(log.acknowledgeableEndOffset).to.equal(501);
    await log.truncateTo(at(100));
    expect([log.logStartOffset, log.logEndOffset]).to.deep.equal([100, 100]);
    await appended(log, { text: 'other' });
    await log.flush();
    const again = await openFolder(world.disk.crash('nothing', new SimPrng(1)));
    const reopened = await openLog(again, smallSegments);
    expect([reopened.logStartOffset, reopened.logEndOffset]).to.deep.equal([100, 101]);
    expect(await valuesOf(reopened)).to.deep.equal(['other']);
    await again.folder.close();
  });
});

describe('a cut that a full disk refuses', () => {
  it('does not come back with a later checkpoint, when the log has gone on where it was', async () => {
    const world = await openFolder();
    const log = await openLog(world, smallSegments);
    for (const text of numbers(0, 10)) await appended(log, { text });
    const isLogStart = (path: string): boolean => path.includes('log-start');
    world.disk.inject({ operation: 'write', path: isLogStart, error: 'ENOSPC' });
    const refused: unknown = await log.truncateFullyAndStartAt(at(20)).catch((error: unknown) => error);
    expect(refused).to.have.property('error', 'KAFKA_STORAGE_ERROR');
    // It leads by now.
    for (const text of numbers(10, 30)) await appended(log, { text });
    await world.folder.checkpoint();
    await world.folder.close();
    const again = await openFolder(world.disk);
    expect(await valuesOf(await openLog(again, smallSegments))).to.deep.equal(numbers(0, 30));
    await again.folder.close();
  });
});

describe('a follower’s append', () => {
  it('takes batches as they are, if they begin at or above the end of the log and no epoch goes back', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    const follow = (bytes: Uint8Array): ReturnType<typeof append> =>
      append(log, bytes, { origin: 'follower' });
    const bytes = concat([
      batchOf({ baseOffset: 0, leaderEpoch: 4, records: 2 }),
      batchOf({ baseOffset: 2, leaderEpoch: 6 }),
    ]);
    const before = new Uint8Array(bytes);
    expect(follow(bytes)).to.include({ ok: true, baseOffset: 0, lastOffset: 2 });
    await log.flush();
    expect(bytes).to.deep.equal(before);
    expect(log.latestEpoch).to.equal(6);
    expect(follow(batchOf({ baseOffset: 2, leaderEpoch: 6 }))).to.include({
      ok: false,
      error: 'OFFSET_OUT_OF_RANGE',
    });
    expect(follow(batchOf({ baseOffset: 3, leaderEpoch: 5 }))).to.include({
      ok: false,
      error: 'FENCED_LEADER_EPOCH',
    });
    expect(log.nextOffset).to.equal(3);
    expect(follow(batchOf({ baseOffset: 5, leaderEpoch: 6 })), 'a gap').to.include({
      ok: true,
      baseOffset: 5,
    });
    expect(log.nextOffset).to.equal(6);
    await world.folder.close();
  });

  it('takes a first batch that holds the start of the log, if the log was made to begin inside it', async () => {
    const inside = (): Uint8Array => batchOf({ baseOffset: 10, records: 5, leaderEpoch: 4, text: 'held' });
    const next = (): Uint8Array => batchOf({ baseOffset: 15, leaderEpoch: 5, text: 'next' });
    for (const mode of ['nothing', 'all', 'prefix', 'reordered'] as const) {
      for (const isFlushed of [true, false]) {
        const world = await openFolder();
        const log = await openLog(world);
        await log.truncateFullyAndStartAt(at(12));
        const follow = (...batches: Uint8Array[]): ReturnType<typeof append> =>
          append(log, concat(batches), { origin: 'follower' });
        expect(follow(inside())).to.include({ ok: false, error: 'OFFSET_OUT_OF_RANGE' });
        await log.truncateFullyAndStartAt(at(12), at(10));
        expect([log.logStartOffset, log.nextOffset]).to.deep.equal([12, 12]);
        for (const wrong of [
          [batchOf({ baseOffset: 9, records: 5 })],
          [batchOf({ baseOffset: 10, records: 2 })],
          [inside(), batchOf({ baseOffset: 14, leaderEpoch: 4 })],
        ])
          expect(follow(...wrong)).to.include({ ok: false, error: 'OFFSET_OUT_OF_RANGE' });
        expect(follow(inside(), next())).to.include({ ok: true, lastOffset: 15 });
        if (isFlushed) await log.flush();
        expect(follow(inside())).to.include({ ok: false, error: 'OFFSET_OUT_OF_RANGE' });
        const again = await openFolder(world.disk.crash(mode, new SimPrng(3)));
        const reopened = await openLog(again);
        const { logStartOffset, nextOffset } = reopened;
        expect(logStartOffset, mode).to.equal(12);
        expect(nextOffset, mode).to.be.oneOf(isFlushed ? [16] : [12, 15, 16]);
        const values = ['held', 'held', 'held', 'next'].slice(0, nextOffset - 12);
        expect(await valuesOf(reopened), mode).to.deep.equal(values);
        const epochs = [
          { epoch: 4, startOffset: 12 },
          { epoch: 5, startOffset: 15 },
        ];
        expect(reopened.leaderEpochs, mode).to.deep.equal(
          epochs.filter(({ startOffset }) => startOffset < nextOffset),
        );
        await again.folder.close();
      }
    }
  });

  it('keeps the producer’s sequences, for when it leads (rule 11)', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    const producer = { producerId: 8, producerEpoch: 1, baseSequence: 40, leaderEpoch: 2 };
    append(log, batchOf({ ...producer, baseOffset: 0 }), { origin: 'follower' });
    expect(append(log, batchOf(producer), { leaderEpoch: epoch(3) })).to.include({
      duplicate: true,
      baseOffset: 0,
    });
    await world.folder.close();
  });
});

describe('leader epochs (KIP-101, KIP-279, KIP-320)', () => {
  async function withEpochs(): Promise<{
    world: Awaited<ReturnType<typeof openFolder>>;
    log: Awaited<ReturnType<typeof openLog>>;
  }> {
    const world = await openFolder();
    const log = await openLog(world, smallSegments);
    for (const [leaderEpoch, batches] of [
      [2, 10],
      [3, 5],
      [7, 20],
    ] as const) {
      for (let batch = 0; batch < batches; batch++) await appended(log, { leaderEpoch });
    }
    return { world, log };
  }

  it('answer the largest epoch at or below the one asked for, and where it ends', async () => {
    const { world, log } = await withEpochs();
    expect(log.endOffsetForEpoch(epoch(7))).to.deep.equal({ epoch: 7, endOffset: 35 });
    expect(log.endOffsetForEpoch(epoch(5))).to.deep.equal({ epoch: 3, endOffset: 15 });
    expect(log.endOffsetForEpoch(epoch(3))).to.deep.equal({ epoch: 3, endOffset: 15 });
    expect(log.endOffsetForEpoch(epoch(2))).to.deep.equal({ epoch: 2, endOffset: 10 });
    expect(log.endOffsetForEpoch(epoch(1))).to.deep.equal({ epoch: 1, endOffset: 0 });
    expect(log.endOffsetForEpoch(epoch(8)), 'not known here').to.equal(undefined);
    expect(log.epochAt(at(9))).to.equal(2);
    expect(log.epochAt(at(10))).to.equal(3);
    await world.folder.close();
  });

  it('are stamped into the batches, and a leader of an epoch that has ended is fenced', async () => {
    const { world, log } = await withEpochs();
    expect((await readAll(log)).map(({ partitionLeaderEpoch }) => partitionLeaderEpoch)).to.include.members([
      2, 3, 7,
    ]);
    const stale = append(log, batchOf(), { leaderEpoch: epoch(6) });
    expect(stale).to.include({ ok: false, error: 'FENCED_LEADER_EPOCH' });
    await world.folder.close();
  });

  it('are cut with the log on both sides, and the file is Kafka’s', async () => {
    const { world, log } = await withEpochs();
    await log.flush();
    await log.deleteRecordsBefore(at(12));
    expect(log.endOffsetForEpoch(epoch(2))).to.deep.equal({ epoch: 2, endOffset: 12 });
    await log.truncateTo(at(20));
    expect(log.endOffsetForEpoch(epoch(7))).to.deep.equal({ epoch: 7, endOffset: 20 });
    await world.folder.close();
    const text = Buffer.from(world.disk.contents().get(`data/${NAME}/leader-epoch-checkpoint`)!).toString();
    expect(text).to.equal('0\n2\n3 12\n7 15\n');
  });

  it('are found again in the batches after a crash, with the file lost too', async () => {
    for (const lost of [false, true]) {
      const { world, log } = await withEpochs();
      await log.flush();
      if (lost) await world.folder.checkpoint();
      const disk = world.disk.crash('nothing', new SimPrng(1));
      if (lost) await disk.removeFile(`data/${NAME}/leader-epoch-checkpoint`);
      const again = await openFolder(disk);
      const reopened = await openLog(again, smallSegments);
      expect(reopened.endOffsetForEpoch(epoch(5))).to.deep.equal({ epoch: 3, endOffset: 15 });
      expect(reopened.endOffsetForEpoch(epoch(7))).to.deep.equal({ epoch: 7, endOffset: 35 });
      await again.folder.close();
    }
  });
});

describe('batches that are handed over', () => {
  it('may be kept by the tail; others may be changed by the caller once they are written', async () => {
    const world = await openFolder(undefined, { tailBytes: 1 << 20 });
    const log = await openLog(world);
    const bytes = batchOf({ text: 'mine' });
    const result = append(log, bytes);
    if (!result.ok) throw new Error(result.message);
    await result.written;
    bytes.fill(0);
    expect(await valuesOf(log)).to.deep.equal(['mine']);
    const given = batchOf({ text: 'yours' });
    const kept = append(log, given, { handOver: true });
    if (!kept.ok) throw new Error(kept.message);
    await kept.written;
    const read = log.read(at(1), { maxBytes: 1 << 20, upTo: at(2), atLeastOne: true });
    if (read instanceof Promise || !read.ok) throw new Error('the tail has it');
    expect(headersOf(read.parts[0]!)[0]!.baseOffset).to.equal(1);
    await world.folder.close();
  });
});
