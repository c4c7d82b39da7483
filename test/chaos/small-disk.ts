// A disk that a test can fill: a small tmpfs. Mounted only in a mount namespace of our own (`unshare -rm`), so that it is gone with the
// processes, whatever ends them.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const SIZE_MIB = 512;
const CHUNKS = [1024 * 1024, 4096, 1];

export class SmallDisk {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Or why there is none. */
  static mount(path: string): SmallDisk | string {
    mkdirSync(path);
    const done = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', path]);
    if (done.status === 0) return new SmallDisk(path);
    return `no tmpfs can be mounted: ${done.error?.message ?? done.stderr.toString().trim()}`;
  }

  /** Not a byte is left, but for the rest of pages that files have. */
  fill(): void {
    const file = openSync(this.#filler, 'a');
    try {
      for (const size of CHUNKS) while (hasWritten(file, Buffer.alloc(size)));
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  get #filler(): string {
    return join(this.path, 'filler');
  }
}

function hasWritten(file: number, bytes: Uint8Array): boolean {
  try {
    return writeSync(file, bytes) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
