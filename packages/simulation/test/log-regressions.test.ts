// Bugs of the log that the crash-point checker found, each as the shortest story that shows it.
import { expect } from 'chai';
import { TidemarkError, type LeaderEpoch, type Offset, type TopicId } from '@tidemark/core';
import { defaultLogConfig, LogFolder, type LogConfig, type PartitionLog } from '@tidemark/log';
import { BatchBuilder, validateBatches, type Codecs } from '@tidemark/record';
import { SimClock, SimDisk, SimPrng } from '@tidemark/simulation';

const topicId = 'cmVncmVzc2lvbi10b3BpYw' as TopicId;
const noCodecs = {} as Codecs;

async function openLog(
  disk: SimDisk,
  config: Partial<LogConfig> = {},
  onOffline: (cause: unknown) => void = (cause) => expect.fail(String(cause)),
): Promise<{ log: PartitionLog; folder: LogFolder }> {
  const folder = await LogFolder.open({
    disk,
    clock: new SimClock(),
    directory: 'logs',
    onOffline,
  });
  return { folder, log: await folder.openPartition('orders-0', topicId, { ...defaultLogConfig, ...config }) };
}

/** Appends one batch of `count` records from `sequence` on. */
function append(log: PartitionLog, count: number, sequence = -1, valueBytes = 20) {
  const builder = new BatchBuilder({ capacityBytes: 1024 });
  for (let record = 0; record < count; record++) builder.append(1, null, new Uint8Array(valueBytes));
  const producer = sequence < 0 ? {} : { producerId: 7, producerEpoch: 0, baseSequence: sequence };
  const bytes = builder.build(producer).slice();
  const rules = { maxBatchBytes: 1e6, maxInflatedBytes: 1e6, codecs: noCodecs };
  const valid = validateBatches(bytes, rules);
  if (!valid.ok) throw new Error(valid.message);
  return log.append(bytes, valid.batches, { leaderEpoch: 1 as LeaderEpoch, origin: 'leader' });
}

const crashed = (disk: SimDisk): SimDisk => disk.crash('nothing', new SimPrng(1));

/** The log starts found by recovery after a crash, in any order of writes, at every step that `work` takes. */
async function startsAfterCrashes(
  disk: SimDisk,
  config: Partial<LogConfig>,
  work: () => Promise<unknown>,
): Promise<{ starts: number[]; crashes: number }> {
  const survivors: SimDisk[] = [];
  const stop = disk.observe((_, phase) => {
    if (phase !== 'before') return;
    for (let seed = 0; seed < 8; seed++) survivors.push(disk.fork('reordered', new SimPrng(seed)));
  });
  await work();
  stop();
  const starts = new Set<number>();
  for (const survivor of survivors) starts.add((await openLog(survivor, config)).log.logStartOffset);
  return { starts: [...starts], crashes: survivors.length };
}

describe('what a log knows of its producers', () => {
  it('is not taken from an old checkpoint when their last batches are below the log start', async () => {
    const { log, folder } = await openLog(new SimDisk());
    append(log, 3, 0);
    await folder.checkpoint();
    append(log, 3, 3);
    append(log, 1);
    append(log, 1);
    await log.flush();
    await log.deleteRecordsBefore(6 as Offset);
    await log.truncateTo(7 as Offset);
    // With the checkpoint's state, in which sequence 2 is the last, the producer was refused for ever.
    expect(append(log, 1, 6)).to.include({ ok: true, duplicate: false });
  });

  it('includes the batch that the log start is inside of, after a cut', async () => {
    const { log } = await openLog(new SimDisk());
    append(log, 1);
    append(log, 4, 0);
    append(log, 1);
    append(log, 1);
    await log.flush();
    await log.deleteRecordsBefore(3 as Offset);
    await log.truncateTo(6 as Offset);
    expect(append(log, 4, 0)).to.include({ ok: true, duplicate: true, baseOffset: 1 });
  });

  it('includes the batch that the recovery point is inside of, after a crash', async () => {
    const disk = new SimDisk();
    const { log, folder } = await openLog(disk);
    append(log, 1);
    append(log, 4, 0);
    append(log, 1);
    await log.flush();
    await folder.checkpoint();
    await log.deleteRecordsBefore(3 as Offset);
    // Beginning anew lowers the recovery point to the log start first; the crash comes right after.
    let survivor: SimDisk | undefined;
    disk.observe((step) => {
      if (step.path.includes('log-start')) survivor ??= disk.fork('nothing', new SimPrng(1));
    });
    await log.truncateFullyAndStartAt(10 as Offset);
    const { log: recovered } = await openLog(survivor!);
    expect(recovered.logStartOffset).to.equal(3);
    expect(append(recovered, 4, 0)).to.include({ ok: true, duplicate: true, baseOffset: 1 });
  });
});

