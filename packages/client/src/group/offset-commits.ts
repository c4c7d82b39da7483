// Commits, one request at a time and in the order they were asked for, so that an older offset never comes after a newer one. Those that
// wait while one is under way go together, the last offset of each partition: whoever commits after every record sends a request
// a round trip, and not one a record. Each attempt says who the member is at that moment, and only for partitions it has had all the time:
// what it has given up is somebody else's to commit, and what it has got back somebody else may have read further.
import { TidemarkError } from '@tidemark/core';
import type { Clock } from '@tidemark/core';
import { errorFromDetail, groupService } from '@tidemark/rpc';
import { backoffMs } from '../backoff.ts';
import type { GroupSettings } from '../consumer-settings.ts';
import type { TopicPartition } from '../leader-calls.ts';
import { pause } from '../pause.ts';
import { nameOf } from './assignment.ts';
import type { CoordinatorCalls } from './coordinator-calls.ts';
import type { MemberIdentity } from './member-identity.ts';

export interface OffsetToCommit extends TopicPartition {
  /** The next record to read: that of the last one done, plus one. */
  readonly offset: number;
  /** Of the last record done; absent or -1: not known. */
  readonly leaderEpoch?: number | undefined;
  /** At most `offset.metadata.max.bytes` of the brokers; for people and other tools. */
  readonly metadata?: string | undefined;
}

export function wireOffset({ topic, partition, offset, leaderEpoch = -1, metadata = '' }: OffsetToCommit) {
  return { topic, partition, offset, ...(leaderEpoch < 0 ? {} : { leaderEpoch }), metadata };
}

/** Nothing of this was committed, or not all: `cause` is what the coordinator said, `offsets` what is in doubt. */
export class CommitFailed extends TidemarkError {
  readonly offsets: readonly OffsetToCommit[];

  constructor(offsets: readonly OffsetToCommit[], cause: TidemarkError) {
    const names = offsets.map((each) => `${nameOf(each)}@${each.offset}`);
    const shown = names.length > 5 ? [...names.slice(0, 5), `${names.length - 5} more`] : names;
    super(cause.error, `the commit of ${shown.join(', ')} failed: ${cause.detail}`, { cause });
    this.offsets = offsets;
  }
}

/** In whose name offsets are committed. */
export interface Committer {
  readonly identity: MemberIdentity;
  /** False: it is a consumer that assigned itself what it reads, and commits without being a member. */
  readonly isMember: boolean;
  readonly isInRound: boolean;
  /** It leaves the group, and takes part in no generation that comes. */
  readonly isClosing: boolean;
  /** Another one each time it gets the partition; undefined: it does not have it. */
  tenure(at: TopicPartition): object | undefined;
  refused(error: TidemarkError, identity: MemberIdentity): void;
}

export interface OffsetCommitsOptions {
  readonly settings: GroupSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly calls: CoordinatorCalls;
  readonly committer: Committer;
  readonly onCommitted: (offsets: readonly OffsetToCommit[]) => void;
}

export interface CommitOptions {
  /** Retries included; `default.api.timeout.ms` if absent. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is to be committed, and as whose it was read. */
interface Due {
  readonly offset: OffsetToCommit;
  readonly tenure: object | undefined;
}

interface Asked {
  readonly due: readonly Due[];
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Partitions of a request that more than one commit went into: far below what a coordinator takes at once. */
const MAX_TOGETHER = 1_000;
/**
 * How long a member that closes waits for a generation to be complete: whoever should complete it may be closing, too. What is not
 * committed is read again.
 */
const CLOSING_MS = 1_000;

export class OffsetCommits {
  readonly #options: OffsetCommitsOptions;
  readonly #last = new Map<string, number>();
  #waiting: Asked[] = [];
  #isWorking = false;
  /** Settled with the last of them. */
  #latest: Promise<unknown> = Promise.resolve();

  constructor(options: OffsetCommitsOptions) {
    this.#options = options;
  }

  /** What was committed last by this consumer, or read from the coordinator; undefined: not known. */
  last(at: TopicPartition): number | undefined {
    return this.#last.get(nameOf(at));
  }

  learn(at: TopicPartition, offset: number): void {
    this.#last.set(nameOf(at), offset);
  }

  /** Somebody else may commit there from now on. */
  forget(at: TopicPartition): void {
    this.#last.delete(nameOf(at));
  }

  /** Resolves when all that was asked for so far is done, one way or the other. */
  async settled(): Promise<void> {
    await this.#latest;
  }

