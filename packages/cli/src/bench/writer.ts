// Writes the load: as fast as the producer takes it, or at a rate. Records go in by the client's allocation-free way; every so
// many one is sent with a callback and gives a latency sample, as Kafka's own tool does it.
import type { Producer } from '@tidemark/client';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { Schedule, type Payload } from './load.ts';
import type { Meter } from './meter.ts';

export interface WriteOrder {
  readonly producer: Producer<Uint8Array, Uint8Array>;
  readonly topic: string;
  readonly payload: Payload;
  readonly records: number;
  readonly ratePerSecond: number | undefined;
  readonly meter: Meter;
  /** No further record when it says so: time is up, or the command was interrupted. */
  readonly stopped: () => boolean;
  /** Gives the value of a record in place of the payload's, for latencies that are measured elsewhere. */
  readonly value?: (record: number, intendedMs: number) => Buffer;
}

/** At full speed this many records are written before the network gets its turn. */
const TURN_RECORDS = 500;
/** At full speed one record of so many gives a sample. */
const FULL_SPEED_SAMPLE = 16;
const MAX_SAMPLES_PER_SECOND = 20_000;

/** Returns when every record was settled. */
export async function writeLoad(order: WriteOrder): Promise<void> {
  const { producer, records, ratePerSecond, stopped } = order;
  const schedule = new Schedule(performance.now(), ratePerSecond);
  const sampleEvery =
    ratePerSecond === undefined
      ? FULL_SPEED_SAMPLE
      : Math.max(1, Math.ceil(ratePerSecond / MAX_SAMPLES_PER_SECOND));
  let sent = 0;
  while (sent < records && !stopped()) {
    const due = Math.min(records, schedule.due(performance.now()), sent + TURN_RECORDS);
    while (sent < due) {
      if (!writeOne(order, schedule, sent, sent % sampleEvery === 0)) await producer.ready();
      sent++;
    }
    if (ratePerSecond === undefined || sent < schedule.due(performance.now())) await nextTurn();
    else await pause(1);
  }
  await producer.flush();
}

function writeOne(order: WriteOrder, schedule: Schedule, record: number, sampled: boolean): boolean {
  const { producer, topic, payload, meter } = order;
  const nowMs = sampled || order.value !== undefined ? performance.now() : 0;
  const key = payload.key(record);
  const value = order.value?.(record, schedule.intendedMs(record, nowMs)) ?? payload.value(record);
  meter.records++;
  meter.bytes += value.length + (key?.length ?? 0);
  if (!sampled || order.value !== undefined) return producer.sendBytes(topic, undefined, key, value);
  const intendedMs = schedule.intendedMs(record, nowMs);
  producer.send({ topic, key, value }, (error) => {
    if (error === undefined) meter.latencies.record(performance.now() - intendedMs);
  });
  return true;
}
