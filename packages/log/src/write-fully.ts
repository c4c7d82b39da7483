// Writes all of the parts, however short the writes come out. Contract: resolves when every byte is written, or rejects
// with the disk's error; a write that makes no progress is a full disk (a full tmpfs answers short writes before ENOSPC).

import { DiskError, type DiskFile } from '@tidemark/core';

export async function writeFully(
  file: DiskFile,
  parts: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let total = 0;
  for (const part of parts) total += part.length;
  let written = await file.write(parts, position);
  while (written < total) {
    const progress = await file.write(remainder(parts, written), position + written);
    if (progress <= 0) throw new DiskError('ENOSPC', file.path, 'write');
    written += progress;
  }
}

function remainder(parts: readonly Uint8Array[], written: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let skip = written;
  for (const part of parts) {
    if (skip >= part.length) skip -= part.length;
    else {
      rest.push(skip === 0 ? part : part.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}

/** Reads until `into` is full or the file ends; answers how many bytes were read. */
export async function readFully(file: DiskFile, into: Uint8Array, position: number): Promise<number> {
  let read = 0;
  while (read < into.length) {
    const part = read === 0 ? into : into.subarray(read);
    const progress = await file.read(part, position + read);
    if (progress <= 0) break;
    read += progress;
  }
  return read;
}
