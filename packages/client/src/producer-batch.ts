// One batch of one partition, from its first record to its settlement. It owns its builder for all that time: nothing else may
// use the memory while the batch may still be sent or sent again. It is settled exactly once, and tells its records then.
import type { BatchBuilder, BuildOptions, RecordHeader } from '@tidemark/record';
import { rewriteProducerState } from '@tidemark/record';
import { invariant } from '@tidemark/core';
import type { ProducerEpoch, ProducerId, TidemarkError } from '@tidemark/core';
import type { BatchReceipt, DeliveryCallback } from './receipt.ts';
import { traceParentIn } from './trace-context.ts';

/** Whom to tell what became of a record. */
export interface Thunk {
  readonly index: number;
  readonly timestampMs: number;
  readonly callback: DeliveryCallback;
}

/** Who a batch says it is from; -1 each without idempotence. */
export interface BatchIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

export interface BatchPlace {
  readonly topic: string;
  readonly partition: number;
  /** The order batches must keep within their partition. */
  readonly ordinal: number;
  /** How far the place reaches: the parts of a split batch share it out. The next batch is at `ordinal + span` or later. */
  readonly span: number;
  /** On the monotonic clock. */
  readonly createdAtMs: number;
}

export class ProducerBatch implements BatchPlace {
  readonly topic: string;
  readonly partition: number;
  readonly ordinal: number;
  readonly span: number;
  readonly builder: BatchBuilder;
  /** What it holds of `buffer.memory`. */
  readonly reservedBytes: number;
  readonly createdAtMs: number;
  /** Requests that still refer to its memory. */
  uncopied = 0;
  /** How often it was handed to a connection. */
  attempts = 0;
  /** What the last attempt failed with. */
  lastError: TidemarkError | undefined;
  #identity: BatchIdentity | undefined;
  #bytes: Uint8Array | undefined;
  #thunks: Thunk[] | undefined;
  #traceParent = '';
  #settled = false;

  constructor(init: BatchPlace & { readonly builder: BatchBuilder; readonly reservedBytes: number }) {
    this.topic = init.topic;
    this.partition = init.partition;
    this.ordinal = init.ordinal;
    this.span = init.span;
    this.builder = init.builder;
    this.reservedBytes = init.reservedBytes;
    this.createdAtMs = init.createdAtMs;
  }

  get settled(): boolean {
    return this.#settled;
  }

  get recordCount(): number {
    return this.builder.recordCount;
  }

  /** Of the first of its records that belongs to a trace; empty: none does. */
  get traceParent(): string {
    return this.#traceParent;
  }

  /** Undefined until a sequence was given to it, and again after `forgetIdentity`. */
  get identity(): BatchIdentity | undefined {
    return this.#identity;
  }

  /** The batch as it goes out. */
  get bytes(): Uint8Array {
    invariant(this.#bytes !== undefined, 'a batch is built before it is sent');
    return this.#bytes;
  }

  /** Encodes the record; nothing is kept of it but its callback, if it has one. */
  append(
    timestampMs: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
    callback: DeliveryCallback | undefined,
  ): void {
    this.builder.append(timestampMs, key, value, headers);
    if (this.#traceParent === '' && headers.length > 0) this.#traceParent = traceParentIn(headers);
    if (callback === undefined) return;
    this.#thunks ??= [];
    this.#thunks.push({ index: this.builder.recordCount - 1, timestampMs, callback });
  }

  /** Builds on first use; later only the producer's fields and the CRC change, the records stay compressed as they are. */
  seal(identity: BatchIdentity, options: BuildOptions): void {
    if (this.#bytes === undefined) {
      this.#bytes = this.builder.build({ ...options, ...identity });
    } else if (this.#identity === undefined) {
      const { producerId, producerEpoch, baseSequence } = identity;
      rewriteProducerState(
        this.#bytes,
        0,
        producerId as ProducerId,
        producerEpoch as ProducerEpoch,
        baseSequence,
      );
    }
    this.#identity = identity;
  }

  /** The sequence it had leads nowhere any more; it gets a new one when it is sent next. */
  forgetIdentity(): void {
    this.#identity = undefined;
  }

  succeed(receipt: BatchReceipt): void {
    this.#settle();
    if (this.#thunks === undefined) return;
    const { topic, partition } = this;
    const { topicId, leaderEpoch, inSyncReplicas, onDisk, duplicate, baseOffset, logAppendTimeMs } = receipt;
    for (const { index, timestampMs, callback } of this.#thunks) {
      callback(undefined, {
        topic,
        topicId,
        partition,
        offset: baseOffset < 0 ? -1 : baseOffset + index,
        timestampMs: logAppendTimeMs >= 0 ? logAppendTimeMs : timestampMs,
        leaderEpoch,
        inSyncReplicas,
        onDisk,
        duplicate,
      });
    }
  }

  /** Answers how many records were told. */
  fail(error: TidemarkError): number {
    this.#settle();
    const thunks = this.#thunks ?? [];
    for (const { callback } of thunks) callback(error, undefined);
    return thunks.length;
  }

  /** The callbacks, for the batches this one is split into. It counts as settled from here on. */
  handOver(): readonly Thunk[] {
    this.#settle();
    return this.#thunks ?? [];
  }

  #settle(): void {
    invariant(!this.#settled, 'a batch is settled once', { topic: this.topic, partition: this.partition });
    this.#settled = true;
  }
}
