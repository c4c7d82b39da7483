// One partition while this broker leads it, for one leader epoch: how far each follower is, who is in sync, and up to where records
// are committed. Facts go in, each with the time; out come a higher high watermark and proposals for the controller.
//
// Contract: everything below the high watermark is held for good by every member of the maximal ISR. It never goes back, and stands
// still while the committed ISR is below min.insync.replicas or the leader is cut off from the controller.

import {
  failure,
  invariant,
  type BrokerEpoch,
  type BrokerId,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type PartitionEpoch,
} from '@tidemark/core';
import { checkLeaderEpoch, decidePosition, type FetchAsk, type FetchDecision } from './fetch-decision.ts';
import { FollowerProgress } from './follower-progress.ts';
import { IsrState, type IsrProposal, type ProposalOutcome, type ProposedMember } from './isr-state.ts';
import type { BrokerLookup, LeaderLog, LeaderSettings, PartitionView } from './partition-view.ts';

/** A follower holds more for good than it did. */
export interface Acknowledgement {
  readonly broker: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
  /** In which its position was accepted. */
  readonly leaderEpoch: LeaderEpoch;
  readonly endOffset: Offset;
}

/** A follower has deleted what is below. */
export interface LogStartNotice extends Omit<Acknowledgement, 'endOffset'> {
  readonly logStartOffset: Offset;
}

/** What came of an input. */
export interface LeaderOutput {
  readonly highWatermarkMoved: boolean;
  /** To be sent to the controller, once; its outcome, whatever it is, goes to `alterPartitionAnswered`. */
  readonly proposal: IsrProposal | undefined;
}

export interface PartitionLeaderOptions {
  readonly self: BrokerId;
  /** Of this incarnation of this broker. */
  readonly brokerEpoch: BrokerEpoch;
  readonly view: PartitionView;
  readonly brokers: BrokerLookup;
  readonly settings: LeaderSettings;
  /** The end of the log, where this epoch begins. Nothing is queued to be written: a failed write would move it. */
  readonly epochStartOffset: Offset;
  readonly acknowledgeableEndOffset: Offset;
  readonly logStartOffset: Offset;
  /** What this replica knew to be committed when it was a follower, or before its restart; not below the log's start. */
  readonly highWatermark: Offset;
  readonly nowMs: number;
}

/** How a follower stands, for people. */
export interface FollowerStatus {
  readonly broker: BrokerId;
  /** -1 when not known. */
  readonly logEndOffset: number;
  /** -1 when not known. */
  readonly acknowledgedOffset: number;
  readonly isInSync: boolean;
  /** 0 when it has everything; Infinity when it never had. */
  readonly lagMs: number;
}

const NOTHING: LeaderOutput = { highWatermarkMoved: false, proposal: undefined };
const MOVED: LeaderOutput = { highWatermarkMoved: true, proposal: undefined };

/** A follower that is this part of replica.lag.time.max.ms behind, or less, is waited for so that it can become in sync. */
const JOINING_LAG_DIVISOR = 10;

export class PartitionLeader {
  readonly leaderEpoch: LeaderEpoch;
  /** Nothing before this leadership was appended above it. */
  readonly epochStartOffset: Offset;
  readonly #self: BrokerId;
  readonly #brokerEpoch: BrokerEpoch;
  readonly #isr: IsrState;
  #settings: LeaderSettings;
  #followers: readonly FollowerProgress[];
  #logEndOffset: Offset;
  #acknowledgeable: Offset;
  #highWatermark: Offset;
  /** Records below it are deleted, and somebody may have been told so: who still has them does not become in sync. */
  #deletedBefore: Offset;
  #isIsolated = false;

  constructor(options: PartitionLeaderOptions) {
    const { self, view, brokers, epochStartOffset, acknowledgeableEndOffset, highWatermark, nowMs } = options;
    this.#self = self;
    this.#brokerEpoch = options.brokerEpoch;
    this.leaderEpoch = view.leaderEpoch;
    this.epochStartOffset = epochStartOffset;
    this.#isr = new IsrState(view);
    this.#settings = options.settings;
    this.#logEndOffset = epochStartOffset;
    this.#acknowledgeable = acknowledgeableEndOffset;
    this.#highWatermark = Math.min(highWatermark, acknowledgeableEndOffset) as Offset;
    this.#deletedBefore = options.logStartOffset;
    this.#followers = [];
    this.#meet(view, brokers, nowMs);
  }

