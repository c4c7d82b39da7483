// Linearizable reads without writing (Raft thesis, 6.4): a read that comes in waits for a round of messages that begins after it
// and that a majority answers. Then nobody else can have led when it was asked, and whatever was committed then is below the
// leader's commit offset. One round is under way at a time; what comes in meanwhile shares the next.

import { failure, type Failure, type Offset } from '@tidemark/core';
import type { Outbox } from './ready.ts';

export class QuorumReads {
  readonly #outbox: Outbox;
  readonly #maxPending: number;
  /** Came in after the round under way began. */
  #waiting: number[] = [];
  #underWay: number[] = [];
  #round = 0;

  constructor(outbox: Outbox, maxPending: number) {
    this.#outbox = outbox;
    this.#maxPending = maxPending;
  }

  /** A round is to begin as soon as can be. */
  get isWaitingToBegin(): boolean {
    return this.#waiting.length > 0 && this.#underWay.length === 0;
  }

  ask(id: number): void {
    if (this.#waiting.length + this.#underWay.length >= this.#maxPending) {
      const cause = failure(
        'THROTTLING_QUOTA_EXCEEDED',
        'Too many linearizable reads wait; retry a little later.',
      );
      this.#outbox.failedReads.push({ id, cause });
    } else this.#waiting.push(id);
  }

  /** Begins a round for those that wait, if none is under way; `next` draws its number. */
  begin(next: () => number): void {
    if (!this.isWaitingToBegin) return;
    this.#underWay = this.#waiting;
    this.#waiting = [];
    this.#round = next();
  }

  /** A majority has answered this round. Answers how many reads that confirms. */
  confirm(round: number, offset: Offset): number {
    if (this.#underWay.length === 0 || round < this.#round) return 0;
    const confirmed = this.#underWay;
    this.#underWay = [];
    for (const id of confirmed) this.#outbox.confirmedReads.push({ id, offset });
    return confirmed.length;
  }

  failAll(cause: Failure): void {
    for (const id of [...this.#underWay, ...this.#waiting]) this.#outbox.failedReads.push({ id, cause });
    this.#underWay = [];
    this.#waiting = [];
  }
}
