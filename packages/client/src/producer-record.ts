// A record as the application hands it in.
import { Buffer } from 'node:buffer';
import type { RecordHeader } from '@tidemark/record';

export type HeaderValue = Uint8Array | string | null;
type HeaderList = readonly { readonly key: string; readonly value: HeaderValue }[];
type HeaderMap = Readonly<Record<string, HeaderValue>>;
/** In order, names may repeat; or a plain object. */
export type HeadersInput = HeaderList | HeaderMap;

export interface ProducerRecord<K, V> {
  readonly topic: string;
  /** Absent or null: no key. */
  readonly key?: K | null | undefined;
  /** Absent or null: a tombstone. */
  readonly value?: V | null | undefined;
  readonly headers?: HeadersInput | undefined;
  /** Absent: the partitioner decides. */
  readonly partition?: number | undefined;
  /** Milliseconds since the Unix epoch. Absent: now. */
  readonly timestampMs?: number | undefined;
}

export const NO_HEADERS: readonly RecordHeader[] = [];

const headerBytes = (value: HeaderValue): Uint8Array | null =>
  typeof value === 'string' ? Buffer.from(value, 'utf8') : value;

export function recordHeaders(headers: HeadersInput | undefined): readonly RecordHeader[] {
  if (headers === undefined) return NO_HEADERS;
  if (isList(headers)) return headers.map(({ key, value }) => ({ key, value: headerBytes(value) }));
  return Object.entries(headers).map(([key, value]) => ({ key, value: headerBytes(value) }));
}

function isList(headers: HeadersInput): headers is HeaderList {
  return Array.isArray(headers);
}
