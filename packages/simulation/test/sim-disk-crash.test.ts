import { expect } from 'chai';
import fc from 'fast-check';
import { type Disk, type DiskFile } from '@tidemark/core';
import {
  crashModes,
  patterned,
  SimClock,
  SimDisk,
  SimPrng,
  writeAll,
  type CrashMode,
} from '@tidemark/simulation';

async function durableFile(disk: SimDisk, path: string, bytes: Uint8Array): Promise<DiskFile> {
  const file = await disk.open(path, 'create');
  await writeAll(file, [bytes], 0);
  await file.sync();
  await disk.syncDirectory('');
  return file;
}

/** What every seed of a mode leaves of the file; `undefined` where it is gone. */
function outcomes(disk: SimDisk, path: string, mode: CrashMode, seeds = 300): (Uint8Array | undefined)[] {
  return Array.from({ length: seeds }, (_, seed) => disk.fork(mode, new SimPrng(seed)).contents().get(path));
}

const text = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? 'absent' : Buffer.from(bytes).toString('latin1').replaceAll('\0', '.');
const bytesOf = (letters: string): Uint8Array => Buffer.from(letters, 'latin1');

describe('what a crash leaves of a SimDisk', () => {
  it('loses bytes and names that nobody synced, each by itself', async () => {
    const disk = new SimDisk();
    const named = await disk.open('named', 'create');
    await disk.syncDirectory('');
    await named.write([bytesOf('lost')], 0);
    const synced = await disk.open('synced', 'create');
    await synced.write([bytesOf('kept')], 0);
    await synced.sync();
    await durableFile(disk, 'both', bytesOf('kept'));
    await (await disk.open('late', 'create')).sync();
    expect([...disk.fork('nothing', new SimPrng(1)).contents()].map(([path, bytes]) => [path, text(bytes)]))
      // The last `syncDirectory` came after `synced` was made, and before `late`.
      .to.deep.equal([
        ['both', 'kept'],
        ['named', ''],
        ['synced', 'kept'],
      ]);
    expect(disk.fork('all', new SimPrng(1)).contents()).to.deep.equal(disk.contents());
  });

  it('keeps what was synced before, whatever was written over it since', async () => {
    const disk = new SimDisk();
    const file = await durableFile(disk, 'file', bytesOf('old old old'));
    await file.write([bytesOf('new')], 4);
    expect(text(outcomes(disk, 'file', 'nothing', 1)[0])).to.equal('old old old');
    expect(text(outcomes(disk, 'file', 'all', 1)[0])).to.equal('old new old');
    for (const mode of crashModes) {
      for (const bytes of outcomes(disk, 'file', mode)) {
        expect(text(bytes)).to.match(/^old (old|nld|ned|new) old$/);
      }
    }
  });

  it('syncs what had been written when sync was called, not what came while it ran', async () => {
    const clock = new SimClock();
    const disk = new SimDisk({ clock, latencyMs: (operation) => (operation === 'sync' ? 10 : 1) });
    await clock.settle(
      (async () => {
        const file = await durableFile(disk, 'file', bytesOf('aaaa'));
        await file.write([bytesOf('b')], 0);
        const sync = file.sync();
        await file.write([bytesOf('c')], 1);
        await sync;
      })(),
    );
    expect(text(outcomes(disk, 'file', 'nothing', 1)[0])).to.equal('baaa');
    expect(text(disk.contents().get('file'))).to.equal('bcaa');
  });

  it('in prefix mode keeps the changes before one moment, in their order', async () => {
    const disk = new SimDisk();
    const a = await durableFile(disk, 'a', bytesOf('....'));
    const b = await durableFile(disk, 'b', bytesOf('....'));
    for (const [at, letter] of ['1', '2', '3', '4'].entries()) {
      await a.write([bytesOf(letter)], at);
      await b.write([bytesOf(letter)], at);
    }
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const left = disk.fork('prefix', new SimPrng(seed)).contents();
      seen.add(`${text(left.get('a'))} ${text(left.get('b'))}`);
    }
    expect([...seen].sort()).to.deep.equal([
      '.... ....',
      '1... ....',
      '1... 1...',
      '12.. 1...',
      '12.. 12..',
      '123. 12..',
      '123. 123.',
      '1234 123.',
      '1234 1234',
    ]);
  });

  for (const blockBytes of [512, 4096] as const) {
    it(`in torn-${blockBytes} mode tears the write of the moment at ${blockBytes}-byte blocks, in any pattern`, async () => {
      const disk = new SimDisk();
      const file = await durableFile(disk, 'file', new Uint8Array(10));
      const write = patterned(4 * blockBytes).map((byte) => byte | 1);
      await file.write([write], 0);
      const patterns = new Set<string>();
      for (const bytes of outcomes(disk, 'file', `torn-${blockBytes}`)) {
        let pattern = '';
        for (let at = 0; at < bytes!.length; at += blockBytes) {
          const block = bytes!.subarray(at, at + blockBytes);
          const isNew = Buffer.compare(block, write.subarray(at, at + blockBytes)) === 0;
          expect(isNew || block.every((byte) => byte === 0), 'a block is whole or not there').to.equal(true);
          pattern += isNew ? 'n' : '.';
        }
        patterns.add(pattern);
      }
      expect(patterns.has('nnnn'), 'all of it').to.equal(true);
      expect(patterns.has('.nnn'), 'a hole at the front').to.equal(true);
      expect(patterns.has('n..n'), 'a hole in the middle').to.equal(true);
      expect(patterns.size).to.be.greaterThan(16);
    });
  }

  it('in reordered mode leaves each block as of a moment of its own, and never one from before the sync', async () => {
    const disk = new SimDisk();
    const file = await durableFile(disk, 'file', bytesOf('0'.repeat(4096 * 3)));
    for (const version of ['1', '2']) await file.write([bytesOf(version.repeat(4096 * 3))], 0);
    const seen = new Set<string>();
    for (const bytes of outcomes(disk, 'file', 'reordered', 500)) {
      seen.add([0, 1, 2].map((block) => text(bytes).slice(block * 4096, block * 4096 + 1)).join(''));
    }
    expect(seen.size, '3 versions of 3 blocks').to.equal(27);
    await file.sync();
    for (const bytes of outcomes(disk, 'file', 'reordered', 50)) expect(text(bytes)).to.match(/^2+$/);
  });

  it('in reordered mode may lose a truncation and keep what was written after it', async () => {
    const disk = new SimDisk();
    const file = await durableFile(disk, 'file', bytesOf('abcdefgh'));
    await file.truncate(2);
    await file.write([bytesOf('XY')], 2);
    const seen = new Set(outcomes(disk, 'file', 'reordered').map(text));
    expect([...seen].sort()).to.include.members(['abcdefgh', 'abXY', 'ab..']);
  });

  it('renames atomically in every mode', async () => {
    const disk = new SimDisk();
    await durableFile(disk, 'final', bytesOf('old'));
    const temporary = await disk.open('temporary', 'create');
    await temporary.write([bytesOf('new')], 0);
    await temporary.sync();
    await disk.rename('temporary', 'final');
    for (const mode of crashModes) {
      const finals = new Set(outcomes(disk, 'final', mode).map(text));
      expect([...finals].filter((final) => final !== 'old' && final !== 'new')).to.deep.equal([]);
      expect(finals.size, mode).to.equal(mode === 'nothing' || mode === 'all' ? 1 : 2);
    }
    await disk.syncDirectory('');
    for (const mode of crashModes) expect(outcomes(disk, 'final', mode, 20).map(text)).to.include('new');
  });

  it('brings a removed file back until its folder is synced, with what was durable of it', async () => {
    const disk = new SimDisk();
    const file = await durableFile(disk, 'file', bytesOf('durable'));
    await file.write([bytesOf('unsynced')], 0);
    await disk.removeFile('file');
    expect(text(outcomes(disk, 'file', 'nothing', 1)[0])).to.equal('durable');
    expect(text(outcomes(disk, 'file', 'all', 1)[0])).to.equal('absent');
    await disk.syncDirectory('');
    for (const mode of crashModes) {
      expect(new Set(outcomes(disk, 'file', mode).map(text))).to.deep.equal(new Set(['absent']));
    }
  });

  it('keeps folders as soon as makeDirectory has answered', async () => {
    const disk = new SimDisk();
    await disk.makeDirectory('a/b');
    expect([...disk.fork('nothing', new SimPrng(1)).contents().keys()]).to.deep.equal(['a/', 'a/b/']);
  });

  it('answers EIO to every handle and every operation under way, and locks nobody out of what survived', async () => {
    const clock = new SimClock();
    const disk = new SimDisk({ clock });
    const file = await clock.settle(disk.open('file', 'create'));
    await clock.settle(disk.lockDirectory(''));
    const underWay = file.write([bytesOf('x')], 0);
    const survivor = disk.crash('all', new SimPrng(1));
    const codes: unknown[] = [];
    const note = (error: { code: unknown }): number => codes.push(error.code);
    const failing = [underWay, file.sync(), file.read(new Uint8Array(1), 0), disk.list('')];
    await clock.settle(Promise.all(failing.map((work: Promise<unknown>) => work.catch(note))));
    expect(codes).to.deep.equal(['EIO', 'EIO', 'EIO', 'EIO']);
    expect(text(survivor.contents().get('file'))).to.equal('');
    await (await survivor.lockDirectory('')).release();
  });

  it('never loses what was synced, in any mode, after any story (property)', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        file: fc.nat(2),
        at: fc.nat(9000),
        bytes: fc.nat(6000),
      }),
      fc.record({ kind: fc.constant('truncate' as const), file: fc.nat(2), at: fc.nat(9000) }),
      fc.record({ kind: fc.constant('sync' as const), file: fc.nat(2) }),
      fc.record({ kind: fc.constant('syncDirectory' as const), file: fc.nat(2) }),
      fc.record({ kind: fc.constant('rename' as const), file: fc.nat(2) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.nat(), async (steps, seed) => {
        const disk: SimDisk = new SimDisk();
        for (const [salt, { kind, file: index, ...rest }] of steps.entries()) {
          const file = await (disk as Disk).open(`file-${index}`, 'create');
          if (kind === 'write' && 'bytes' in rest) await file.write([patterned(rest.bytes, salt)], rest.at);
          if (kind === 'truncate' && 'at' in rest) await file.truncate(rest.at);
          if (kind === 'sync') await file.sync();
          if (kind === 'syncDirectory') await disk.syncDirectory('');
          if (kind === 'rename') await disk.rename(`file-${index}`, `file-${(index + 1) % 3}`);
          await file.close();
        }
        expect(disk.fork('all', new SimPrng(seed)).contents()).to.deep.equal(disk.contents());
        const survivor = disk.fork('reordered', new SimPrng(seed));
        expect(survivor.fork('nothing', new SimPrng(1)).contents()).to.deep.equal(survivor.contents());
        for (const name of disk.contents().keys()) await (await disk.open(name, 'read')).sync();
        await disk.syncDirectory('');
        for (const mode of crashModes) {
          expect(disk.fork(mode, new SimPrng(seed)).contents(), mode).to.deep.equal(disk.contents());
        }
      }),
      { numRuns: 150 },
    );
  });
});
