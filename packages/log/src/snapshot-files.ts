// The producer snapshots of a partition on the disk: which there are, the newest that is whole, which may go.
// Contract: a snapshot at offset S holds the state after everything below S; one that does not check out is ignored.

import type { Disk } from '@tidemark/core';
import { readWholeFile, replaceFile } from './atomic-file.ts';
import { decodeProducerSnapshot } from './producer-snapshot.ts';
import type { ProducerEntry } from './producer-state.ts';
import { parseSegmentFile, segmentFileName } from './segment-files.ts';

const MAX_SNAPSHOT_BYTES = 256 * 1024 * 1024;
/** Kept besides those at the beginnings of segments. */
const KEPT = 2;

export async function writeSnapshot(
  disk: Disk,
  directory: string,
  offset: number,
  bytes: Uint8Array,
): Promise<void> {
  await replaceFile(disk, directory, segmentFileName(offset, 'snapshot'), bytes);
}

/** The offsets of the snapshots there are, ascending. */
export async function listSnapshots(disk: Disk, directory: string): Promise<number[]> {
  const offsets: number[] = [];
  for (const { name, kind } of await disk.list(directory)) {
    const file = kind === 'file' ? parseSegmentFile(name) : undefined;
    if (file?.kind === 'snapshot') offsets.push(file.baseOffset);
  }
  return offsets;
}

/** The newest whole snapshot at or below `offset`. */
export async function newestSnapshot(
  disk: Disk,
  directory: string,
  offset: number,
): Promise<{ readonly offset: number; readonly entries: ProducerEntry[] } | undefined> {
  for (const candidate of (await listSnapshots(disk, directory)).reverse()) {
    if (candidate > offset) continue;
    const path = `${directory}/${segmentFileName(candidate, 'snapshot')}`;
    const bytes = await readWholeFile(disk, path, MAX_SNAPSHOT_BYTES);
    const entries = bytes === undefined ? undefined : decodeProducerSnapshot(bytes);
    if (entries !== undefined) return { offset: candidate, entries };
  }
  return undefined;
}

export async function removeSnapshots(
  disk: Disk,
  directory: string,
  isRemoved: (offset: number) => boolean,
): Promise<void> {
  for (const offset of await listSnapshots(disk, directory)) {
    if (isRemoved(offset)) await disk.removeFile(`${directory}/${segmentFileName(offset, 'snapshot')}`);
  }
}

/** Removes those that neither begin a segment nor are among the newest. */
export async function removeStraySnapshots(
  disk: Disk,
  directory: string,
  isSegmentBase: (offset: number) => boolean,
): Promise<void> {
  const newest = (await listSnapshots(disk, directory)).slice(-KEPT);
  await removeSnapshots(disk, directory, (offset) => !newest.includes(offset) && !isSegmentBase(offset));
}
