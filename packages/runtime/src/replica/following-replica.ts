// A replica while another broker leads it, for one leader epoch: the pure follower, fed with the leader's answers, and its steps
// carried out on the log. Contract: made when the log is quiet; what is received is checked before it is appended (lengths, magic,
// CRC) and never handed on damaged; `end` is its last call.

import {
  failure,
  TidemarkError,
  type BrokerId,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type Timer,
  type TopicId,
} from '@tidemark/core';
import { MAX_APPEND_BATCH_BYTES, saysDiskFull, type PartitionLog } from '@tidemark/log';
import { validateBatches, type Codecs, type ValidatedBatches } from '@tidemark/record';
import {
  PartitionFollower,
  type AskedPosition,
  type FetchAnswer,
  type FollowerStep,
  type SlotAnswer,
  type SlotBatches,
} from '@tidemark/replication';
import type { FollowerEnd } from './follower-end.ts';
import type { ReplicaContext } from './replica-context.ts';

export interface FollowingReplicaOptions {
  readonly context: ReplicaContext;
  readonly topicId: TopicId;
  readonly index: PartitionIndex;
  readonly leader: BrokerId;
  readonly leaderEpoch: LeaderEpoch;
  readonly log: PartitionLog;
  /** Known to be committed before this epoch. */
  readonly highWatermark: Offset;
  readonly codecs: Codecs;
  /** It is named by `follower.replication.throttled.replicas`, and not in sync. */
  readonly isThrottled: () => boolean;
  readonly onLogStart: () => void;
}

/** How often one that pauses for its rate looks whether it still has to, in milliseconds. */
const THROTTLE_LOOK_MS = 1_000;

export class FollowingReplica {
  readonly role = 'follower';
  readonly leader: BrokerId;
  readonly #options: FollowingReplicaOptions;
  readonly #machine: PartitionFollower;
  readonly #end: FollowerEnd;
  #stopListening: () => void = () => undefined;
  #timer: Timer | undefined;
  #deletionTimer: Timer | undefined;
  /** Why it waits, as far as somebody has said it. */
  #refusal: Failure | undefined;
  #isDeleting = false;
  #isOver = false;

