// The lock on a folder: an empty LevelDB in `<folder>/.lock`, open for as long as the lock is held. Node has no call for
// fcntl locks and LevelDB takes one on its LOCK file: the kernel frees it when the process dies, however it dies, so no lock is ever stale;
// and LevelDB's own table keeps out a second opener in this process. Loading it takes about 25 ms once, opening it about 4 ms.

import { join } from 'node:path';
// `import type`: with an inline `type` the emitted module would still load the library at start.
import type { ClassicLevel } from 'classic-level';
import { DiskError, type DirectoryLock } from '@tidemark/core';
import { diskError, errnoOf } from './node-disk-errors.ts';

/** The lock's own folder in the folder it locks; hidden from `list`. */
export const LOCK_NAME = '.lock';

/** `folder` is absolute and exists. */
export async function acquireLock(folder: string, path: string): Promise<DirectoryLock> {
  // Loaded on first use: a process that never locks (the CLI's readers) does not pay for it.
  const { ClassicLevel: Level } = await import('classic-level');
  const level = new Level(join(folder, LOCK_NAME), {
    createIfMissing: true,
    compression: false,
    writeBufferSize: 64 * 1024,
    cacheSize: 8 * 1024,
  });
  try {
    await level.open();
  } catch (error) {
    throw lockError(error, path);
  }
  return new LevelLock(level, path);
}

function lockError(error: unknown, path: string): DiskError {
  // abstract-level wraps what happened ("database failed to open") around its cause.
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (errnoOf(cause) === 'LEVEL_LOCKED') return new DiskError('ELOCKED', path, 'lockDirectory', { cause });
  return diskError(cause, path, 'lockDirectory');
}

class LevelLock implements DirectoryLock {
  readonly #level: ClassicLevel;
  readonly #path: string;
  #released: Promise<void> | undefined;

  constructor(level: ClassicLevel, path: string) {
    this.#level = level;
    this.#path = path;
  }

  release(): Promise<void> {
    this.#released ??= this.#level.close().catch((error: unknown) => {
      throw lockError(error, this.#path);
    });
    return this.#released;
  }
}
