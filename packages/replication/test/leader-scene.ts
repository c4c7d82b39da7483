// A leader with the metadata and the log around it, for stories: the scene keeps what a runtime would keep, and says what came of
// each step in a few words.

import type { BrokerEpoch, BrokerId, LeaderEpoch, Offset, PartitionEpoch } from '@tidemark/core';
import { failure, type ErrorName } from '@tidemark/core';
import {
  PartitionLeader,
  type BrokerView,
  type FetchDecision,
  type IsrProposal,
  type LeaderOutput,
  type PartitionView,
} from '@tidemark/replication';
import { EpochLog } from './epoch-log.ts';

export const LAG_MS = 30_000;
export const b = (id: number): BrokerId => id as BrokerId;
export const at = (offset: number): Offset => offset as Offset;
export const e = (epoch: number): LeaderEpoch => epoch as LeaderEpoch;
export const be = (epoch: number): BrokerEpoch => epoch as BrokerEpoch;

type MutableBroker = { -readonly [K in keyof BrokerView]: BrokerView[K] };
type MutableView = { -readonly [K in keyof PartitionView]: PartitionView[K] };

export interface SceneOptions {
  readonly replicas?: readonly number[];
  readonly isr?: readonly number[];
  readonly minInsyncReplicas?: number;
  readonly epoch?: number;
  /** Records already in the log, of the epoch before. */
  readonly logEnd?: number;
  readonly highWatermark?: number;
  readonly recovering?: boolean;
  readonly logStart?: number;
}

/** Broker 1 leads; broker n has broker epoch n * 10. */
export class LeaderScene {
  nowMs = 1_000_000;
  readonly brokers = new Map<number, MutableBroker>();
  readonly view: MutableView;
  readonly log = new EpochLog();
  readonly leader: PartitionLeader;
  readonly proposals: IsrProposal[] = [];
  minInsyncReplicas: number;

  constructor(options: SceneOptions = {}) {
    const { replicas = [1, 2, 3], isr = replicas, epoch = 5, logEnd = 0, highWatermark = 0 } = options;
    this.minInsyncReplicas = options.minInsyncReplicas ?? Math.min(2, replicas.length);
    for (const id of replicas) {
      this.brokers.set(id, { epoch: be(id * 10), fenced: false, inControlledShutdown: false });
    }
    this.view = {
      replicas: replicas.map(b),
      isr: isr.map(b),
      leaderEpoch: e(epoch),
      partitionEpoch: 7 as PartitionEpoch,
      leaderRecoveryState: options.recovering ? 'recovering' : 'recovered',
    };
    this.log.append(epoch - 1, logEnd);
    this.log.assignLeaderEpoch(epoch);
    this.leader = new PartitionLeader({
      self: b(1),
      brokerEpoch: be(10),
      view: this.view,
      brokers: (id) => this.brokers.get(id),
      settings: this.settings,
      epochStartOffset: at(logEnd),
      acknowledgeableEndOffset: at(logEnd),
      logStartOffset: at(options.logStart ?? 0),
      highWatermark: at(highWatermark),
      nowMs: this.nowMs,
    });
  }

  get settings() {
    return { minInsyncReplicas: this.minInsyncReplicas, replicaLagTimeMaxMs: LAG_MS };
  }

  get hw(): number {
    return this.leader.highWatermark;
  }

  get isr(): readonly number[] {
    return this.leader.inSyncReplicas;
  }

  /** The ISR of the newest proposal, sorted. */
  get proposed(): readonly number[] | undefined {
    return this.proposals
      .at(-1)
      ?.newIsr.map<number>(({ brokerId }) => brokerId)
      .sort((x, y) => x - y);
  }

  pass(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** Written, and on disk unless said otherwise. */
  append(records: number, isSynced = true): this {
    this.log.append(this.view.leaderEpoch, records);
    this.leader.appended(this.log.logEndOffset, this.nowMs);
    return isSynced ? this.sync() : this;
  }

  sync(): this {
    return this.take(this.leader.acknowledgeable(this.log.logEndOffset, this.nowMs));
  }

  /** The follower asks from `offset`, where its last batch is of `lastEpoch` (the leader's own there if not given). */
  ask(
    id: number,
    offset: number,
    options: {
      lastEpoch?: number;
      brokerEpoch?: number;
      epoch?: number;
      acked?: number;
      start?: number;
    } = {},
  ): FetchDecision {
    const { epoch = this.view.leaderEpoch, brokerEpoch = id * 10, acked = offset } = options;
    const lastFetchedEpoch = e(
      options.lastEpoch ?? (offset === 0 ? -1 : (this.log.epochAt(at(offset - 1)) ?? -1)),
    );
    const { decision, output } = this.leader.followerAsked(
      {
        broker: b(id),
        brokerEpoch: be(brokerEpoch),
        leaderEpoch: e(epoch),
        fetchOffset: at(offset),
        lastFetchedEpoch,
        acknowledgeableEnd: at(acked),
        logStartOffset: at(options.start ?? 0),
      },
      this.log,
      this.nowMs,
    );
    this.take(output);
    return decision;
  }

  started(id: number, offset: number, brokerEpoch = id * 10, epoch: number = this.view.leaderEpoch): this {
    const notice = { broker: b(id), brokerEpoch: be(brokerEpoch), leaderEpoch: e(epoch) };
    return this.take(
      this.leader.followerLogStartMoved({ ...notice, logStartOffset: at(offset) }, this.nowMs),
    );
  }

  ack(id: number, offset: number, brokerEpoch = id * 10, epoch: number = this.view.leaderEpoch): this {
    const acknowledgement = {
      broker: b(id),
      brokerEpoch: be(brokerEpoch),
      leaderEpoch: e(epoch),
      endOffset: at(offset),
    };
    return this.take(this.leader.followerAcknowledged(acknowledgement, this.nowMs));
  }

  tick(): this {
    return this.take(this.leader.tick(this.nowMs));
  }

  /** The controller changes the partition. */
  controllerSays(isr: readonly number[]): this {
    this.view.isr = isr.map(b);
    this.view.partitionEpoch = (this.view.partitionEpoch + 1) as PartitionEpoch;
    return this.metadata();
  }

  metadata(): this {
    const { view, brokers, settings, nowMs } = this;
    return this.take(this.leader.metadataChanged({ ...view }, (id) => brokers.get(id), settings, nowMs));
  }

  /** The controller takes the newest proposal and answers. */
  commit(proposal = this.proposals.at(-1)!): this {
    const isr = proposal.newIsr.map(({ brokerId }) => brokerId);
    const partitionEpoch = (this.view.partitionEpoch + 1) as PartitionEpoch;
    Object.assign(this.view, { isr, partitionEpoch, leaderRecoveryState: 'recovered' });
    const { leaderEpoch } = this.view;
    const outcome = { ok: true, isr, leaderEpoch, partitionEpoch, leaderRecoveryState: 'recovered' } as const;
    return this.take(this.leader.alterPartitionAnswered(proposal, outcome, this.nowMs));
  }

  refuse(error: ErrorName, proposal = this.proposals.at(-1)!): this {
    return this.take(this.leader.alterPartitionAnswered(proposal, failure(error), this.nowMs));
  }

  take({ proposal }: LeaderOutput): this {
    if (proposal !== undefined) this.proposals.push(proposal);
    return this;
  }
}
