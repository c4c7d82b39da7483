// Cuts a log: at its end, for a follower whose history diverged, or wholly, to begin anew elsewhere.
// Contract, in this order, so that a crash at any point leaves the old log or the new one: first it becomes durable that
// nothing above the cut counts as synced, then files go from the newest on, then the cut and the names are synced, and only
// then may anything be appended.

import { DiskError } from '@tidemark/core';
import { batchLastOffset } from '@tidemark/record';
import { BatchScanner } from './batch-scanner.ts';
import type { LogContext, LogState } from './log-context.ts';
import { deferred } from './mutex.ts';
import { rebuildProducers } from './producer-rebuild.ts';
import { LeaderEpochCache } from './leader-epoch-cache.ts';
import { readFirstTimestamp, scanSegment } from './segment-recovery.ts';
import { removeSegmentFiles } from './segment-removal.ts';
import { ProducerState } from './producer-state.ts';
import { newSegment, type Segment } from './segment.ts';
import { removeSnapshots } from './snapshot-files.ts';

/**
 * Where the log ends when everything at and above `offset` is gone: behind the last batch that ends below it, which is where a
 * recovery would find its end, and so below a gap that compaction has left. And where that is in its segment.
 */
interface Cut {
  readonly index: number;
  readonly offset: number;
  readonly position: number;
}

/** The log is quiet: nothing is queued, written or synced. `offset` is from the log's start to below its end. */
export async function truncateLog(context: LogContext, state: LogState, offset: number): Promise<void> {
  const cut = await findCut(context, state, offset);
  // The log may start inside a batch: when that one goes, nothing is left.
  if (cut.offset < state.logStartOffset) {
    await truncateFully(context, state, state.logStartOffset);
    return;
  }
  await context.lowerRecoveryPoint(state.name, cut.offset, cut.offset);
  await cutting(context, state, () => cutAt(context, state, cut));
  state.epochs.truncateFromEnd(cut.offset);
  await rebuildProducers(context, state, cut.offset);
}

async function cutAt(context: LogContext, state: LogState, cut: Cut): Promise<void> {
  state.tail.clear();
  const { segments } = state;
  const segment = segments.at(cut.index)!;
  // The segment is active again: its indexes are needed in memory, cut as well.
  const endOffset = segments.endOffsetOf(cut.index, state.nextOffset);
  segment.indexes = await context.indexes.load(segment, endOffset);
  await context.indexes.retire(segment);
  await removeSegmentFiles(context, segments.removeAfter(cut.index));
  await cutSegment(context, segment, cut);
  await context.disk.syncDirectory(state.directory);
  state.isDirectoryDirty = false;
  setEnd(state, cut.offset);
  await removeSnapshots(context.disk, state.directory, (snapshot) => snapshot > cut.offset);
}

/** Removes everything and goes on at `offset`, in a segment that can hold a batch from `baseOffset` on. The log is quiet. */
export async function truncateFully(
  context: LogContext,
  state: LogState,
  offset: number,
  baseOffset = offset,
): Promise<void> {
  await context.lowerRecoveryPoint(state.name, Math.min(baseOffset, state.logStartOffset), offset);
  try {
    await context.saveLogStart(state.name, offset);
  } catch (error) {
    // Nothing is cut, and whoever has the log next may go on where it ends.
    context.setLogStart(state.name, state.logStartOffset);
    throw error;
  }
  await cutting(context, state, () => beginAt(context, state, offset, baseOffset));
}

async function beginAt(
  context: LogContext,
  state: LogState,
  offset: number,
  baseOffset: number,
): Promise<void> {
  state.tail.clear();
  await removeSegmentFiles(context, state.segments.removeAfter(0));
  // The first one last, and not before the others are gone for good: were one of those to outlive it in a crash, the log would
  // begin there.
  await context.disk.syncDirectory(state.directory);
  await removeSegmentFiles(context, state.segments.removeAfter(-1));
  state.segments.push(newSegment(state, baseOffset, context.clock.wallMs()));
  state.logStartOffset = offset;
  state.durableStartOffset = offset;
  setEnd(state, offset);
  state.flushedOffset = offset;
  state.epochs.clear();
  state.producers.clear();
  await removeSnapshots(context.disk, state.directory, () => true);
  await context.disk.syncDirectory(state.directory);
  state.isDirectoryDirty = false;
}

/**
 * Who reads waits meanwhile. Half a truncation leaves memory and disk apart: then nothing of this folder can be trusted until it is
 * opened anew.
 */
async function cutting(context: LogContext, state: LogState, work: () => Promise<void>): Promise<void> {
  const over = deferred();
  state.cutting = over.promise;
  state.truncations += 1;
  try {
    await work();
  } catch (error) {
    if (error instanceof DiskError) context.goOffline(error);
    throw error;
  } finally {
    state.cutting = undefined;
    over.resolve();
  }
}

function setEnd(state: LogState, offset: number): void {
  state.nextOffset = offset;
  state.writtenOffset = offset;
  state.flushedOffset = Math.min(state.flushedOffset, offset);
}

async function findCut(context: LogContext, state: LogState, offset: number): Promise<Cut> {
  const { segments, nextOffset } = state;
  const index = segments.floorIndex(offset);
  const segment = segments.at(index)!;
  const endOffset = segments.endOffsetOf(index, nextOffset);
  const { offsets } = await context.indexes.load(segment, endOffset);
  const held = await context.files.hold(segment.path);
  try {
    // Strictly below, so that the batch before the cut is seen as well.
    const options = { position: offsets.lookup(offset - 1), checkCrc: false, endOffset: offset };
    const scanner = new BatchScanner(held.file, segment.sizeBytes, options);
    let end = segment.baseOffset;
    for (let step = scanner.next(); step !== 'end' && step !== 'corrupt'; step = scanner.next()) {
      if (step === 'fill') await scanner.fill();
      else if (batchLastOffset(scanner.bytes, scanner.at) >= offset) break;
      else end = batchLastOffset(scanner.bytes, scanner.at) + 1;
    }
    return { index, offset: end, position: scanner.position };
  } finally {
    await held.release();
  }
}

/** Cuts the file and brings the bookkeeping of the segment, now the last, to where it was at the cut. */
async function cutSegment(context: LogContext, segment: Segment, cut: Cut): Promise<void> {
  segment.file ??= await context.files.hold(segment.path);
  await segment.file.file.truncate(cut.position);
  await segment.file.file.sync();
  const { indexes } = segment;
  const known = indexes!.offsets.countBelow(cut.offset);
  indexes!.truncateTo(known === 0 ? segment.baseOffset : indexes!.offsets.offsetAt(known - 1) + 1);
  segment.sizeBytes = cut.position;
  // A scan from the last index entry left finds the largest timestamp again.
  await scanSegment(context, segment, {
    recoveryPoint: cut.offset,
    checkCrc: false,
    epochs: new LeaderEpochCache(),
    producers: new ProducerState(0),
    producersFrom: Infinity,
    onProgress: () => undefined,
  });
  segment.firstTimestamp = await readFirstTimestamp(context, segment);
}
