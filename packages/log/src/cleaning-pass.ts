// One cleaning of one log: the keys of the dirty part are noted with their last offsets, as far as the memory goes, and then every
// segment up to there is written anew without the records that a later one replaces (Kafka's Cleaner).
// Contract: offsets and order stay; a key's last value stays; a tombstone stays until its delete horizon has passed; control batches
// and the last batch of each producer stay, and so does the one where the part ends: were nothing behind it, or not any more, who
// follows would never get to the end of the log. Segments are swapped in from the oldest on, so that what a tombstone hides is gone
// before the tombstone. Nothing is rewritten whose CRC does not check out.

import { TidemarkError, type DiskFile } from '@tidemark/core';
import {
  batchHasDeleteHorizon,
  batchIsControl,
  batchLastOffset,
  batchProducerId,
  compactBatch,
  emptiedBatch,
  forEachRecord,
  readBatchHeader,
} from '@tidemark/record';
import { BatchScanner } from './batch-scanner.ts';
import type { CleanablePart } from './cleanable-part.ts';
import { CleanedSegment } from './cleaned-segment.ts';
import { IoThrottle } from './io-throttle.ts';
import { KeyOffsets } from './key-offsets.ts';
import type { LogContext, LogState } from './log-context.ts';
import { groupSegments, type GroupedSegment } from './segment-groups.ts';
import type { Segment } from './segment.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface CleaningHost {
  readonly context: LogContext;
  readonly state: LogState;
  /** False once the log was closed, cut or changed by others: then the pass ends, and what it swapped in stays. */
  isWanted(): boolean;
  /** Puts the segment in the place of the old ones; false: they are not there any more. */
  swap(old: readonly Segment[], cleaned: Segment): Promise<boolean>;
}

export interface CleaningResult {
  /** False: interrupted. Nothing is lost, the next pass begins where this one did. */
  readonly isComplete: boolean;
  readonly keys: number;
  readonly segmentsBefore: number;
  readonly segmentsAfter: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Everything below is clean. */
  readonly firstDirtyOffset: number;
}

export class CleaningPass {
  readonly #host: CleaningHost;
  readonly #context: LogContext;
  readonly #state: LogState;
  readonly #part: CleanablePart;
  readonly #nowMs: number;
  readonly #throttle: IoThrottle;
  readonly #keys: KeyOffsets;
  /** Every record of the dirty part below is in the map. */
  #mappedEnd: number;

  constructor(host: CleaningHost, part: CleanablePart, nowMs: number) {
    const { context } = host;
    this.#host = host;
    this.#context = context;
    this.#state = host.state;
    this.#part = part;
    this.#nowMs = nowMs;
    this.#throttle = new IoThrottle(context.clock, context.cleaner.ioBytesPerSecond);
    this.#keys = new KeyOffsets(context.cleaner.dedupeBufferBytes);
    this.#mappedEnd = part.endOffset;
  }

  async run(): Promise<CleaningResult> {
    const grouped: GroupedSegment[] = [];
    let [bytesBefore, bytesAfter, segmentsAfter] = [0, 0, 0];
    let isComplete = await this.#mapKeys();
    for (const each of await this.#segments()) {
      if (each.segment.baseOffset >= this.#mappedEnd) break;
      grouped.push(each);
      bytesBefore += each.segment.sizeBytes;
    }
    for (const group of groupSegments(grouped, this.#state.config)) {
      const cleaned = isComplete ? await this.#cleanGroup(group.map(({ segment }) => segment)) : undefined;
      isComplete = cleaned !== undefined;
      for (const segment of cleaned ?? []) bytesAfter += segment.sizeBytes;
      segmentsAfter += cleaned?.length ?? 0;
    }
    return {
      isComplete,
      keys: this.#keys.count,
      segmentsBefore: grouped.length,
      segmentsAfter,
      bytesBefore,
      bytesAfter,
      firstDirtyOffset: this.#mappedEnd,
    };
  }

  async #segments(): Promise<GroupedSegment[]> {
    const { segments, endOffset } = this.#part;
    const all: GroupedSegment[] = [];
    for (const [index, segment] of segments.entries()) {
      const end = segments[index + 1]?.baseOffset ?? endOffset;
      const { offsets, times } = await this.#context.indexes.load(segment, end);
      const indexBytes = Math.max(
        offsets.count * offsets.entries.entryBytes,
        times.count * times.entries.entryBytes,
      );
      all.push({ segment, endOffset: end, indexBytes });
    }
    return all;
  }

  /** Notes the last offset of each key in the dirty part. False: interrupted. */
  async #mapKeys(): Promise<boolean> {
    const { firstDirtyOffset, segments, endOffset } = this.#part;
    for (const [index, segment] of segments.entries()) {
      if ((segments[index + 1]?.baseOffset ?? endOffset) <= firstDirtyOffset) continue;
      if (this.#mappedEnd < endOffset) break;
      const isDone = await this.#eachBatch(segment, (batch) => {
        if (this.#mappedEnd === endOffset && batchLastOffset(batch) >= firstDirtyOffset)
          this.#mapBatch(batch);
        return undefined;
      });
      if (!isDone) return false;
    }
    return true;
  }

