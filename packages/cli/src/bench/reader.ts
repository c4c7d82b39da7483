// Reads the load: whole batches, counted by their cursor, without an object for a record. With `stamped` each record carries when
// it should have been sent, on this process's clock, and gives a latency.
import type { Consumer } from '@tidemark/client';
import type { Meter } from './meter.ts';

export interface ReadOrder {
  readonly consumer: Consumer;
  readonly records: number;
  readonly meter: Meter;
  readonly stopped: () => boolean;
  readonly signal: AbortSignal;
  readonly stamped?: boolean;
}

export async function readLoad({
  consumer,
  records,
  meter,
  stopped,
  signal,
  stamped,
}: ReadOrder): Promise<void> {
  if (records === 0) return;
  for await (const batch of consumer.batches({ signal })) {
    const cursor = batch.cursor();
    const nowMs = performance.now();
    while (cursor.next()) {
      meter.records++;
      meter.bytes += Math.max(cursor.keyLength, 0) + Math.max(cursor.valueLength, 0);
      if (stamped === true) {
        const value = cursor.value();
        if (value !== null) {
          const stamp = new DataView(value.buffer, value.byteOffset, value.length).getFloat64(0);
          meter.latencies.record(nowMs - stamp);
        }
      }
      if (meter.records >= records) return;
    }
    batch.check(cursor);
    if (stopped()) return;
  }
}
