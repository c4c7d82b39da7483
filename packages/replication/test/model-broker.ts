// One broker of the model: its disk, which survives crashes as far as it was synced, and its process, which does not. It keeps the
// machines as a runtime does: a new one for each leader epoch, truncations that take time, batches sent on request and unasked.

import { ModelController } from './model-controller.ts';
import type { MetadataImage } from '@tidemark/controller';
import { invariant, type BrokerEpoch, type BrokerId, type LeaderEpoch, type Offset } from '@tidemark/core';
import {
  PartitionFollower,
  PartitionLeader,
  type Acknowledgement,
  type AskedPosition,
  type FetchAnswer,
  type FetchAsk,
  type FollowerStep,
  type IsrProposal,
  type LeaderOutput,
  type LogStartNotice,
  type ProposalOutcome,
} from '@tidemark/replication';
import { EpochLog, type EpochRecord } from './epoch-log.ts';

export const LAG_MS = 1000;
const BACKOFF_MS = 50;

/** As a session is, an answer is of one incarnation of the follower. */
type Asked = FetchAsk & AskedPosition;

export type ModelMessage =
  | {
      readonly type: 'ask';
      readonly from: number;
      readonly to: number;
      readonly ask: FetchAsk & AskedPosition;
    }
  | { readonly type: 'ack'; readonly from: number; readonly to: number; readonly ack: Acknowledgement }
  | { readonly type: 'deleted'; readonly from: number; readonly to: number; readonly notice: LogStartNotice }
  | {
      readonly type: 'answer';
      readonly from: number;
      readonly to: number;
      readonly asked: Asked;
      readonly answer: FetchAnswer;
      readonly records: readonly EpochRecord[];
    };

/** What the broker does to the world. */
export interface ModelWorld {
  readonly nowMs: number;
  /** Under flush.policy=ack only what is synced is acknowledged; under os all that is written. */
  readonly isFlushed: boolean;
  send(message: ModelMessage): void;
  propose(broker: ModelBroker, proposal: IsrProposal): void;
  led(broker: ModelBroker, epoch: number): void;
  /** The high watermark of a leader moved. */
  advanced(broker: ModelBroker, leader: PartitionLeader): void;
  /** It has no replica any more. */
  dropped(broker: ModelBroker): void;
  truncating(broker: ModelBroker, to: number, losesCommitted: boolean): void;
}

export class ModelBroker {
  readonly id: number;
  log = new EpochLog();
  syncedEnd = 0;
  checkpointedHw = 0;
  /** Of the process; undefined while there is none. */
  brokerEpoch: BrokerEpoch | undefined;
  /** How many of the controller's images it has. */
  applied = 0;
  leader: PartitionLeader | undefined;
  follower: PartitionFollower | undefined;
  followed = -1;
  /** It crashed and lost what it may have acknowledged, and no incarnation has registered since. */
  isDamaged = false;
  isIsolated = false;
  hw = 0;
  readonly #world: ModelWorld;
  #truncation: Extract<FollowerStep, { readonly type: 'truncate' | 'startAnew' }> | undefined;
  /** As leader: where each follower was accepted, and what was sent to it last. */
  readonly #pushes = new Map<number, { readonly asked: Asked; next: number }>();

  constructor(id: number, world: ModelWorld) {
    this.id = id;
    this.#world = world;
  }

  get isTruncating(): boolean {
    return this.#truncation !== undefined;
  }

