// Gives the pure shard its inputs, one after the other, carries out what comes of each, and keeps the answers back until the high
// watermark has passed what they rest on.
//
// The order that everything depends on: an output's records are gathered and replayed inside the turn of its input, at the offsets they
// will have, so the next input finds them; whether they are committed is told by the watermark alone. What is gathered is appended as
// one batch: at the end of the turn of the event loop, or, while an earlier batch is on its way, when that is committed or the linger is
// over. An input that comes inside another (a watermark that moves while something is appended) waits for its turn. Nothing is appended
// in another leader epoch, nor where the log does not end as this coordinator left it.

import { failure, type Clock, type ErrorName, type Failure, type Timer } from '@tidemark/core';
import {
  failedReplies,
  type GroupOutput,
  type GroupReply,
  type GroupSettings,
  type GroupShard,
  type GroupTime,
} from '@tidemark/group';
import type { Codecs } from '@tidemark/record';
import type { Partition } from '../partition.ts';
import { DeadlineTimer } from '../replica/deadline-timer.ts';
import type { LeadingReplica } from '../replica/leading-replica.ts';
import { groupWriteError, GroupWrites } from './group-writes.ts';
import type { ParkedRequests } from './parked-requests.ts';

export interface CoordinatorTurnsOptions {
  readonly shard: GroupShard;
  readonly parked: ParkedRequests;
  readonly partition: Partition;
  readonly leading: LeadingReplica;
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly settings: GroupSettings;
  readonly appendLingerMs: number;
  /** Records are written, and time passes for the groups. */
  readonly isActive: () => boolean;
  /** A deadline of a group is over. */
  readonly tick: (time: GroupTime) => GroupOutput;
  /** Something else has written to the partition: what the shard knows is not what the log has. */
  readonly onForeignWrite: (why: Failure) => void;
  /** What was replayed from there on is not in the log after all. */
  readonly onCutOff: (endOffset: number) => void;
  readonly onError: (cause: unknown, doing: string) => void;
  /** A bug: the process ends. */
  readonly onFatal: (cause: unknown) => void;
}

/** tooLarge: for one batch, however often it is tried. */
export type Outcome = 'nothing' | 'written' | 'failed' | 'tooLarge';

export class CoordinatorTurns {
  readonly #options: CoordinatorTurnsOptions;
  readonly #shard: GroupShard;
  readonly #parked: ParkedRequests;
  readonly #writes: GroupWrites;
  readonly #ticks: DeadlineTimer;
  readonly #replyDeadlines: DeadlineTimer;
  /** Of what is gathered while a batch is on its way. */
  readonly #linger: DeadlineTimer;
  /** What was gathered in this turn of the event loop is appended at its end. */
  #turnEnd: Timer | undefined;
  readonly #inputs: (() => void)[] = [];
  #isBusy = false;

  constructor(options: CoordinatorTurnsOptions) {
    const { shard, parked, partition, leading, codecs, clock, tick } = options;
    this.#options = options;
    this.#shard = shard;
    this.#parked = parked;
    this.#writes = new GroupWrites(partition, leading.leaderEpoch, codecs, leading.epochStartOffset);
    this.#ticks = new DeadlineTimer(clock, () => this.input(tick));
    this.#replyDeadlines = new DeadlineTimer(clock, () => this.#failLateReplies());
    this.#linger = new DeadlineTimer(clock, () => this.#appendGathered());
  }

  get uncommittedBytes(): number {
    return this.#writes.uncommittedBytes;
  }

  /** Behind everything that was replayed. */
  get endOffset(): number {
    return this.#writes.endOffset;
  }

