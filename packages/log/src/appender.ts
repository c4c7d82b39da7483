// The synchronous half of an append: checks the sequences, gives out offsets in call order, stamps base offset and leader
// epoch into the caller's bytes, does the bookkeeping of segments and indexes, and queues the bytes for the next write.
// Contract: either a failure and nothing has changed, or the append is in the queue; no work for each record, no copy.

import { failure, invariant, type Failure, type LeaderEpoch, type Offset } from '@tidemark/core';
import { rewriteBatch, rewriteTimestampToLogAppendTime, type BatchHeader } from '@tidemark/record';
import type { Admission } from './admission.ts';
import { addPart, type CommitQueue, type Group } from './commit-queue.ts';
import type { LogContext, LogState } from './log-context.ts';
import { MAX_BATCH_BYTES } from './log-config.ts';
import { encodeProducerSnapshot } from './producer-snapshot.ts';
import type { ProducerBatch } from './producer-state.ts';
import { MAX_RELATIVE_OFFSET, newSegment, type Segment } from './segment.ts';

/** What of a validated batch's header an append needs, and where in the bytes it begins. */
export type AppendBatch = Pick<
  BatchHeader,
  | 'baseOffset'
  | 'partitionLeaderEpoch'
  | 'lastOffsetDelta'
  | 'maxTimestamp'
  | 'producerId'
  | 'producerEpoch'
  | 'baseSequence'
  | 'sizeBytes'
> & { readonly at: number };

export interface AppendOptions {
  /** Stamped into the batches by a leader. A follower's batches carry theirs. */
  readonly leaderEpoch: LeaderEpoch;
  /**
   * A leader assigns offsets; a follower takes the batches as they are, and they must not begin below the log's end. They may begin
   * above it, and leave gaps between them: compaction took out at the leader what was there. The first batch of a log that was made
   * to begin inside it (`truncateFullyAndStartAt`) may begin below.
   */
  readonly origin: 'leader' | 'follower';
  /**
   * True: the caller never touches the bytes again, so the in-memory tail may keep them as they are. Otherwise they must not
   * be touched until `written` settles, and the tail keeps a copy.
   */
  readonly handOver?: boolean | undefined;
  /** True: taken however much waits to be written. For a caller with limits of its own that cannot go on when it is refused. */
  readonly isUrgent?: boolean | undefined;
}

export interface Appended {
  readonly ok: true;
  readonly baseOffset: Offset;
  readonly lastOffset: Offset;
  /** The broker's time that all records got, where the topic has LogAppendTime; else -1. */
  readonly logAppendTimeMs: number;
  /** True: an earlier append has these sequences; the offsets are its. */
  readonly duplicate: boolean;
  /** Settles after the write (page cache); rejects with KAFKA_STORAGE_ERROR, and then nothing was appended. */
  readonly written: Promise<void>;
}

export type AppendResult = Appended | Failure;

const WRITTEN: Promise<void> = Promise.resolve();

export class Appender {
  readonly #context: LogContext;
  readonly #state: LogState;
  readonly #queue: CommitQueue;
  readonly #admission: Admission;
  /** Tells that there is something to write. */
  readonly #onQueued: () => void;

  constructor(
    context: LogContext,
    state: LogState,
    queue: CommitQueue,
    admission: Admission,
    onQueued: () => void,
  ) {
    this.#context = context;
    this.#state = state;
    this.#queue = queue;
    this.#admission = admission;
    this.#onQueued = onQueued;
  }

  append(bytes: Uint8Array, batches: readonly AppendBatch[], options: AppendOptions): AppendResult {
    const refusal =
      this.#admission.refusal(bytes.length, this.#queue.pendingBytes, options.isUrgent === true) ??
      this.#sizeFailure(batches, options);
    if (refusal !== undefined) return refusal;
    const first = batches[0];
    invariant(first !== undefined && first.at === 0, 'an append begins with a batch');
    if (options.origin === 'leader') {
      const { latest } = this.#state.epochs;
      if (latest !== undefined && options.leaderEpoch < latest.epoch) {
        const message = `Epoch ${options.leaderEpoch} has ended: the log is in epoch ${latest.epoch}.`;
        return failure('FENCED_LEADER_EPOCH', message);
      }
      const checked = this.#checkSequences(batches);
      if (checked !== undefined) return checked;
    } else {
      const gap = this.#checkOffsets(batches);
      if (gap !== undefined) return gap;
    }
    return this.#queueAppend(bytes, batches, options);
  }

