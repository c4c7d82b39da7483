// One assigned partition: where the application is, where fetching is, and what was pushed in between. Synchronous, without a
// clock. A push belongs to a position id; what was pushed for an earlier one is thrown away, so that a seek or another
// leader can neither repeat nor skip a record.
import { batchLastOffset, batchSizeBytes } from '@tidemark/record';
import type { TidemarkError } from '@tidemark/core';
import type { FetchConnection } from './fetch-connection.ts';
import { LeaderPause } from './leader-pause.ts';
import type { OffsetSpec } from './offset-lookup.ts';

export interface Chunk {
  readonly bytes: Uint8Array;
  /** Where the next batch begins. */
  at: number;
  /** Whom the credit goes back to; undefined: it has been given back. */
  readonly connection: FetchConnection | undefined;
}

export class ConsumerPartition {
  readonly topic: string;
  readonly partition: number;
  /** Of the topic it was taken on as a partition of, where the group assigned it; empty: not known yet. */
  topicId = '';
  /** Offset of the next record the application gets; -1 until it is known. */
  position = -1;
  /** What `position` is to become, while it is not known; undefined: nobody said. */
  wanted: OffsetSpec | undefined;
  /** Raised by every change of position: what began before it no longer counts. */
  generation = 0;
  paused = false;
  /** Nothing of it is handed out: the group is about to take it away, or its callback has not run yet. */
  withheld = false;
  /** `run` is at work on a batch of it; the next one waits. */
  inProcess = false;
  /** Tells `run` to stop after the record in hand. */
  interrupt: (() => void) | undefined;
  /** When its topic goes it is taken away by whoever assigned it, the group for one, and the application need not hear of it. */
  goesWithTopic = false;
  /** Who pushes it at the moment. */
  connection: FetchConnection | undefined;
  positionId = 0;
  /** The leader epoch it is pushed under. */
  pushEpoch = -1;
  /** A lookup or a validation is under way; nothing is fetched. */
  busy = false;
  /** Nothing is tried before it is over. */
  readonly pause = new LeaderPause();
  failures = 0;
  /** The application must do something: seek, most likely. */
  error: TidemarkError | undefined;
  /** The broker does not have the fetch position any more, or cannot read it; dealt with once the chunks are used up. */
  refused: TidemarkError | undefined;
  /** Epoch of the last batch pushed or the position looked up; -1 when not known. */
  epoch = -1;
  /** The leader epoch the position was last checked against. */
  checkedEpoch = -1;
  /** Leader epoch of the batch taken last; -1 when not known. */
  takenEpoch = -1;
  highWatermark = -1;
  logStartOffset = -1;
  #chunks: Chunk[] = [];

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get name(): string {
    return `${this.topic}-${this.partition}`;
  }

  get chunk(): Chunk | undefined {
    return this.#chunks[0];
  }

  /** The first offset that was not pushed yet. */
  get fetchPosition(): number {
    const last = this.#chunks.at(-1);
    if (last === undefined) return this.position;
    let at = last.at;
    let next = this.position;
    while (at < last.bytes.length) {
      next = batchLastOffset(last.bytes, at) + 1;
      at += batchSizeBytes(last.bytes, at);
    }
    return Math.max(next, this.position);
  }

  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
  }

  /** The first chunk is used up. */
  shift(): void {
    this.#chunks.shift();
  }

  /** The application goes no further with a batch that it has taken: the rest of it comes first next time. */
  putBack(batch: Uint8Array, position: number): void {
    this.#chunks.unshift({ bytes: batch, at: 0, connection: undefined });
    this.position = position;
  }

  /** Throws away what was pushed and gives its credit back. Answers how many bytes that was. */
  clear(): number {
    let thrownAway = 0;
    for (const { connection, bytes, at } of this.#chunks) {
      if (connection === undefined) continue;
      connection.giveCredit(bytes.length - at);
      thrownAway += bytes.length - at;
    }
    this.#chunks = [];
    return thrownAway;
  }

  /** Stops the push. What has arrived stays. */
  detach(): void {
    this.connection?.remove(this);
    this.connection = undefined;
  }

  /** From here on the application reads from `spec`. What was pushed must have been cleared. */
  moveTo(spec: OffsetSpec | undefined): void {
    this.generation += 1;
    this.detach();
    this.error = undefined;
    this.refused = undefined;
    this.busy = false;
    this.pause.end();
    this.failures = 0;
    this.epoch = -1;
    this.checkedEpoch = -1;
    this.takenEpoch = -1;
    this.wanted = spec;
    this.position = typeof spec === 'number' ? spec : -1;
  }
}
