// The codecs of a Node process, for everything that builds, checks or reads batches. Contract: synchronous from the first
// call on, nothing to initialise; a library is loaded when its codec is first used, none at import.

import type { Codecs } from '@tidemark/record';
import { gzipCodec } from './gzip.ts';
import { lz4Codec } from './lz4.ts';
import { snappyCodec } from './snappy.ts';
import { zstdCodec } from './zstd.ts';

/** Make one for a process and pass it on. */
export function nodeCodecs(): Codecs {
  return { gzip: gzipCodec(), snappy: snappyCodec(), lz4: lz4Codec(), zstd: zstdCodec() };
}
