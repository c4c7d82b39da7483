// What a partition remembers of its idempotent producers, so that a retry is answered and not appended again (KIP-98,
// KIP-360; Kafka's ProducerAppendInfo). Contract: `check` changes nothing; `add` follows it in append order; `rollback` undoes
// the adds whose write failed. Bounded in producers: beyond the limit the least recently used is forgotten, as by expiry.

import { failure, type Failure } from '@tidemark/core';

/** Batches of one producer that a retry is recognised by. */
export const REMEMBERED_BATCHES = 5;
const SEQUENCES = 2 ** 31;

export interface ProducerBatch {
  readonly epoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly timestamp: number;
}

export interface ProducerEntry {
  producerId: number;
  epoch: number;
  /** Oldest first: the last five, and more while the ones that were there before are not written yet. */
  batches: ProducerBatch[];
  /** How many sequences up to the last one are known to be in the log, in this epoch. */
  contiguous: number;
  coordinatorEpoch: number;
  currentTxnFirstOffset: number;
  lastTimestamp: number;
  /** When it was first found silent, by the broker's clock; undefined: not since its last batch, or since the log was opened. */
  silentSinceMs?: number | undefined;
}

/** The fields of a batch header that matter here; `batches` of a produce request have them. */
export interface SequencedBatch {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastOffsetDelta: number;
  readonly maxTimestamp: number;
}

export type SequenceCheck = { readonly ok: true; readonly duplicateOf?: ProducerBatch | undefined } | Failure;

const ACCEPTED: SequenceCheck = { ok: true };

export class ProducerState {
  readonly #maxProducers: number;
  /** Least recently used first. */
  readonly #entries = new Map<number, ProducerEntry>();

  constructor(maxProducers: number) {
    this.#maxProducers = maxProducers;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): Iterable<ProducerEntry> {
    return this.#entries.values();
  }

