// Every two things a log can be asked for, the second one at each disk step of the first: no matter how they meet, what was flushed
// is there after a power failure, what is read is what was appended, every promise settles, and no disk is called broken.

import { expect } from 'chai';
import { TidemarkError, topicIdFromBytes } from '@tidemark/core';
import { defaultCleanerSettings, type LogConfig, type PartitionLog } from '@tidemark/log';
import { crashModes, SimDisk, SimPrng } from '@tidemark/simulation';
import { keyedBatch, recordsOf } from './compaction-story.ts';
import { append, at, NAME, openFolder, openLog, readFrom, smallSegments, type World } from './story.ts';

/** What is committed: nothing below is ever cut, nothing above deleted or cleaned. */
const HIGH_WATERMARK = 40;
const CUT = 47;
const OTHER_TOPIC = topicIdFromBytes(new Uint8Array(16).fill(9));

const config: LogConfig = {
  ...smallSegments,
  segmentBytes: 600,
  cleanupPolicy: 'compact,delete',
  minCleanableDirtyRatio: 0,
  retentionMs: -1,
  fileDeleteDelayMs: 0,
};

interface Promised {
  readonly values: ReadonlyMap<number, string>;
  /** What is at and above it, and below `end`, has to be there. */
  readonly start: number;
  readonly end: number;
}

/** A log, and what its caller knows to be in it. */
class Told {
  readonly world: World;
  log: PartitionLog;
  /** By offset. */
  values = new Map<number, string>();
  /** What is at and above it is being cut, or may be. */
  cut = Infinity;
  isClosed = false;
  /** Somebody else has the name now. */
  isDeleted = false;

  constructor(world: World, log: PartitionLog, values: ReadonlyMap<number, string>) {
    this.world = world;
    this.log = log;
    this.values = new Map(values);
  }

  /** The next record of a key: an odd one is written once, an even one again and again. */
  async append(text: string): Promise<void> {
    const { log, values } = this;
    const offset = log.nextOffset;
    const key = offset % 2 === 1 ? `once ${offset}` : `again ${(offset / 2) % 5}`;
    const result = append(log, keyedBatch([[key, text]]));
    if (!result.ok) return;
    values.set(offset, text);
    try {
      await result.written;
    } catch (cause) {
      if (values.get(offset) === text) values.delete(offset);
      throw cause;
    }
  }

  get promised(): Promised {
    const { log, values, cut } = this;
    return { values: new Map(values), start: log.logStartOffset, end: Math.min(cut, log.flushedOffset) };
  }
}

type Operation = (told: Told) => Promise<unknown>;

const cutting = async (told: Told, from: number, work: () => Promise<number>): Promise<void> => {
  told.cut = Math.min(told.cut, from);
  const { log } = told;
  const end = await work();
  if (told.log !== log) return;
  told.values = new Map([...told.values].filter(([offset]) => offset < from && offset < end));
  told.cut = Infinity;
};

