// Producers and a consumer of a chaos run: a steady rate of unique values, everything that happens to them told to the history.
import { setTimeout as pause } from 'node:timers/promises';
import { Consumer, Producer, type Receipt } from '@tidemark/client';
import type { AckWatch } from './ack-watch.ts';
import type { RecordedHistory } from './recorded-history.ts';

const TICK_MS = 50;

export interface Workload {
  readonly brokers: readonly string[];
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
  readonly recordsPerSecond: number;
  readonly acks: 'all' | '1';
  /** For proving the checker: this many records of the first producer are called acknowledged and never sent. */
  readonly plantedLosses?: number;
}

export class ChaosClients {
  readonly #load: Workload;
  readonly #history: RecordedHistory;
  readonly #watch: AckWatch;
  readonly #producers: Producer<string, string>[];
  readonly #consumer: Consumer;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];
  /** Of the consumer, by partition. */
  readonly #positions = new Map<string, number>();
  #planted = 0;
  readonly #errors = new Map<string, number>();

  constructor(load: Workload, history: RecordedHistory, watch: AckWatch, producers = 3) {
    this.#load = load;
    this.#history = history;
    this.#watch = watch;
    const { brokers, acks } = load;
    // Without idempotence a retry may store a record twice; without retries, whoever does that is at fault.
    const config = acks === 'all' ? {} : { acks, 'enable.idempotence': 'false', retries: '0' };
    this.#producers = Array.from({ length: producers }, () => new Producer({ brokers, config }));
    this.#consumer = new Consumer({ brokers });
  }

  /** What sends and reads failed with, how often each. */
  get errors(): readonly string[] {
    return [...this.#errors].map(([what, count]) => `${count} x ${what}`);
  }

  start(): void {
    this.#producers.forEach((producer, id) => this.#running.push(this.#produce(producer, id)));
    this.#running.push(this.#consume());
  }

  /** Nothing is sent any more, and what was sent is settled. */
  async settle(): Promise<void> {
    this.#stopProducing = true;
    await Promise.all(this.#running.slice(0, -1));
    await Promise.all(this.#producers.map((producer) => producer.close()));
  }

  /** The consumer has read to the end, or had so long to do it. */
  async finish(drainMs: number): Promise<void> {
    const ends = await this.#consumer.endOffsets(this.#load.partitions);
    const isAtEnd = (): boolean =>
      ends.every(
        ({ topic, partition, offset }) => (this.#positions.get(`${topic}-${partition}`) ?? 0) >= offset,
      );
    const deadline = performance.now() + drainMs;
    while (!isAtEnd() && performance.now() < deadline) await pause(TICK_MS);
    await this.close();
  }

  async close(): Promise<void> {
    this.#stopProducing = true;
    this.#stop.abort();
    await Promise.allSettled(this.#producers.map((producer) => producer.close({ timeoutMs: 0 })));
    await this.#consumer.close();
    await Promise.allSettled(this.#running);
  }

  #stopProducing = false;

  async #produce(producer: Producer<string, string>, id: number): Promise<void> {
    let count = 0;
    const { partitions, recordsPerSecond } = this.#load;
    const perTick = (recordsPerSecond * TICK_MS) / 1_000 / this.#producers.length;
    let due = 0;
    while (!this.#stopProducing) {
      for (due += perTick; due >= 1; due--) {
        const value = id * 2 ** 32 + count;
        const at = partitions[count++ % partitions.length]!;
        this.#send(producer, id, at, value);
      }
      await Promise.race([producer.ready(), pause(1_000)]);
      await pause(TICK_MS);
    }
  }

  #send(
    producer: Producer<string, string>,
    id: number,
    at: { readonly topic: string; readonly partition: number },
    value: number,
  ): void {
    const tp = `${at.topic}-${at.partition}`;
    this.#history.tell('invoke', id, tp, value);
    if (id === 0 && this.#planted < (this.#load.plantedLosses ?? 0)) {
      this.#planted++;
      this.#history.tell('ok', id, tp, value, 0);
      return;
    }
    const settled = producer.send({ ...at, value: `${value}` });
    void settled.then(
      (receipt: Receipt) => {
        this.#watch.acked(tp);
        this.#history.tell('ok', id, tp, value, receipt.offset);
      },
      (error: unknown) => {
        // An error after sending leaves open whether it was written.
        this.#history.tell('info', id, tp, value);
        this.#failed(String(error));
      },
    );
  }

  #failed(what: string): void {
    if (this.#errors.size < 20 || this.#errors.has(what)) {
      this.#errors.set(what, (this.#errors.get(what) ?? 0) + 1);
    }
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #consume(): Promise<void> {
    this.#consumer.assign(this.#load.partitions.map((at) => ({ ...at, position: 'start' as const })));
    while (!this.#stopped()) {
      try {
        for await (const batch of this.#consumer.batches({ signal: this.#stop.signal })) {
          const tp = `${batch.topic}-${batch.partition}`;
          for (const { offset, valueBytes } of batch) {
            const value = Number(Buffer.from(valueBytes!).toString());
            this.#history.tell('poll', 'reader', tp, offset, value, batch.highWatermark);
            this.#positions.set(tp, offset + 1);
          }
        }
      } catch (error) {
        if (this.#stopped()) return;
        this.#failed(`consumer: ${String(error)}`);
        await pause(500);
      }
    }
  }
}

/** Everything there is, from 0 to the end offsets. */
export async function readAll(load: Workload, history: RecordedHistory, withinMs: number): Promise<void> {
  const consumer = new Consumer({ brokers: load.brokers });
  try {
    const ends = await consumer.endOffsets(load.partitions);
    let left = ends.reduce((sum, { offset }) => sum + offset, 0);
    consumer.assign(load.partitions.map((at) => ({ ...at, position: 'start' as const })));
    const deadline = performance.now() + withinMs;
    while (left > 0) {
      if (performance.now() > deadline) throw new Error(`the final read misses ${left} records`);
      for (const record of await consumer.poll({ timeoutMs: 500 })) {
        const value = Number(Buffer.from(record.valueBytes!).toString());
        history.tell('finalRead', `${record.topic}-${record.partition}`, record.offset, value);
        left--;
      }
    }
  } finally {
    await consumer.close();
  }
}
