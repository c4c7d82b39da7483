// One partition while another broker leads it, for one leader epoch: where to fetch, what to make of the answers, and what is known
// to be committed. A new epoch has a new follower even when the leader is the same broker (KAFKA-7164), so that its position is
// judged anew.
//
// Contract: every input answers the one step to take next; the steps that take time (truncate, startAnew, startInside) are ended by
// `truncated` and nothing is asked or appended meanwhile. The high watermark is never above what this replica holds for good, and
// goes back only where records are cut off below it; the step says so.

import type { ErrorName, Failure, LeaderEpoch, Offset } from '@tidemark/core';
import type { Diverging, FetchPosition, OutOfRange, Refused } from './fetch-decision.ts';
import type { FollowerLog } from './partition-view.ts';
import { truncationPoint } from './truncation-point.ts';

/** How the leader stands; with every answer of one that has accepted the position. */
export interface LeaderProgress {
  readonly highWatermark: Offset;
  readonly logStartOffset: Offset;
}

export interface FetchedBatches extends LeaderProgress {
  readonly type: 'batches';
  /** Where they were read from. */
  readonly baseOffset: Offset;
  /** Where the first batch begins: above `baseOffset` behind a gap, below it when the leader's log starts inside that batch. */
  readonly firstBatchOffset: Offset;
  /** Of the last batch. */
  readonly lastEpoch: LeaderEpoch;
  /** False: lengths, counts or a CRC do not check out. Nothing of it is appended. */
  readonly isIntact: boolean;
}

export type FetchAnswer =
  FetchedBatches | ({ readonly type: 'progress' } & LeaderProgress) | Diverging | OutOfRange | Refused;

/** A position as a follower has asked from it; no two of one process are the same. */
export interface AskedPosition extends FetchPosition {
  readonly leaderEpoch: LeaderEpoch;
  /** Stays with the follower, as the epoch, to recognize the answers by. */
  readonly attempt: number;
}

export type FollowerStep =
  /** Ask the leader from here, in place of what was asked before. */
  | { readonly type: 'ask'; readonly position: AskedPosition }
  /** Append the batches as they are; when the log does not take them, say `appendFailed`. */
  | { readonly type: 'append' }
  /** Nothing to do. */
  | { readonly type: 'none' }
  /** Call `resume` at this time (monotonic), not before; Infinity: the metadata will bring a new epoch, or this broker is out. */
  | { readonly type: 'wait'; readonly untilMs: number; readonly failure: Failure | undefined }
  /** Cut off everything at and above `to`, and the epochs that begin there, even if nothing is. Then call `truncated`. */
  | { readonly type: 'truncate'; readonly to: Offset; readonly losesCommitted: boolean }
  /** Remove everything and go on at `to`. Then call `truncated`. */
  | { readonly type: 'startAnew'; readonly to: Offset; readonly losesCommitted: boolean }
  /**
   * The log is empty, and its start lies inside the first of the batches, as it does at the leader. Make the log one that begins with
   * that batch and starts where it does now; then call `truncated`, append the batches whatever that says, and call `askAgain`.
   */
  | { readonly type: 'startInside'; readonly firstBatchOffset: Offset };

export interface PartitionFollowerOptions {
  readonly leaderEpoch: LeaderEpoch;
  /** Known to be committed before this epoch. */
  readonly highWatermark: Offset;
  /** `replica.fetch.backoff.ms`. */
  readonly backoffMs: number;
}

type State =
  | { readonly type: 'idle' }
  | { readonly type: 'fetching'; readonly attempt: number }
  | { readonly type: 'truncating'; readonly to: Offset }
  | { readonly type: 'waiting'; readonly untilMs: number };

const NOTHING: FollowerStep = { type: 'none' };
const APPEND: FollowerStep = { type: 'append' };
const IDLE: State = { type: 'idle' };