  entry(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId);
  }

  /** What a leader asks before it appends a batch. */
  check(batch: SequencedBatch): SequenceCheck {
    const entry = batch.producerId < 0 ? undefined : this.#entries.get(batch.producerId);
    // An unknown producer may begin anywhere: its state may have expired or been deleted with its records.
    if (entry === undefined || batch.baseSequence < 0) return ACCEPTED;
    const { producerId, producerEpoch, baseSequence } = batch;
    if (producerEpoch < entry.epoch) {
      return failure(
        'INVALID_PRODUCER_EPOCH',
        `Producer ${producerId} sends with epoch ${producerEpoch}, but epoch ${entry.epoch} has taken over.`,
      );
    }
    if (producerEpoch > entry.epoch) {
      if (baseSequence === 0) return ACCEPTED;
      return failure(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Producer ${producerId} begins epoch ${producerEpoch} with sequence ${baseSequence}, not 0.`,
      );
    }
    const lastSequence = addSequence(baseSequence, batch.lastOffsetDelta);
    for (let index = entry.batches.length - 1; index >= 0; index--) {
      const known = entry.batches[index]!;
      if (known.epoch !== producerEpoch) break;
      if (known.baseSequence === baseSequence && known.lastSequence === lastSequence) {
        return { ok: true, duplicateOf: known };
      }
    }
    const newest = entry.batches.at(-1);
    const last = newest?.epoch === producerEpoch ? newest.lastSequence : -1;
    if (baseSequence === addSequence(last, 1)) return ACCEPTED;
    if (
      last >= 0 &&
      distance(baseSequence, last) < entry.contiguous &&
      distance(lastSequence, last) < entry.contiguous
    ) {
      return failure(
        'DUPLICATE_SEQUENCE_NUMBER',
        `Producer ${producerId} repeats sequences ${baseSequence} to ${lastSequence}, which are in the log, ` +
          `but are not one of its last ${REMEMBERED_BATCHES} batches.`,
      );
    }
    return failure(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
      `Producer ${producerId} sends sequence ${baseSequence} after ${last} in epoch ${producerEpoch}.`,
    );
  }

  /** Notes an appended batch. `writtenOffset` is the end of what is written: batches below it cannot be rolled back. */
  add(batch: SequencedBatch, baseOffset: number, lastOffset: number, writtenOffset: number): void {
    if (batch.producerId < 0) return;
    const entry = this.#touch(batch.producerId);
    if (batch.producerEpoch !== entry.epoch) entry.contiguous = 0;
    entry.epoch = batch.producerEpoch;
    entry.lastTimestamp = batch.maxTimestamp;
    entry.silentSinceMs = undefined;
    // A transaction's end marker has no sequence.
    if (batch.baseSequence < 0) return;
    entry.batches.push({
      epoch: batch.producerEpoch,
      baseSequence: batch.baseSequence,
      lastSequence: addSequence(batch.baseSequence, batch.lastOffsetDelta),
      baseOffset,
      lastOffset,
      timestamp: batch.maxTimestamp,
    });
    entry.contiguous = Math.min(SEQUENCES - 1, entry.contiguous + batch.lastOffsetDelta + 1);
    // The second oldest must be written before the oldest goes, so that after a rollback the newest written one is left.
    while (entry.batches.length > REMEMBERED_BATCHES && entry.batches[1]!.lastOffset < writtenOffset) {
      entry.batches.shift();
    }
  }

  /** Forgets the batches at or above `offset`: their write failed, or they were cut off. */
  rollback(offset: number): void {
    for (const entry of this.#entries.values()) {
      let removed = false;
      for (;;) {
        const newest = entry.batches.at(-1);
        if (newest === undefined || newest.lastOffset < offset) break;
        entry.batches.pop();
        entry.contiguous -= distance(newest.baseSequence, newest.lastSequence) + 1;
        removed = true;
      }
      if (!removed) continue;
      const newest = entry.batches.at(-1);
      if (newest === undefined) {
        this.#entries.delete(entry.producerId);
        continue;
      }
      if (newest.epoch !== entry.epoch) entry.contiguous = contiguousOf(entry.batches, newest.epoch);
      entry.epoch = newest.epoch;
      entry.lastTimestamp = newest.timestamp;
    }
  }

  /** Takes an entry as a snapshot has it. */
  restore(entry: ProducerEntry): void {
    entry.contiguous = contiguousOf(entry.batches, entry.epoch);
    this.#entries.delete(entry.producerId);
    this.#entries.set(entry.producerId, entry);
    this.#evict();
  }

  /**
   * Forgets the producers that were silent for longer than `expirationMs`. Not by the time of their records, as in Kafka: a producer
   * of old ones would be forgotten while it writes, and its next retry appended again.
   */
  expire(nowMs: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) {
      entry.silentSinceMs ??= nowMs;
      if (entry.currentTxnFirstOffset < 0 && nowMs - entry.silentSinceMs >= expirationMs) {
        this.#entries.delete(entry.producerId);
      }
    }
  }

  clear(): void {
    this.#entries.clear();
  }

  #touch(producerId: number): ProducerEntry {
    let entry = this.#entries.get(producerId);
    if (entry === undefined) {
      entry = {
        producerId,
        epoch: -1,
        batches: [],
        contiguous: 0,
        coordinatorEpoch: -1,
        currentTxnFirstOffset: -1,
        lastTimestamp: -1,
      };
    } else this.#entries.delete(producerId);
    this.#entries.set(producerId, entry);
    this.#evict();
    return entry;
  }

  #evict(): void {
    while (this.#entries.size > this.#maxProducers) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest!);
    }
  }
}

/** Sequences go from 0 to 2^31 - 1 and wrap to 0. */
export function addSequence(sequence: number, increment: number): number {
  return (sequence + increment) % SEQUENCES;
}

/** How far `later` is ahead of `earlier`, around the wrap. */
function distance(earlier: number, later: number): number {
  return (later - earlier + SEQUENCES) % SEQUENCES;
}

function contiguousOf(batches: readonly ProducerBatch[], epoch: number): number {
  let count = 0;
  for (const batch of batches) {
    if (batch.epoch === epoch) count += distance(batch.baseSequence, batch.lastSequence) + 1;
  }
  return count;
}