const operations: Readonly<Record<string, Operation>> = {
  append: async (told) => {
    for (let round = 0; round < 2; round++) {
      await Promise.all(Array.from({ length: 12 }, (_, index) => told.append(`appended ${round}.${index}`)));
    }
  },
  flush: async (told) => {
    const written = told.append('flushed');
    await Promise.all([written, told.log.flush()]);
  },
  truncate: (told) => cutting(told, CUT, () => told.log.truncateTo(at(CUT))),
  'start anew': (told) => cutting(told, 0, () => told.log.truncateFullyAndStartAt(at(500))),
  'delete records': (told) => told.log.deleteRecordsBefore(at(25)),
  retention: async (told) => {
    told.log.updateConfig({ ...told.log.config, retentionBytes: 2_000 });
    await told.log.runRetention(0, at(HIGH_WATERMARK));
  },
  checkpoint: (told) => told.world.folder.checkpoint(),
  config: async (told) => {
    for (const flushPolicy of ['ack', 'os', 'ack'] as const) {
      told.log.updateConfig({ ...told.log.config, flushPolicy });
      await Promise.resolve();
    }
  },
  clean: (told) => told.world.folder.cleanNext(10_000, () => at(HIGH_WATERMARK)),
  read: async (told) => {
    const { log } = told;
    for (let offset: number = log.logStartOffset; ;) {
      const read = await readFrom(log, offset, { maxBytes: 300 });
      if (told.isClosed) return;
      if (!read.ok) expect(read.error, read.message).to.equal('OFFSET_OUT_OF_RANGE');
      if (!read.ok || read.sizeBytes === 0) return;
      offset = read.nextOffset;
    }
  },
  'look by time': async (told) => {
    await told.log.offsetForTimestamp(900, at(HIGH_WATERMARK));
    await told.log.maxTimestamp();
  },
  'full disk': async (told) => {
    told.world.disk.inject({ error: 'ENOSPC', operation: 'write', path: (path) => path.endsWith('.log') });
    await Promise.all(Array.from({ length: 15 }, (_, index) => told.append(`may be lost ${index}`)));
  },
  delete: async (told) => {
    told.isClosed = true;
    told.isDeleted = true;
    const { folder } = told.world;
    await folder.deletePartition(NAME);
    told.log = await folder.openPartition(NAME, OTHER_TOPIC, config);
    told.values = new Map();
    told.cut = Infinity;
    told.world.disk.clearFaults();
    for (let index = 0; index < 9; index++) await told.append(`of another topic ${index}`);
    await told.log.flush();
  },
  close: async (told) => {
    told.isClosed = true;
    await told.world.folder.close();
  },
};

/** Those that may keep others from coming to an end. */
const spoiling = new Set(['truncate', 'start anew', 'full disk', 'delete', 'close']);

async function open(
  disk: SimDisk,
  policy: LogConfig['flushPolicy'],
  values: ReadonlyMap<number, string>,
): Promise<Told> {
  const world = await openFolder(disk, { cleaner: defaultCleanerSettings, tailBytes: 1_000 });
  const log = await openLog(world, { ...config, flushPolicy: policy });
  return new Told(world, log, values);
}

/** Whether everything that was promised is found, and nothing else in its place. */
async function check({ values, start, end }: Promised, log: PartitionLog, where: string): Promise<void> {
  const found = new Map((await recordsOf(log)).map(({ offset, value }) => [offset, value]));
  if (end > 0) expect(log.logStartOffset, where).to.be.at.most(start);
  for (const [offset, text] of values) {
    if (offset < start || offset >= end) continue;
    const record = found.get(offset);
    // Even ones may have been cleaned away.
    if (record === undefined && offset % 2 === 0 && offset < HIGH_WATERMARK) continue;
    expect(record, `${where}: offset ${offset} of ${start} to ${end}`).to.equal(text);
  }
}

async function settled(name: string, told: Told, mayFail: boolean): Promise<void> {
  try {
    await operations[name]!(told);
  } catch (cause) {
    if (!mayFail || name === 'delete' || !(cause instanceof TidemarkError)) throw cause;
  }
}

