// What compresses a batch: the names, their codes in the attributes (bits 0-2), and the port through which the codecs
// come in. This package knows the framing and the bounds; the algorithms themselves are injected (`@tidemark/compression`).

import type { Failure } from '@tidemark/core';

export type CompressionType = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** The position in the list is the code. */
export const compressionTypes = [
  'none',
  'gzip',
  'snappy',
  'lz4',
  'zstd',
] as const satisfies readonly CompressionType[];

/** 0 to 4. */
export function compressionCode(type: CompressionType): number {
  return compressionTypes.indexOf(type);
}

/** `undefined` for a code nobody has given a meaning (5 to 7). */
export function compressionFromCode(code: number): CompressionType | undefined {
  return compressionTypes[code];
}

export type Inflated = { readonly ok: true; readonly bytes: Uint8Array } | Failure;

/** Synchronous. Whatever the input is, it answers; it never throws. */
export interface CompressionCodec {
  compress(bytes: Uint8Array): Uint8Array;
  /** Never allocates or produces more than `maxBytes`. Too large -> MESSAGE_TOO_LARGE, broken -> CORRUPT_MESSAGE. */
  decompress(bytes: Uint8Array, maxBytes: number): Inflated;
  /** Of what `decompress` has read: why Kafka's clients would not, and what to do about it; undefined: they would. */
  kafkaRefusal?(bytes: Uint8Array): string | undefined;
}

export type Codecs = { readonly [T in Exclude<CompressionType, 'none'>]: CompressionCodec };
