// What the tests of this package share: records in and out, and batches that are broken on purpose, byte by byte.

import { BATCH_HEADER_BYTES, BatchBuilder, crc32c, RecordCursor, type BuildOptions } from '@tidemark/record';
import type { Codecs, RecordCursorOptions, RecordHeader } from '@tidemark/record';

export const T0 = 1_700_000_000_000;

export interface TestRecord {
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** For batches that are not compressed: using a codec is a failure of the test. */
export const noCodecs: Codecs = {
  get gzip(): never {
    throw new Error('no codec is expected to be used');
  },
  get snappy(): never {
    throw new Error('no codec is expected to be used');
  },
  get lz4(): never {
    throw new Error('no codec is expected to be used');
  },
  get zstd(): never {
    throw new Error('no codec is expected to be used');
  },
};

export function build(records: readonly TestRecord[], options: BuildOptions = {}): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 256 });
  for (const { timestampMs, key, value, headers } of records)
    builder.append(timestampMs, key, value, headers);
  return builder.build(options).slice();
}

/** `count` records, one a millisecond. */
export function plainBatch(count: number, options: BuildOptions = {}): Uint8Array {
  const records = Array.from({ length: count }, (_, index) => ({
    timestampMs: T0 + index,
    key: bytesOf(`key-${index}`),
    value: bytesOf(`value-${index}`),
    headers: [],
  }));
  return build(records, options);
}

export interface ReadRecord extends TestRecord {
  readonly offset: number;
}

/** All records, copied out. The cursor tells whether it ended well. */
export function readAll(
  bytes: Uint8Array,
  options: Partial<RecordCursorOptions> = {},
  fromOffset = 0,
): { records: ReadRecord[]; cursor: RecordCursor } {
  const cursor = new RecordCursor({ codecs: noCodecs, ...options });
  cursor.load(bytes, fromOffset);
  const records: ReadRecord[] = [];
  while (cursor.next()) {
    const { offset, timestampMs } = cursor;
    const copy = (view: Uint8Array | null) => view && Uint8Array.from(view);
    const headers = cursor.headers().map(({ key, value }) => ({ key, value: copy(value) }));
    records.push({ offset, timestampMs, key: copy(cursor.key()), value: copy(cursor.value()), headers });
  }
  return { records, cursor };
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Positions of header fields, written out again here, so that a test does not take them from what it tests. */
export const at = {
  baseOffset: 0,
  batchLength: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

const widths: Partial<Record<keyof typeof at, 1 | 2 | 8>> = {
  baseOffset: 8,
  magic: 1,
  attributes: 2,
  baseTimestamp: 8,
  maxTimestamp: 8,
  producerId: 8,
  producerEpoch: 2,
};

/** A copy with these header fields, and the CRC that makes it look intact. */
export function patched(
  batch: Uint8Array,
  fields: Partial<Record<keyof typeof at, number | bigint>>,
): Uint8Array {
  const copy = Uint8Array.from(batch);
  const view = new DataView(copy.buffer);
  for (const [name, value] of Object.entries(fields) as [keyof typeof at, number | bigint][]) {
    const width = widths[name] ?? 4;
    if (width === 8) view.setBigInt64(at[name], BigInt(value));
    else if (width === 4) view.setInt32(at[name], Number(value));
    else if (width === 2) view.setInt16(at[name], Number(value));
    else view.setInt8(at[name], Number(value));
  }
  return 'crc' in fields ? copy : sealed(copy);
}

/** Computes the CRC of the one batch in `batch` anew, in place. */
export function sealed(batch: Uint8Array): Uint8Array {
  new DataView(batch.buffer, batch.byteOffset).setUint32(at.crc, crc32c(batch.subarray(at.attributes)));
  return batch;
}

/** A batch around these record bytes, whatever they are. */
export function batchAround(records: readonly number[], recordCount: number): Uint8Array {
  const batch = concat(plainBatch(1).subarray(0, BATCH_HEADER_BYTES), Uint8Array.from(records));
  return patched(batch, { batchLength: batch.length - 12, recordCount, lastOffsetDelta: recordCount - 1 });
}