  /** Rejects with `CommitFailed`. */
  commit(offsets: readonly OffsetToCommit[], options: CommitOptions = {}): Promise<void> {
    const { clock, settings, committer } = this.#options;
    const due = offsets.map((offset) => ({ offset, tenure: committer.tenure(offset) }));
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? settings.apiTimeoutMs);
    const { signal } = options;
    const done = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ due, deadlineMs, signal, resolve, reject });
    });
    this.#latest = done.catch(() => undefined);
    if (!this.#isWorking) void this.#work();
    return done;
  }

  /** Never rejects. */
  async #work(): Promise<void> {
    this.#isWorking = true;
    // What else is asked for in this turn goes along.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const together = this.#take();
      // Whose fault it is, each of them finds out for itself.
      if (together.length > 1 && (await this.#commitTogether(together))) continue;
      for (const { due, deadlineMs, signal, resolve, reject } of together) {
        await this.#commit(due, deadlineMs, signal).then(resolve, reject);
      }
    }
    this.#isWorking = false;
  }

  /** The next one, with those behind it that can go in the same request. */
  #take(): readonly Asked[] {
    let count = 0;
    let partitions = 0;
    for (const { due, signal } of this.#waiting) {
      partitions += due.length;
      // One that may be called off goes alone.
      if (count > 0 && (signal !== undefined || partitions > MAX_TOGETHER)) break;
      count += 1;
      if (signal !== undefined) break;
    }
    return this.#waiting.splice(0, count);
  }

  async #commitTogether(together: readonly Asked[]): Promise<boolean> {
    const last = new Map<string, Due>();
    for (const { due } of together) for (const each of due) last.set(nameOf(each.offset), each);
    const deadlineMs = Math.min(...together.map((each) => each.deadlineMs));
    try {
      await this.#commit([...last.values()], deadlineMs, undefined);
    } catch (error) {
      if (error instanceof CommitFailed) return false;
      for (const { reject } of together) reject(error);
      return true;
    }
    for (const { resolve } of together) resolve();
    return true;
  }

  async #commit(due: readonly Due[], deadlineMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (due.length === 0) return;
    const offsets = due.map(({ offset }) => offset);
    const { clock, random, settings, committer, onCommitted } = this.#options;
    const beganMs = clock.monotonicMs();
    for (let failures = 1; ; failures++) {
      const error = await this.#attempt(due, deadlineMs, signal);
      if (error === undefined) {
        for (const { offset, tenure } of due) {
          // Of one that it has had from somebody else since, this says nothing.
          if (committer.tenure(offset) === tenure) this.learn(offset, offset.offset);
        }
        onCommitted(offsets);
        return;
      }
      // The next generation is about to begin, or has begun meanwhile: what the member still has it can commit in that one.
      const isBetween =
        error.error === 'REBALANCE_IN_PROGRESS' ||
        (error.error === 'ILLEGAL_GENERATION' && committer.isInRound);
      const pauseMs = backoffMs(settings.retryBackoff, failures, random);
      const lastMs = committer.isClosing ? Math.min(deadlineMs, beganMs + CLOSING_MS) : deadlineMs;
      if (!isBetween || clock.monotonicMs() + pauseMs >= lastMs) throw new CommitFailed(offsets, error);
      await pause(clock, pauseMs, signal);
    }
  }

  async #attempt(
    due: readonly Due[],
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): Promise<TidemarkError | undefined> {
    const { settings, calls, committer } = this.#options;
    const offsets = due.map(({ offset }) => offset);
    let identity = committer.identity;
    const request = () => {
      identity = committer.identity;
      this.#checkOwned(due, identity);
      return {
        groupId: settings.groupId,
        generationId: identity.generation,
        memberId: identity.memberId,
        groupInstanceId: committer.isMember ? (settings.instanceId ?? '') : '',
        offsets: offsets.map(wireOffset),
      };
    };
    let answer;
    try {
      answer = await calls.call(groupService.CommitOffsets, request, { deadlineMs, signal });
    } catch (error) {
      if (error instanceof TidemarkError && !(error instanceof CommitFailed))
        throw new CommitFailed(offsets, error);
      throw error;
    }
    const error = errorFromDetail(answer.error);
    if (error !== undefined) {
      if (identity !== committer.identity && error.error === 'ILLEGAL_GENERATION') {
        return new TidemarkError('REBALANCE_IN_PROGRESS', error.detail, { cause: error });
      }
      if (!committer.isInRound) committer.refused(error, identity);
      return error;
    }
    const failed = answer.results
      .map(({ error: detail }, at) => ({ error: errorFromDetail(detail), offset: offsets[at]! }))
      .filter((each) => each.error !== undefined);
    const [first] = failed;
    if (first?.error === undefined) return undefined;
    throw new CommitFailed(
      failed.map(({ offset }) => offset),
      first.error,
    );
  }

  #checkOwned(due: readonly Due[], identity: MemberIdentity): void {
    const { committer, settings } = this.#options;
    if (!committer.isMember) return;
    const offsets = due.map(({ offset }) => offset);
    if (identity.generation < 0) {
      const text = `the consumer is no member of ${settings.groupId} at the moment: others may have its partitions`;
      throw new CommitFailed(offsets, new TidemarkError('UNKNOWN_MEMBER_ID', text));
    }
    const foreign = due
      .filter(({ offset, tenure }) => tenure === undefined || tenure !== committer.tenure(offset))
      .map(({ offset }) => offset);
    if (foreign.length === 0) return;
    const text = `${foreign.map(nameOf).join(', ')} is not assigned to the consumer in generation ${identity.generation}, or anew`;
    throw new CommitFailed(offsets, new TidemarkError('ILLEGAL_GENERATION', text));
  }
}
