// A record's headers: a name and an optional value each, in the order written, names repeating as they like (KIP-82).
// Contract: sizes and bytes are Kafka's; reading expects headers that `RecordFrame` has checked.

import { decodeUtf8 } from '@tidemark/core';
import type { RecordFrame } from './record-frame.ts';
import { utf8Bytes, writeUtf8 } from './utf8-writer.ts';
import { varintBytes, writeVarint } from './varint.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** Bytes of the header count and all headers. */
export function headersBytes(headers: readonly RecordHeader[]): number {
  let size = varintBytes(headers.length);
  for (const { key, value } of headers) {
    const keyLength = utf8Bytes(key);
    size += varintBytes(keyLength) + keyLength;
    size += value === null ? 1 : varintBytes(value.length) + value.length;
  }
  return size;
}

export function writeHeaders(bytes: Uint8Array, at: number, headers: readonly RecordHeader[]): number {
  let next = writeVarint(bytes, at, headers.length);
  for (const { key, value } of headers) {
    next = writeUtf8(bytes, writeVarint(bytes, next, utf8Bytes(key)), key);
    if (value === null) {
      next = writeVarint(bytes, next, -1);
    } else {
      next = writeVarint(bytes, next, value.length);
      bytes.set(value, next);
      next += value.length;
    }
  }
  return next;
}

/** The headers of the record that `frame` read last from `bytes`. Values are views of `bytes`; malformed UTF-8 in a key becomes U+FFFD. */
export function readHeaders(bytes: Uint8Array, frame: RecordFrame): RecordHeader[] {
  const headers: RecordHeader[] = [];
  const end = bytes.length;
  let next = frame.headersAt;
  for (let left = frame.headerCount; left > 0; left--) {
    const keyLength = frame.varint(bytes, next, end);
    const keyAt = frame.position;
    const valueLength = frame.varint(bytes, keyAt + keyLength, end);
    const valueAt = frame.position;
    headers.push({
      key: decodeUtf8(viewOf(bytes, keyAt, keyLength)),
      value: valueLength < 0 ? null : viewOf(bytes, valueAt, valueLength),
    });
    next = valueAt + Math.max(0, valueLength);
  }
  return headers;
}

/** A plain Uint8Array over a part of `bytes`, also when those are of a subclass (whose `subarray` is slower). */
export function viewOf(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
}
