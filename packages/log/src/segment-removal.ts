// Takes segments out of service: at once when the log is cut, or after a delay when retention lets them go.
// Contract: removed from the newest to the oldest when the log is cut at its end, so that a crash half-way leaves a log without
// a gap; renamed to `.deleted` first when they age out, so that a reader that holds the file open is not disturbed.

import { DiskError, type Disk } from '@tidemark/core';
import type { LogContext } from './log-context.ts';
import { DELETED_SUFFIX, segmentFileName } from './segment-files.ts';
import type { Segment } from './segment.ts';

const KINDS = ['log', 'index', 'timeindex', 'snapshot'] as const;

/** Removes the files of segments cut off the end. The caller syncs the folder. */
export async function removeSegmentFiles(context: LogContext, segments: readonly Segment[]): Promise<void> {
  for (const segment of segments.toReversed()) {
    await release(context, segment);
    for (const kind of ['log', 'index', 'timeindex'] as const) {
      await removeIfThere(context.disk, `${segment.directory}/${segmentFileName(segment.baseOffset, kind)}`);
    }
    // A reader may have opened the name again before it was gone: whoever makes it anew must not write to the old file.
    await context.files.forget(segment.path);
  }
}

/** Renames the files of segments that retention lets go; answers the new names. The caller syncs the folder. */
export async function renameToDeleted(context: LogContext, segments: readonly Segment[]): Promise<string[]> {
  const renamed: string[] = [];
  for (const segment of segments) {
    await release(context, segment);
    for (const kind of KINDS) {
      const path = `${segment.directory}/${segmentFileName(segment.baseOffset, kind)}`;
      try {
        await context.disk.rename(path, path + DELETED_SUFFIX);
        renamed.push(path + DELETED_SUFFIX);
      } catch (error) {
        if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
      }
    }
    await context.files.forget(segment.path);
  }
  return renamed;
}

export async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.removeFile(path);
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
  }
}

async function release(context: LogContext, segment: Segment): Promise<void> {
  const { file } = segment;
  segment.file = undefined;
  await file?.release();
  await context.indexes.retire(segment);
  await context.files.forget(segment.path);
}
