// Small files that are replaced as a whole: written beside the old one, synced, renamed over it, the folder synced.
// Contract: after `replaceFile` resolves the new content survives a power failure; if it fails, the old content is there.

import { DiskError, type Disk } from '@tidemark/core';
import { TEMPORARY_SUFFIX } from './segment-files.ts';
import { readFully, writeFully } from './write-fully.ts';

export async function replaceFile(
  disk: Disk,
  directory: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const target = `${directory}/${name}`;
  const temporary = target + TEMPORARY_SUFFIX;
  const file = await disk.open(temporary, 'create');
  try {
    // A leftover of a crash may be longer.
    await file.truncate(0);
    if (bytes.length > 0) await writeFully(file, [bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, target);
  await disk.syncDirectory(directory);
}

/** `undefined` if there is no such file. `maxBytes` bounds what is read: a longer file rejects with EINVAL. */
export async function readWholeFile(
  disk: Disk,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  let file;
  try {
    file = await disk.open(path, 'read');
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const size = await file.sizeBytes();
    if (size > maxBytes) throw new DiskError('EINVAL', path, `read more than ${maxBytes} bytes of`);
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, await readFully(file, bytes, 0));
  } finally {
    await file.close();
  }
}
