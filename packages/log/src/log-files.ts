// The files of a partition beside the log itself: epochs, indexes, producer snapshots, written in the background.
// Contract: `checkpoint` makes durable what recovery needs in order to begin at the offset it answers: log, indexes, epochs and
// producer state up to there.

import { DiskError } from '@tidemark/core';
import { replaceFile } from './atomic-file.ts';
import { encodeEpochCheckpoint } from './checkpoint-file.ts';
import type { RollSnapshot } from './commit-queue.ts';
import { isDiskFull, type LogContext, type LogState } from './log-context.ts';
import { encodeProducerSnapshot } from './producer-snapshot.ts';
import { LEADER_EPOCH_FILE } from './segment-files.ts';
import type { Segment } from './segment.ts';
import { removeStraySnapshots, writeSnapshot } from './snapshot-files.ts';

export class LogFiles {
  readonly #context: LogContext;
  readonly #state: LogState;
  /** Captured at rolls, to be written once the log below them is synced. Bounded by the rolls between two syncs. */
  #rollSnapshots: RollSnapshot[] = [];
  #snapshotOffset = -1;

  constructor(context: LogContext, state: LogState) {
    this.#context = context;
    this.#state = state;
  }

  rolled(snapshots: readonly RollSnapshot[]): void {
    this.#rollSnapshots.push(...snapshots);
  }

  get hasRolled(): boolean {
    return this.#rollSnapshots.length > 0;
  }

  /** Drops what was captured above a cut. */
  truncated(offset: number): void {
    this.#rollSnapshots = this.#rollSnapshots.filter((snapshot) => snapshot.offset <= offset);
    if (this.#snapshotOffset > offset) this.#snapshotOffset = -1;
  }

  /** Writes the indexes and snapshots of segments that were rolled and are synced, and lets their memory and handles go. */
  async finishRolled(): Promise<void> {
    const { segments, flushedOffset, nextOffset } = this.#state;
    const { disk } = this.#context;
    for (const [index, segment] of segments.all().entries()) {
      const endOffset = segments.endOffsetOf(index, nextOffset);
      // Strictly: a failed write may yet take back a roll whose segment holds nothing.
      if (segment === segments.active || endOffset >= flushedOffset) break;
      if (segment.indexes === undefined) continue;
      await segment.indexes.persist(disk, segment.directory, endOffset);
      await this.#letGo(segment);
    }
    const due = this.#rollSnapshots.filter(({ offset }) => offset <= flushedOffset);
    for (const { offset, bytes } of due) {
      await writeSnapshot(disk, this.#state.directory, offset, bytes);
      this.#rollSnapshots = this.#rollSnapshots.filter((snapshot) => snapshot.offset !== offset);
    }
  }

  /** Everything below `offset` is synced; `snapshot` is the producer state there. Durable when it resolves. */
  async checkpoint(offset: number, snapshot: Uint8Array): Promise<void> {
    const { disk } = this.#context;
    const { segments, directory } = this.#state;
    // Without a segment's file recovery begins the log anew and reads nothing else: there is nothing to save for it.
    if (segments.count === 1 && !segments.active.isCreated) return;
    await this.finishRolled();
    for (const [index, segment] of segments.all().entries()) {
      if (segment.indexes === undefined || !segment.isCreated) continue;
      const endOffset = segments.endOffsetOf(index, offset);
      await segment.indexes.persist(disk, directory, Math.min(offset, endOffset));
    }
    await this.saveEpochs();
    if (offset === this.#snapshotOffset) return;
    await writeSnapshot(disk, directory, offset, snapshot);
    this.#snapshotOffset = offset;
    const bases = new Set(segments.all().map(({ baseOffset }) => baseOffset));
    await removeStraySnapshots(disk, directory, (stray) => bases.has(stray));
  }

  /** The producer state now, for `checkpoint` once the log is synced up to here. */
  captureProducers(): { readonly offset: number; readonly bytes: Uint8Array } {
    const { nextOffset, producers } = this.#state;
    return { offset: nextOffset, bytes: encodeProducerSnapshot(producers.entries()) };
  }

  async saveEpochs(): Promise<void> {
    const { epochs, directory } = this.#state;
    if (!epochs.isDirty) return;
    epochs.isDirty = false;
    try {
      const bytes = encodeEpochCheckpoint(epochs.entries);
      await replaceFile(this.#context.disk, directory, LEADER_EPOCH_FILE, bytes);
    } catch (error) {
      epochs.isDirty = true;
      throw error;
    }
  }

  /** Runs work on these files that may wait for a better time: with a full disk it is reported and done later. */
  async attempt(what: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      if (!isDiskFull(error)) this.#context.goOffline(error);
      this.#context.warn(`${what} of ${this.#state.name} could not be done; it will be tried again.`, error);
      return false;
    }
  }

  async #letGo(segment: Segment): Promise<void> {
    segment.indexes = undefined;
    const { file } = segment;
    segment.file = undefined;
    await file?.release();
  }
}