/** Tells the second operation before that step of the first one, and lets the power fail some steps later, on a copy of the disk. */
async function meet(
  base: { readonly disk: SimDisk; readonly values: ReadonlyMap<number, string> },
  policy: LogConfig['flushPolicy'],
  first: string,
  second: string,
  step: number,
): Promise<boolean> {
  const where = `${second} asked before step ${step} of ${first} (${policy})`;
  const prng = new SimPrng(step + 1);
  const told = await open(base.disk.fork('all', prng), policy, base.values);
  const { world } = told;
  for (let index = 0; index < 8; index++) await told.append(`not flushed ${index}`);
  let steps = 0;
  let isOver = false;
  const failsAt = step + 1 + prng.below(12);
  let failure: { readonly disk: SimDisk; readonly promised: Promised } | undefined;
  let other: Promise<void> | undefined;
  const mayFail = spoiling.has(first) || spoiling.has(second);
  const stop = world.disk.observe((_, phase) => {
    if (phase !== 'before') return;
    if (steps === step && !isOver) {
      other = Promise.resolve().then(() => settled(second, told, mayFail));
    }
    if (steps === failsAt && !told.isDeleted) {
      const mode = crashModes[prng.below(crashModes.length)]!;
      failure = { disk: world.disk.fork(mode, prng), promised: told.promised };
    }
    steps += 1;
  });
  await settled(first, told, mayFail);
  isOver = true;
  await other;
  const isMet = other !== undefined;
  await (other ?? settled(second, told, mayFail));
  stop();
  world.disk.clearFaults();
  expect(world.offline.map(String), where).to.deep.equal([]);
  if (failure !== undefined) {
    const again = await open(failure.disk, policy, new Map());
    await check(failure.promised, again.log, `${where}, the power failed at ${failsAt}`);
    expect(again.log.recovery, where).to.include({ lostOffsets: 0, damagedBatches: 0 });
    await again.world.folder.close();
  }
  if (!told.isClosed || told.isDeleted) {
    await told.log.quiet();
    for (let index = 0; index < 3; index++) await told.append(`last ${index}`);
    await told.log.flush();
    expect(told.promised.end, where).to.equal(told.log.nextOffset);
    await check(told.promised, told.log, `${where}, in the end`);
    const again = await openFolder(world.disk.fork('nothing', prng), { cleaner: defaultCleanerSettings });
    await check(told.promised, await openAs(again, told), `${where}, after a power failure in the end`);
    await again.folder.close();
    await world.folder.close();
  }
  const last = await openFolder(world.disk, { cleaner: defaultCleanerSettings });
  const log = await openAs(last, told);
  await check(told.promised, log, `${where}, after a clean stop`);
  expect(log.recovery, where).to.include({ clean: true, truncatedBytes: 0 });
  await last.folder.close();
  expect(world.offline.map(String), where).to.deep.equal([]);
  return isMet;
}

function openAs({ folder }: World, { log }: Told): Promise<PartitionLog> {
  return folder.openPartition(NAME, log.topicId, config);
}

async function baseDisk(): Promise<{ readonly disk: SimDisk; readonly values: ReadonlyMap<number, string> }> {
  const told = await open(new SimDisk(), 'ack', new Map());
  for (let index = 0; index < 60; index++) await told.append(`base ${index}`);
  await told.world.folder.close();
  return { disk: told.world.disk, values: told.values };
}

/** EVERY_STEP=1: all of them, half an hour; else a few of each pair, closer together at the beginning. */
const isThorough = process.env['EVERY_STEP'] !== undefined;
const names = Object.keys(operations);
const policies = ['ack', 'os'] as const;

/** Nobody closes or deletes twice; and what spoils a write must not meet those of the log that is made after a deletion. */
function isPair(first: string, second: string): boolean {
  const ends = (name: string): boolean => name === 'close' || name === 'delete';
  const isSpoilt = (one: string, other: string): boolean => one === 'delete' && other === 'full disk';
  return !(ends(first) && ends(second)) && !isSpoilt(first, second) && !isSpoilt(second, first);
}

describe('a log that is asked for two things at once', () => {
  for (const [at, first] of names.entries()) {
    it(`keeps its promises: ${first}, and meanwhile anything else`, async function () {
      this.timeout(1_200_000);
      const base = await baseDisk();
      for (const [turn, second] of names.entries()) {
        if (!isPair(first, second)) continue;
        for (const policy of isThorough ? policies : [policies[(at + turn) % 2]!]) {
          let isMet = true;
          for (let step = isThorough ? 0 : turn % 3; isMet; step = isThorough ? step + 1 : 3 * step + 5) {
            isMet = await meet(base, policy, first, second, step).catch((cause: unknown) => {
              throw new Error(`${second} asked before step ${step} of ${first} (${policy})`, { cause });
            });
          }
        }
      }
    });
  }
});
