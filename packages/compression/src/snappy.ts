// Snappy by the `snappy` package, in xerial's framing as Java writes it; one raw block, as librdkafka writes it, is taken too.
// Contract: CompressionCodec's. `decodeXerial` has checked each block's declared size against the bound before a block
// comes here, so what the native code allocates is bounded as well. Loaded at the first use.

import { decodeXerial, encodeXerial, type CompressionCodec, type SnappyBlockCodec } from '@tidemark/record';
import { createRequire } from 'node:module';
import type * as Snappy from 'snappy';
import { causeOf, corrupt } from './failures.ts';

export function snappyCodec(): CompressionCodec {
  let loaded: SnappyBlockCodec | undefined;
  const block = (): SnappyBlockCodec => (loaded ??= loadBlockCodec());
  return {
    compress: (bytes) => encodeXerial(bytes, block()),
    decompress: (bytes, maxBytes) => decodeXerial(bytes, block(), maxBytes),
  };
}

function loadBlockCodec(): SnappyBlockCodec {
  const { compressSync, uncompressSync } = createRequire(import.meta.url)('snappy') as typeof Snappy;
  return {
    compress: (bytes) => compressSync(bytes),
    decompress(bytes) {
      try {
        return { ok: true, bytes: uncompressSync(bytes) as Uint8Array };
      } catch (error) {
        return corrupt('snappy', causeOf(error));
      }
    },
  };
}
