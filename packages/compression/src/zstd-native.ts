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
    decompress(bytes, bounds, capacityBytes, maxBytes): Inflated {
      const parts: Buffer[] = [];
      let left = capacityBytes;
      try {
        // The function stops behind the first frame and says nothing of the rest.
        for (let index = 0; index + 1 < bounds.length; index++) {
          const frame = bytes.subarray(bounds[index], bounds[index + 1]);
          // At a bound of 0, which zlib does not take, the length is looked at here.
          const part = zstdDecompressSync(frame, { maxOutputLength: Math.max(1, left) });
          if (part.length > left) return tooMuch(capacityBytes, maxBytes);
          left -= part.length;
          parts.push(part);
        }
      } catch (error) {
        const isTooMuch = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
        return isTooMuch ? tooMuch(capacityBytes, maxBytes) : corrupt('zstd', causeOf(error));
      }
      return { ok: true, bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts) };
    },
  };
}

/** A capacity below the bound is the most the frames can hold, so filling it means that they lie. */
function tooMuch(capacityBytes: number, maxBytes: number): Inflated {
  if (capacityBytes >= maxBytes) return tooLarge('zstd', maxBytes);
  return corrupt('zstd', 'it holds more than its frames say');
}
