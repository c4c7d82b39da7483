// LZ4 frames by `lz4-napi`. Contract: CompressionCodec's. The native code inflates a frame without a bound, so the frame is
// measured first and refused when it is too large or broken; what is left to the native code is to inflate what fits, and
// to check the checksums. Loaded at the first use.

import type { CompressionCodec, Inflated } from '@tidemark/record';
import type * as Lz4 from 'lz4-napi';
import { createRequire } from 'node:module';
import { causeOf, corrupt, tooLarge } from './failures.ts';
import { hasLinkedBlocks, lz4FrameSize } from './lz4-frame.ts';

export function lz4Codec(): CompressionCodec {
  let loaded: typeof Lz4 | undefined;
  const native = (): typeof Lz4 => (loaded ??= createRequire(import.meta.url)('lz4-napi') as typeof Lz4);
  return {
    compress: (bytes) => native().compressFrameSync(asBuffer(bytes)),
    decompress(bytes: Uint8Array, maxBytes: number): Inflated {
      const size = lz4FrameSize(bytes, maxBytes);
      if (size.kind === 'too large') return tooLarge('lz4', maxBytes);
      if (size.kind === 'broken') return corrupt('lz4', size.cause);
      try {
        const inflated = native().decompressFrameSync(asBuffer(bytes));
        if (inflated.length === size.bytes) return { ok: true, bytes: inflated };
        return corrupt('lz4', `${size.bytes} bytes were to come out, and ${inflated.length} did`);
      } catch (error) {
        return corrupt('lz4', causeOf(error));
      }
    },
    kafkaRefusal: (bytes) =>
      hasLinkedBlocks(bytes) ? 'its blocks are linked. Write frames with independent blocks.' : undefined,
  };
}

/** The same memory. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
