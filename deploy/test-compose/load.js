// A client on this machine that never stops writing while nodes are killed, and what it was promised: every acknowledged record
// exactly once, where its receipt said.
import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { Consumer, Producer } from '@tidemark/client';

const TICK_MS = 20;

export class Load {
  #producer;
  #timer;
  #topic;
  #sent = 0;
  #lastAckMs = performance.now();
  /** Where each acknowledged record went: `partition:offset` by value. */
  acknowledged = new Map();
  errors = [];
  longestPauseMs = 0;
  #longestPartitionPauseMs = 0;
  #lastByPartition = new Map();
  /** The longest from a send to its acknowledgement. */
  slowestMs = 0;

  constructor(brokers, topic, perSecond) {
    this.#topic = topic;
    this.#producer = new Producer({ brokers });
    const begunMs = performance.now();
    // By the clock and not by the tick: on a busy machine ticks come late.
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - begunMs) * perSecond) / 1_000);
      while (this.#sent < due) this.#send();
    }, TICK_MS);
  }

  get sent() {
    return this.#sent;
  }

  get open() {
    return this.#sent - this.acknowledged.size - this.errors.length;
  }

  /** The longest time without an acknowledgement since this was last asked. */
  takePauseMs() {
    const now = performance.now();
    const longest = Math.max(this.longestPauseMs, now - this.#lastAckMs);
    this.longestPauseMs = 0;
    this.#lastAckMs = now;
    return longest;
  }

  /** The same of any one partition, as long as it is written to. */
  takePartitionPauseMs() {
    const longest = this.#longestPartitionPauseMs;
    this.#longestPartitionPauseMs = 0;
    return longest;
  }

  #send() {
    const value = `record ${this.#sent++}`;
    const sentMs = performance.now();
    this.#producer.send({ topic: this.#topic, key: value, value }, (error, receipt) => {
      if (error !== undefined) {
        this.errors.push(error);
        return;
      }
      const now = performance.now();
      this.longestPauseMs = Math.max(this.longestPauseMs, now - this.#lastAckMs);
      this.#lastAckMs = now;
      this.slowestMs = Math.max(this.slowestMs, now - sentMs);
      const last = this.#lastByPartition.get(receipt.partition) ?? now;
      this.#lastByPartition.set(receipt.partition, now);
      this.#longestPartitionPauseMs = Math.max(this.#longestPartitionPauseMs, now - last);
      this.acknowledged.set(value, `${receipt.partition}:${receipt.offset}`);
    });
  }

  /** Sends no more, and waits until everything is answered. */
  async stop() {
    clearInterval(this.#timer);
    await this.#producer.close();
  }
}

/** Everything in the topic: value by `partition:offset`. */
export async function readAll(brokers, topic, partitions) {
  const consumer = new Consumer({ brokers });
  try {
    const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const ends = await consumer.endOffsets(places);
    let left = ends.reduce((sum, { offset }) => sum + offset, 0);
    const read = new Map();
    consumer.assign(places.map((place) => ({ ...place, position: 'start' })));
    if (left === 0) return read;
    for await (const record of consumer.records()) {
      read.set(`${record.partition}:${record.offset}`, Buffer.from(record.valueBytes).toString('utf8'));
      if (--left === 0) break;
    }
    return read;
  } finally {
    await consumer.close();
  }
}

/** Throws unless each acknowledged record is where its receipt said, and nothing of the load is there twice. */
export function requireKept(acknowledged, read) {
  const lost = [...acknowledged].filter(([value, place]) => read.get(place) !== value);
  if (lost.length > 0) {
    const [value, place] = lost[0];
    throw new Error(
      `${lost.length} acknowledged records are lost, the first "${value}" at ${place}, where "${read.get(place)}" is`,
    );
  }
  const written = [...read.values()].filter((value) => value.startsWith('record '));
  const twice = written.length - new Set(written).size;
  if (twice > 0) throw new Error(`${twice} records are there twice`);
}
