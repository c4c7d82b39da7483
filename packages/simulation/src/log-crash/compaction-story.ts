// A story told to one compacted log: keyed appends, tombstones, cleanings (some with appends meanwhile), cuts above the high
// watermark, checkpoints, restarts. The seed chooses the steps; the model notes what was appended and promised.

import {
  invariant,
  TidemarkError,
  type Clock,
  type Disk,
  type LeaderEpoch,
  type Offset,
  type TopicId,
} from '@tidemark/core';
import { defaultLogConfig, LogFolder, type LogConfig, type PartitionLog } from '@tidemark/log';
import { BatchBuilder, readBatchHeader, RecordCursor } from '@tidemark/record';
import { type SimClock } from '../sim-clock.ts';
import { type SimPrng } from '../sim-prng.ts';
import { foundBatches } from './log-checks.ts';
import { type CompactionExpectation, type FoundRecord, type ModelRecord } from './compaction-model.ts';
import { storyCodecs } from './story-batches.ts';

const PARTITION = 'compacted-0';
const TOPIC_ID = 'c3RvcnktdG9waWMtaWQtMQ' as TopicId;
const DELETE_RETENTION_MS = 4_000;
const KEYS = 7;

export const compactedStoryConfig: LogConfig = {
  ...defaultLogConfig,
  segmentBytes: 900,
  indexIntervalBytes: 200,
  fileDeleteDelayMs: 1_500,
  cleanupPolicy: 'compact',
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: DELETE_RETENTION_MS,
};

export interface OpenCompacted {
  readonly folder: LogFolder;
  readonly log: PartitionLog;
}

export async function openCompacted(
  disk: Disk,
  clock: Clock,
  config: LogConfig,
  onOffline: (cause: unknown) => void = () => undefined,
): Promise<OpenCompacted> {
  const folder = await LogFolder.open({
    disk,
    clock,
    codecs: storyCodecs,
    directory: 'logs',
    tailBytes: 0,
    cleaner: { dedupeBufferBytes: 220, ioBytesPerSecond: Infinity, maxInflatedBytes: 1 << 20 },
    onOffline,
  });
  return { folder, log: await folder.openPartition(PARTITION, TOPIC_ID, config) };
}

/** Everything a reader finds, read in small pieces, and the bytes. */
export async function recordsOf(log: PartitionLog): Promise<{
  readonly found: readonly FoundRecord[];
  readonly endOffset: number;
  readonly bytes: Uint8Array;
}> {
  const found: FoundRecord[] = [];
  const parts: Uint8Array[] = [];
  const endOffset = log.logEndOffset;
  const cursor = new RecordCursor({ codecs: storyCodecs });
  const text = (bytes: Uint8Array | null): string | null =>
    bytes === null ? null : Buffer.from(bytes).toString();
  for (let offset = log.logStartOffset; offset < endOffset;) {
    const result = await log.read(offset, { maxBytes: 300, upTo: endOffset, atLeastOne: true });
    invariant(result.ok, 'a compacted log can be read to its end', { offset, endOffset, result });
    if (result.sizeBytes === 0) break;
    for (const part of result.parts) {
      parts.push(part.slice());
      for (const { bytes } of foundBatches(part)) {
        cursor.load(bytes);
        while (cursor.next()) {
          found.push({ offset: cursor.offset, key: text(cursor.key()) ?? '', value: text(cursor.value()) });
        }
        invariant(cursor.failure === undefined, 'a batch can be read', { failure: cursor.failure });
      }
    }
    offset = result.nextOffset;
  }
  return { found, endOffset, bytes: Buffer.concat(parts) };
}

export class CompactionStory {
  readonly told = new Map<string, number>();
  offlineCause: unknown;
  readonly #disk: Disk;
  readonly #clock: SimClock;
  readonly #prng: SimPrng;
  readonly #config: LogConfig;
  readonly #builder = new BatchBuilder({ capacityBytes: 1024 });
  #open: OpenCompacted | undefined;
  #records: ModelRecord[] = [];
  #leaving: ModelRecord[] = [];
  #durableEnd = 0;
  #highestEnd = 0;
  #highWatermark = 0;
  #made = 0;
  #producerId = 5;
  #sequence = 0;
  /** Of records taken out by cleanings. */
  cleaned = 0;

  constructor(disk: Disk, clock: SimClock, prng: SimPrng, config: LogConfig) {
    this.#disk = disk;
    this.#clock = clock;
    this.#prng = prng;
    this.#config = config;
  }

  get log(): PartitionLog {
    return this.#open!.log;
  }