  get acknowledgeable(): Offset {
    return (this.#world.isFlushed ? this.syncedEnd : this.log.logEndOffset) as Offset;
  }

  apply(image: MetadataImage): void {
    invariant(!this.isTruncating, 'a truncation ends before the next metadata is looked at');
    const partition = ModelController.partitionOf(image);
    if (partition === undefined || image.broker(this.id)?.epoch !== this.brokerEpoch) return;
    if (!partition.replicas.includes(this.id as BrokerId)) {
      this.#drop();
      return;
    }
    const { nowMs } = this.#world;
    const minInsyncReplicas = ModelController.minInsyncReplicasOf(image);
    const settings = { minInsyncReplicas, replicaLagTimeMaxMs: LAG_MS };
    const brokers = (id: BrokerId) => image.broker(id);
    const epoch = partition.leaderEpoch;
    if (partition.leader === this.id) {
      if (this.leader?.leaderEpoch === epoch) {
        this.take(this.leader.metadataChanged(partition, brokers, settings, nowMs));
        return;
      }
      this.#resign();
      this.#world.led(this, epoch);
      this.log.assignLeaderEpoch(epoch);
      this.leader = new PartitionLeader({
        self: this.id as BrokerId,
        brokerEpoch: this.brokerEpoch!,
        view: partition,
        brokers,
        settings,
        epochStartOffset: this.log.logEndOffset,
        acknowledgeableEndOffset: this.acknowledgeable,
        logStartOffset: this.log.logStartOffset,
        highWatermark: this.hw as Offset,
        nowMs,
      });
      this.take(this.leader.setIsolated(this.isIsolated, nowMs));
      return;
    }
    if (partition.leader === -1) {
      this.#resign();
    } else if (this.follower?.leaderEpoch !== epoch) {
      this.#resign();
      this.followed = partition.leader;
      this.follower = new PartitionFollower({
        leaderEpoch: epoch,
        highWatermark: this.hw as Offset,
        backoffMs: BACKOFF_MS,
      });
      this.#do(this.follower.begin(this.log));
    }
  }

  produce(value: number): number {
    this.log.push({ epoch: this.leader!.leaderEpoch, value });
    this.leader!.appended(this.log.logEndOffset, this.#world.nowMs);
    this.acknowledged();
    return this.log.logEndOffset;
  }

  sync(end: number): void {
    this.syncedEnd = Math.max(this.syncedEnd, end);
    this.acknowledged();
  }

  /** The acknowledgeable end may have moved. */
  acknowledged(): void {
    const endOffset = this.acknowledgeable;
    if (this.leader !== undefined) this.take(this.leader.acknowledgeable(endOffset, this.#world.nowMs));
    if (this.follower === undefined) return;
    this.#advanceFollower();
    if (this.follower.state !== 'fetching') return;
    const { leaderEpoch } = this.follower;
    const ack = { broker: this.id as BrokerId, brokerEpoch: this.brokerEpoch!, leaderEpoch, endOffset };
    this.#world.send({ type: 'ack', from: this.id, to: this.followed, ack });
  }

  tick(): void {
    const { nowMs } = this.#world;
    if (this.leader !== undefined) this.take(this.leader.tick(nowMs));
    if (this.follower !== undefined) this.#do(this.follower.resume(this.log, nowMs));
  }

  /** As after a broken connection. */
  askAgain(): void {
    if (this.follower !== undefined) this.#do(this.follower.askAgain(this.log));
  }

  setIsolated(isIsolated: boolean): void {
    this.isIsolated = isIsolated;
    if (this.leader !== undefined) this.take(this.leader.setIsolated(isIsolated, this.#world.nowMs));
  }

  answered(proposal: IsrProposal, outcome: ProposalOutcome, leader: PartitionLeader): void {
    if (this.leader === leader) {
      this.take(leader.alterPartitionAnswered(proposal, outcome, this.#world.nowMs));
    }
  }

  finishTruncation(): void {
    const step = this.#truncation;
    if (step === undefined) return;
    this.#truncation = undefined;
    if (step.type === 'truncate') this.log.truncateTo(step.to);
    else this.log.startAnew(step.to);
    this.syncedEnd = step.type === 'truncate' ? Math.min(this.syncedEnd, this.log.logEndOffset) : step.to;
    this.checkpointedHw = Math.min(this.checkpointedHw, step.to);
    this.#do(this.follower!.truncated(this.log));
    this.hw = this.follower!.highWatermark;
  }

  receive(message: ModelMessage): void {
    const { nowMs } = this.#world;
    if (message.type === 'ask') {
      if (this.leader === undefined) return;
      const { decision, output } = this.leader.followerAsked(message.ask, this.log, nowMs);
      this.take(output);
      const asked = message.ask;
      if (decision.type !== 'accepted') {
        this.#answer(message.from, asked, decision, []);
        return;
      }
      this.#pushes.set(message.from, { asked, next: asked.fetchOffset });
      this.push(message.from, 3);
    } else if (message.type === 'ack') {
      if (this.leader !== undefined) this.take(this.leader.followerAcknowledged(message.ack, nowMs));
    } else if (message.type === 'deleted') {
      if (this.leader !== undefined) this.take(this.leader.followerLogStartMoved(message.notice, nowMs));
    } else {
      this.#answered(message);
    }
  }

  /** As leader: sends the follower what comes next, and how things stand. */
  push(to: number, most: number): void {
    const push = this.#pushes.get(to);
    if (push === undefined || this.leader === undefined) return;
    const standing = { highWatermark: this.leader.highWatermark, logStartOffset: this.log.logStartOffset };
    const { start, records } = this.log;
    if (push.next < start) {
      this.#pushes.delete(to);
      const { logStartOffset, logEndOffset } = this.log;
      this.#answer(to, push.asked, { type: 'outOfRange', logStartOffset, logEndOffset }, []);
      return;
    }
    const sent = records.slice(push.next - start, push.next - start + most);
    const baseOffset = push.next as Offset;
    push.next += sent.length;
    const lastEpoch = sent.at(-1)?.epoch as LeaderEpoch | undefined;
    const answer: FetchAnswer =
      lastEpoch === undefined
        ? { type: 'progress', ...standing }
        : {
            ...{ type: 'batches', baseOffset, firstBatchOffset: baseOffset },
            ...{ lastEpoch, isIntact: true, ...standing },
          };
    this.#answer(to, push.asked, answer, sent);
  }

  get pushTargets(): readonly number[] {
    return [...this.#pushes.keys()];
  }

  deleteBefore(offset: number): void {
    this.log.deleteBefore(offset);
    this.checkpointedHw = Math.max(this.checkpointedHw, offset);
  }

  /** The process is gone, and of what was not synced everything from `end` on. */
  crash(end: number): void {
    this.#truncation = undefined;
    if (end < this.acknowledgeable) this.isDamaged = true;
    this.log.crash(Math.max(end, this.log.start));
    this.syncedEnd = this.log.logEndOffset;
    this.#stop();
    this.hw = Math.min(this.checkpointedHw, this.log.logEndOffset);
  }

  stopCleanly(): void {
    this.syncedEnd = this.log.logEndOffset;
    this.checkpointedHw = this.hw;
    this.#stop();
  }

  /** With its first registration or a later one. */
  start(brokerEpoch: BrokerEpoch): void {
    this.brokerEpoch = brokerEpoch;
    this.isDamaged = false;
  }

  take({ proposal, highWatermarkMoved }: LeaderOutput): void {
    this.hw = this.leader!.highWatermark;
    if (highWatermarkMoved) this.#world.advanced(this, this.leader!);
    if (proposal !== undefined) this.#world.propose(this, proposal);
  }

  #drop(): void {
    this.#resign();
    this.log = new EpochLog();
    this.syncedEnd = 0;
    this.checkpointedHw = 0;
    this.hw = 0;
    this.#world.dropped(this);
  }

  #stop(): void {
    this.brokerEpoch = undefined;
    this.#truncation = undefined;
    this.isIsolated = false;
    this.#resign();
  }

  #resign(): void {
    this.leader = undefined;
    this.follower = undefined;
    this.#pushes.clear();
  }

  /** A line about the process, for reports. */
  get status(): string {
    const role = this.leader !== undefined ? 'leader' : (this.follower?.state ?? 'neither');
    const epoch = (this.leader ?? this.follower)?.leaderEpoch ?? -1;
    return `${role} in epoch ${epoch}, broker epoch ${this.brokerEpoch ?? -1}, ${this.applied} images`;
  }

  #answered({ asked, answer, records }: Extract<ModelMessage, { readonly type: 'answer' }>): void {
    if (this.follower === undefined || asked.brokerEpoch !== this.brokerEpoch) return;
    const step = this.follower.answered(asked, answer, this.log, this.#world.nowMs);
    if (step.type === 'append') {
      for (const record of records) this.log.push(record);
      this.acknowledged();
    } else {
      this.#do(step);
    }
    this.#advanceFollower();
    const deletable = this.follower.deletableBefore(this.log);
    if (deletable === undefined) return;
    this.deleteBefore(deletable);
    const { leaderEpoch } = this.follower;
    const notice = { ...{ broker: this.id as BrokerId, brokerEpoch: this.brokerEpoch }, leaderEpoch };
    this.#world.send({
      ...{ type: 'deleted', from: this.id, to: this.followed },
      notice: { ...notice, logStartOffset: deletable },
    });
  }

  #advanceFollower(): void {
    this.follower!.advance(this.acknowledgeable);
    this.hw = this.follower!.highWatermark;
  }

  #answer(to: number, asked: Asked, answer: FetchAnswer, records: readonly EpochRecord[]): void {
    this.#world.send({ type: 'answer', from: this.id, to, asked, answer, records });
  }

  #do(step: FollowerStep): void {
    if (step.type === 'truncate' || step.type === 'startAnew') {
      this.#truncation = step;
      this.#world.truncating(this, step.to, step.losesCommitted);
    } else if (step.type === 'ask') {
      const ask = {
        ...step.position,
        broker: this.id as BrokerId,
        brokerEpoch: this.brokerEpoch!,
        leaderEpoch: this.follower!.leaderEpoch,
        acknowledgeableEnd: this.acknowledgeable,
        logStartOffset: this.log.logStartOffset,
      };
      this.#world.send({ type: 'ask', from: this.id, to: this.followed, ask });
    }
  }
}
