// Out of what the fetcher has: batches, and records one by one. The batch that is read record by record is the current one; a seek, or
// putting it back, ends that. A batch whose records are not what they say stops its partition there.
import { nodeCodecs } from '@tidemark/compression';
import { TidemarkError } from '@tidemark/core';
import { RecordCursor } from '@tidemark/record';
import { ConsumerBatch } from './consumer-batch.ts';
import type { ConsumerPartition } from './consumer-partition.ts';
import { ConsumerRecord } from './consumer-record.ts';
import type { RecordDeserializers } from './consumer-record.ts';
import type { Fetcher } from './fetcher.ts';

/** A batch with the partition as it was when it was taken. */
export interface ReadBatch<K, V> {
  readonly batch: ConsumerBatch<K, V>;
  readonly partition: ConsumerPartition;
  readonly generation: number;
}

/** The fetcher has checked the CRC before a cursor sees the batch. */
export function batchCursor(): RecordCursor {
  return new RecordCursor({ codecs: nodeCodecs(), checkCrcs: false });
}

export class RecordReader<K, V> {
  readonly #fetcher: Fetcher;
  readonly #deserializers: RecordDeserializers<K, V>;
  readonly #cursor = batchCursor();
  readonly #batchCursor = batchCursor();
  #current: ReadBatch<K, V> | undefined;

  constructor(fetcher: Fetcher, deserializers: RecordDeserializers<K, V>) {
    this.#fetcher = fetcher;
    this.#deserializers = deserializers;
  }

  /** Of the record that `next` gave last. */
  get partition(): ConsumerPartition | undefined {
    return this.#current?.partition;
  }

  next(): ConsumerRecord<K, V> | undefined {
    for (;;) {
      const current = this.#current;
      if (current !== undefined && this.#isReading(current.partition)) {
        const { topic, partition } = current.batch;
        if (this.#cursor.next()) {
          return new ConsumerRecord(topic, partition, this.#cursor, this.#deserializers);
        }
        this.#end(current);
        this.#checkWhole(current);
      }
      const read = this.nextBatch(this.#cursor);
      if (read === undefined) return undefined;
      read.batch.cursor();
      this.#current = read;
      read.partition.inReading = true;
    }
  }

  nextBatch(cursor: RecordCursor = this.#batchCursor): ReadBatch<K, V> | undefined {
    const taken = this.#fetcher.take();
    if (taken === undefined) return undefined;
    const { partition, bytes, fromOffset } = taken;
    const batch = new ConsumerBatch(bytes, {
      topic: partition.topic,
      partition: partition.partition,
      highWatermark: partition.highWatermark,
      fromOffset,
      cursor,
      deserializers: this.#deserializers,
    });
    return { batch, partition, generation: partition.generation };
  }

  /** Offset of the next record the application gets; -1: not known. */
  position(partition: ConsumerPartition): number {
    return this.#isReading(partition) ? this.#nextOffset() : partition.position;
  }

  /** What is left of the current batch comes first next time. */
  putBack(partition: ConsumerPartition): void {
    if (!this.#isReading(partition)) return;
    partition.putBack(this.#current!.batch.bytes, this.#nextOffset());
    this.#end(this.#current!);
  }

  #end({ partition }: ReadBatch<K, V>): void {
    this.#current = undefined;
    partition.inReading = false;
    // The broker may have told meanwhile that what follows is gone.
    if (partition.refused !== undefined) this.#fetcher.schedule();
  }

  /** Whether a batch of the partition is being read record by record. */
  #isReading(partition: ConsumerPartition): boolean {
    const current = this.#current;
    return current?.partition === partition && current.generation === partition.generation;
  }

  #nextOffset(): number {
    const next = this.#cursor.nextOffset;
    return Math.max(next, this.#current?.batch.firstOffset ?? next);
  }

  /** The CRC was right and still the records are not what they say: the partition waits there. */
  #checkWhole({ batch, partition }: ReadBatch<K, V>): void {
    try {
      batch.check(this.#cursor);
    } catch (error) {
      if (error instanceof TidemarkError) {
        partition.position = Math.max(this.#cursor.nextOffset, batch.firstOffset);
        this.#fetcher.fail(partition, error);
      }
      throw error;
    }
  }
}
