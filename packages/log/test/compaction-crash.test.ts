// A compacted log crashed at every boundary of its story, in every crash mode. The mutants prove that it would be noticed.
import { type Disk } from '@tidemark/core';
import {
  exploreCompactionFaults,
  exploreCompactionPoints,
  lyingDisk,
  type CompactionPointOptions,
} from '@tidemark/simulation';
import { expect } from 'chai';
import { KeyOffsets } from '../src/key-offsets.ts';

const firstSeed = Number(process.env['SEED'] ?? 1);
const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 1) }, (_, at) => firstSeed + at);
const STEPS = 120;

describe('a compacted log crashed at every boundary', () => {
  for (const seed of seeds) {
    it(`loses no key's last value (seed ${seed})`, async function () {
      this.timeout(240_000);
      const report = await exploreCompactionPoints({ seed, steps: STEPS });
      const { boundaries, states, distinct, cleanedBytes } = report;
      console.log(
        `      ${boundaries} boundaries, ${states} states, ${distinct} distinct, ${cleanedBytes} bytes cleaned`,
      );
      expect(report.faults.join('\n')).to.equal('');
      expect(states).to.be.greaterThan(1_000);
      expect(cleanedBytes).to.be.greaterThan(1_000);
      expect(report.told.size, 'kinds of steps').to.be.at.least(6);
    });
  }
  for (const error of ['EIO', 'ENOSPC'] as const) {
    it(`keeps its promises when any disk operation answers ${error}`, async function () {
      this.timeout(240_000);
      const report = await exploreCompactionFaults({ seed: 2, steps: 60, error, stride: 3 });
      console.log(`      ${report.runs} runs, ${report.offline} offline`);
      expect(report.faults.join('\n')).to.equal('');
      expect(report.runs).to.be.greaterThan(30);
    });
  }
});

describe('the checker of compacted logs catches', () => {
  const caught = async (options: Partial<CompactionPointOptions>, as: RegExp): Promise<void> => {
    const report = await exploreCompactionPoints({ seed: 1, steps: STEPS, maxFaults: 1, ...options });
    expect(report.faults.join('\n')).to.match(as);
    console.log(`      caught as: ${report.faults[0]!.replace(/\s+/g, ' ').slice(0, 150)}`);
  };

  it('a swap before the cleaned segment is synced', async function () {
    this.timeout(120_000);
    await caught({ disguise: unsyncedCleaned }, /C2|C3|cannot be read|CORRUPT/);
  });

  it('names that are not synced', async function () {
    this.timeout(120_000);
    await caught({ disguise: (disk) => lyingDisk(disk, 'directory-sync-does-nothing') }, /./);
  });

  it('old segments that stay beside the one that replaces them', async function () {
    this.timeout(120_000);
    await caught({ disguise: keepingOld }, /./);
  });

  it('a tombstone that is dropped at once', async function () {
    this.timeout(120_000);
    await caught({ config: { deleteRetentionMs: 0 } }, /C2.*tombstone/);
  });

  it('a last value that is dropped because its key is known', async function () {
    this.timeout(120_000);
    const get = Object.getOwnPropertyDescriptor(KeyOffsets.prototype, 'get')!.value as KeyOffsets['get'];
    KeyOffsets.prototype.get = function (bytes, at, length) {
      const offset = get.call(this, bytes, at, length);
      return offset < 0 ? offset : offset + 1;
    };
    try {
      await caught({}, /C2/);
    } finally {
      KeyOffsets.prototype.get = get;
    }
  });
});

const passing = (disk: Disk): Disk => ({
  open: (path, mode) => disk.open(path, mode),
  list: (path) => disk.list(path),
  makeDirectory: (path) => disk.makeDirectory(path),
  rename: (from, to) => disk.rename(from, to),
  removeFile: (path) => disk.removeFile(path),
  removeTree: (path) => disk.removeTree(path),
  stat: (path) => disk.stat(path),
  syncDirectory: (path) => disk.syncDirectory(path),
  lockDirectory: (path) => disk.lockDirectory(path),
});

function unsyncedCleaned(disk: Disk): Disk {
  const unsynced = lyingDisk(disk, 'sync-does-nothing');
  return {
    ...passing(disk),
    open: (path, mode) => (path.endsWith('.cleaned') ? unsynced : disk).open(path, mode),
  };
}

function keepingOld(disk: Disk): Disk {
  return {
    ...passing(disk),
    rename: (from, to) => (to.endsWith('.log.deleted') ? Promise.resolve() : disk.rename(from, to)),
  };
}