/** Asking again would be answered the same until the metadata has brought something new. */
const METADATA_TELLS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'FENCED_LEADER_EPOCH',
  'STALE_BROKER_EPOCH',
]);

export class PartitionFollower {
  readonly leaderEpoch: LeaderEpoch;
  readonly #backoffMs: number;
  #state: State = IDLE;
  #highWatermark: Offset;
  #leader: LeaderProgress | undefined;
  #attempts = 0;

  constructor({ leaderEpoch, highWatermark, backoffMs }: PartitionFollowerOptions) {
    this.leaderEpoch = leaderEpoch;
    this.#highWatermark = highWatermark;
    this.#backoffMs = backoffMs;
  }

  /** Records below it are committed, as far as is known here; at most the end of what this replica holds for good. */
  get highWatermark(): Offset {
    return this.#highWatermark;
  }

  get state(): State['type'] {
    return this.#state.type;
  }

  /** The first step. No truncation of an earlier epoch may be under way any more. */
  begin(log: FollowerLog): FollowerStep {
    // An epoch in which this replica led and appended nothing is in no log: batches of the leader could be of an older one (rule 2).
    const { nextOffset, latestEpoch } = log;
    if (latestEpoch === undefined || latestEpoch === lastEpochOf(log)) return this.#ask(log);
    return this.#truncate(nextOffset);
  }

  /** The session with the leader is new, or something else has lost what was asked. Asks again unless that has to wait. */
  askAgain(log: FollowerLog): FollowerStep {
    return this.#state.type === 'fetching' || this.#state.type === 'idle' ? this.#ask(log) : NOTHING;
  }

  /** The time of a `wait` has come. */
  resume(log: FollowerLog, nowMs: number): FollowerStep {
    const isDue = this.#state.type === 'waiting' && nowMs >= this.#state.untilMs;
    return isDue ? this.#ask(log) : NOTHING;
  }

