// What the stories of compaction share: keyed batches, a compacted log in small segments, and its records as a reader finds them.

import {
  defaultCleanerSettings,
  type CleaningReport,
  type LogConfig,
  type LogFolderOptions,
  type PartitionLog,
} from '@tidemark/log';
import { BatchBuilder, RecordCursor } from '@tidemark/record';
import type { SimDisk } from '@tidemark/simulation';
import {
  append,
  epoch,
  headersOf,
  NO_CODECS,
  openFolder,
  openLog,
  readFrom,
  smallSegments,
  type World,
} from './story.ts';

export interface Found {
  readonly offset: number;
  readonly key: string | null;
  /** Null: a tombstone. */
  readonly value: string | null;
  readonly timestampMs: number;
}

export type Keyed = readonly [key: string | null, value: string | null];

export interface KeyedOptions {
  readonly timestampMs?: number;
  readonly producerId?: number;
  readonly baseSequence?: number;
  readonly leaderEpoch?: number;
}

export function keyedBatch(records: readonly Keyed[], options: KeyedOptions = {}): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 256 });
  const bytesOf = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text));
  for (const [key, value] of records)
    builder.append(options.timestampMs ?? 1_000, bytesOf(key), bytesOf(value));
  const { producerId, baseSequence } = options;
  const producerEpoch = producerId === undefined ? undefined : 0;
  return builder.build({ producerId, producerEpoch, baseSequence }).slice();
}

export async function put(
  log: PartitionLog,
  records: readonly Keyed[],
  options: KeyedOptions = {},
): Promise<number> {
  const result = append(log, keyedBatch(records, options), { leaderEpoch: epoch(options.leaderEpoch ?? 1) });
  if (!result.ok) throw new Error(result.message);
  await result.written;
  return result.baseOffset;
}

export const compacted: LogConfig = {
  ...smallSegments,
  segmentBytes: 400,
  cleanupPolicy: 'compact',
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: 1_000,
  retentionMs: 1,
  retentionBytes: 1,
};

export async function openCompacted(
  disk?: SimDisk,
  config: Partial<LogConfig> = {},
  options: Partial<LogFolderOptions> = {},
): Promise<World & { log: PartitionLog }> {
  const world = await openFolder(disk, { cleaner: defaultCleanerSettings, ...options });
  const log = await openLog(world, { ...compacted, ...config });
  return { ...world, log };
}

/** Makes everything behind the active segment cleanable and cleans until nothing is left to do. */
export async function cleanAll(world: World, nowMs = 10_000): Promise<CleaningReport[]> {
  await world.folder.checkpoint();
  const reports: CleaningReport[] = [];
  for (;;) {
    const report = await world.folder.cleanNext(nowMs);
    if (report === undefined) return reports;
    reports.push(report);
    if (report.type !== 'cleaned') return reports;
  }
}

/** Fills the active segment with one record that nothing replaces, until the next begins. */
export async function rollOver(log: PartitionLog): Promise<void> {
  const { segmentCount } = log;
  for (let filler = 0; log.segmentCount === segmentCount; filler++) {
    await put(log, [[`filler-${log.nextOffset}`, 'x'.repeat(60)]]);
  }
}

export async function recordsOf(log: PartitionLog, codecs = NO_CODECS): Promise<Found[]> {
  const found: Found[] = [];
  let offset: number = log.logStartOffset;
  for (;;) {
    const result = await readFrom(log, offset);
    if (!result.ok) throw new Error(`${result.error}: ${result.message}`);
    if (result.sizeBytes === 0) return found;
    for (const part of result.parts) {
      for (const header of headersOf(part)) {
        const cursor = new RecordCursor({ codecs });
        cursor.load(part.subarray(header.at, header.at + header.sizeBytes), log.logStartOffset);
        while (cursor.next()) found.push(foundAt(cursor));
        if (cursor.failure !== undefined) throw new Error(cursor.failure.message);
      }
    }
    offset = result.nextOffset;
  }
}

function foundAt(cursor: RecordCursor): Found {
  const text = (bytes: Uint8Array | null): string | null =>
    bytes === null ? null : Buffer.from(bytes).toString();
  const { offset, timestampMs } = cursor;
  return { offset, key: text(cursor.key()), value: text(cursor.value()), timestampMs };
}
