// A batch as the application reads it: the bytes as stored, and a cursor that goes over its records without an object for each.
import { TidemarkError } from '@tidemark/core';
import { batchBaseOffset, batchLastOffset, batchMaxTimestamp, batchRecordCount } from '@tidemark/record';
import type { RecordCursor } from '@tidemark/record';
import { ConsumerRecord } from './consumer-record.ts';
import type { RecordDeserializers } from './consumer-record.ts';

export interface BatchOrigin<K, V> {
  readonly topic: string;
  readonly partition: number;
  /** Records below it are not the application's: it began inside the batch. */
  readonly fromOffset: number;
  readonly highWatermark: number;
  readonly cursor: RecordCursor;
  readonly deserializers: RecordDeserializers<K, V>;
}

export class ConsumerBatch<K, V> {
  readonly topic: string;
  readonly partition: number;
  /** The batch as stored, header included. The application may keep it. */
  readonly bytes: Uint8Array;
  /** End of what was readable in the partition when the batch was pushed. */
  readonly highWatermark: number;
  readonly #origin: BatchOrigin<K, V>;

  constructor(bytes: Uint8Array, origin: BatchOrigin<K, V>) {
    this.bytes = bytes;
    this.topic = origin.topic;
    this.partition = origin.partition;
    this.highWatermark = origin.highWatermark;
    this.#origin = origin;
  }

  /** Offset of the first record that is the application's. */
  get firstOffset(): number {
    return Math.max(batchBaseOffset(this.bytes), this.#origin.fromOffset);
  }

  get lastOffset(): number {
    return batchLastOffset(this.bytes);
  }

  /** In the whole batch; the first of them may be below `firstOffset`. */
  get recordCount(): number {
    return batchRecordCount(this.bytes);
  }

  get maxTimestampMs(): number {
    return batchMaxTimestamp(this.bytes);
  }

  /**
   * The consumer's one cursor, at the start of this batch: `while (cursor.next()) ...`, then `check(cursor)`. It belongs to the
   * batch until the next one is asked for.
   */
  cursor(): RecordCursor {
    const { cursor, fromOffset } = this.#origin;
    cursor.load(this.bytes, fromOffset);
    return cursor;
  }

  /** CORRUPT_MESSAGE if the cursor stopped before the end of the batch. */
  check(cursor: RecordCursor): void {
    const { failure } = cursor;
    if (failure === undefined) return;
    const at = `${this.topic}-${this.partition}@${Math.max(cursor.nextOffset, this.firstOffset)}`;
    const past = `seek to ${this.lastOffset + 1} to go on behind the batch`;
    throw new TidemarkError(failure.error, `${at}: ${failure.message}; ${past}`);
  }

  /** The records as objects. */
  *[Symbol.iterator](): IterableIterator<ConsumerRecord<K, V>> {
    const { topic, partition, deserializers } = this.#origin;
    const cursor = this.cursor();
    while (cursor.next()) yield new ConsumerRecord(topic, partition, cursor, deserializers);
    this.check(cursor);
  }
}
