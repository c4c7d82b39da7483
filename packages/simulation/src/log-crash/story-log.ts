// The log a story is told to: one folder with one partition on a given disk, opened, closed and opened again. Small segments and
// index intervals, so that a short story rolls, indexes and deletes.

import { invariant, TidemarkError, type Clock, type Disk, type TopicId } from '@tidemark/core';
import { defaultLogConfig, LogFolder, type LogConfig, type PartitionLog } from '@tidemark/log';
import { foundBatches, type LogView } from './log-checks.ts';
import { storyCodecs } from './story-batches.ts';

export const STORY_PARTITION = 'story-0';
export const STORY_FOLDER = 'logs';
const TOPIC_ID = 'c3RvcnktdG9waWMtaWQtMQ' as TopicId;
const READ_BYTES = 64 * 1024;

export type FlushPolicy = LogConfig['flushPolicy'];

export const storyConfig = (flushPolicy: FlushPolicy): LogConfig => ({
  ...defaultLogConfig,
  segmentBytes: 12 * 1024,
  indexIntervalBytes: 700,
  retentionBytes: 40 * 1024,
  retentionMs: 20_000,
  fileDeleteDelayMs: 2_000,
  flushPolicy,
  ...(flushPolicy === 'os' ? { flushMessages: 25, flushMs: 5_000 } : {}),
});

export class StoryLog {
  readonly flushPolicy: FlushPolicy;
  readonly #disk: Disk;
  readonly #clock: Clock;
  #folder: LogFolder | undefined;
  #log: PartitionLog | undefined;
  /** What took the folder offline. */
  offlineCause: unknown;

  constructor(disk: Disk, clock: Clock, flushPolicy: FlushPolicy) {
    this.#disk = disk;
    this.#clock = clock;
    this.flushPolicy = flushPolicy;
  }

  get log(): PartitionLog | undefined {
    return this.#log;
  }

  async open(): Promise<PartitionLog> {
    await this.#disk.makeDirectory(STORY_FOLDER);
    this.#folder = await LogFolder.open({
      disk: this.#disk,
      clock: this.#clock,
      codecs: storyCodecs,
      directory: STORY_FOLDER,
      onOffline: (cause: unknown) => {
        this.offlineCause = cause;
      },
    });
    this.#log = await this.#folder.openPartition(STORY_PARTITION, TOPIC_ID, storyConfig(this.flushPolicy));
    return this.#log;
  }

  /** Throws what took the folder offline, if anything did. */
  checkOnline(): void {
    if (this.offlineCause === undefined) return;
    throw new TidemarkError('KAFKA_STORAGE_ERROR', 'the folder is offline', { cause: this.offlineCause });
  }

  async close(): Promise<void> {
    this.#log = undefined;
    await this.#folder!.close();
  }

  async runRetention(nowMs: number): Promise<void> {
    const log = this.#log!;
    await log.runRetention(nowMs, log.acknowledgeableEndOffset);
  }

  checkpoint(): Promise<void> {
    return this.#folder!.checkpoint();
  }
}

/** Everything a reader finds in the log, read as a consumer does. */
export async function viewOf(log: PartitionLog): Promise<LogView> {
  const [startOffset, endOffset] = [log.logStartOffset, log.logEndOffset];
  const parts: Uint8Array[] = [];
  for (let offset = startOffset; offset < endOffset;) {
    const result = await log.read(offset, { maxBytes: READ_BYTES, upTo: endOffset, atLeastOne: true });
    invariant(result.ok, 'a recovered log can be read to its end', { offset, endOffset, result });
    invariant(result.nextOffset > offset, 'a read makes progress', { offset, endOffset });
    for (const part of result.parts) parts.push(part.slice());
    offset = result.nextOffset;
  }
  const bytes = Buffer.concat(parts);
  invariant(
    foundBatches(bytes).length > 0 || startOffset === endOffset,
    'a log that is not empty has batches',
  );
  return { startOffset, endOffset, bytes };
}