  async open(): Promise<void> {
    this.#open = await openCompacted(this.#disk, this.#clock, this.#config, (cause) => {
      this.offlineCause = cause;
    });
  }

  expectation(): CompactionExpectation {
    if (this.#open !== undefined && this.#leaving.length === 0) {
      this.#durableEnd = Math.max(this.#durableEnd, this.log.flushedOffset);
    }
    return {
      records: this.#records,
      leaving: this.#leaving,
      durableEnd: this.#durableEnd,
      highestEnd: this.#highestEnd,
      nowMs: this.#clock.wallMs(),
      deleteRetentionMs: DELETE_RETENTION_MS,
    };
  }

  async step(): Promise<void> {
    const drawn = this.#prng.below(100);
    const step =
      drawn < 55
        ? 'append'
        : drawn < 63
          ? 'flush'
          : drawn < 70
            ? 'checkpoint'
            : drawn < 84
              ? 'clean'
              : drawn < 88
                ? 'clean meanwhile'
                : drawn < 91
                  ? 'truncate'
                  : drawn < 94
                    ? 'reopen'
                    : 'wait';
    this.told.set(step, (this.told.get(step) ?? 0) + 1);
    await this.#tell(step);
    if (this.offlineCause !== undefined) {
      throw new TidemarkError('KAFKA_STORAGE_ERROR', 'the folder is offline', { cause: this.offlineCause });
    }
  }

  async #tell(step: string): Promise<void> {
    const clock = this.#clock;
    switch (step) {
      case 'append':
        return clock.settle(this.#append());
      case 'flush':
        await clock.settle(this.log.flush());
        this.#highWatermark = this.log.flushedOffset;
        return;
      case 'checkpoint':
        return clock.settle(this.#open!.folder.checkpoint());
      case 'clean':
        return clock.settle(this.#clean());
      case 'clean meanwhile':
        await clock.settle(Promise.all([this.#clean(), this.#append(), this.#append()]));
        return;
      case 'truncate':
        return clock.settle(this.#truncate());
      case 'reopen':
        await clock.settle(this.log.flush());
        await clock.settle(this.#open!.folder.close());
        return clock.settle(this.open());
      default:
        return clock.advance(1_000);
    }
  }

  async #append(): Promise<void> {
    const prng = this.#prng;
    const builder = this.#builder;
    builder.reset();
    const wallMs = this.#clock.wallMs();
    const records = Array.from({ length: 1 + prng.below(4) }, () => {
      const value = prng.chance(6) ? null : `${++this.#made}${'.'.repeat(prng.below(60))}`;
      return { key: `k${prng.below(KEYS)}`, value, appendedMs: wallMs };
    });
    for (const { key, value } of records) {
      builder.append(wallMs, Buffer.from(key), value === null ? null : Buffer.from(value));
    }
    const isIdempotent = prng.chance(3);
    const stamp = isIdempotent
      ? { producerId: this.#producerId, producerEpoch: 0, baseSequence: this.#sequence }
      : {};
    const bytes = builder.build(stamp).slice();
    const { log } = this;
    const result = log.append(bytes, [{ at: 0, ...readBatchHeader(bytes) }], {
      leaderEpoch: 1 as LeaderEpoch,
      origin: 'leader',
    });
    if (!result.ok) throw TidemarkError.from(result);
    if (isIdempotent) this.#sequence += records.length;
    const from = result.baseOffset as number;
    const appended = records.map((record, at) => ({ ...record, offset: from + at }));
    this.#records = [...this.#records, ...appended];
    this.#highestEnd = Math.max(this.#highestEnd, from + records.length);
    try {
      await result.written;
    } catch (error) {
      // Taken back: perhaps written all the same.
      this.#records = this.#records.filter(({ offset }) => offset < from);
      this.#leaving = [...this.#leaving, ...appended];
      throw error;
    }
  }

  async #clean(): Promise<void> {
    const { folder } = this.#open!;
    const report = await folder.cleanNext(this.#clock.wallMs(), () => this.#highWatermark as Offset);
    if (report?.type === 'uncleanable') throw new Error(report.failure.message);
    if (report?.type === 'cleaned') this.cleaned += report.bytesBefore - report.bytesAfter;
  }

  /** Never below the high watermark. */
  async #truncate(): Promise<void> {
    const { log } = this;
    const end = log.nextOffset;
    const offset = Math.max(this.#highWatermark, end - this.#prng.below(12));
    if (offset >= end) return;
    const batches = foundBatches((await recordsOf(log)).bytes);
    const cut = batches.find(({ lastOffset }) => lastOffset >= offset)?.baseOffset ?? end;
    // Its batches may go from the one that holds the offset on.
    this.#highWatermark = Math.min(this.#highWatermark, cut);
    this.#durableEnd = Math.min(this.#durableEnd, cut);
    this.#leaving = this.#records.filter((record) => record.offset >= cut);
    this.#records = this.#records.filter((record) => record.offset < cut);
    // What was cut off may have been its last: another one goes on.
    this.#producerId += 1;
    this.#sequence = 0;
    await log.truncateTo(offset as Offset);
    this.#leaving = [];
    this.#highestEnd = log.logEndOffset;
  }
}
