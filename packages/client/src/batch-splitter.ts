// A batch the broker found too large, as two with half of the records each. Records keep their order, timestamps and callbacks.
import { invariant } from '@tidemark/core';
import { RecordCursor } from '@tidemark/record';
import type { Codecs } from '@tidemark/record';
import type { DeliveryCallback } from './receipt.ts';
import type { BatchPlace, ProducerBatch } from './producer-batch.ts';

/** `newBatch` makes an empty one for the place. The batch must have been built, with two records at least. */
export function splitBatch(
  batch: ProducerBatch,
  codecs: Codecs,
  newBatch: (place: BatchPlace, capacityBytes: number) => ProducerBatch,
): readonly ProducerBatch[] {
  const half = Math.ceil(batch.recordCount / 2);
  const callbacks = new Map<number, DeliveryCallback>();
  const cursor = new RecordCursor({ codecs, checkCrcs: false, maxInflatedBytes: batch.builder.sizeBytes });
  cursor.load(batch.bytes);
  for (const { index, callback } of batch.handOver()) callbacks.set(index, callback);
  const capacityBytes = Math.ceil(batch.builder.sizeBytes / 2) + 1024;
  const { topic, partition, ordinal, createdAtMs } = batch;
  const span = batch.span / 2;
  const parts = [ordinal, ordinal + span].map((at) =>
    newBatch({ topic, partition, ordinal: at, span, createdAtMs }, capacityBytes),
  );
  let index = 0;
  while (cursor.next()) {
    const part = parts[index < half ? 0 : 1]!;
    part.append(cursor.timestampMs, cursor.key(), cursor.value(), cursor.headers(), callbacks.get(index));
    index += 1;
  }
  invariant(cursor.failure === undefined && index === batch.recordCount, 'what was encoded can be decoded');
  return parts;
}
