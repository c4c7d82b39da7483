// Batches for tests, made by the real builder.
import { BatchBuilder, controlRecordKey } from '@tidemark/record';
import { nodeCodecs } from '@tidemark/compression';

/** A batch of these text values; `timestampMs` of the first, one more for each. */
export function batchOf(
  values: readonly string[],
  timestampMs = 1000,
  compression: 'none' | 'zstd' = 'none',
) {
  const builder = new BatchBuilder({ capacityBytes: 64 });
  values.forEach((value, at) => builder.append(timestampMs + at, null, Buffer.from(value)));
  return Uint8Array.from(builder.build({ compression, codecs: nodeCodecs() }));
}

export function controlBatch(): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 64 });
  builder.append(0, controlRecordKey('commit'), new Uint8Array(6));
  return Uint8Array.from(builder.build({ isControl: true, isTransactional: true }));
}