  /** Runs now, or after the input that is under way. */
  input(run: (time: GroupTime) => GroupOutput, onOutcome?: (outcome: Outcome) => void): void {
    this.#inputs.push(() => {
      this.#lookAtLog();
      const outcome = this.#carryOut(run(this.#time()), onOutcome !== undefined);
      onOutcome?.(outcome);
    });
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) next();
    } catch (cause) {
      this.#options.onFatal(cause);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Everything below it is committed, and what rests on it is answered. */
  committed(highWatermark: number): void {
    this.input((time) => {
      const output = this.#shard.committed(highWatermark, time);
      this.#parked.answer(this.#writes.committed(highWatermark));
      if (!this.#writes.isOnItsWay) this.#append();
      return output;
    });
  }

  /** What is in the log may be committed once enough replicas are in sync again, but nobody knows when. */
  fellShort({ message }: Failure): void {
    this.input(() => {
      this.#answerFailed(this.#writes.inDoubt(), 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', message);
      return NOTHING;
    });
  }

  /** This is the last input: whoever waits is told `error`. */
  resign(error: ErrorName): void {
    for (const timer of [this.#ticks, this.#replyDeadlines, this.#linger]) timer.cancel();
    this.#turnEnd?.cancel();
    this.input((time) => {
      const resigned = this.#shard.resign(time);
      this.#answerFailed(this.#writes.abandon(), error);
      return resigned;
    });
  }

  #time(): GroupTime {
    const { clock } = this.#options;
    return { nowMs: clock.monotonicMs(), timestampMs: clock.wallMs() };
  }

  /** A full disk takes appends back. Anything else that moves the end is somebody else's, and then this state is not the log's. */
  #lookAtLog(): void {
    if (!this.#options.isActive()) return;
    const { nextOffset } = this.#options.partition.log;
    const { logEndOffset } = this.#writes;
    if (nextOffset < logEndOffset) this.#cutOff(nextOffset, 'KAFKA_STORAGE_ERROR');
    else if (nextOffset > logEndOffset) this.#foreignWrite(nextOffset);
  }

  #foreignWrite(nextOffset: number): void {
    const { partition, onForeignWrite } = this.#options;
    const message = `${partition.topic}-${partition.index} ends at ${nextOffset} and not at ${this.#writes.logEndOffset}: something other than its coordinator has written to it`;
    this.#ticks.cancel();
    onForeignWrite(failure('INVALID_RECORD', message));
    // The shard is left as it is; whoever waits looks for the coordinator again.
    this.#answerFailed(this.#writes.abandon(), 'NOT_COORDINATOR');
    this.#parked.answer(this.#shard.resign(this.#time()).replies);
  }

  /** What was replayed from there on is not in the log, and never will be. */
  #cutOff(endOffset: number, error: ErrorName): void {
    this.#shard.revertTo(endOffset);
    for (const output of this.#writes.cut(endOffset)) {
      this.#carryOut(this.#shard.writeFailed(output, error, this.#time()));
    }
    this.#options.onCutOff(endOffset);
  }

  /** `isTold`: what is too large is tried again in smaller pieces, and is no news. */
  #carryOut(output: GroupOutput, isTold = false): Outcome {
    const { settings, isActive, onError } = this.#options;
    this.#ticks.setAt(isActive() ? output.nextDeadlineMs : Infinity);
    if (output.records.length === 0) {
      this.#parked.answer(output.replies);
      return 'nothing';
    }
    const time = this.#time();
    const encoded = isActive()
      ? this.#writes.encode(output.records, time.timestampMs)
      : failure('NOT_COORDINATOR');
    // What this one rests on may be what cannot be appended: then it goes the same way.
    const failed = encoded.ok ? (this.#writes.fits(encoded) ? undefined : this.#append()) : encoded;
    if (!encoded.ok || failed !== undefined) {
      const cause = failed!;
      if (cause.error === 'MESSAGE_TOO_LARGE' && !isTold) onError(cause, 'storing a group');
      this.#carryOut(this.#shard.writeFailed(output, groupWriteError(cause), time));
      return cause.error === 'MESSAGE_TOO_LARGE' ? 'tooLarge' : 'failed';
    }
    const replyDeadlineMs = time.nowMs + settings.commitTimeoutMs;
    const baseOffset = this.#writes.gather(encoded, output, replyDeadlineMs);
    output.records.forEach((record, at) => this.#shard.replay(record, baseOffset + at));
    if (output.replies.length > 0) this.#replyDeadlines.setAt(replyDeadlineMs);
    this.#appendSoon(time.nowMs);
    return 'written';
  }

  #appendSoon(nowMs: number): void {
    const { clock, appendLingerMs } = this.#options;
    if (this.#writes.isOnItsWay && appendLingerMs > 0) this.#linger.setAt(nowMs + appendLingerMs);
    // More requests may have arrived in the same turn of the event loop.
    else this.#turnEnd ??= clock.setTimer(0, () => this.#appendGathered());
  }

  #appendGathered(): void {
    this.input(() => {
      this.#append();
      return NOTHING;
    });
  }

  /** What is gathered, if anything is. Answers why it was not appended; then it is as if none of it had been asked for. */
  #append(): Failure | undefined {
    this.#turnEnd?.cancel();
    this.#turnEnd = undefined;
    this.#linger.cancel();
    if (!this.#writes.hasGathered) return undefined;
    const appended = this.#writes.append();
    if (!appended.ok) {
      this.#cutOff(this.#writes.logEndOffset, groupWriteError(appended));
      return appended;
    }
    // The log has gone back by then; looking at it is enough.
    appended.written.catch(() => this.input(nothing));
    return undefined;
  }

  /** They may be committed yet: that is all that can be said. */
  #failLateReplies(): void {
    this.input(() => {
      const { replies, nextDeadlineMs } = this.#writes.late(this.#time().nowMs);
      this.#replyDeadlines.setAt(nextDeadlineMs);
      const message = `not committed within offsets.commit.timeout.ms (${this.#options.settings.commitTimeoutMs} ms); it may be yet`;
      this.#answerFailed(replies, 'REQUEST_TIMED_OUT', message);
      return NOTHING;
    });
  }

  #answerFailed(replies: readonly GroupReply[], error: ErrorName, message?: string): void {
    this.#parked.answer(failedReplies(replies, error, message));
  }
}

/** `setAt` ignores the deadline. */
const NOTHING: GroupOutput = { records: [], replies: [], nextDeadlineMs: Infinity };
const nothing = (): GroupOutput => NOTHING;