  #mapBatch(batch: Uint8Array): void {
    if (batchIsControl(batch)) return;
    let isFull = false;
    const fault = forEachRecord(batch, this.#recordRules(), ({ bytes, keyAt, keyLength, offset }) => {
      if (isFull || offset < this.#part.firstDirtyOffset) return;
      // A key that is larger than all the memory is never cleaned, and none of its records dropped.
      if (keyLength < 0 || !this.#keys.takes(keyLength)) return;
      if (this.#keys.put(bytes, keyAt, keyLength, offset)) return;
      isFull = true;
      this.#mappedEnd = offset;
    });
    if (fault !== undefined) throw TidemarkError.from(fault);
  }

  /** Answers the segments that there are instead now; undefined: interrupted. */
  async #cleanGroup(group: readonly Segment[]): Promise<readonly Segment[] | undefined> {
    const cleaned = await CleanedSegment.begin(this.#context, this.#state, group[0]!.baseOffset);
    let isSynced = false;
    try {
      let isChanged = group.length > 1;
      for (const segment of group) {
        const isDone = await this.#eachBatch(segment, (batch) => {
          const kept = this.#clean(batch);
          if (kept !== batch) isChanged = true;
          return kept === undefined || cleaned.add(kept) ? undefined : this.#write(cleaned, kept);
        });
        if (!isDone) return undefined;
      }
      if (!isChanged) return group;
      await cleaned.finish();
      isSynced = true;
      const { segment } = cleaned;
      return (await this.#host.swap(group, segment)) ? [segment] : undefined;
    } finally {
      if (!isSynced) await cleaned.abandon();
    }
  }

  async #write(cleaned: CleanedSegment, batch: Uint8Array): Promise<void> {
    const before = cleaned.segment.sizeBytes;
    await cleaned.flush(batch);
    await this.#throttle.charge(Math.min(before, 1024 * 1024), () => this.#host.isWanted());
  }

  /** What is left of a batch: the same bytes, others, or nothing. */
  #clean(batch: Uint8Array): Uint8Array | undefined {
    const header = readBatchHeader(batch);
    // Above the map nothing is known: not even a horizon is set, for what a tombstone there hides has not been dropped.
    if (header.isControl || header.lastOffset >= this.#mappedEnd) return batch;
    const isPastHorizon = batchHasDeleteHorizon(header) && this.#nowMs >= header.baseTimestamp;
    const compacted = compactBatch(batch, {
      ...this.#recordRules(),
      deleteHorizonMs: this.#nowMs + (this.#state.config.deleteRetentionMs ?? DAY_MS),
      isKept: ({ bytes, keyAt, keyLength, offset, isTombstone }) => {
        if (keyLength < 0) return false;
        if (!this.#keys.takes(keyLength)) return true;
        if (isTombstone && isPastHorizon) return false;
        return offset >= this.#keys.get(bytes, keyAt, keyLength);
      },
    });
    if (!compacted.ok) throw TidemarkError.from(compacted);
    switch (compacted.kept) {
      case 'all':
        return batch;
      case 'some':
        return compacted.bytes;
      case 'none':
        if (header.lastOffset !== this.#part.endOffset - 1 && !this.#isLastOfProducer(batch))
          return undefined;
        return header.recordCount === 0 ? batch : emptiedBatch(batch);
    }
  }

  #isLastOfProducer(batch: Uint8Array): boolean {
    const producerId = batchProducerId(batch);
    if (producerId < 0) return false;
    const { producers, flushedOffset } = this.#state;
    // One that is not synced may still be taken back.
    const last = producers
      .entry(producerId)
      ?.batches.findLast(({ lastOffset }) => lastOffset < flushedOffset);
    return last?.lastOffset === batchLastOffset(batch);
  }

  /** Calls back for each batch, with bytes that are valid until the next; false: interrupted. */
  async #eachBatch(
    segment: Segment,
    visit: (batch: Uint8Array) => Promise<void> | undefined,
  ): Promise<boolean> {
    const held = await this.#context.files.hold(segment.path);
    try {
      return await this.#scan(segment, held.file, visit);
    } finally {
      await held.release();
    }
  }

  async #scan(
    segment: Segment,
    file: DiskFile,
    visit: (batch: Uint8Array) => Promise<void> | undefined,
  ): Promise<boolean> {
    const scanner = new BatchScanner(file, segment.sizeBytes, {
      checkCrc: true,
      expectedOffset: segment.baseOffset,
    });
    for (;;) {
      if (!this.#host.isWanted()) return false;
      const step = scanner.next();
      if (step === 'end') return true;
      if (step === 'corrupt') {
        const where = `${segment.path} at byte ${scanner.position}`;
        throw new TidemarkError('CORRUPT_MESSAGE', `The batch in ${where} is damaged: ${scanner.fault}.`);
      }
      if (step === 'fill') {
        await scanner.fill();
        await this.#throttle.charge(scanner.filledBytes, () => this.#host.isWanted());
      } else {
        const writing = visit(scanner.bytes.subarray(scanner.at, scanner.at + scanner.sizeBytes));
        if (writing !== undefined) await writing;
      }
    }
  }

  #recordRules(): { readonly codecs: LogContext['codecs']; readonly maxInflatedBytes: number } {
    return { codecs: this.#context.codecs, maxInflatedBytes: this.#context.cleaner.maxInflatedBytes };
  }
}
