// A coordinator as the runtime will drive it, with a log in memory: append, replay, and reply once the high watermark has passed. Records
// go through their codec. Writes can be held, made to fail before or after they were appended, and the log can be read by a successor.

import { invariant, type ErrorName } from '@tidemark/core';
import {
  decodeGroupRecord,
  defaultGroupSettings,
  encodeGroupRecord,
  GroupShard,
  type EncodedGroupRecord,
  type GroupOutput,
  type GroupRecord,
  type GroupReply,
  type GroupRequest,
  type GroupSettings,
  type GroupTime,
} from '@tidemark/group';

/** The wall clock of these tests, at monotonic 0. */
export const EPOCH_MS = 1_700_000_000_000;

export interface CoordinatorEvents {
  readonly record?: (record: GroupRecord, offset: number) => void;
  readonly reply: (reply: GroupReply) => void;
}

interface HeldOutput {
  readonly output: GroupOutput;
  readonly baseOffset: number;
  readonly endOffset: number;
}

export class Coordinator {
  readonly settings: GroupSettings;
  readonly log: EncodedGroupRecord[];
  highWatermark: number;
  nextDeadlineMs = Infinity;
  /** Whether the high watermark follows every write at once. */
  commitsAtOnce = true;
  /** What the next write meets, before it is appended. */
  nextFailure: ErrorName | undefined;
  shard: GroupShard;
  #held: HeldOutput[] = [];
  readonly #events: CoordinatorEvents;

  /** Takes over a log, all of which is committed. */
  constructor(
    events: CoordinatorEvents,
    nowMs: number,
    settings: Partial<GroupSettings> = {},
    log: readonly EncodedGroupRecord[] = [],
  ) {
    this.#events = events;
    this.settings = { ...defaultGroupSettings, ...settings };
    this.log = [...log];
    this.highWatermark = log.length;
    this.shard = new GroupShard(this.settings);
    log.forEach((encoded, offset) => this.shard.replay(decoded(encoded), offset));
    this.#emit(this.shard.committed(log.length, timeAt(nowMs)), nowMs);
    this.#emit(this.shard.activate(timeAt(nowMs)), nowMs);
  }

  get heldCount(): number {
    return this.#held.length;
  }

  handle(request: GroupRequest, nowMs: number): void {
    this.take(this.shard.handle(request, timeAt(nowMs)), nowMs);
  }

  tick(nowMs: number): void {
    this.take(this.shard.tick(timeAt(nowMs)), nowMs);
  }

  take(output: GroupOutput, nowMs: number): void {
    this.nextDeadlineMs = output.nextDeadlineMs;
    if (output.records.length === 0) {
      this.#emit(output, nowMs);
      return;
    }
    if (this.nextFailure !== undefined) {
      const error = this.nextFailure;
      this.nextFailure = undefined;
      this.take(this.shard.writeFailed(output, error, timeAt(nowMs)), nowMs);
      return;
    }
    const baseOffset = this.log.length;
    for (const record of output.records) {
      const encoded = encodeGroupRecord(record);
      const offset = this.log.push(encoded) - 1;
      this.#events.record?.(record, offset);
      this.shard.replay(decoded(encoded), offset);
    }
    this.#held.push({ output, baseOffset, endOffset: this.log.length });
    if (this.commitsAtOnce) this.commit(this.log.length, nowMs);
  }

  /** The high watermark moves. */
  commit(highWatermark: number, nowMs: number): void {
    this.highWatermark = highWatermark;
    const done = this.#held.filter(({ endOffset }) => endOffset <= highWatermark);
    this.#held = this.#held.filter(({ endOffset }) => endOffset > highWatermark);
    for (const { output } of done) for (const reply of output.replies) this.#events.reply(reply);
    this.take(this.shard.committed(highWatermark, timeAt(nowMs)), nowMs);
  }

  /** Everything that is not committed is cut off. */
  failHeld(error: ErrorName, nowMs: number): void {
    const held = this.#held;
    this.#held = [];
    const endOffset = held[0]?.baseOffset ?? this.log.length;
    this.log.length = endOffset;
    this.shard.revertTo(endOffset);
    for (const { output } of held) this.take(this.shard.writeFailed(output, error, timeAt(nowMs)), nowMs);
  }

  /** Another one takes over; what it finds is the log up to `endOffset`. */
  resign(nowMs: number): void {
    for (const { output } of this.#held) {
      const failed = this.shard.writeFailed({ ...output, records: [] }, 'NOT_COORDINATOR', timeAt(nowMs));
      this.#emit(failed, nowMs);
    }
    this.#held = [];
    this.#emit(this.shard.resign(timeAt(nowMs)), nowMs);
  }

  #emit(output: GroupOutput, _nowMs: number): void {
    this.nextDeadlineMs = output.nextDeadlineMs;
    invariant(output.records.length === 0, 'records where there can be none');
    for (const reply of output.replies) this.#events.reply(reply);
  }
}

export function timeAt(nowMs: number): GroupTime {
  return { nowMs, timestampMs: EPOCH_MS + nowMs };
}

function decoded({ key, value }: EncodedGroupRecord): GroupRecord {
  const result = decodeGroupRecord(key, value);
  invariant(result.ok, 'a record of our own cannot be read', { result });
  return result.record;
}
