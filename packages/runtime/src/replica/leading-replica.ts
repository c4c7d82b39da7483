// A replica while it leads, for one leader epoch: the pure leader, fed by the log and by the followers' sessions, and what it says
// carried out. Contract: made when the log is quiet; `end` is its last call, after which nothing comes of it.

import {
  failure,
  type BrokerId,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type TopicId,
} from '@tidemark/core';
import type { PartitionImage } from '@tidemark/controller';
import type { PartitionLog, ReadResult } from '@tidemark/log';
import {
  PartitionLeader,
  type Acknowledgement,
  type FetchAsk,
  type FetchDecision,
  type FollowerStatus,
  type IsrProposal,
  type LeaderOutput,
  type LeaderSettings,
  type LogStartNotice,
  type ProposalOutcome,
  type Standing,
} from '@tidemark/replication';
import type { Proposer } from './isr-proposals.ts';
import type { LeaderEnd } from './leader-end.ts';
import type { ReplicaContext } from './replica-context.ts';
import type { Ticking } from './replica-ticker.ts';

export interface LeadingReplicaOptions {
  readonly context: ReplicaContext;
  readonly topicId: TopicId;
  readonly index: PartitionIndex;
  readonly image: PartitionImage;
  readonly log: PartitionLog;
  readonly settings: LeaderSettings;
  /** Known to be committed before this epoch. */
  readonly highWatermark: Offset;
  /** `leader.replication.throttled.replicas` names it. */
  readonly isThrottled: () => boolean;
  /** The high watermark is above what it was. */
  readonly onHighWatermark: (from: Offset) => void;
  /** Too few replicas are in sync, and were enough before: nothing is committed until they are again. */
  readonly onShortfall: (why: Failure) => void;
  /** The controller is lost, or found again: `isIsolated` is another. */
  readonly onIsolation: () => void;
}

interface DeletionWaiter {
  readonly before: Offset;
  readonly done: (failed: Failure | undefined) => void;
}

export class LeadingReplica implements Proposer, Ticking {
  readonly role = 'leader';
  readonly topicId: TopicId;
  readonly index: PartitionIndex;
  readonly #context: ReplicaContext;
  readonly #log: PartitionLog;
  readonly #machine: PartitionLeader;
  readonly #isThrottled: () => boolean;
  readonly #onHighWatermark: (from: Offset) => void;
  readonly #onShortfall: (why: Failure) => void;
  readonly #onIsolation: () => void;
  /** The sessions that serve this partition to followers. */
  readonly #ends = new Set<LeaderEnd>();
  readonly #stopListening: (() => void)[] = [];
  #deletions: readonly DeletionWaiter[] = [];
  #toldHighWatermark: Offset;
  #isIsolated = false;
  #isShort = false;
  #isRestless = false;
  #isOver = false;

