// Puts a cleaned segment in the place of those it was made from. The one moment that counts is the durable rename of its log from
// `.cleaned` to `.swap`. Contract: before it a crash leaves the old segments, after it the new one, for opening the log finishes
// the swap; the old indexes are gone for good before the log they do not belong to takes its name; readers find either.

import { batchLastOffset } from '@tidemark/record';
import { DiskError, type Disk } from '@tidemark/core';
import { BatchScanner } from './batch-scanner.ts';
import type { LogContext, LogState } from './log-context.ts';
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  parseSegmentFile,
  segmentFileName,
  SWAP_SUFFIX,
} from './segment-files.ts';
import { removeIfThere } from './segment-removal.ts';
import type { Segment } from './segment.ts';

const INDEX_KINDS = ['index', 'timeindex'] as const;

/**
 * `cleaned` is written and synced as `.cleaned`. Answers the files to remove later; undefined, with nothing done, when the log is
 * not what was cleaned any more. After a rejection memory and disk are apart: the folder must go offline.
 */
export async function swapIn(
  context: LogContext,
  state: LogState,
  old: readonly Segment[],
  cleaned: Segment,
): Promise<string[] | undefined> {
  const { disk, files } = context;
  const { directory, segments } = state;
  const path = `${directory}/${segmentFileName(cleaned.baseOffset, 'log')}`;
  if (!segments.isRun(old)) return undefined;
  for (const segment of old) {
    // A reader that still has the old segment after the swap must not look for its indexes on the disk.
    const endOffset = segments.endOffsetOf(segments.floorIndex(segment.baseOffset), state.nextOffset);
    segment.indexes ??= await context.indexes.load(segment, endOffset);
  }
  // The name of the segment behind, too: where nothing is left at the end of this one, that is what tells where the log ends.
  await disk.syncDirectory(directory);
  await disk.rename(path + CLEANED_SUFFIX, path + SWAP_SUFFIX);
  await disk.syncDirectory(directory);
  cleaned.fileSuffix = SWAP_SUFFIX;
  // Held until it has its own name, so that a reader never opens a name that is about to change.
  const held = await files.hold(cleaned.path);
  try {
    segments.replace(old, cleaned);
    state.truncations += 1;
    const removed: string[] = [];
    for (const segment of old) {
      const { file } = segment;
      segment.file = undefined;
      await file?.release();
      await files.forget(segment.path);
      await context.indexes.retire(segment);
      for (const kind of INDEX_KINDS) await moveAway(disk, segment, kind, removed);
      if (segment.baseOffset !== cleaned.baseOffset) await moveAway(disk, segment, 'log', removed);
    }
    await disk.syncDirectory(directory);
    await disk.rename(path + SWAP_SUFFIX, path);
    // A reader that met the old segment may have opened this name again meanwhile, and found the old file.
    await files.forget(path);
    const swapPath = cleaned.path;
    cleaned.fileSuffix = '';
    await files.forget(swapPath);
    await disk.syncDirectory(directory);
    return removed;
  } finally {
    await held.release();
  }
}

async function moveAway(
  disk: Disk,
  segment: Segment,
  kind: 'log' | 'index' | 'timeindex',
  removed: string[],
): Promise<void> {
  const path = `${segment.directory}/${segmentFileName(segment.baseOffset, kind)}`;
  try {
    await disk.rename(path, path + DELETED_SUFFIX);
    removed.push(path + DELETED_SUFFIX);
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
  }
}

/** When a log is opened: drops what was not cleaned to its end, and finishes the swaps that a stop interrupted. */
export async function finishSwaps(disk: Disk, directory: string): Promise<void> {
  const names = (await disk.list(directory)).filter(({ kind }) => kind === 'file').map(({ name }) => name);
  for (const name of names) {
    if (name.endsWith(CLEANED_SUFFIX)) await disk.removeFile(`${directory}/${name}`);
  }
  for (const name of names) {
    const swapped = name.endsWith(SWAP_SUFFIX)
      ? parseSegmentFile(name.slice(0, -SWAP_SUFFIX.length))
      : undefined;
    if (swapped?.kind === 'log') await finishSwap(disk, directory, swapped.baseOffset, names);
  }
}

async function finishSwap(
  disk: Disk,
  directory: string,
  baseOffset: number,
  names: readonly string[],
): Promise<void> {
  const path = `${directory}/${segmentFileName(baseOffset, 'log')}`;
  const endOffset = await endOffsetOf(disk, path + SWAP_SUFFIX, baseOffset);
  for (const name of names) {
    const file = parseSegmentFile(name);
    if (file === undefined || file.kind === 'snapshot') continue;
    // Old segments behind the last batch of the new one hold only what later ones replace; they may stay and be cleaned again.
    const isReplaced = file.baseOffset > baseOffset && file.baseOffset < endOffset;
    const isOldIndex = file.baseOffset === baseOffset && file.kind !== 'log';
    if (isReplaced || isOldIndex) await removeIfThere(disk, `${directory}/${name}`);
  }
  await disk.syncDirectory(directory);
  await disk.rename(path + SWAP_SUFFIX, path);
  await disk.syncDirectory(directory);
}

async function endOffsetOf(disk: Disk, path: string, baseOffset: number): Promise<number> {
  const file = await disk.open(path, 'read');
  try {
    let endOffset = baseOffset;
    const scanner = new BatchScanner(file, await file.sizeBytes(), {
      checkCrc: false,
      expectedOffset: baseOffset,
    });
    for (let step = scanner.next(); step === 'fill' || step === 'batch'; step = scanner.next()) {
      if (step === 'fill') await scanner.fill();
      else endOffset = batchLastOffset(scanner.bytes, scanner.at) + 1;
    }
    return endOffset;
  } finally {
    await file.close();
  }
}
