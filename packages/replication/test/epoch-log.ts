// A log reduced to what replication looks at: for each record the epoch it was appended in and a value, and the epochs assigned.
// The look-ups follow log's LeaderEpochCache. Truncation is by record, which is what batches of one record would give.

import type { LeaderEpoch, Offset } from '@tidemark/core';
import type { EpochEnd, FollowerLog, LeaderLog } from '@tidemark/replication';

export interface EpochRecord {
  readonly epoch: number;
  readonly value: number;
}

export class EpochLog implements LeaderLog, FollowerLog {
  records: EpochRecord[] = [];
  start = 0;
  #epochs: { epoch: number; start: number }[] = [];

  get logStartOffset(): Offset {
    return this.start as Offset;
  }

  get logEndOffset(): Offset {
    return (this.start + this.records.length) as Offset;
  }

  get nextOffset(): Offset {
    return this.logEndOffset;
  }

  get latestEpoch(): LeaderEpoch | undefined {
    return this.#epochs.at(-1)?.epoch as LeaderEpoch | undefined;
  }

  assignLeaderEpoch(epoch: number, from: number = this.logEndOffset): void {
    const latest = this.#epochs.at(-1);
    if (latest !== undefined && epoch <= latest.epoch) return;
    while (this.#epochs.length > 0 && this.#epochs.at(-1)!.start >= from) this.#epochs.pop();
    this.#epochs.push({ epoch, start: from });
  }

  append(epoch: number, count: number, value = 0): void {
    for (let each = 0; each < count; each++) this.push({ epoch, value });
  }

  push(record: EpochRecord): void {
    const latest = this.#epochs.at(-1);
    if (latest !== undefined && record.epoch < latest.epoch) {
      throw new Error(`epoch ${record.epoch} after ${latest.epoch}`);
    }
    this.assignLeaderEpoch(record.epoch);
    this.records.push(record);
  }

  at(offset: number): EpochRecord | undefined {
    return this.records[offset - this.start];
  }

  epochAt(offset: Offset): LeaderEpoch | undefined {
    return this.#epochs.findLast(({ start }) => start <= offset)?.epoch as LeaderEpoch | undefined;
  }

  endOffsetForEpoch(epoch: LeaderEpoch): EpochEnd | undefined {
    const latest = this.#epochs.at(-1);
    if (latest === undefined || epoch < 0 || epoch > latest.epoch) return undefined;
    if (epoch === latest.epoch) return { epoch, endOffset: this.logEndOffset };
    const higher = this.#epochs.findIndex((entry) => entry.epoch > epoch);
    const found = (this.#epochs[higher - 1]?.epoch ?? epoch) as LeaderEpoch;
    return { epoch: found, endOffset: this.#epochs[higher]!.start as Offset };
  }

  truncateTo(offset: number): void {
    if (offset < this.start) {
      this.startAnew(offset);
      return;
    }
    this.records.length = Math.min(this.records.length, offset - this.start);
    while (this.#epochs.length > 0 && this.#epochs.at(-1)!.start >= offset) this.#epochs.pop();
  }

  startAnew(offset: number): void {
    this.records = [];
    this.start = offset;
    this.#epochs = [];
  }

  /** What was written and not synced is gone. Epochs are known from the batches. */
  crash(syncedEnd: number): void {
    this.records.length = Math.max(0, syncedEnd - this.start);
    const { records, start } = this;
    this.#epochs = [];
    records.forEach(({ epoch }, index) => this.assignLeaderEpoch(epoch, start + index));
  }

  deleteBefore(offset: number): void {
    if (offset <= this.start) return;
    this.records.splice(0, offset - this.start);
    this.start = offset;
    const kept = this.#epochs.findLastIndex((entry) => entry.start <= offset);
    if (kept >= 0) this.#epochs.splice(0, kept + 1, { epoch: this.#epochs[kept]!.epoch, start: offset });
  }

  /** `epoch x count` in order, as in '1x3 2x1'. */
  get history(): string {
    const runs: string[] = [];
    let run = 0;
    this.records.forEach(({ epoch }, index) => {
      run += 1;
      if (this.records[index + 1]?.epoch === epoch) return;
      runs.push(`${epoch}x${run}`);
      run = 0;
    });
    return runs.join(' ');
  }
}
