// The asynchronous half of an append: one gathered write at a time, while what arrives meanwhile gathers for the next one.
// Contract: a group is written whole or not at all. A full disk takes the log back to before the group and cuts off what was
// written of it; any other failure takes the folder offline, after which nothing is written.

import type { Admission } from './admission.ts';
import type { CommitQueue, Group, RollSnapshot, Run } from './commit-queue.ts';
import {
  DISK_FULL_MESSAGE,
  isDiskFull,
  isOffline,
  storageError,
  type LogContext,
  type LogState,
} from './log-context.ts';
import type { Segment } from './segment.ts';
import { writeFully } from './write-fully.ts';

export interface CommitEvents {
  /** A group is in the page cache; `records` it added, and the producer snapshots of the segments it began. */
  onWritten(records: number, snapshots: readonly RollSnapshot[]): void;
  /** What was queued at and above `nextOffset` is gone. */
  onRolledBack(nextOffset: number, error: Error): void;
}

export class CommitLoop {
  readonly #context: LogContext;
  readonly #state: LogState;
  readonly #queue: CommitQueue;
  readonly #admission: Admission;
  readonly #events: CommitEvents;
  #running: Promise<void> | undefined;

  constructor(
    context: LogContext,
    state: LogState,
    queue: CommitQueue,
    admission: Admission,
    events: CommitEvents,
  ) {
    this.#context = context;
    this.#state = state;
    this.#queue = queue;
    this.#admission = admission;
    this.#events = events;
  }

  kick(): void {
    this.#running ??= this.#run();
  }

  /** When nothing is queued or in flight. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Rejects everything that waits, without touching the disk: the folder is offline. */
  abandon(error: Error): void {
    const groups = this.#queue.takeAll();
    if (groups.length > 0) this.#rollBack(groups, error);
    for (const group of groups) group.written.reject(error);
  }

  async #run(): Promise<void> {
    // What else is appended in this turn of the event loop joins the first write.
    await Promise.resolve();
    for (let group = this.#queue.take(); group !== undefined; group = this.#queue.take()) {
      if (isOffline(this.#context)) break;
      try {
        for (const run of group.runs) await this.#write(run);
      } catch (error) {
        await this.#failed(error);
        continue;
      }
      // Going offline meanwhile has rejected the group.
      if (isOffline(this.#context)) break;
      this.#written(group);
    }
    this.#running = undefined;
  }

  async #write(run: Run): Promise<void> {
    const { segment } = run;
    // The names of the segments before it first: were this one's to survive a crash alone, the log would begin here.
    if (!segment.isCreated && segment !== this.#state.segments.first) {
      await this.#context.disk.syncDirectory(this.#state.directory);
    }
    segment.file ??= await this.#context.files.hold(segment.path, segment.isCreated ? 'write' : 'create');
    if (!segment.isCreated) {
      segment.isCreated = true;
      this.#state.isDirectoryDirty = true;
    }
    if (run.parts.length > 0) await writeFully(segment.file.file, run.parts, run.position);
  }

  #written(group: Group): void {
    const state = this.#state;
    const records = group.endOffset - state.writtenOffset;
    state.writtenOffset = group.endOffset;
    for (const append of group.appends) {
      state.tail.add(append.bytes, append.baseOffset, append.endOffset, append.isOwned);
    }
    this.#queue.settle();
    this.#context.pendingBytes -= group.sizeBytes;
    this.#admission.wrote();
    this.#events.onWritten(records, group.snapshots);
    group.written.resolve();
  }

  async #failed(error: unknown): Promise<void> {
    if (isOffline(this.#context)) return;
    if (!isDiskFull(error)) {
      // This abandons the group in flight along with everybody else's.
      this.#context.goOffline(error);
      return;
    }
    const rejection = storageError(error);
    const groups = this.#queue.takeAll();
    if (this.#admission.cutting()) this.#context.warn(DISK_FULL_MESSAGE, error);
    const discarded = this.#rollBack(groups, rejection);
    // Taken now: retention may roll the log before the cut comes to it.
    const { active } = this.#state.segments;
    try {
      await this.#cut(discarded, active);
    } catch (cutError) {
      this.#context.goOffline(cutError);
    }
    this.#admission.full();
    for (const group of groups) group.written.reject(rejection);
    this.#context.metFullDisk();
  }

  /** Takes the state in memory back to before the first of the groups; answers the segments that are no more. */
  #rollBack(groups: readonly Group[], error: Error): Segment[] {
    const first = groups[0]!;
    const { segments, producers, epochs } = this.#state;
    const kept = segments.all().indexOf(first.mark.segment);
    const discarded = segments.removeAfter(kept);
    first.mark.segment.restore(first.mark);
    producers.rollback(first.baseOffset);
    epochs.truncateFromEnd(first.baseOffset);
    // An epoch that began at this very offset, before anything was appended in it, is still the leader's.
    if (first.epochBefore !== undefined) epochs.assign(first.epochBefore.epoch, first.baseOffset);
    this.#state.nextOffset = first.baseOffset;
    for (const group of groups) this.#context.pendingBytes -= group.sizeBytes;
    this.#events.onRolledBack(first.baseOffset, error);
    return discarded;
  }

  async #cut(discarded: readonly Segment[], active: Segment): Promise<void> {
    const { disk, files } = this.#context;
    for (const segment of discarded.toReversed()) {
      if (!segment.isCreated) continue;
      await segment.file?.release();
      segment.file = undefined;
      await files.forget(segment.path);
      await disk.removeFile(segment.path);
      this.#state.isDirectoryDirty = true;
    }
    if (active.isCreated) {
      active.file ??= await files.hold(active.path);
      await active.file.file.truncate(active.sizeBytes);
    }
  }
}
