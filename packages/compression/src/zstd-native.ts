// Zstandard by node:zlib, where Node has it (22.15 and later). Contract: as for the WebAssembly build. It stops at
// `maxOutputLength`; its window is bounded by the caller, who has narrowed what the frames ask for.

import type { Inflated } from '@tidemark/record';
import * as zlib from 'node:zlib';
import { causeOf, corrupt, tooLarge } from './failures.ts';
import type { BoundedZstd } from './zstd-wasm.ts';

interface ZstdFunctions {
  zstdCompressSync(bytes: Uint8Array): Buffer;
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer;
}

/** `undefined` in a Node without Zstandard. */
export function loadZstdNative(): BoundedZstd | undefined {
  const { zstdCompressSync, zstdDecompressSync } = zlib as Partial<ZstdFunctions>;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined;
  return {
    compress: (bytes) => zstdCompressSync(bytes),
    decompress(bytes, capacityBytes, maxBytes): Inflated {
      try {
        const plain = zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, capacityBytes) });
        return plain.length > maxBytes ? tooLarge('zstd', maxBytes) : { ok: true, bytes: plain };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE')
          return corrupt('zstd', causeOf(error));
        if (capacityBytes >= maxBytes) return tooLarge('zstd', maxBytes);
        return corrupt('zstd', 'it holds more than its frames say');
      }
    },
  };
}
