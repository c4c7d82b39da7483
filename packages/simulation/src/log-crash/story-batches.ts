// The record batches of a log story: every value unique, so that a record in the wrong place is noticed, and sizes from a
// few bytes to several disk blocks, so that some writes can be torn.

import { invariant, InvariantViolation } from '@tidemark/core';
import {
  BatchBuilder,
  validateBatches,
  type Codecs,
  type CompressionCodec,
  type ValidatedBatch,
} from '@tidemark/record';
import { type SimPrng } from '../sim-prng.ts';

const notUsed = (): never => {
  throw new InvariantViolation('stories are not compressed');
};
const unused: CompressionCodec = { compress: notUsed, decompress: notUsed };

/** Stories use none, and the log asks for some. */
export const storyCodecs: Codecs = { gzip: unused, snappy: unused, lz4: unused, zstd: unused };

export interface ProducerStamp {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

export interface StoryBatch extends ProducerStamp {
  /** As the client sends it. Appending works on a copy: the log writes into what it is given. */
  readonly bytes: Uint8Array;
  readonly recordCount: number;
}

export class StoryBatches {
  readonly #prng: SimPrng;
  readonly #builder = new BatchBuilder({ capacityBytes: 4096 });
  #made = 0;

  constructor(prng: SimPrng) {
    this.#prng = prng;
  }

  make(timestampMs: number, stamp?: ProducerStamp): StoryBatch {
    const prng = this.#prng;
    const recordCount = 1 + prng.below(4);
    const isLarge = prng.chance(12);
    this.#builder.reset();
    for (let record = 0; record < recordCount; record++) {
      const value = prng.bytes(isLarge ? 1_000 + prng.below(1_800) : 8 + prng.below(150));
      new DataView(value.buffer).setUint32(0, ++this.#made);
      this.#builder.append(timestampMs + record, null, value);
    }
    const { producerId = -1, producerEpoch = -1, baseSequence = -1 } = stamp ?? {};
    const bytes = this.#builder.build({ producerId, producerEpoch, baseSequence }).slice();
    return { bytes, recordCount, producerId, producerEpoch, baseSequence };
  }
}

/** The batches as one produce request: bytes the log may write into, and what validation says of them. */
export function asRequest(batches: readonly StoryBatch[]): {
  readonly bytes: Uint8Array;
  readonly batches: readonly ValidatedBatch[];
} {
  const bytes = new Uint8Array(batches.reduce((sum, batch) => sum + batch.bytes.length, 0));
  let at = 0;
  for (const batch of batches) {
    bytes.set(batch.bytes, at);
    at += batch.bytes.length;
  }
  const valid = validateBatches(bytes, {
    maxBatchBytes: bytes.length,
    maxInflatedBytes: bytes.length,
    codecs: storyCodecs,
  });
  invariant(valid.ok, 'a story batch is valid', { valid });
  return { bytes, batches: valid.batches };
}
