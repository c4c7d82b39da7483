// Producers and a consumer of a chaos run: a steady rate of unique values, everything that happens to them told to the checker.
import { setTimeout as pause } from 'node:timers/promises';
import { Consumer, Producer, type Receipt } from '@tidemark/client';
import type { HistoryChecker } from '@tidemark/simulation';

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
  readonly #checker: HistoryChecker;
  readonly #producers: Producer<string, string>[];
  readonly #consumer: Consumer;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];
  readonly #lastAck = new Map<string, number>();
  #acknowledged = 0;
  #planted = 0;
  /** Why clients gave up, if one did. */
  readonly errors: string[] = [];

  constructor(load: Workload, checker: HistoryChecker, producers = 3) {
    this.#load = load;
    this.#checker = checker;
    const { brokers, acks } = load;
    const config = { acks, 'enable.idempotence': acks === 'all' ? 'true' : 'false' };
    this.#producers = Array.from({ length: producers }, () => new Producer({ brokers, config }));
    this.#consumer = new Consumer({ brokers });
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  lastAckMs(tp: string): number {
    return this.#lastAck.get(tp) ?? 0;
  }

  start(): void {
    this.#producers.forEach((producer, id) => this.#running.push(this.#produce(producer, id)));
    this.#running.push(this.#consume());
  }

  /** What was sent is settled, and the consumer had a while for the rest. */
  async finish(drainMs: number): Promise<void> {
    this.#stopProducing = true;
    await Promise.all(this.#running.slice(0, -1));
    await Promise.all(this.#producers.map((producer) => producer.close()));
    await pause(drainMs);
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
    const each = Math.max(1, Math.round((recordsPerSecond * TICK_MS) / 1_000 / this.#producers.length));
    while (!this.#stopProducing) {
      for (let sent = 0; sent < each; sent++) {
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
    this.#checker.invoke(id, tp, value);
    if (id === 0 && this.#planted < (this.#load.plantedLosses ?? 0)) {
      this.#planted++;
      this.#checker.ok(id, tp, value, 0);
      return;
    }
    const settled = producer.send({ ...at, value: `${value}` });
    void settled.then(
      (receipt: Receipt) => {
        this.#acknowledged++;
        this.#lastAck.set(tp, performance.now());
        this.#checker.ok(id, tp, value, receipt.offset);
      },
      (error: unknown) => {
        // An error after sending leaves open whether it was written.
        this.#checker.info(id, tp, value);
        if (this.errors.length < 10) this.errors.push(String(error));
      },
    );
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #consume(): Promise<void> {
    this.#consumer.assign(this.#load.partitions.map((at) => ({ ...at, position: 'start' as const })));
    while (!this.#stopped()) {
      try {
        for (const record of await this.#consumer.poll({ timeoutMs: 500, signal: this.#stop.signal })) {
          const tp = `${record.topic}-${record.partition}`;
          this.#checker.poll('reader', tp, record.offset, Number(Buffer.from(record.valueBytes!).toString()));
        }
      } catch (error) {
        if (this.#stopped()) return;
        if (this.errors.length < 10) this.errors.push(`consumer: ${String(error)}`);
        await pause(500);
      }
    }
  }
}

/** Everything there is, from 0 to the end offsets. */
export async function readAll(load: Workload, checker: HistoryChecker, withinMs: number): Promise<void> {
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
        checker.finalRead(`${record.topic}-${record.partition}`, record.offset, value);
        left--;
      }
    }
  } finally {
    await consumer.close();
  }
}
