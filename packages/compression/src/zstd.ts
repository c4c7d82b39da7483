// Zstandard, by whichever implementation this Node has. Contract: CompressionCodec's. The frames are measured first: what
// they must hold is checked against the bound before anything is allocated, what they can hold limits the allocation, and
// a window wider than any content within the bound could use is narrowed (a declared window costs its size in memory).

import type { CompressionCodec, Inflated } from '@tidemark/record';
import { corrupt, tooLarge } from './failures.ts';
import { measureZstd } from './zstd-frame.ts';
import { loadZstdNative } from './zstd-native.ts';
import { loadZstdWasm, type BoundedZstd } from './zstd-wasm.ts';

/** Below this a window also limits the size of blocks, and must stay as it is. */
const MIN_NARROWED_WINDOW_LOG = 17;
const MAX_WINDOW_LOG = 30;
/** What a streaming decoder grants unless it is told otherwise (ZSTD_WINDOWLOG_LIMIT_DEFAULT), Kafka's for one. */
const KAFKA_WINDOW_LOG = 27;

export function zstdCodec(): CompressionCodec {
  let loaded: BoundedZstd | undefined;
  const zstd = (): BoundedZstd => (loaded ??= loadZstdNative() ?? loadZstdWasm());
  return {
    compress: (bytes) => zstd().compress(bytes),
    decompress(bytes: Uint8Array, maxBytes: number): Inflated {
      const windowLog = windowLogFor(maxBytes);
      const measured = measureZstd(bytes, 2 ** windowLog);
      if (measured.kind === 'broken') return corrupt('zstd', measured.cause);
      if (measured.minBytes > maxBytes) return tooLarge('zstd', maxBytes);
      const frames = narrowed(bytes, measured.wideWindowsAt, windowLog);
      return zstd().decompress(frames, measured.bounds, Math.min(measured.maxBytes, maxBytes), maxBytes);
    },
    kafkaRefusal(bytes) {
      const measured = measureZstd(bytes, 2 ** KAFKA_WINDOW_LOG);
      if (measured.kind === 'broken' || measured.widestWindowBytes <= 2 ** KAFKA_WINDOW_LOG) return undefined;
      return `it asks for a window of ${measured.widestWindowBytes} bytes, and 2^${KAFKA_WINDOW_LOG} are granted. Compress without --long.`;
    },
  };
}

/** The smallest window that holds all of `maxBytes`: no match reaches further back than the content is long. */
function windowLogFor(maxBytes: number): number {
  const needed = Math.ceil(Math.log2(Math.max(1, maxBytes)));
  return Math.min(MAX_WINDOW_LOG, Math.max(MIN_NARROWED_WINDOW_LOG, needed));
}

function narrowed(bytes: Uint8Array, descriptorsAt: readonly number[], windowLog: number): Uint8Array {
  if (descriptorsAt.length === 0) return bytes;
  const copy = Uint8Array.from(bytes);
  for (const at of descriptorsAt) copy[at] = (windowLog - 10) << 3;
  return copy;
}