  /**
   * An answer to `asked`, from the leader. What answers anything but the last thing asked is late and counts for
   * nothing: the log has changed since, and cutting it for an old answer would lose records.
   */
  answered(asked: AskedPosition, answer: FetchAnswer, log: FollowerLog, nowMs: number): FollowerStep {
    if (this.#state.type !== 'fetching' || this.#state.attempt !== asked.attempt) return NOTHING;
    if (asked.leaderEpoch !== this.leaderEpoch) return NOTHING;
    switch (answer.type) {
      case 'batches':
        return this.#batches(answer, log, nowMs);
      case 'progress':
        this.#leader = answer;
        return NOTHING;
      case 'diverging':
        return this.#truncate(truncationPoint(log, answer));
      case 'outOfRange':
        return this.#outOfRange(answer, log, nowMs);
      case 'refused':
        return this.#refused(answer.failure, nowMs);
    }
  }

  /** The log did not take the batches: its disk is full, or they do not follow its end. They will be asked for again. */
  appendFailed(nowMs: number): FollowerStep {
    return this.#wait(nowMs, undefined);
  }

  /** This replica holds everything below `endOffset` for good. Answers whether the high watermark moved; also after answers. */
  advance(acknowledgeableEnd: Offset): boolean {
    if (this.#leader === undefined || this.#state.type === 'truncating') return false;
    const end = Math.min(this.#leader.highWatermark, acknowledgeableEnd) as Offset;
    if (end <= this.#highWatermark) return false;
    this.#highWatermark = end;
    return true;
  }

  /** Up to where records can go because the leader's are gone; never above what is committed. Undefined: nothing can. */
  deletableBefore(log: FollowerLog): Offset | undefined {
    if (this.#leader === undefined || this.#state.type === 'truncating') return undefined;
    const offset = Math.min(this.#leader.logStartOffset, this.#highWatermark) as Offset;
    return offset > log.logStartOffset ? offset : undefined;
  }

  /** The truncation or the new start is done, durably. A log that cuts whole batches may end below what was asked of it. */
  truncated(log: FollowerLog): FollowerStep {
    if (this.#state.type !== 'truncating') return NOTHING;
    const { logStartOffset, nextOffset } = log;
    // What the leader has no more was committed once.
    if (logStartOffset > this.#highWatermark) this.#highWatermark = logStartOffset;
    if (nextOffset < this.#highWatermark) this.#highWatermark = nextOffset;
    return this.#ask(log);
  }

  #batches(
    { baseOffset, firstBatchOffset, lastEpoch, isIntact, highWatermark, logStartOffset }: FetchedBatches,
    log: FollowerLog,
    nowMs: number,
  ): FollowerStep {
    const { nextOffset } = log;
    // Repeated: what comes next will follow.
    if (baseOffset < nextOffset) return NOTHING;
    if (!isIntact || baseOffset > nextOffset || lastEpoch > this.leaderEpoch)
      return this.#wait(nowMs, undefined);
    // Records were deleted up to the middle of a batch. A log that is not empty ends where a batch does, whoever wrote it.
    if (firstBatchOffset < nextOffset && log.logStartOffset === nextOffset) {
      this.#state = { type: 'truncating', to: nextOffset };
      this.#leader = undefined;
      return { type: 'startInside', firstBatchOffset };
    }
    this.#leader = { highWatermark, logStartOffset };
    return APPEND;
  }

  #outOfRange({ logStartOffset, logEndOffset }: OutOfRange, log: FollowerLog, nowMs: number): FollowerStep {
    const { nextOffset } = log;
    // Behind what the leader has: everything here is gone there. Or nothing here, beyond the leader's end: another leader's start.
    const isBehind = nextOffset <= logStartOffset;
    const isBeyond = nextOffset > logEndOffset && log.logStartOffset === nextOffset;
    if (!isBehind && !isBeyond) return this.#wait(nowMs, undefined);
    const losesCommitted = this.#highWatermark > logEndOffset;
    this.#begins(logStartOffset);
    return { type: 'startAnew', to: logStartOffset, losesCommitted };
  }

  #refused(why: Failure, nowMs: number): FollowerStep {
    if (!METADATA_TELLS.has(why.error)) return this.#wait(nowMs, why);
    this.#state = { type: 'waiting', untilMs: Infinity };
    return { type: 'wait', untilMs: Infinity, failure: why };
  }

  #wait(nowMs: number, why: Failure | undefined): FollowerStep {
    // Not while a truncation runs: that goes on and asks by itself.
    if (this.#state.type === 'truncating') return NOTHING;
    const untilMs = nowMs + this.#backoffMs;
    this.#state = { type: 'waiting', untilMs };
    return { type: 'wait', untilMs, failure: why };
  }

  #truncate(to: Offset): FollowerStep {
    // Only an unclean election makes a leader that lacks what was committed.
    const losesCommitted = to < this.#highWatermark;
    this.#begins(to);
    return { type: 'truncate', to, losesCommitted };
  }

  /** The high watermark goes back before the records do: it may be written down meanwhile. */
  #begins(to: Offset): void {
    this.#state = { type: 'truncating', to };
    this.#leader = undefined;
    if (to < this.#highWatermark) this.#highWatermark = to;
  }

  #ask(log: FollowerLog): FollowerStep {
    const attempt = ++this.#attempts;
    const { leaderEpoch } = this;
    const position = {
      fetchOffset: log.nextOffset,
      lastFetchedEpoch: lastEpochOf(log),
      leaderEpoch,
      attempt,
    };
    this.#state = { type: 'fetching', attempt };
    return { type: 'ask', position };
  }
}

/** Of the last batch in the log, not of an epoch in which nothing was appended; -1 when the log is empty. */
function lastEpochOf(log: FollowerLog): LeaderEpoch | -1 {
  if (log.nextOffset === log.logStartOffset) return -1;
  return log.epochAt((log.nextOffset - 1) as Offset) ?? -1;
}