  /** Starts a new segment, if the active one holds anything; for retention, so that an old active segment can go. */
  roll(): boolean {
    const { segments } = this.#state;
    if (segments.active.sizeBytes === 0) return false;
    const group = this.#queue.open(this.#state, 0);
    const next = this.#roll(group, segments.active, this.#state.nextOffset);
    group.runs.push({ segment: next, position: 0, parts: [] });
    this.#onQueued();
    return true;
  }

  #queueAppend(bytes: Uint8Array, batches: readonly AppendBatch[], options: AppendOptions): Appended {
    const state = this.#state;
    const nowMs = this.#context.clock.wallMs();
    const { config, segments, producers, epochs } = state;
    const isLeader = options.origin === 'leader';
    const stampTime = isLeader && config.messageTimestampType === 'LogAppendTime';
    const endBefore = state.nextOffset;
    const baseOffset = isLeader ? endBefore : batches[0]!.baseOffset;
    const group = this.#queue.open(state, bytes.length);
    let segment = segments.active;
    let partAt = 0;
    let partPosition = segment.sizeBytes;
    for (const batch of batches) {
      const batchBase = isLeader ? state.nextOffset : batch.baseOffset;
      const lastOffset = batchBase + batch.lastOffsetDelta;
      const maxTimestamp = stampTime ? nowMs : batch.maxTimestamp;
      const { sizeBytes } = batch;
      if (segment.shouldRoll({ sizeBytes, lastOffset, maxTimestamp }, config, nowMs)) {
        if (batch.at > partAt) addPart(group, segment, partPosition, bytes.subarray(partAt, batch.at));
        // Named after the end before it, so that recovery can tell a torn segment from a gap that compaction has left.
        const isNear = lastOffset - state.nextOffset <= MAX_RELATIVE_OFFSET;
        segment = this.#roll(group, segment, isNear ? state.nextOffset : batchBase);
        partAt = batch.at;
        partPosition = 0;
      }
      if (isLeader) rewriteBatch(bytes, batch.at, batchBase as Offset, options.leaderEpoch);
      if (stampTime) rewriteTimestampToLogAppendTime(bytes, batch.at, nowMs);
      segment.account(lastOffset, maxTimestamp, sizeBytes);
      const epochStart = Math.max(batchBase, state.logStartOffset);
      epochs.assign(isLeader ? options.leaderEpoch : batch.partitionLeaderEpoch, epochStart);
      if (batch.producerId >= 0) producers.add(batch, batchBase, lastOffset, state.writtenOffset);
      state.nextOffset = lastOffset + 1;
    }
    addPart(group, segment, partPosition, partAt === 0 ? bytes : bytes.subarray(partAt));
    const endOffset = state.nextOffset;
    const isOwned = options.handOver === true;
    // From the end before on, so that one follows the other in the tail even where there is a gap.
    this.#queue.added(group, { bytes, baseOffset: endBefore, endOffset, isOwned });
    this.#context.pendingBytes += bytes.length;
    this.#admission.admitted();
    this.#onQueued();
    return {
      ok: true,
      baseOffset: baseOffset as Offset,
      lastOffset: (endOffset - 1) as Offset,
      logAppendTimeMs: stampTime ? nowMs : -1,
      duplicate: false,
      written: group.written.promise,
    };
  }

  #roll(group: Group, segment: Segment, baseOffset: number): Segment {
    const { segments, nextOffset, producers } = this.#state;
    segment.finishTimeIndex();
    const next = newSegment(this.#state, baseOffset, this.#context.clock.wallMs());
    segments.push(next);
    group.snapshots.push({ offset: nextOffset, bytes: encodeProducerSnapshot(producers.entries()) });
    return next;
  }

  #sizeFailure(batches: readonly AppendBatch[], options: AppendOptions): Failure | undefined {
    const limit =
      options.origin === 'leader'
        ? Math.min(this.#state.config.segmentBytes, MAX_BATCH_BYTES)
        : MAX_BATCH_BYTES;
    const large = batches.find(({ sizeBytes }) => sizeBytes > limit);
    if (large === undefined) return undefined;
    const message = `A batch of ${large.sizeBytes} bytes is more than a segment holds: ${limit}.`;
    return failure('RECORD_LIST_TOO_LARGE', message);
  }

  /** A follower's batches begin at or above the end of its log and go up, with epochs that do not go back. */
  #checkOffsets(batches: readonly AppendBatch[]): Failure | undefined {
    let expected = this.#state.nextOffset;
    let epoch = this.#state.epochs.latest?.epoch ?? -1;
    for (const [at, batch] of batches.entries()) {
      if (batch.baseOffset < expected && !(at === 0 && this.#beginsInside(batch))) {
        const message = `A batch at offset ${batch.baseOffset} begins below the log's end, ${expected}.`;
        return failure('OFFSET_OUT_OF_RANGE', message);
      }
      if (batch.partitionLeaderEpoch < epoch) {
        const message = `A batch of epoch ${batch.partitionLeaderEpoch} follows one of epoch ${epoch}.`;
        return failure('FENCED_LEADER_EPOCH', message);
      }
      epoch = batch.partitionLeaderEpoch;
      expected = batch.baseOffset + batch.lastOffsetDelta + 1;
    }
    return undefined;
  }

  /** Whether the log is empty, starts inside the batch, and has a segment for it. */
  #beginsInside({ baseOffset, lastOffsetDelta }: AppendBatch): boolean {
    const { segments, logStartOffset, nextOffset } = this.#state;
    const { active } = segments;
    const isEmpty = nextOffset === logStartOffset && segments.count === 1 && active.sizeBytes === 0;
    return isEmpty && baseOffset >= active.baseOffset && baseOffset + lastOffsetDelta >= logStartOffset;
  }

  /**
   * Undefined: go on. All batches are checked, each as if the ones before it were appended, before anything is changed. They are
   * answered as duplicates together or not at all: the answer for one that is in the log would be taken for that of a new one.
   */
  #checkSequences(batches: readonly AppendBatch[]): AppendResult | undefined {
    const { producers, nextOffset } = this.#state;
    const duplicates: ProducerBatch[] = [];
    let offset = nextOffset;
    let refusal: Failure | undefined;
    for (const batch of batches) {
      const checked = producers.check(batch);
      if (!checked.ok) {
        refusal = checked;
        break;
      }
      if (checked.duplicateOf !== undefined) {
        duplicates.push(checked.duplicateOf);
        continue;
      }
      const lastOffset = offset + batch.lastOffsetDelta;
      if (batches.length > 1 && batch.producerId >= 0) {
        // Taken back below, and so none of those before it goes to make room.
        producers.add(batch, offset, lastOffset, 0);
      }
      offset = lastOffset + 1;
    }
    if (batches.length > 1) producers.rollback(nextOffset);
    if (refusal !== undefined) return refusal;
    if (duplicates.length === 0) return undefined;
    if (duplicates.length === batches.length) return this.#duplicateOf(duplicates);
    const message = `${duplicates.length} of ${batches.length} batches are in the log already. Send what is repeated by itself.`;
    return failure('INVALID_RECORD', message);
  }

  #duplicateOf(known: readonly ProducerBatch[]): Appended {
    const { config, writtenOffset } = this.#state;
    const lastOffset = Math.max(...known.map((batch) => batch.lastOffset));
    return {
      ok: true,
      baseOffset: known[0]!.baseOffset as Offset,
      lastOffset: lastOffset as Offset,
      logAppendTimeMs: config.messageTimestampType === 'LogAppendTime' ? known[0]!.timestamp : -1,
      duplicate: true,
      written: lastOffset < writtenOffset ? WRITTEN : (this.#queue.writtenPromise(lastOffset) ?? WRITTEN),
    };
  }
}
