import { expect } from 'chai';
import fc from 'fast-check';
import { defaultLogConfig, type LogConfig } from '@tidemark/log';
import { type SimDisk } from '@tidemark/simulation';
import {
  appended,
  batchOf,
  headersOf,
  NAME,
  openFolder,
  openLog,
  smallSegments,
  type World,
} from './story.ts';

function file(disk: SimDisk, name: string): Buffer {
  const bytes = disk.contents().get(`data/${NAME}/${name}`);
  if (bytes === undefined) throw new Error(`there is no ${name}`);
  return Buffer.from(bytes);
}

const names = (disk: SimDisk, extension: string): string[] =>
  [...disk.contents().keys()]
    .filter((path) => path.endsWith(extension))
    .map((path) => path.slice(path.lastIndexOf('/') + 1));

/** What Kafka's index tool demands of a closed log: answers the faults it would print. */
function indexFaults(disk: SimDisk): string[] {
  const faults: string[] = [];
  for (const name of names(disk, '.log')) {
    const base = Number(name.slice(0, 20));
    const stem = name.slice(0, 20);
    const batches = headersOf(file(disk, name));
    const index = file(disk, `${stem}.index`);
    const times = file(disk, `${stem}.timeindex`);
    for (let at = 0; at < index.length; at += 8) {
      const offset = base + index.readInt32BE(at);
      const batch = batches.find((candidate) => candidate.at === index.readInt32BE(at + 4));
      if (batch?.lastOffset !== offset) faults.push(`${name}: entry ${at / 8} is no batch's last offset`);
    }
    let previous = -1;
    for (let at = 0; at < times.length; at += 12) {
      const timestamp = Number(times.readBigInt64BE(at));
      const offset = base + times.readInt32BE(at + 8);
      const batch = batches.find((candidate) => candidate.lastOffset === offset);
      if (batch?.maxTimestamp !== timestamp) faults.push(`${name}: time entry ${at / 12} is not its batch's`);
      if (timestamp <= previous) faults.push(`${name}: time entry ${at / 12} goes back`);
      previous = timestamp;
    }
    const largest = Math.max(-1, ...batches.map(({ maxTimestamp }) => maxTimestamp));
    if (previous !== largest) faults.push(`${name}: the last time entry is ${previous}, not ${largest}`);
  }
  return faults;
}

async function filled(config: LogConfig, timestamps: readonly number[]): Promise<World> {
  const world = await openFolder();
  const log = await openLog(world, config);
  for (const timestampMs of timestamps) await appended(log, { timestampMs, records: 1 + (timestampMs % 3) });
  await world.folder.close();
  return world;
}

describe('the index files', () => {
  it('have an entry behind about every interval: the last offset of a batch and where it begins', async () => {
    const size = batchOf().length;
    const config = { ...defaultLogConfig, indexIntervalBytes: 2 * size };
    const { disk } = await filled(config, Array<number>(9).fill(3000));
    const index = file(disk, '00000000000000000000.index');
    const entries = Array.from({ length: index.length / 8 }, (_, entry) => [
      index.readInt32BE(entry * 8),
      index.readInt32BE(entry * 8 + 4),
    ]);
    // More than two batches must lie between: entries at the fourth, seventh ... batch.
    expect(entries).to.deep.equal([
      [3, 3 * size],
      [6, 6 * size],
    ]);
    const times = file(disk, '00000000000000000000.timeindex');
    expect(times.length, 'one timestamp, one entry').to.equal(12);
    expect(times.readInt32BE(8), 'the first batch that had it').to.equal(0);
  });

  it('stand up to the checks of Kafka’s own tool, whatever the timestamps do', async () => {
    const timestamps = fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(timestamps, fc.integer({ min: 0, max: 400 }), async (times, indexIntervalBytes) => {
        const { disk } = await filled({ ...smallSegments, indexIntervalBytes }, times);
        expect(indexFaults(disk)).to.deep.equal([]);
      }),
      { numRuns: 60 },
    );
  });

  it('are the same when they are built from the log as when appends made them', async () => {
    const timestamps = Array.from({ length: 60 }, (_, index) => (index * 7919) % 1000);
    const { disk } = await filled(smallSegments, timestamps);
    const before = disk.contents();
    for (const name of [...names(disk, '.index'), ...names(disk, '.timeindex')]) {
      await disk.removeFile(`data/${NAME}/${name}`);
    }
    const world = await openFolder(disk);
    const log = await openLog(world, smallSegments);
    // Looking for a time goes through every segment, and so loads every index.
    await log.offsetForTimestamp(2000, log.logEndOffset);
    for (let offset: number = log.logStartOffset; offset < log.logEndOffset; offset += 1) {
      const options = { maxBytes: 1, upTo: log.logEndOffset, atLeastOne: true };
      await log.read(offset as typeof log.logEndOffset, options);
    }
    await world.folder.close();
    expect(world.warnings.filter((text) => text.includes('built anew'))).to.not.have.length(0);
    const after = disk.contents();
    for (const [path, bytes] of before) {
      if (path.endsWith('index'))
        expect(Buffer.from(after.get(path)!), path).to.deep.equal(Buffer.from(bytes));
    }
  });
});

describe('a segment', () => {
  const bases = (world: World): number[] =>
    names(world.disk, '.log').map((name) => Number(name.slice(0, 20)));

  it('rolls before a batch that would take it over segment.bytes', async () => {
    const size = batchOf().length;
    const world = await filled({ ...defaultLogConfig, segmentBytes: 3 * size }, Array<number>(7).fill(3000));
    expect(bases(world)).to.deep.equal([0, 3, 6]);
  });

  it('rolls when a batch is segment.ms younger than the first one', async () => {
    const config = { ...defaultLogConfig, segmentMs: 1000 };
    const world = await filled(config, [3000, 3999, 3000, 3999, 4002, 4002]);
    // Batches of 1, 1, 1, 1, 1, 1 records; 4002 is the first that is more than a second after 3000.
    expect(bases(world)).to.deep.equal([0, 4]);
  });

  it('rolls when its index is full', async () => {
    const config = { ...defaultLogConfig, indexIntervalBytes: 0, segmentIndexBytes: 8 * 8 };
    const world = await filled(config, Array<number>(20).fill(3000));
    // The first batch has no entry, the next eight fill the index, the tenth rolls.
    expect(bases(world)).to.deep.equal([0, 9, 18]);
  });
});