  constructor(options: LeadingReplicaOptions) {
    const { context, image, log, highWatermark } = options;
    this.topicId = options.topicId;
    this.index = options.index;
    this.#context = context;
    this.#log = log;
    this.#isThrottled = options.isThrottled;
    this.#onHighWatermark = options.onHighWatermark;
    this.#onShortfall = options.onShortfall;
    this.#onIsolation = options.onIsolation;
    log.assignLeaderEpoch(image.leaderEpoch);
    this.#machine = new PartitionLeader({
      self: context.self,
      brokerEpoch: context.brokerEpoch,
      view: image,
      brokers: context.brokers,
      settings: options.settings,
      epochStartOffset: log.nextOffset,
      acknowledgeableEndOffset: log.acknowledgeableEndOffset,
      logStartOffset: log.logStartOffset,
      highWatermark,
      nowMs: context.clock.monotonicMs(),
    });
    this.#toldHighWatermark = this.#machine.highWatermark;
  }

  /** After the constructor, once: from now on it acts. */
  begin(): void {
    const { clock } = this.#context;
    this.#stopListening.push(
      this.#log.onWritten((end) => {
        this.#machine.appended(end, clock.monotonicMs());
        this.#tellFollowers();
        this.#rest();
      }),
      this.#log.onAcknowledgeable((end) => {
        const nowMs = clock.monotonicMs();
        this.#act(() => this.#machine.acknowledgeable(end, nowMs));
      }),
    );
    this.#act(() => this.#machine.tick(clock.monotonicMs()));
  }

  /** It leads no more. Those who follow it here are told by the metadata. */
  end(answer: Failure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const stop of this.#stopListening) stop();
    this.#context.ticker.unwatch(this);
    for (const end of this.#ends) end.ended(this, answer);
    this.#ends.clear();
    for (const { done } of this.#deletions) done(this.#overBeforeDeleted);
    this.#deletions = [];
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get leaderEpoch(): LeaderEpoch {
    return this.#machine.leaderEpoch;
  }

  get highWatermark(): Offset {
    return this.#machine.highWatermark;
  }

  get isHighWatermarkKnown(): boolean {
    return this.#machine.isHighWatermarkKnown;
  }

  get epochStartOffset(): Offset {
    return this.#machine.epochStartOffset;
  }

  get inSyncReplicas(): readonly BrokerId[] {
    return this.#machine.inSyncReplicas;
  }

  get isIsolated(): boolean {
    this.lookIsolated();
    return this.#isIsolated;
  }

  followers(): readonly FollowerStatus[] {
    return this.#machine.followers(this.#context.clock.monotonicMs());
  }

  checkAppend(acks: 'all' | 'leader' | 'none'): Failure | undefined {
    this.lookIsolated();
    return this.#machine.checkAppend(acks);
  }

  checkCommitted(): Failure | undefined {
    return this.#machine.checkCommitted();
  }

  /** The image of the partition, a broker of it, or the settings are others. */
  metadataChanged(image: PartitionImage, settings: LeaderSettings): void {
    const nowMs = this.#context.clock.monotonicMs();
    this.#act(() => this.#machine.metadataChanged(image, this.#context.brokers, settings, nowMs));
  }

  alterPartitionAnswered(proposal: IsrProposal, outcome: ProposalOutcome): void {
    const nowMs = this.#context.clock.monotonicMs();
    this.#act(() => this.#machine.alterPartitionAnswered(proposal, outcome, nowMs));
  }

  /** Somebody wants to follow; when the position is right `end` serves it from now on. */
  followerAsked(ask: FetchAsk): FetchDecision {
    this.lookIsolated();
    const { decision, output } = this.#machine.followerAsked(
      ask,
      this.#log,
      this.#context.clock.monotonicMs(),
    );
    this.#act(() => output);
    return decision;
  }

  followerAcknowledged(acknowledgement: Acknowledgement): void {
    const nowMs = this.#context.clock.monotonicMs();
    this.#act(() => this.#machine.followerAcknowledged(acknowledgement, nowMs));
  }

  followerLogStartMoved(notice: LogStartNotice): void {
    const nowMs = this.#context.clock.monotonicMs();
    this.#act(() => this.#machine.followerLogStartMoved(notice, nowMs));
  }

  /**
   * Resolves when no in-sync replica has records below `before` any more, which are deleted here; or with why that will not be told.
   * Who gives up calls `cancel`.
   */
  whenDeleted(before: Offset): {
    readonly deleted: Promise<Failure | undefined>;
    readonly cancel: () => void;
  } {
    let cancel = (): void => undefined;
    if (this.#isOver) return { deleted: Promise.resolve(this.#overBeforeDeleted), cancel };
    this.#machine.deletedBefore(before);
    const deleted = new Promise<Failure | undefined>((done) => {
      const waiter = { before, done };
      this.#deletions = [...this.#deletions, waiter];
      cancel = () => {
        this.#deletions = this.#deletions.filter((each) => each !== waiter);
      };
    });
    this.#settleDeletions();
    return { deleted, cancel };
  }

  servedBy(end: LeaderEnd): void {
    this.#ends.add(end);
  }

  notServedBy(end: LeaderEnd): void {
    this.#ends.delete(end);
  }

  get standing(): Standing {
    const { logEndOffset, logStartOffset } = this.#log;
    return { logEndOffset, logStartOffset, highWatermark: this.#machine.highWatermark };
  }

  /** Whether what goes to this follower counts against the quota: it is throttled, and not in sync. */
  isThrottledFor(follower: BrokerId): boolean {
    return this.#isThrottled() && !this.#machine.inSyncReplicas.includes(follower);
  }

  /** For a follower: all that is written. */
  read(offset: Offset, maxBytes: number): ReadResult | Promise<ReadResult> {
    return this.#log.read(offset, { maxBytes, upTo: this.#log.logEndOffset, atLeastOne: true });
  }

  get logStartOffset(): Offset {
    return this.#log.logStartOffset;
  }

  get logEndOffset(): Offset {
    return this.#log.logEndOffset;
  }

  logStartMoved(): void {
    this.#tellFollowers();
  }

  tick(nowMs: number): boolean {
    if (this.#isOver) return false;
    this.#act(() => this.#machine.tick(nowMs));
    this.#isRestless = this.#machine.nextDeadlineMs(nowMs) !== Infinity;
    return this.#isRestless;
  }

  /** A lost controller, or one found again, is noticed at the latest when something would be acknowledged. */
  lookIsolated(): void {
    const isIsolated = this.#context.isIsolated();
    if (isIsolated === this.#isIsolated || this.#isOver) return;
    this.#isIsolated = isIsolated;
    this.#carryOut(() => this.#machine.setIsolated(isIsolated, this.#context.clock.monotonicMs()));
    this.#onIsolation();
  }

  #act(input: () => LeaderOutput): void {
    if (this.#isOver) return;
    this.lookIsolated();
    this.#carryOut(input);
    this.#rest();
  }

  #carryOut(input: () => LeaderOutput): void {
    const { proposal } = input();
    if (proposal !== undefined) this.#context.proposals.propose(this, proposal);
    this.#settleDeletions();
    const shortfall = this.#machine.checkCommitted();
    const wasShort = this.#isShort;
    this.#isShort = shortfall !== undefined;
    if (shortfall !== undefined && !wasShort) this.#onShortfall(shortfall);
    const from = this.#toldHighWatermark;
    if (this.#machine.highWatermark === from) return;
    this.#toldHighWatermark = this.#machine.highWatermark;
    this.#tellFollowers();
    this.#onHighWatermark(from);
  }

  /** The next leader may have the records still. */
  get #overBeforeDeleted(): Failure {
    const message = `the leader of ${this.#log.name} changed before every in-sync replica had deleted the records: delete them again`;
    return failure('NOT_LEADER_OR_FOLLOWER', message);
  }

  #settleDeletions(): void {
    if (this.#deletions.length === 0) return;
    const settled = this.#deletions.filter(({ before }) => this.#machine.isDeletedBefore(before));
    if (settled.length === 0) return;
    this.#deletions = this.#deletions.filter((each) => !settled.includes(each));
    for (const { done } of settled) done(undefined);
  }

  #tellFollowers(): void {
    if (this.#ends.size === 0) return;
    const { standing } = this;
    for (const end of this.#ends) end.advanced(this, standing);
  }

  #rest(): void {
    if (this.#isRestless || this.#isOver) return;
    if (this.#machine.nextDeadlineMs(this.#context.clock.monotonicMs()) === Infinity) return;
    this.#isRestless = true;
    this.#context.ticker.watch(this);
  }
}
