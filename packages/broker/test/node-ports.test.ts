import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { DiskError } from '@tidemark/core';
import { clockConformance, diskConformance, prngConformance } from '@tidemark/simulation';
import { NodeClock } from '../src/node-clock.ts';
import { diskError } from '../src/node-disk-errors.ts';
import { NodeDisk } from '../src/node-disk.ts';
import { NodePrng } from '../src/node-prng.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-disk-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('NodePrng is a Prng', () => {
  for (const { name, run } of prngConformance) it(name, () => run(() => new NodePrng()));
});

describe('NodeClock is a Clock', () => {
  for (const { name, run } of clockConformance) it(name, () => run(() => new NodeClock()));
});

describe('NodeDisk is a Disk', () => {
  for (const { name, run } of diskConformance) {
    it(name, () => inFolder((folder) => run(() => new NodeDisk(folder))));
  }

  it('makes its own root, and leaves what is beside it alone', () =>
    inFolder(async (folder) => {
      const disk = new NodeDisk(join(folder, 'deep', 'root'));
      await disk.makeDirectory('');
      await disk.makeDirectory('a');
      await writeFile(join(folder, 'deep', 'beside'), 'kept');
      await disk.removeTree('a');
      await disk.removeTree('../beside').then(
        () => expect.fail('the path leads out'),
        (error: unknown) => expect(error).to.be.instanceOf(DiskError),
      );
      expect(await readFile(join(folder, 'deep', 'beside'), 'utf8')).to.equal('kept');
    }));

  it('follows a symbolic link, which only the operator can have made', () =>
    inFolder(async (folder) => {
      await mkdir(join(folder, 'elsewhere'));
      await mkdir(join(folder, 'root'));
      await symlink(join(folder, 'elsewhere'), join(folder, 'root', 'link'));
      const disk = new NodeDisk(join(folder, 'root'));
      await (await disk.open('link/file', 'create')).close();
      expect(await disk.list('')).to.deep.equal([{ name: 'link', kind: 'directory' }]);
      expect(await disk.list('link')).to.deep.equal([{ name: 'file', kind: 'file' }]);
    }));

  it('keeps another process out of a locked folder, and lets it in when the holder is killed', () =>
    inFolder(async (folder) => {
      const disk = new NodeDisk(folder);
      const locker = (then: string): Promise<{ stdout: string }> =>
        promisify(execFile)(process.execPath, [
          ...process.execArgv,
          '--input-type=module',
          '--eval',
          `import { NodeDisk } from ${JSON.stringify(new URL('../src/node-disk.ts', import.meta.url).href)};
           const outcome = await new NodeDisk(${JSON.stringify(folder)}).lockDirectory('').then(
             () => 'locked', (error) => error.code);
           console.log(outcome);
           ${then}`,
        ]);
      const lock = await disk.lockDirectory('');
      expect((await locker('')).stdout.trim()).to.equal('ELOCKED');
      await lock.release();
      const killed = await locker("process.kill(process.pid, 'SIGKILL')").then(
        () => expect.fail('the process outlived SIGKILL'),
        (error: unknown) => error as { signal: string; stdout: string },
      );
      expect(killed.signal).to.equal('SIGKILL');
      expect(killed.stdout.trim()).to.equal('locked');
      await (await disk.lockDirectory('')).release();
    }));

  it('names every errno: known ones as they are, relatives by the nearest, the rest EIO with the cause', () => {
    const code = (errno: string): string => {
      const cause = Object.assign(new Error(errno), { code: errno });
      const error = diskError(cause, 'path', 'write');
      expect(error.cause).to.equal(cause);
      return error.code;
    };
    expect(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE', 'EIO', 'EBADF'].map(code)).to.deep.equal([
      'ENOSPC',
      'ENOSPC',
      'EROFS',
      'EMFILE',
      'EMFILE',
      'EIO',
      'EIO',
    ]);
    expect(diskError('not an error', 'path', 'write').code).to.equal('EIO');
  });
});

describe('NodeClock under a failing callback', () => {
  it('still runs the other timers', async () => {
    const clock = new NodeClock();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const caught = new Promise<unknown>((resolve) => process.once('uncaughtException', resolve));
    try {
      const ran = new Promise<void>((resolve) => {
        clock.setTimer(0, () => {
          throw new Error('planted');
        });
        clock.setTimer(0, resolve);
      });
      expect(String(await caught)).to.contain('planted');
      await ran;
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });
});
