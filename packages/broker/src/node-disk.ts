// NodeDisk: core's Disk over a folder of the real file system. Paths that would lead out of the folder are refused before
// any system call; symbolic links inside it are followed, they are the operator's. Every failure is a DiskError.

import { close, constants, fsync, open } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DiskError, type DirectoryEntry, type DirectoryLock, type Disk, type DiskFile } from '@tidemark/core';
import { diskError, errnoOf, translated } from './node-disk-errors.ts';
import { NodeDiskFile, type SyncObserver } from './node-disk-file.ts';
import { acquireLock, LOCK_NAME } from './node-disk-lock.ts';

const openFlags = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT,
} as const;
const FILE_MODE = 0o644;

export class NodeDisk implements Disk {
  /** Absolute. */
  readonly root: string;
  readonly #onSync: SyncObserver | undefined;

  /** `root` need not exist yet: `makeDirectory('')` makes it. */
  constructor(root: string, onSync?: SyncObserver) {
    this.root = resolve(root);
    this.#onSync = onSync;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    const descriptor = await translated(
      openFile(this.#absolute(path, 'open'), openFlags[mode]),
      path,
      'open',
    );
    const file = new NodeDiskFile(path, descriptor, mode !== 'read', this.#onSync);
    // Opening a folder for reading succeeds, and only the first read would fail.
    if (mode === 'read' && (await file.isDirectory())) {
      await file.close();
      throw new DiskError('EINVAL', path, 'open');
    }
    return file;
  }

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    const absolute = this.#absolute(path, 'list');
    const found = await translated(readdir(absolute, { withFileTypes: true }), path, 'list');
    const entries: DirectoryEntry[] = [];
    for (const entry of found) {
      if (entry.name === LOCK_NAME) continue;
      const directory = entry.isSymbolicLink()
        ? await leadsToDirectory(join(absolute, entry.name))
        : entry.isDirectory();
      entries.push({ name: entry.name, kind: directory ? 'directory' : 'file' });
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async makeDirectory(path: string): Promise<void> {
    await translated(makeSynced(this.#absolute(path, 'makeDirectory')), path, 'makeDirectory');
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.#absolute(from, 'rename');
    await translated(rename(source, this.#absolute(to, 'rename')), `${from} -> ${to}`, 'rename');
  }

  async removeFile(path: string): Promise<void> {
    await translated(unlink(this.#absolute(path, 'removeFile')), path, 'removeFile');
  }

  async removeTree(path: string): Promise<void> {
    const absolute = this.#absolute(path, 'removeTree');
    if (absolute === this.root) throw new DiskError('EINVAL', path, 'removeTree');
    try {
      await rm(absolute, { recursive: true, force: true });
    } catch (error) {
      // A path through a file: there is nothing at it.
      if (errnoOf(error) !== 'ENOTDIR') throw diskError(error, path, 'removeTree');
    }
  }

  async stat(path: string): Promise<{ kind: 'file' | 'directory'; sizeBytes: number } | undefined> {
    const absolute = this.#absolute(path, 'stat');
    try {
      const found = await stat(absolute);
      return { kind: found.isDirectory() ? 'directory' : 'file', sizeBytes: found.size };
    } catch (error) {
      const failed = diskError(error, path, 'stat');
      if (failed.code === 'ENOENT') return undefined;
      throw failed;
    }
  }

  async syncDirectory(path: string): Promise<void> {
    await translated(syncNames(this.#absolute(path, 'syncDirectory')), path, 'syncDirectory');
  }

  async lockDirectory(path: string): Promise<DirectoryLock> {
    const absolute = this.#absolute(path, 'lockDirectory');
    if ((await this.stat(path))?.kind !== 'directory') throw new DiskError('ENOENT', path, 'lockDirectory');
    return acquireLock(absolute, path);
  }

  #absolute(path: string, operation: string): string {
    if (path.startsWith('/') || path.includes('\0') || path.split('/').includes('..')) {
      throw new DiskError('EACCES', path, operation);
    }
    // `resolve` also drops a trailing `/` or `.`, so that the root has one name only.
    return resolve(join(this.root, path));
  }
}

function openFile(path: string, flags: number): Promise<number> {
  return new Promise((succeed, fail) =>
    open(path, flags, FILE_MODE, (error, descriptor) => {
      if (error === null) succeed(descriptor);
      else fail(error);
    }),
  );
}

/** False for a link that leads nowhere. */
async function leadsToDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function closeDescriptor(descriptor: number): Promise<void> {
  return new Promise((succeed, fail) =>
    close(descriptor, (error) => {
      if (error === null) succeed();
      else fail(error);
    }),
  );
}

async function syncNames(folder: string): Promise<void> {
  const descriptor = await openFile(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await new Promise<void>((succeed, fail) =>
      fsync(descriptor, (error) => {
        if (error === null) succeed();
        else fail(error);
      }),
    );
  } finally {
    await closeDescriptor(descriptor);
  }
}

/** From the first missing folder down: make it, then sync the folder that holds its name. */
async function makeSynced(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    if (errno !== 'ENOENT') throw error;
    await makeSynced(dirname(folder));
    await makeSynced(folder);
    return;
  }
  await syncNames(dirname(folder));
}