describe('a log that grows', () => {
  it('does not begin with a later segment after a crash that lost the names of the first ones', async () => {
    const disk = new SimDisk();
    const config = { segmentBytes: 400, flushPolicy: 'os' } as const;
    const { log } = await openLog(disk, config);
    const { starts, crashes } = await startsAfterCrashes(disk, config, async () => {
      for (let batch = 0; batch < 6; batch++) {
        const result = append(log, 1, -1, 150);
        if (result.ok) await result.written;
      }
    });
    expect(starts).to.deep.equal([0]);
    expect(crashes).to.be.greaterThan(50);
  });
});

describe('a log that is cut inside the batch of its start', () => {
  it('does not end below its start', async () => {
    const disk = new SimDisk();
    const { log } = await openLog(disk);
    append(log, 1);
    append(log, 4);
    append(log, 1);
    await log.flush();
    await log.deleteRecordsBefore(3 as Offset);
    await log.truncateTo(4 as Offset);
    expect(log.logEndOffset).to.be.at.least(log.logStartOffset);
    const end = log.logEndOffset;
    expect(append(log, 2)).to.include({ ok: true, baseOffset: end });
    await log.flush();
    const { log: recovered } = await openLog(crashed(disk));
    expect([recovered.logStartOffset, recovered.logEndOffset]).to.deep.equal([log.logStartOffset, end + 2]);
  });
});

describe('a log that begins anew', () => {
  it('is after a crash half-way the old one or the new one, not a later part of the old one', async () => {
    const disk = new SimDisk();
    const config = { segmentBytes: 400 };
    const { log } = await openLog(disk, config);
    for (let batch = 0; batch < 6; batch++) append(log, 1, -1, 150);
    await log.flush();
    const work = (): Promise<unknown> => log.truncateFullyAndStartAt(0 as Offset);
    const { starts, crashes } = await startsAfterCrashes(disk, config, work);
    expect(starts).to.deep.equal([0]);
    expect(crashes).to.be.greaterThan(50);
  });
});

describe('a log whose disk fails', () => {
  it('is not cut when the sync that was under way before the cut has failed', async () => {
    const disk = new SimDisk();
    const causes: unknown[] = [];
    const { log } = await openLog(disk, {}, (cause) => causes.push(cause));
    append(log, 2);
    append(log, 2);
    await log.flush();
    const result = append(log, 2);
    // The failed sync loses pages: what the cut would look for in the file is not there any more.
    disk.inject({ operation: 'sync', error: 'EIO' });
    if (result.ok) await result.written;
    const outcome: unknown = await log.truncateTo(3 as Offset).catch((error: unknown) => error);
    expect(outcome).to.be.instanceOf(TidemarkError).and.to.have.property('error', 'KAFKA_STORAGE_ERROR');
    expect(causes).to.have.length(1);
    const { log: recovered } = await openLog(crashed(disk));
    expect(recovered.logEndOffset).to.equal(4);
  });

  it('does not say that records are deleted for good when a full disk cannot note it', async () => {
    const disk = new SimDisk();
    const { log } = await openLog(disk);
    append(log, 4);
    append(log, 4);
    await log.flush();
    const isLogStart = (path: string): boolean => path.includes('log-start');
    disk.inject({ operation: 'write', path: isLogStart, error: 'ENOSPC', times: 2 });
    const refused: unknown = await log.deleteRecordsBefore(5 as Offset).catch((error: unknown) => error);
    expect(refused).to.have.property('error', 'KAFKA_STORAGE_ERROR');
    expect([log.logStartOffset, log.durableLogStartOffset]).to.deep.equal([5, 0]);
    expect(await log.deleteRecordsBefore(5 as Offset)).to.include({ ok: true, logStartOffset: 5 });
    expect(log.durableLogStartOffset).to.equal(5);
    const { log: recovered } = await openLog(crashed(disk));
    expect(recovered.logStartOffset).to.equal(5);
  });
});
