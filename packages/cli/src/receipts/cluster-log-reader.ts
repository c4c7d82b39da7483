// The partitions of a cluster as `verify` reads them: what is committed, whole spans in order. CRCs of batches are not checked: bytes
// that changed on a disk are to be told by the checksums of the records they hit, and not to end the verification.
import { Consumer, type ConsumerBatch } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { clientOptions, withAdmin } from '../cluster-access.ts';
import type { CommandContext } from '../command-context.ts';
import { CommandFailure } from '../exit.ts';
import type { HeaderView } from '../format/output-format.ts';
import { RecordChecksum } from './record-checksum.ts';
import type { LogBounds, LogReader, ReadRecords } from './receipt-verifier.ts';

const NO_HEADERS: readonly HeaderView[] = [];
/** Of a record whose bytes are not a record any more. */
const UNREADABLE = -1;

export class ClusterLogReader implements LogReader {
  readonly #context: CommandContext;
  readonly #consumer: Consumer;
  readonly #checksum = new RecordChecksum();
  readonly #topics = new Map<string, Promise<{ topicId: string; partitions: number } | undefined>>();

  constructor(context: CommandContext) {
    this.#context = context;
    const config = { 'auto.offset.reset': 'none', 'check.crcs': false };
    this.#consumer = new Consumer(clientOptions(context.cluster, config));
  }

  /** Looked up once. */
  topic(name: string): Promise<{ topicId: string; partitions: number } | undefined> {
    const known = this.#topics.get(name) ?? this.#lookUp(name);
    this.#topics.set(name, known);
    return known;
  }

  async bounds(topic: string, partition: number): Promise<LogBounds> {
    const at = [{ topic, partition }];
    const [[start], [end]] = await Promise.all([
      this.#consumer.beginningOffsets(at),
      this.#consumer.endOffsets(at),
    ]);
    return { startOffset: start!.offset, endOffset: end!.offset };
  }

  /** What a broker cannot read is told as unreadable records, offset by offset. */
  async *read(
    topic: string,
    partition: number,
    fromOffset: number,
    toOffset: number,
  ): AsyncGenerator<ReadRecords, void, undefined> {
    for (let at = fromOffset; at < toOffset;) {
      try {
        for await (const piece of this.#stretch(topic, partition, at, toOffset)) {
          yield piece;
          at = piece.nextOffset;
        }
      } catch (error) {
        if (!isCorrupt(error)) throw error;
        const readable = await this.#firstReadable(topic, partition, at, toOffset);
        for (; at < readable; at++) yield { offsets: [at], checksums: [UNREADABLE] };
      }
    }
  }

  /** Up to `toOffset`, or CORRUPT_MESSAGE. */
  async *#stretch(
    topic: string,
    partition: number,
    fromOffset: number,
    toOffset: number,
  ): AsyncGenerator<ReadRecords & { readonly nextOffset: number }, void, undefined> {
    const { timeoutMs } = this.#context.cluster;
    const { signal: interrupted } = this.#context.interruption;
    const idle = new AbortController();
    let timer = setTimeout(() => idle.abort(), timeoutMs);
    let nextOffset = fromOffset;
    this.#consumer.assign([{ topic, partition, position: fromOffset }]);
    try {
      const signal = AbortSignal.any([interrupted, idle.signal]);
      for await (const batch of this.#consumer.batches({ signal })) {
        clearTimeout(timer);
        const records = this.#recordsOf(batch, toOffset);
        nextOffset = batch.lastOffset + 1;
        yield { ...records, nextOffset };
        if (nextOffset >= toOffset) return;
        timer = setTimeout(() => idle.abort(), timeoutMs);
      }
    } finally {
      clearTimeout(timer);
      this.#consumer.assign([]);
    }
    if (interrupted.aborted) throw new CommandFailure('interrupted: what was not read yet is not verified');
    throw new CommandFailure(
      `${topic}-${partition} gave nothing from offset ${nextOffset} on for ${timeoutMs} ms, though it ends at ${toOffset} or later`,
      { hint: 'look at the partition with `tidemark partition explain`, or allow more with --timeout' },
    );
  }

  #recordsOf(batch: ConsumerBatch<Uint8Array, Uint8Array>, toOffset: number): ReadRecords {
    const offsets: number[] = [];
    const checksums: number[] = [];
    const cursor = batch.cursor();
    let next = batch.firstOffset;
    while (cursor.next() && cursor.offset < toOffset) {
      next = cursor.offset + 1;
      const headers = cursor.headerCount === 0 ? NO_HEADERS : cursor.headers();
      offsets.push(cursor.offset);
      checksums.push(this.#checksum.of(cursor.key(), cursor.value(), headers));
    }
    // The bytes are not what the batch says from there on.
    const last = Math.min(batch.lastOffset, toOffset - 1);
    for (; cursor.failure !== undefined && next <= last; next++) {
      offsets.push(next);
      checksums.push(UNREADABLE);
    }
    return { offsets, checksums };
  }

  /** Behind the batch at `badOffset`, which cannot be read. Nothing tells where it ends: in doubling steps beyond, then by halves. */
  async #firstReadable(
    topic: string,
    partition: number,
    badOffset: number,
    toOffset: number,
  ): Promise<number> {
    let bad = badOffset;
    let good = toOffset;
    for (let step = 1; badOffset + step < toOffset; step *= 2) {
      if (await this.#isReadable(topic, partition, badOffset + step)) {
        good = badOffset + step;
        break;
      }
      bad = badOffset + step;
    }
    while (good - bad > 1) {
      const middle = Math.floor((bad + good) / 2);
      if (await this.#isReadable(topic, partition, middle)) good = middle;
      else bad = middle;
    }
    return good;
  }

  async #isReadable(topic: string, partition: number, offset: number): Promise<boolean> {
    try {
      for await (const piece of this.#stretch(topic, partition, offset, offset + 1)) {
        if (piece.nextOffset > offset) break;
      }
      return true;
    } catch (error) {
      if (isCorrupt(error)) return false;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#consumer.close();
  }

  async #lookUp(name: string): Promise<{ topicId: string; partitions: number } | undefined> {
    try {
      const { topicId, partitions } = await withAdmin(this.#context.cluster, (admin) =>
        admin.describeTopic(name),
      );
      return { topicId, partitions: partitions.length };
    } catch (error) {
      if (error instanceof TidemarkError && error.error === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined;
      throw error;
    }
  }
}

function isCorrupt(error: unknown): boolean {
  return error instanceof TidemarkError && error.error === 'CORRUPT_MESSAGE';
}
