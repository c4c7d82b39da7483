// One assigned partition: where the application is, where fetching is, and what was pushed in between. Synchronous, without a
// clock. A push belongs to a position id; what was pushed for an earlier one is thrown away, so that a seek or another
// leader can neither repeat nor skip a record.
import { BATCH_HEADER_BYTES, batchLastOffset, batchLeaderEpoch, batchSizeBytes } from '@tidemark/record';
import type { TidemarkError } from '@tidemark/core';
import type { FetchConnection } from './fetch-connection.ts';
import { LeaderPause } from './leader-pause.ts';
import type { OffsetSpec } from './offset-lookup.ts';
import type { PrefetchWindow } from './prefetch-window.ts';

export interface Chunk {
  readonly bytes: Uint8Array;
  /** Where the next batch begins. */
  at: number;
  /** Where it counts as held; undefined: it does no more. */
  readonly window: PrefetchWindow | undefined;
}

interface LeftPlace {
  readonly position: number;
  readonly epoch: number;
}

/** Topics of one name whose places are kept: a broker that is behind tells of the one before, hardly of older ones. */
const MAX_LEFT = 2;

export class ConsumerPartition {
  readonly topic: string;
  readonly partition: number;
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
  /** A batch of it is handed out record by record, and there is some of it left. */
  inReading = false;
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
  /** The broker does not have the fetch position any more, or not the topic, or cannot read it; dealt with once what was pushed is used up. */
  refused: TidemarkError | undefined;
  /** Epoch of the last batch pushed, that is of `fetchPosition`, or of the position looked up; -1 when not known. */
  epoch = -1;
  /** The leader epoch the position was last checked against. */
  checkedEpoch = -1;
  /** Leader epoch of the batch taken last; -1 when not known. */
  takenEpoch = -1;
  /** Of the topic the position is in; empty until the group assigns it, or the partition is first asked for there. */
  topicId = '';
  highWatermark = -1;
  logStartOffset = -1;
  #chunks: Chunk[] = [];
  /** By topic id: where the partition was in topics of this name that were told of before. */
  readonly #left = new Map<string, LeftPlace>();

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
    const batchAt = lastBatchIn(last.bytes, last.at);
    return batchAt < 0 ? this.position : Math.max(batchLastOffset(last.bytes, batchAt) + 1, this.position);
  }

  /** One chunk may hold batches of several epochs: that of the last one is the epoch of what is fetched next. */
  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    const batchAt = lastBatchIn(chunk.bytes, chunk.at);
    if (batchAt >= 0) this.epoch = batchLeaderEpoch(chunk.bytes, batchAt);
  }

  /** The first chunk is used up. */
  shift(): void {
    this.#chunks.shift();
  }

  /** The application goes no further with a batch that it has taken: the rest of it comes first next time. */
  putBack(batch: Uint8Array, position: number): void {
    this.#chunks.unshift({ bytes: batch, at: 0, window: undefined });
    this.position = position;
  }

  /** Throws away what was pushed and gives its credit back. Answers how many bytes that was. */
  clear(): number {
    let thrownAway = 0;
    for (const { window, bytes, at } of this.#chunks) {
      if (window === undefined) continue;
      window.left(bytes.length - at);
      thrownAway += bytes.length - at;
    }
    this.#chunks = [];
    return thrownAway;
  }

  /** What was pushed through the window and is still here. */
  heldBytes(window: PrefetchWindow): number {
    let heldBytes = 0;
    for (const chunk of this.#chunks) if (chunk.window === window) heldBytes += chunk.bytes.length - chunk.at;
    return heldBytes;
  }

  /** What was pushed has been cleared, and is fetched again from the position on. */
  rewound(): void {
    // The broker said that of what follows on it.
    this.refused = undefined;
    this.epoch = this.takenEpoch;
  }

  /** Its topic is another one now. Answers where it was in that, if it has been there. */
  leaveTopicFor(topicId: string): LeftPlace | undefined {
    this.#left.set(this.topicId, { position: this.position, epoch: this.epoch });
    const before = this.#left.get(topicId);
    this.#left.delete(topicId);
    if (this.#left.size > MAX_LEFT) this.#left.delete(this.#left.keys().next().value!);
    return before;
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
    this.inReading = false;
    this.busy = false;
    this.pause.end();
    this.failures = 0;
    this.epoch = -1;
    this.checkedEpoch = -1;
    this.takenEpoch = -1;
    this.topicId = '';
    this.wanted = spec;
    this.position = typeof spec === 'number' ? spec : -1;
  }
}

/** Where the last batch begins; -1 when there is none. What is damaged ends the search: whoever takes it says so. */
function lastBatchIn(bytes: Uint8Array, from: number): number {
  let found = -1;
  for (let at = from; bytes.length - at >= BATCH_HEADER_BYTES;) {
    const sizeBytes = batchSizeBytes(bytes, at);
    if (sizeBytes < BATCH_HEADER_BYTES || at + sizeBytes > bytes.length) break;
    found = at;
    at += sizeBytes;
  }
  return found;
}
