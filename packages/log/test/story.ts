// What the log's stories share: a folder on a simulated disk, batches to append, and reading everything back.

import {
  topicIdFromBytes,
  type BrokerEpoch,
  type LeaderEpoch,
  type Offset,
  type TopicId,
} from '@tidemark/core';
import {
  defaultLogConfig,
  LogFolder,
  type Appended,
  type AppendOptions,
  type AppendResult,
  type LogConfig,
  type LogFolderOptions,
  type PartitionLog,
  type ReadResult,
} from '@tidemark/log';
import { BatchBuilder, readBatchHeader, RecordCursor, type BatchHeader, type Codecs } from '@tidemark/record';
import { SimClock, SimDisk } from '@tidemark/simulation';

export const NAME = 'orders-0';
export const TOPIC_ID: TopicId = topicIdFromBytes(new Uint8Array(16).fill(7));
export const NO_CODECS = {} as Codecs;

export interface BatchOptions {
  readonly records?: number;
  readonly valueBytes?: number;
  readonly timestampMs?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  /** For a follower. */
  readonly baseOffset?: number;
  readonly leaderEpoch?: number;
  readonly text?: string;
}

/** A batch in memory of its own. */
export function batchOf(options: BatchOptions = {}): Uint8Array {
  const { records = 1, valueBytes = 20, timestampMs = 1_000, text = 'v' } = options;
  const builder = new BatchBuilder({ capacityBytes: 256 });
  const value = new TextEncoder().encode(
    text.padEnd(valueBytes, '.').slice(0, Math.max(valueBytes, text.length)),
  );
  for (let index = 0; index < records; index++) builder.append(timestampMs, null, value);
  return new Uint8Array(
    builder.build({
      producerId: options.producerId,
      producerEpoch: options.producerEpoch,
      baseSequence: options.baseSequence,
      baseOffset: options.baseOffset,
      leaderEpoch: options.leaderEpoch,
    }),
  );
}

export function headersOf(bytes: Uint8Array): (BatchHeader & { at: number })[] {
  const headers: (BatchHeader & { at: number })[] = [];
  for (let at = 0; at < bytes.length; at += headers.at(-1)!.sizeBytes) {
    headers.push({ at, ...readBatchHeader(bytes, at) });
  }
  return headers;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export const epoch = (value: number): LeaderEpoch => value as LeaderEpoch;
export const at = (value: number): Offset => value as Offset;

export function append(
  log: PartitionLog,
  bytes: Uint8Array,
  options: Partial<AppendOptions> = {},
): AppendResult {
  return log.append(bytes, headersOf(bytes), { leaderEpoch: epoch(1), origin: 'leader', ...options });
}

/** Appends and waits for the write. */
export async function appended(log: PartitionLog, options: BatchOptions = {}): Promise<Appended> {
  const result = append(log, batchOf(options), { leaderEpoch: epoch(options.leaderEpoch ?? 1) });
  if (!result.ok) throw new Error(result.message);
  await result.written;
  return result;
}

export async function readFrom(
  log: PartitionLog,
  offset: number,
  options: { maxBytes?: number; upTo?: number; atLeastOne?: boolean } = {},
): Promise<ReadResult> {
  const { maxBytes = 1 << 20, upTo = Number.MAX_SAFE_INTEGER, atLeastOne = true } = options;
  return log.read(at(offset), { maxBytes, upTo: at(upTo), atLeastOne });
}

/** All batches from an offset on, read piece by piece. */
export async function readAll(log: PartitionLog, from?: number, maxBytes = 1 << 20): Promise<BatchHeader[]> {
  const found: BatchHeader[] = [];
  let offset: number = from ?? log.logStartOffset;
  for (;;) {
    const result = await readFrom(log, offset, { maxBytes });
    if (!result.ok) throw new Error(`${result.error}: ${result.message}`);
    if (result.sizeBytes === 0) return found;
    for (const part of result.parts) found.push(...headersOf(part));
    offset = result.nextOffset;
  }
}

/** The values of all records, as text without the padding. */
export async function valuesOf(log: PartitionLog): Promise<string[]> {
  const values: string[] = [];
  let offset: number = log.logStartOffset;
  const cursor = new RecordCursor({ codecs: NO_CODECS });
  for (;;) {
    const result = await readFrom(log, offset);
    if (!result.ok) throw new Error(`${result.error}: ${result.message}`);
    if (result.sizeBytes === 0) return values;
    for (const part of result.parts) {
      cursor.load(part, log.logStartOffset);
      while (cursor.next())
        values.push(
          Buffer.from(cursor.value() ?? [])
            .toString()
            .replace(/\.+$/, ''),
        );
      if (cursor.failure !== undefined) throw new Error(cursor.failure.message);
    }
    offset = result.nextOffset;
  }
}

export interface World {
  disk: SimDisk;
  clock: SimClock;
  folder: LogFolder;
  offline: unknown[];
  warnings: string[];
}

export const smallSegments: LogConfig = { ...defaultLogConfig, segmentBytes: 1000, indexIntervalBytes: 200 };

export async function openFolder(
  disk: SimDisk = new SimDisk(),
  options: Partial<LogFolderOptions> = {},
): Promise<World> {
  const clock = new SimClock();
  const offline: unknown[] = [];
  const warnings: string[] = [];
  const folder = await LogFolder.open({
    disk,
    clock,
    directory: 'data',
    onOffline: (cause) => offline.push(cause),
    onWarning: (message) => warnings.push(message),
    tailBytes: 0,
    ...options,
  });
  return { disk, clock, folder, offline, warnings };
}

export function openLog(
  world: World,
  config: LogConfig = defaultLogConfig,
  name = NAME,
): Promise<PartitionLog> {
  return world.folder.openPartition(name, TOPIC_ID, config);
}

export const brokerEpoch = (value: number): BrokerEpoch => value as BrokerEpoch;
