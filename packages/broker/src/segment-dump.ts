// Reads the files of a partition's folder for people: `.log`, `.index`, `.timeindex` and `.snapshot`, in Kafka's formats. Reads
// only, never needs the server stopped, holds one batch in memory, and goes on to say what is wrong instead of giving up at once.
import { nodeCodecs } from '@tidemark/compression';
import { decodeProducerSnapshot } from '@tidemark/log';
import {
  BATCH_HEADER_BYTES,
  batchCrcIsValid,
  readBatchHeader,
  RecordCursor,
  type BatchHeader,
  type RecordHeader,
} from '@tidemark/record';
import { open, type FileHandle } from 'node:fs/promises';
import { basename, extname } from 'node:path';

export type SegmentDumpEntry =
  | {
      readonly kind: 'batch';
      readonly position: number;
      readonly header: BatchHeader;
      readonly crcIsValid: boolean;
    }
  | {
      readonly kind: 'record';
      readonly offset: number;
      readonly timestampMs: number;
      readonly key: Uint8Array | null;
      readonly value: Uint8Array | null;
      readonly headers: readonly RecordHeader[];
    }
  | { readonly kind: 'offset-index'; readonly offset: number; readonly position: number }
  | { readonly kind: 'time-index'; readonly timestampMs: number; readonly offset: number }
  | {
      readonly kind: 'producer';
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly lastSequence: number;
      readonly lastOffset: number;
      readonly lastTimestampMs: number;
    }
  /** The file is damaged here; what follows, if anything, could still be read. */
  | { readonly kind: 'problem'; readonly position: number; readonly message: string };

export interface SegmentDumpOptions {
  /** Records below their batches, too. */
  readonly records: boolean;
}

/** Larger than any batch a broker takes; a length beyond it is damage. */
const MAX_BATCH_BYTES = 128 * 1_024 * 1_024;
const INDEX_CHUNK_ENTRIES = 4_096;

export const SEGMENT_FILE_EXTENSIONS = ['.log', '.index', '.timeindex', '.snapshot'] as const;

/** Throws the system's error when the file cannot be read, and RangeError for a file that is none of the four kinds. */
export async function* dumpSegmentFile(
  path: string,
  options: SegmentDumpOptions,
): AsyncGenerator<SegmentDumpEntry, void, undefined> {
  const kind = SEGMENT_FILE_EXTENSIONS.find((extension) => extension === extname(path));
  if (kind === undefined) {
    throw new RangeError(`${path} is none of ${SEGMENT_FILE_EXTENSIONS.join(', ')}`);
  }
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    switch (kind) {
      case '.log':
        yield* dumpLog(file, size, options);
        break;
      case '.index':
        yield* dumpIndex(file, size, 8, (bytes, at) => ({
          kind: 'offset-index',
          offset: baseOffsetOf(path) + bytes.readInt32BE(at),
          position: bytes.readInt32BE(at + 4),
        }));
        break;
      case '.timeindex':
        yield* dumpIndex(file, size, 12, (bytes, at) => ({
          kind: 'time-index',
          timestampMs: Number(bytes.readBigInt64BE(at)),
          offset: baseOffsetOf(path) + bytes.readInt32BE(at + 8),
        }));
        break;
      case '.snapshot':
        yield* dumpSnapshot(await file.readFile());
        break;
    }
  } finally {
    await file.close();
  }
}

/** Of `00000000000000000042.index`: 42. Offsets in the indexes are relative to it. */
function baseOffsetOf(path: string): number {
  const digits = /^\d+/.exec(basename(path))?.[0];
  return digits === undefined ? 0 : Number(digits);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

async function* dumpLog(
  file: FileHandle,
  size: number,
  options: SegmentDumpOptions,
): AsyncGenerator<SegmentDumpEntry, void, undefined> {
  const cursor = new RecordCursor({ codecs: nodeCodecs(), checkCrcs: false, showControlRecords: true });
  let position = 0;
  while (position < size) {
    const problem = (message: string): SegmentDumpEntry => ({ kind: 'problem', position, message });
    const head = await readAt(file, position, Math.min(BATCH_HEADER_BYTES, size - position));
    if (head.length < BATCH_HEADER_BYTES) {
      yield problem(`${head.length} bytes are left, fewer than a batch header has`);
      return;
    }
    const header = readBatchHeader(head);
    const { sizeBytes } = header;
    if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > MAX_BATCH_BYTES) {
      yield problem(`the batch says it has ${sizeBytes} bytes`);
      return;
    }
    if (sizeBytes > size - position) {
      yield problem(`the batch says it has ${sizeBytes} bytes, but ${size - position} are left`);
      return;
    }
    const bytes = await readAt(file, position, sizeBytes);
    const crcIsValid = bytes.length === sizeBytes && batchCrcIsValid(bytes, 0);
    yield { kind: 'batch', position, header, crcIsValid };
    if (!crcIsValid) yield problem('the CRC does not match');
    else if (options.records) yield* dumpRecords(cursor, bytes, position);
    position += sizeBytes;
  }
}

function* dumpRecords(
  cursor: RecordCursor,
  bytes: Uint8Array,
  position: number,
): Generator<SegmentDumpEntry, void, undefined> {
  cursor.load(bytes);
  while (cursor.next()) {
    yield {
      kind: 'record',
      offset: cursor.offset,
      timestampMs: cursor.timestampMs,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headers(),
    };
  }
  if (cursor.failure !== undefined) yield { kind: 'problem', position, message: cursor.failure.message };
}

async function* dumpIndex(
  file: FileHandle,
  size: number,
  entryBytes: number,
  decode: (bytes: Buffer, at: number) => SegmentDumpEntry,
): AsyncGenerator<SegmentDumpEntry, void, undefined> {
  const whole = size - (size % entryBytes);
  for (let position = 0; position < whole; position += INDEX_CHUNK_ENTRIES * entryBytes) {
    const bytes = await readAt(file, position, Math.min(INDEX_CHUNK_ENTRIES * entryBytes, whole - position));
    for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) yield decode(bytes, at);
  }
  if (whole < size) {
    yield { kind: 'problem', position: whole, message: `${size - whole} bytes are left, less than an entry` };
  }
}

function* dumpSnapshot(bytes: Uint8Array): Generator<SegmentDumpEntry, void, undefined> {
  const producers = decodeProducerSnapshot(bytes);
  if (producers === undefined) {
    yield { kind: 'problem', position: 0, message: 'it is no whole producer snapshot of version 1' };
    return;
  }
  for (const { producerId, epoch, batches, lastTimestamp } of producers) {
    const newest = batches.at(-1);
    yield {
      kind: 'producer',
      producerId,
      producerEpoch: epoch,
      lastSequence: newest?.lastSequence ?? -1,
      lastOffset: newest?.lastOffset ?? -1,
      lastTimestampMs: lastTimestamp,
    };
  }
}
