// gzip by node:zlib, which stops at `maxOutputLength` while it inflates: a bomb costs the bound and one chunk, no more.
// Contract: CompressionCodec's.

import { failure } from '@tidemark/core';
import type { CompressionCodec, Inflated } from '@tidemark/record';
import { gunzipSync, gzipSync } from 'node:zlib';
import { corrupt, tooLarge } from './failures.ts';

export function gzipCodec(): CompressionCodec {
  return {
    compress: (bytes) => gzipSync(bytes),
    decompress(bytes: Uint8Array, maxBytes: number): Inflated {
      try {
        // zlib wants a bound of at least 1; at 0 the length is looked at here.
        const inflated = gunzipSync(bytes, { maxOutputLength: Math.max(1, maxBytes) });
        return inflated.length > maxBytes ? tooLarge('gzip', maxBytes) : { ok: true, bytes: inflated };
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge('gzip', maxBytes);
        if (code === 'Z_MEM_ERROR') return failure('UNKNOWN_SERVER_ERROR', `gzip: ${message}`);
        return corrupt('gzip', message);
      }
    },
  };
}