  /** Records below it are committed. */
  get highWatermark(): Offset {
    return this.#highWatermark;
  }

  /**
   * Whether the high watermark is no lower than one of earlier leaders: until then the end of what is committed is not known
   * (KIP-207, OFFSET_NOT_AVAILABLE).
   */
  get isHighWatermarkKnown(): boolean {
    return this.#highWatermark >= this.epochStartOffset;
  }

  /** As the controller has it, for all this leader knows. */
  get inSyncReplicas(): readonly BrokerId[] {
    return this.#isr.committed;
  }

  get partitionEpoch(): PartitionEpoch {
    return this.#isr.partitionEpoch;
  }

  /** Everything written ends here. */
  appended(logEndOffset: Offset, nowMs: number): void {
    const previous = this.#logEndOffset;
    if (logEndOffset <= previous) return;
    this.#logEndOffset = logEndOffset;
    for (const follower of this.#followers) follower.leaderAppended(previous, logEndOffset, nowMs);
  }

  /** This replica holds everything below `endOffset` for good. */
  acknowledgeable(endOffset: Offset, nowMs: number): LeaderOutput {
    if (endOffset > this.#acknowledgeable) this.#acknowledgeable = endOffset;
    return this.#advance(nowMs) ? MOVED : NOTHING;
  }

  /** A follower wants to go on from its position. Only one that can is taken note of. */
  followerAsked(
    ask: FetchAsk,
    log: LeaderLog,
    nowMs: number,
  ): { readonly decision: FetchDecision; readonly output: LeaderOutput } {
    const follower = this.#followerOf(ask);
    if (!(follower instanceof FollowerProgress)) {
      return { decision: { type: 'refused', failure: follower }, output: NOTHING };
    }
    const decision = decidePosition(ask, log);
    if (decision.type !== 'accepted') return { decision, output: NOTHING };
    const { brokerEpoch, fetchOffset, acknowledgeableEnd, logStartOffset } = ask;
    follower.asked(brokerEpoch, fetchOffset, acknowledgeableEnd, logStartOffset, this.#logEndOffset, nowMs);
    return { decision, output: this.#progressed(follower, nowMs) };
  }

  /** From a follower whose position was accepted. Of any other, and of one that claims too much, nothing is taken. */
  followerAcknowledged(acknowledgement: Acknowledgement, nowMs: number): LeaderOutput {
    const follower = this.#followerOf(acknowledgement);
    if (!(follower instanceof FollowerProgress)) return NOTHING;
    const { brokerEpoch, endOffset } = acknowledgement;
    if (follower.brokerEpoch !== brokerEpoch || endOffset > this.#logEndOffset) return NOTHING;
    follower.acknowledged(endOffset, this.#logEndOffset, nowMs);
    return this.#progressed(follower, nowMs);
  }

  /** From a follower whose position was accepted; of any other nothing is taken. */
  followerLogStartMoved(notice: LogStartNotice, nowMs: number): LeaderOutput {
    const follower = this.#followerOf(notice);
    if (!(follower instanceof FollowerProgress)) return NOTHING;
    const { brokerEpoch, logStartOffset } = notice;
    if (follower.brokerEpoch !== brokerEpoch || logStartOffset <= follower.logStartOffset) return NOTHING;
    follower.logStartOffset = logStartOffset;
    return this.#progressed(follower, nowMs);
  }

  /** Records below `offset` were asked to be deleted, and are here. From now on nobody becomes in sync who still has them. */
  deletedBefore(offset: Offset): void {
    if (offset > this.#deletedBefore) this.#deletedBefore = offset;
  }

  /**
   * Whether whoever may lead next has deleted the records below `offset`, so that none can bring them back: every in-sync replica has,
   * and there are enough of them that nobody who has left them is eligible still (KIP-966).
   */
  isDeletedBefore(offset: Offset): boolean {
    if (!this.#hasEnough()) return false;
    return this.#followers.every(
      ({ id, logStartOffset }) => logStartOffset >= offset || !this.#isr.holdsBack(id),
    );
  }

  /** Who lags goes, who is waited for too long is not waited for, what is unanswered is asked again. */
  tick(nowMs: number): LeaderOutput {
    return this.#output(nowMs);
  }

  /** When `tick` has something to do; Infinity: not because of the time. */
  nextDeadlineMs(nowMs: number): number {
    let deadlineMs = Infinity;
    const consider = (atMs: number): void => {
      if (atMs > nowMs && atMs < deadlineMs) deadlineMs = atMs;
    };
    consider(this.#isr.nextSendMs);
    const maxMs = this.#settings.replicaLagTimeMaxMs;
    for (const follower of this.#followers) {
      const sinceMs = follower.lagsSinceMs(this.#logEndOffset);
      if (sinceMs === Infinity) continue;
      if (this.#isr.isCommitted(follower.id)) consider(sinceMs + maxMs + 1);
      else consider(sinceMs + Math.floor(maxMs / JOINING_LAG_DIVISOR) + 1);
    }
    return deadlineMs;
  }

  /** The metadata of this leader epoch, of the brokers with replicas, or the settings have changed. What is older is not taken. */
  metadataChanged(
    view: PartitionView,
    brokers: BrokerLookup,
    settings: LeaderSettings,
    nowMs: number,
  ): LeaderOutput {
    invariant(view.leaderEpoch === this.leaderEpoch, 'every leader epoch has a leader of its own', {
      epoch: view.leaderEpoch,
      own: this.leaderEpoch,
    });
    this.#settings = settings;
    this.#isr.shown(view);
    this.#meet(view, brokers, nowMs);
    return this.#output(nowMs);
  }

  /** What became of a proposal. An `ok` counts once it is committed. */
  alterPartitionAnswered(proposal: IsrProposal, outcome: ProposalOutcome, nowMs: number): LeaderOutput {
    this.#isr.answered(proposal, outcome, this.leaderEpoch, nowMs);
    return this.#output(nowMs);
  }

  /**
   * True while the controller has not been heard for longer than the session: somebody else may lead by now, so nothing is taken
   * and nothing acknowledged (rule 10).
   */
  setIsolated(isIsolated: boolean, nowMs: number): LeaderOutput {
    this.#isIsolated = isIsolated;
    return this.#output(nowMs);
  }

  /** Why nothing can be appended with these acks (rules 6 and 10); undefined when it can. */
  checkAppend(acks: 'all' | 'leader' | 'none'): Failure | undefined {
    if (this.#isIsolated) {
      return failure(
        'NOT_LEADER_OR_FOLLOWER',
        'This leader has lost the controller; another may lead by now.',
      );
    }
    if (acks !== 'all' || this.#hasEnough()) return undefined;
    return failure('NOT_ENOUGH_REPLICAS', this.#shortfall());
  }

  /** Asked when the high watermark has passed an append with acks=all: its outcome is not known if too few are in sync by then. */
  checkCommitted(): Failure | undefined {
    return this.#hasEnough() ? undefined : failure('NOT_ENOUGH_REPLICAS_AFTER_APPEND', this.#shortfall());
  }

  followers(nowMs: number): readonly FollowerStatus[] {
    return this.#followers.map((follower) => {
      const sinceMs = follower.lagsSinceMs(this.#logEndOffset);
      return {
        broker: follower.id,
        logEndOffset: follower.logEndOffset,
        acknowledgedOffset: follower.acknowledgedOffset,
        isInSync: this.#isr.isCommitted(follower.id),
        lagMs: sinceMs === Infinity ? 0 : nowMs - sinceMs,
      };
    });
  }

  #followerOf({
    broker,
    brokerEpoch,
    leaderEpoch,
  }: {
    readonly broker: BrokerId;
    readonly brokerEpoch: BrokerEpoch;
    readonly leaderEpoch: LeaderEpoch;
  }): FollowerProgress | Failure {
    const fenced = checkLeaderEpoch(leaderEpoch, this.leaderEpoch);
    if (fenced !== undefined) return fenced;
    const follower = this.#followers.find(({ id }) => id === broker);
    if (follower === undefined) {
      return failure(
        'NOT_LEADER_OR_FOLLOWER',
        `Broker ${broker} has no replica of the partition, as far as is known here.`,
      );
    }
    const known = Math.max(follower.registeredEpoch, follower.brokerEpoch);
    if (brokerEpoch >= known) return follower;
    return failure('STALE_BROKER_EPOCH', `Broker ${broker} has epoch ${known}; this is from ${brokerEpoch}.`);
  }

  #progressed(follower: FollowerProgress, nowMs: number): LeaderOutput {
    // The usual case: it is in sync, and nothing can come of its progress but a higher high watermark.
    if (this.#isr.isMaximal(follower.id)) return this.#advance(nowMs) ? MOVED : NOTHING;
    return this.#output(nowMs);
  }

  #output(nowMs: number): LeaderOutput {
    // In this order: who becomes in sync with the present high watermark holds back the next one.
    this.#reconsider(nowMs);
    const proposal = this.#isr.takeProposal(nowMs);
    const highWatermarkMoved = this.#advance(nowMs);
    if (proposal !== undefined) return { highWatermarkMoved, proposal };
    return highWatermarkMoved ? MOVED : NOTHING;
  }

  /** Takes note of the replicas there are, and of their brokers. */
  #meet({ replicas, isr }: PartitionView, brokers: BrokerLookup, nowMs: number): void {
    const ids = replicas.filter((id) => id !== this.#self);
    const known = this.#followers;
    if (known.length !== ids.length || !known.every(({ id }, at) => id === ids[at])) {
      this.#followers = ids.map(
        (id) =>
          known.find((follower) => follower.id === id) ??
          new FollowerProgress(id, isr.includes(id), this.#logEndOffset, nowMs),
      );
    }
    for (const follower of this.#followers) follower.registered(brokers(follower.id));
  }

  /** Makes a proposal if the in-sync replicas should be others, or the controller waits for one. */
  #reconsider(nowMs: number): void {
    if (!this.#isr.mayPropose(nowMs)) return;
    const members: ProposedMember[] = [{ brokerId: this.#self, brokerEpoch: this.#brokerEpoch }];
    let isChanged = this.#isr.isRecovering;
    for (const follower of this.#followers) {
      const { id, registeredEpoch } = follower;
      const isMember = this.#isr.isCommitted(id);
      const isLagging = nowMs - follower.lagsSinceMs(this.#logEndOffset) > this.#settings.replicaLagTimeMaxMs;
      const stays = isMember ? !isLagging : !isLagging && this.#mayJoin(follower);
      if (stays !== isMember) isChanged = true;
      if (!stays) continue;
      // The controller is taking it out; no proposal with it is accepted before.
      if (!follower.isActive) return;
      members.push({ brokerId: id, brokerEpoch: registeredEpoch as BrokerEpoch });
    }
    if (isChanged) this.#isr.propose(members, this.leaderEpoch);
  }

  /**
   * It has everything that is committed: up to the high watermark, and up to where this epoch begins, since earlier leaders may
   * have committed that far before this one knew (rule 5). And it has nothing of what was deleted.
   */
  #mayJoin({ isEligible, acknowledgedOffset, logStartOffset }: FollowerProgress): boolean {
    return (
      isEligible &&
      acknowledgedOffset >= this.#highWatermark &&
      acknowledgedOffset >= this.epochStartOffset &&
      logStartOffset >= this.#deletedBefore
    );
  }

  /** Rule 4; Kafka's maybeIncrementLeaderHW. */
  #advance(nowMs: number): boolean {
    if (this.#isIsolated || !this.#hasEnough()) return false;
    let end: number = this.#acknowledgeable;
    for (const follower of this.#followers) {
      const { acknowledgedOffset, id } = follower;
      if (acknowledgedOffset >= end) continue;
      const isInSync = this.#isr.holdsBack(id);
      if (isInSync || this.#isWaitedFor(follower, nowMs)) end = acknowledgedOffset;
    }
    if (end <= this.#highWatermark) return false;
    this.#highWatermark = end as Offset;
    return true;
  }

  /** Almost there: without waiting for it a busy leader's high watermark would stay ahead of it for ever. */
  #isWaitedFor(follower: FollowerProgress, nowMs: number): boolean {
    const limitMs = this.#settings.replicaLagTimeMaxMs / JOINING_LAG_DIVISOR;
    return follower.isEligible && nowMs - follower.lagsSinceMs(this.#logEndOffset) <= limitMs;
  }

  #hasEnough(): boolean {
    return this.#isr.committed.length >= this.#settings.minInsyncReplicas;
  }

  #shortfall(): string {
    const { committed } = this.#isr;
    return `${committed.length} replicas are in sync and min.insync.replicas is ${this.#settings.minInsyncReplicas}`;
  }
}