  constructor(options: FollowingReplicaOptions) {
    const { context, leader, leaderEpoch, highWatermark } = options;
    this.leader = leader;
    this.#options = options;
    this.#machine = new PartitionFollower({
      leaderEpoch,
      highWatermark,
      backoffMs: context.settings.backoffMs,
    });
    this.#end = context.exchange.followerEnd(leader);
  }

  /** After the constructor, once: from now on it acts. */
  begin(): void {
    const { log } = this.#options;
    this.#stopListening = log.onAcknowledgeable((endOffset) => {
      this.#end.acknowledged(this, endOffset);
      if (this.#machine.advance(endOffset)) this.#deleteRecords();
    });
    this.#do(this.#machine.begin(log));
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopListening();
    this.#timer?.cancel();
    this.#deletionTimer?.cancel();
    this.#end.unsubscribe(this);
  }

  get highWatermark(): Offset {
    return this.#machine.highWatermark;
  }

  get state(): PartitionFollower['state'] {
    return this.#machine.state;
  }

  get refusal(): Failure | undefined {
    return this.state === 'waiting' ? this.#refusal : undefined;
  }

  /** The session was lost, and with it what was asked. */
  askAgain(): void {
    if (!this.#isOver) this.#do(this.#machine.askAgain(this.#options.log));
  }

  /** Batches for the position `asked`. `done` is called once, when they are written or thrown away. */
  received(asked: AskedPosition, answer: SlotBatches, done: () => void): void {
    if (this.#isOver) {
      done();
      return;
    }
    const { log, context } = this.#options;
    const checked = this.#check(answer);
    const last = checked.ok ? checked.batches.at(-1)! : undefined;
    const step = this.#machine.answered(
      asked,
      {
        ...answer,
        isIntact: last !== undefined,
        firstBatchOffset: checked.ok ? checked.batches[0]!.baseOffset : answer.baseOffset,
        lastEpoch: (last?.partitionLeaderEpoch ?? -1) as LeaderEpoch,
      },
      log,
      context.clock.monotonicMs(),
    );
    if (!checked.ok) this.#report(checked);
    if (step.type === 'startInside' && checked.ok) {
      this.#startInside(step.firstBatchOffset, answer.bytes, checked, done);
      return;
    }
    if (step.type !== 'append' || !checked.ok) {
      done();
      this.#do(step);
      return;
    }
    this.#append(answer.bytes, checked, done);
    this.#learned();
    this.#throttle(answer.bytes.length);
  }

  /** Above its quota it does not follow for a while, and then goes on from where it is. */
  #throttle(bytes: number): void {
    const { context, isThrottled } = this.#options;
    const { quotas, clock } = context;
    if (!quotas.follower.isLimited || !isThrottled()) return;
    const nowMs = clock.monotonicMs();
    quotas.follower.take(bytes, nowMs);
    const waitMs = quotas.follower.waitMs(nowMs);
    if (waitMs === 0 || this.state !== 'fetching') return;
    this.#end.unsubscribe(this);
    this.#pauseUntil(nowMs + waitMs);
  }

  /** Looks now and then whether the rate is another: one that was set too low would else stop it for hours after it was raised. */
  #pauseUntil(untilMs: number): void {
    const { context, log, isThrottled } = this.#options;
    const { quotas, clock } = context;
    const leftMs = Math.ceil(untilMs - clock.monotonicMs());
    this.#timer?.cancel();
    this.#timer = clock.setTimer(Math.min(leftMs, THROTTLE_LOOK_MS), () => {
      if (this.#isOver || this.state !== 'fetching') return;
      const nowMs = clock.monotonicMs();
      if (nowMs < untilMs && isThrottled() && quotas.follower.waitMs(nowMs) > 0) this.#pauseUntil(untilMs);
      else this.#do(this.#machine.askAgain(log));
    });
  }

  answered(asked: AskedPosition, answer: Exclude<SlotAnswer, SlotBatches> & FetchAnswer): void {
    if (this.#isOver) return;
    const { log, context } = this.#options;
    this.#do(this.#machine.answered(asked, answer, log, context.clock.monotonicMs()));
    this.#learned();
  }

  /** The leader has said how far it is. */
  #learned(): void {
    this.#machine.advance(this.#options.log.acknowledgeableEndOffset);
    this.#deleteRecords();
  }

  /** What the leader has deleted, as far as it is committed here. Nobody may say it again, so that every cause to look is taken. */
  #deleteRecords(): void {
    const { log } = this.#options;
    const isUnnoted = log.durableLogStartOffset < log.logStartOffset && this.state !== 'truncating';
    const before = this.#machine.deletableBefore(log) ?? (isUnnoted ? log.logStartOffset : undefined);
    if (before === undefined || this.#isDeleting || this.#isOver) return;
    this.#isDeleting = true;
    log.deleteRecordsBefore(before).then(
      (deleted) => {
        this.#isDeleting = false;
        if (!deleted.ok) return;
        this.logStartMoved();
        this.#options.onLogStart();
        this.#deleteRecords();
      },
      (cause: unknown) => {
        if (saysDiskFull(cause)) {
          this.#options.onLogStart();
          this.#deleteLater();
          return;
        }
        this.#isDeleting = false;
        this.#failed(cause, 'deleting records the leader has deleted');
      },
    );
  }

  /** Nobody can read them any more, but there is no room to note that: after a crash they would be back. */
  #deleteLater(): void {
    if (this.#isOver) return;
    const { clock, settings } = this.#options.context;
    this.#deletionTimer = clock.setTimer(settings.backoffMs, () => {
      this.#isDeleting = false;
      this.#deleteRecords();
    });
  }

  /** By itself or because of the leader, something below is gone for good: whoever deletes records waits for it. */
  logStartMoved(): void {
    if (!this.#isOver) this.#end.logStartMoved(this, this.#options.log.durableLogStartOffset);
  }

  #check({ bytes }: SlotBatches): ValidatedBatches | Failure {
    return validateBatches(bytes, {
      origin: 'replica',
      inspectRecords: false,
      maxBatchBytes: MAX_APPEND_BATCH_BYTES,
      maxInflatedBytes: MAX_APPEND_BATCH_BYTES,
      codecs: this.#options.codecs,
    });
  }

  #append(bytes: Uint8Array, { batches }: ValidatedBatches, done: () => void): void {
    const { log, context } = this.#options;
    const startedMs = context.clock.monotonicMs();
    const appended = log.append(bytes, batches, {
      leaderEpoch: this.#machine.leaderEpoch,
      origin: 'follower',
      // Nobody touches the message again. Where the bytes are a small part of it, a copy costs less than the whole kept alive.
      handOver: bytes.byteLength * 2 >= bytes.buffer.byteLength,
    });
    if (!appended.ok) {
      done();
      this.#refusal = appended;
      if (appended.error !== 'THROTTLING_QUOTA_EXCEEDED' && appended.error !== 'REPLICA_NOT_AVAILABLE') {
        this.#report(appended);
      }
      this.#do(this.#machine.appendFailed(context.clock.monotonicMs()));
      return;
    }
    const written = (): void => {
      done();
      const durationMs = context.clock.monotonicMs() - startedMs;
      context.observer?.followed(log.name, this.leader, bytes.length, durationMs);
    };
    appended.written.then(written, (cause: unknown) => {
      done();
      this.#refusal = refusalOf(cause);
      if (!this.#isOver) this.#do(this.#machine.appendFailed(context.clock.monotonicMs()));
    });
  }

  #do(step: FollowerStep): void {
    if (this.#isOver) return;
    const { log, topicId, index } = this.#options;
    switch (step.type) {
      case 'none':
      case 'append':
      case 'startInside':
        return;
      case 'ask':
        this.#end.subscribe(this, {
          topicId,
          partition: index,
          acknowledgeableEnd: least(log.acknowledgeableEndOffset, step.position.fetchOffset),
          logStartOffset: log.durableLogStartOffset,
          position: step.position,
        });
        return;
      case 'wait':
        this.#end.unsubscribe(this);
        if (step.failure !== undefined) this.#refusal = step.failure;
        this.#waitUntil(step.untilMs);
        return;
      case 'truncate':
        this.#cut(step.to, step.losesCommitted, () => log.truncateTo(step.to));
        return;
      case 'startAnew':
        this.#cut(step.to, step.losesCommitted, () => log.truncateFullyAndStartAt(step.to));
        return;
    }
  }

  /** The batches are kept meanwhile: a log that is empty could not tell later where the first of them begins. */
  #startInside(
    firstBatchOffset: Offset,
    bytes: Uint8Array,
    checked: ValidatedBatches,
    done: () => void,
  ): void {
    const { log } = this.#options;
    const { logStartOffset } = log;
    const work = (): Promise<unknown> => log.truncateFullyAndStartAt(logStartOffset, firstBatchOffset);
    const cut = (): void => {
      this.#machine.truncated(log);
      if (this.#isOver) {
        done();
        return;
      }
      this.#append(bytes, checked, done);
      this.#do(this.#machine.askAgain(log));
    };
    this.#cut(logStartOffset, false, work, cut, done);
  }

  #waitUntil(untilMs: number): void {
    this.#timer?.cancel();
    if (untilMs === Infinity) return;
    const { clock } = this.#options.context;
    this.#timer = clock.setTimer(Math.max(0, Math.ceil(untilMs - clock.monotonicMs())), () => {
      if (!this.#isOver) this.#do(this.#machine.resume(this.#options.log, clock.monotonicMs()));
    });
  }

  #cut(
    to: Offset,
    losesCommitted: boolean,
    work: () => Promise<unknown>,
    cut = (): void => this.#do(this.#machine.truncated(this.#options.log)),
    failed = (): void => undefined,
  ): void {
    const { log, context } = this.#options;
    this.#end.unsubscribe(this);
    if (losesCommitted) {
      const message = `An unclean election lost what was committed: ${log.name} is cut at ${to}, below its high watermark.`;
      context.onError(new TidemarkError('KAFKA_STORAGE_ERROR', message), `following broker ${this.leader}`);
    }
    work().then(cut, (cause: unknown) => {
      failed();
      if (saysDiskFull(cause)) this.#cutLater(cause);
      else this.#failed(cause, 'cutting the log');
    });
  }

  /** Nothing was cut, for want of room to note that it would be. Asked again the leader says the same. */
  #cutLater(cause: unknown): void {
    if (this.#isOver) return;
    const { log, context } = this.#options;
    this.#refusal = refusalOf(cause);
    this.#timer?.cancel();
    this.#timer = context.clock.setTimer(context.settings.backoffMs, () => {
      this.#do(this.#machine.truncated(log));
    });
  }

  #report(refused: Failure): void {
    const { context, log } = this.#options;
    this.#refusal = refused;
    const what = `${log.name}: what broker ${this.leader} sent was not appended. ${refused.message}`;
    context.onError(new TidemarkError(refused.error, what), 'following a leader');
  }

  /** The disk: its folder is offline by now, and the process ends. Anything else is a bug. */
  #failed(cause: unknown, doing: string): void {
    this.#refusal = refusalOf(cause);
    this.#options.context.onError(cause, `${doing} of ${this.#options.log.name}`);
  }
}

const least = (one: Offset, other: Offset): Offset => (one < other ? one : other);

function refusalOf(cause: unknown): Failure {
  if (cause instanceof TidemarkError) return failure(cause.error, cause.detail);
  return failure('KAFKA_STORAGE_ERROR', String(cause));
}
