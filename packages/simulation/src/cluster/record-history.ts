// What producers were told and consumers read, held against what the cluster has in the end. Every value is written by one producer
// once, so it stands for one record. Names of anomalies as Jepsen's and Kafka's users have them.

import { type Report } from './violations.ts';

/** A record as it stands in a log: `producer:number`. */
export type RecordValue = string;

interface SentBatch {
  readonly values: readonly RecordValue[];
  /** Undefined: not acknowledged. */
  baseOffset: number | undefined;
  /** Sent with acks=all by an idempotent producer: once, in order, and not lost. */
  readonly isPromised: boolean;
}

/** What one partition was written with and read as. */
class PartitionHistory {
  readonly batches = new Map<RecordValue, SentBatch>();
  /** What consumers have seen at an offset. */
  readonly seen = new Map<number, RecordValue>();
  /** Somebody has asked for the records below to be deleted. */
  deletingBefore = 0;
  /** And was told that they are. */
  deletedBefore = 0;
}

export class RecordHistory {
  readonly #report: Report;
  readonly #partitions = new Map<string, PartitionHistory>();
  acknowledged = 0;
  read = 0;
  /** Acknowledged with acks=1 and gone: nobody promised anything. */
  lost = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Before the first attempt. */
  sending(partition: string, values: readonly RecordValue[], isPromised: boolean): void {
    const batch = { values, baseOffset: undefined, isPromised };
    for (const value of values) this.#of(partition).batches.set(value, batch);
  }

  acknowledgedAt(partition: string, first: RecordValue, baseOffset: number): void {
    const batch = this.#of(partition).batches.get(first)!;
    if (batch.baseOffset !== undefined && batch.baseOffset !== baseOffset) {
      this.#report(
        'inconsistent-offsets',
        `${partition}: ${first} was acknowledged at ${batch.baseOffset} and at ${baseOffset}`,
      );
    }
    if (batch.baseOffset === undefined) this.acknowledged += batch.values.length;
    batch.baseOffset = baseOffset;
  }

  /** A consumer was handed these, from `offset` on. */
  polled(partition: string, offset: number, values: readonly RecordValue[]): void {
    const { seen, batches } = this.#of(partition);
    for (const [at, value] of values.entries()) {
      this.read++;
      const known = seen.get(offset + at);
      if (known !== undefined && known !== value) {
        this.#report(
          'inconsistent-offsets',
          `${partition}: offset ${offset + at} was read as ${known} and as ${value}`,
        );
      }
      if (!batches.has(value)) this.#report('phantom', `${partition}: ${value} was read and never sent`);
      seen.set(offset + at, value);
    }
  }

  /**
   * The records from the newest deletion on that were read and whose producers know so, up to `limit`. What is repeated after it was
   * deleted cannot be told from a gap, and would never be acknowledged.
   */
  settledBefore(partition: string, limit: number): number {
    const { batches, seen, deletingBefore } = this.#of(partition);
    let offset = deletingBefore;
    for (; offset < limit; offset++) {
      const batch = batches.get(seen.get(offset) ?? '');
      if (batch === undefined || (batch.isPromised && batch.baseOffset === undefined)) break;
    }
    return offset;
  }

  deleting(partition: string, before: number): void {
    const history = this.#of(partition);
    history.deletingBefore = Math.max(history.deletingBefore, before);
  }

  deleted(partition: string, before: number): void {
    const history = this.#of(partition);
    history.deletedBefore = Math.max(history.deletedBefore, before);
  }

  /** Of this partition nothing below comes back. */
  deletedBefore(partition: string): number {
    return this.#of(partition).deletedBefore;
  }

  /** The partition from `baseOffset`, up to which all may be gone, to its end, once everything has come to rest. */
  check(partition: string, baseOffset: number, kept: readonly RecordValue[]): void {
    const { batches, seen, deletingBefore } = this.#of(partition);
    const offsets = new Map<RecordValue, number>();
    const newest = new Map<string, number>();
    const values = (offset: number): RecordValue | undefined => kept[offset - baseOffset];
    const isGone = (offset: number): boolean => offset < baseOffset && offset < deletingBefore;
    for (const [at, value] of kept.entries()) {
      const offset = baseOffset + at;
      const isPromised = batches.get(value)?.isPromised ?? true;
      const first = offsets.get(value);
      if (isPromised && first !== undefined) {
        this.#report('duplicate', `${partition}: ${value} is at ${first} and at ${offset}`);
      }
      offsets.set(value, offset);
      if (!batches.has(value)) this.#report('phantom', `${partition}: ${value} is there and was never sent`);
      const [producer, number] = value.split(':') as [string, string];
      const before = newest.get(producer) ?? -1;
      if (isPromised && Number(number) < before) {
        this.#report('reordered', `${partition}: ${value} is behind ${producer}:${before}`);
      }
      newest.set(producer, Number(number));
    }
    for (const batch of new Set(batches.values())) {
      if (batch.baseOffset === undefined) continue;
      for (const [at, value] of batch.values.entries()) {
        const wanted = batch.baseOffset + at;
        if (values(wanted) === value || isGone(wanted)) continue;
        if (!batch.isPromised) {
          this.lost++;
          continue;
        }
        const found = offsets.get(value);
        const where = found === undefined ? 'is nowhere' : `is at ${found}`;
        this.#report(
          'lost-write',
          `${partition}: ${value} was acknowledged at ${wanted} and ${where}; ${values(wanted) ?? 'nothing'} is there`,
        );
      }
    }
    for (const [offset, value] of seen) {
      if (values(offset) === value || isGone(offset)) continue;
      this.#report(
        'precommitted-read',
        `${partition}: ${value} was read at ${offset}, and ${values(offset) ?? 'nothing'} is there`,
      );
    }
  }

  #of(partition: string): PartitionHistory {
    let found = this.#partitions.get(partition);
    if (found === undefined) this.#partitions.set(partition, (found = new PartitionHistory()));
    return found;
  }
}
