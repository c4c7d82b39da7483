import { expect } from 'chai';
import { DiskError, TidemarkError, topicIdFromBytes, type LeaderEpoch, type Offset } from '@tidemark/core';
import { defaultLogConfig, LogFolder, type PartitionLog } from '@tidemark/log';
import { SimClock, SimPrng, type SimDisk } from '@tidemark/simulation';
import {
  append,
  appended,
  batchOf,
  brokerEpoch,
  NAME,
  openFolder,
  openLog,
  smallSegments,
  TOPIC_ID,
  valuesOf,
} from './story.ts';

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('a log folder', () => {
  it('is open once at a time', async () => {
    const first = await openFolder();
    const second = await failureOf(openFolder(first.disk));
    expect(second).to.be.instanceOf(DiskError).and.to.include({ code: 'ELOCKED' });
    await first.folder.close();
    await (await openFolder(first.disk)).folder.close();
  });

  it('opens only what is named <topic>-<partition>, so no name leads out of it', async () => {
    const { folder } = await openFolder();
    const bad = [
      '..-0',
      '.-0',
      'a/b-0',
      '../x-0',
      'x',
      'x-',
      '-0',
      'x-01',
      'x-1.5',
      'x-2147483648',
      'ä-0',
      '',
    ];
    for (const name of bad) {
      const error = await failureOf(folder.openPartition(name, TOPIC_ID, defaultLogConfig));
      expect(error, name)
        .to.be.instanceOf(TidemarkError)
        .and.to.include({ error: 'INVALID_TOPIC_EXCEPTION' });
    }
    const log = await folder.openPartition('my-topic.v1-2147483647', TOPIC_ID, defaultLogConfig);
    expect(folder.listPartitions()).to.deep.equal([
      { name: 'my-topic.v1-2147483647', topic: 'my-topic.v1', partition: 2147483647, topicId: TOPIC_ID },
    ]);
    expect(await folder.openPartition('my-topic.v1-2147483647', TOPIC_ID, defaultLogConfig)).to.equal(log);
    await folder.close();
  });

  it('keeps each partition’s topic id, in Kafka’s file, and does not open the folder for another topic', async () => {
    const world = await openFolder();
    await openLog(world);
    const text = Buffer.from(world.disk.contents().get(`data/${NAME}/partition.metadata`)!).toString();
    expect(text).to.equal(`version: 0\ntopic_id: ${TOPIC_ID}`);
    await world.folder.close();
    const again = await openFolder(world.disk);
    const other = topicIdFromBytes(new Uint8Array(16).fill(9));
    const error = await failureOf(again.folder.openPartition(NAME, other, defaultLogConfig));
    expect(error).to.include({ error: 'INCONSISTENT_TOPIC_ID' });
    await openLog(again);
    await again.folder.close();
  });

  it('deletes a partition: the name is free at once, the files go after file.delete.delay.ms', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...defaultLogConfig, fileDeleteDelayMs: 300 });
    await appended(log, { text: 'old' });
    await world.folder.checkpoint();
    await world.folder.deletePartition(NAME);
    expect(world.folder.listPartitions()).to.deep.equal([]);
    const refused = log.append(new Uint8Array(0), [], { leaderEpoch: 1 as never, origin: 'leader' });
    expect(refused).to.include({ ok: false, error: 'UNKNOWN_TOPIC_OR_PARTITION' });
    const anew = await openLog(world);
    expect([anew.logStartOffset, anew.logEndOffset]).to.deep.equal([0, 0]);
    const doomed = (): string[] =>
      [...world.disk.contents().keys()].filter((path) => path.endsWith('-delete/'));
    expect(doomed()).to.have.length(1);
    await world.clock.advance(300);
    await new Promise((resolve) => setImmediate(resolve));
    expect(doomed()).to.deep.equal([]);
    await world.folder.close();
  });

  it('deletes a partition whose segments were rolled a moment ago, and touches its folder no more', async () => {
    for (let turns = 0; turns < 60; turns++) {
      const world = await openFolder();
      const log = await openLog(world, smallSegments);
      for (let index = 0; index < 30; index++) append(log, batchOf({ text: 'x'.repeat(150) }));
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await world.folder.deletePartition(NAME);
      let isLate = false;
      world.disk.observe(({ path }) => {
        if (path.includes(`data/${NAME}/`)) isLate = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      expect([world.folder.offline, isLate], `deleted after ${turns} turns`).to.deep.equal([
        undefined,
        false,
      ]);
      await world.folder.close();
    }
  });

  it('keeps a partition whose deletion failed, and does not take what it left for the files of a clean stop', async () => {
    const before = await openFolder();
    await appended(await openLog(before));
    await before.folder.close();
    const world = await openFolder(before.disk);
    expect(world.folder.cleanShutdown).not.to.equal(undefined);
    const log = await openLog(world, smallSegments);
    for (let leaderEpoch = 2; leaderEpoch < 12; leaderEpoch++) {
      log.assignLeaderEpoch(leaderEpoch as LeaderEpoch);
      await appended(log, { leaderEpoch, text: 'x'.repeat(150) });
    }
    await log.deleteRecordsBefore(1 as Offset);
    const epochs = log.leaderEpochs;
    world.disk.inject({ operation: 'rename', error: 'ENOSPC', path: (path) => path.includes(NAME) });
    expect(await failureOf(world.folder.deletePartition(NAME))).to.include({ error: 'KAFKA_STORAGE_ERROR' });
    expect(world.folder.listPartitions()).to.have.length(1);
    const again = await openLog(world, smallSegments);
    expect(again).not.to.equal(log);
    expect([again.logStartOffset, again.logEndOffset]).to.deep.equal([1, 11]);
    expect(again.leaderEpochs).to.deep.equal(epochs);
    await world.folder.deletePartition(NAME);
    expect(world.folder.listPartitions()).to.deep.equal([]);
    await world.folder.close();
  });

  it('removes at the next start what a deletion left behind', async () => {
    const world = await openFolder();
    await appended(await openLog(world));
    await world.folder.deletePartition(NAME);
    const again = await openFolder(world.disk.crash('all', new SimPrng(1)));
    expect([...again.disk.contents().keys()].filter((path) => path.includes('delete'))).to.deep.equal([]);
    expect(again.folder.listPartitions()).to.deep.equal([]);
    await again.folder.close();
  });

  it('takes nothing over from a deleted partition of the same name, wherever a crash falls in the deletion', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    for (let index = 0; index < 20; index++) await appended(log, { text: 'old' });
    await log.flush();
    await log.deleteRecordsBefore(7 as Offset);
    await world.folder.checkpoint();
    const forks: SimDisk[] = [];
    world.disk.observe((_, phase) => {
      if (phase === 'after')
        for (const mode of ['nothing', 'all'] as const) forks.push(world.disk.fork(mode, new SimPrng(1)));
    });
    await world.folder.deletePartition(NAME);
    await appended(await openLog(world), { text: 'new' });
    expect(forks.length).to.be.greaterThan(20);
    const seen = new Set<string>();
    for (const disk of forks) {
      const again = await openFolder(disk);
      const reopened = await openLog(again);
      const values = await valuesOf(reopened);
      seen.add(`${reopened.logStartOffset}-${reopened.logEndOffset}`);
      if (values[0] === 'old') expect(values).to.have.length(13);
      else {
        expect(reopened.logStartOffset).to.equal(0);
        await appended(reopened, { text: 'next' });
        await reopened.flush();
        const third = await openFolder(again.disk.crash('nothing', new SimPrng(1)));
        const kept = await openLog(third);
        expect(await valuesOf(kept)).to.deep.equal([...values, 'next']);
        expect(kept.recovery.lostOffsets).to.equal(0);
      }
    }
    expect([...seen]).to.include.members(['7-20', '0-0']);
  });

  it('that cannot be closed cleanly says so, frees its lock, and leaves no marker', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    await appended(log, { text: 'a' });
    await log.flush();
    world.disk.capacityBytes = world.disk.usedBytes;
    expect(await failureOf(world.folder.close())).to.include({ error: 'KAFKA_STORAGE_ERROR' });
    world.disk.capacityBytes = Infinity;
    const again = await openFolder(world.disk);
    expect(again.folder.cleanShutdown).to.equal(undefined);
    expect(await valuesOf(await openLog(again))).to.deep.equal(['a']);
    await again.folder.close();
  });

  it('counts as cleanly closed only once: the marker is gone as soon as it is open (rule 8)', async () => {
    const first = await openFolder();
    await appended(await openLog(first), { text: 'a' });
    await first.folder.close({ brokerEpoch: brokerEpoch(7) });
    const second = await openFolder(first.disk);
    expect(second.folder.cleanShutdown).to.deep.equal({ version: 1, brokerEpoch: 7 });
    const third = await openFolder(second.disk.crash('nothing', new SimPrng(1)));
    expect(third.folder.cleanShutdown).to.equal(undefined);
    expect(await valuesOf(await openLog(third))).to.deep.equal(['a']);
    await third.folder.close();
  });

  it('takes a marker that is not its own for none', async () => {
    for (const text of ['', '{', '[]', '{"version":9,"brokerEpoch":1}', '{"version":1}']) {
      const first = await openFolder();
      await first.folder.close();
      const file = await first.disk.open('data/.clean-shutdown', 'create');
      await file.truncate(0);
      await file.write([Buffer.from(text)], 0);
      await file.close();
      const second = await openFolder(first.disk);
      expect(second.folder.cleanShutdown, text).to.equal(undefined);
      await second.folder.close();
    }
  });

  it('writes no file for a checkpoint of a log that never held anything, and comes back the same', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    log.assignLeaderEpoch(3 as LeaderEpoch);
    const files = (disk: SimDisk): string[] =>
      [...disk.contents().keys()].filter((path) => path.startsWith(`data/${NAME}/`));
    const before = files(world.disk);
    await world.folder.checkpoint();
    expect(files(world.disk)).to.deep.equal(before);
    const again = await openFolder(world.disk.crash('nothing', new SimPrng(1)));
    const recovered = await openLog(again);
    expect([recovered.logStartOffset, recovered.nextOffset]).to.deep.equal([0, 0]);
    recovered.assignLeaderEpoch(4 as LeaderEpoch);
    await appended(recovered, { leaderEpoch: 4 });
    await again.folder.checkpoint();
    expect(files(again.disk).map((path) => path.slice(path.lastIndexOf('/') + 1))).to.include.members([
      'leader-epoch-checkpoint',
      '00000000000000000001.snapshot',
    ]);
    await again.folder.close();
  });

  it('saves recovery points, log starts and high watermarks as Kafka does, also of partitions that are not open', async () => {
    const first = await openFolder();
    for (const name of ['b-x-1', 'a-0']) {
      const log = await openLog(first, defaultLogConfig, name);
      for (let index = 0; index < 5; index++) await appended(log);
      await log.flush();
    }
    await first.folder.partition('a-0')!.deleteRecordsBefore(2 as Offset);
    await first.folder.saveHighWatermarks(
      new Map([
        ['a-0', 4 as Offset],
        ['gone-0', 9 as Offset],
      ]),
    );
    await first.folder.checkpoint();
    const text = (name: string): string => Buffer.from(first.disk.contents().get(`data/${name}`)!).toString();
    expect(text('recovery-point-offset-checkpoint')).to.equal('0\n2\nb-x 1 5\na 0 5\n');
    expect(text('log-start-offset-checkpoint')).to.equal('0\n1\na 0 2\n');
    expect(text('replication-offset-checkpoint')).to.equal('0\n1\na 0 4\n');

    const second = await openFolder(first.disk.crash('nothing', new SimPrng(1)));
    expect(second.folder.savedHighWatermark('a-0')).to.equal(4);
    await openLog(second, defaultLogConfig, 'b-x-1');
    await second.folder.checkpoint();
    const third = await openFolder(second.disk.crash('nothing', new SimPrng(1)));
    const log = await openLog(third, defaultLogConfig, 'a-0');
    expect(
      log.recovery.scannedBytes,
      'nothing but the last batches is past the recovery point',
    ).to.be.lessThan(500);
    expect(log.logStartOffset).to.equal(2);
    await third.folder.close();
  });

  it('takes nothing for committed after a crash that an unclean election has cut off', async () => {
    for (const [cut, left, kept] of [
      [(log: PartitionLog) => log.truncateTo(3 as Offset), 3, 3],
      [(log: PartitionLog) => log.truncateTo(4 as Offset), 4, 4],
      [(log: PartitionLog) => log.truncateFullyAndStartAt(1 as Offset), 1, 1],
      [(log: PartitionLog) => log.truncateFullyAndStartAt(9 as Offset), 9, 4],
    ] as const) {
      const first = await openFolder();
      const log = await openLog(first);
      for (let index = 0; index < 5; index++) await appended(log);
      await log.flush();
      await first.folder.saveHighWatermarks(new Map([[NAME, 4 as Offset]]));
      await cut(log);
      // What is there next was written by another leader.
      expect(log.nextOffset).to.equal(left);
      const second = await openFolder(first.disk.crash('nothing', new SimPrng(1)));
      expect(second.folder.savedHighWatermark(NAME), String(left)).to.equal(kept);
      await second.folder.close();
    }
  });

  it('does not stop for a checkpoint that a full disk refuses', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    await appended(log);
    await log.flush();
    world.disk.capacityBytes = world.disk.usedBytes;
    await world.folder.checkpoint();
    expect(world.warnings.join()).to.contain('tried again');
    expect(world.offline).to.deep.equal([]);
    world.disk.capacityBytes = Infinity;
    await world.folder.checkpoint();
    expect(world.disk.contents().get('data/recovery-point-offset-checkpoint')).to.not.equal(undefined);
    await world.folder.close();
  });

  it('frees its lock when it cannot be opened', async () => {
    const world = await openFolder();
    await world.folder.close();
    world.disk.inject({ operation: 'list', error: 'EIO' });
    const clock = new SimClock();
    const options = { disk: world.disk, clock, directory: 'data', onOffline: () => undefined };
    expect(await failureOf(LogFolder.open(options))).to.be.instanceOf(DiskError);
    const folder = await LogFolder.open(options);
    await folder.close();
  });

  it('is not left clean while a log of an unclean stop has not been opened: its epochs are not those on the disk', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    await appended(log, { leaderEpoch: 1 });
    await log.checkpoint();
    await appended(log, { leaderEpoch: 2 });
    await log.flush();
    const killed = await openFolder(world.disk.crash('nothing', new SimPrng(1)));
    await killed.folder.close();
    const again = await openFolder(killed.disk);
    expect(again.folder.cleanShutdown).to.equal(undefined);
    const found = await openLog(again);
    expect(found.leaderEpochs).to.deep.equal([
      { epoch: 1, startOffset: 0 },
      { epoch: 2, startOffset: 1 },
    ]);
    await again.folder.close();
    const clean = await openFolder(again.disk);
    expect(clean.folder.cleanShutdown).to.not.equal(undefined);
    await clean.folder.close();
    const untouched = await openFolder(clean.disk);
    expect(untouched.folder.cleanShutdown, 'nobody opened it, and it was clean').to.not.equal(undefined);
    await untouched.folder.close();
  });
});
