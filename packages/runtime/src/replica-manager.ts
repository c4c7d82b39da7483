// The partitions of this node and everything that is asked of them: produce, fetch, offsets, deletion of records, descriptions.
// It follows the metadata image, and runs retention and checkpoints on the Clock port. The paths themselves live in their own
// files; here they are put together and given their limits.

import {
  failure,
  type BrokerEpoch,
  type BrokerId,
  type Clock,
  type Failure,
  isFailure,
  type Offset,
  type PartitionIndex,
  TidemarkError,
  type ReplicationThrottleRates,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import type {
  AlterPartitionCommand,
  MetadataImage,
  ReportOfflineReplicasCommand,
  ResponseTo,
  TopicImage,
} from '@tidemark/controller';
import { saysDiskFull, type LogFolder } from '@tidemark/log';
import type { Codecs } from '@tidemark/record';
import { ByteBudget } from './byte-budget.ts';
import { FetchPath, type Fetching } from './fetch.ts';
import { FetchPurgatory } from './fetch-purgatory.ts';
import { FetchSession } from './fetch-session.ts';
import { HostedPartitions, type Unopened } from './hosted-partitions.ts';
import type { Partition } from './partition.ts';
import { METADATA_TOPIC } from './metadata-batch.ts';
import { OfflineReplicas, REPORT_OFFLINE_MS } from './offline-replicas.ts';
import { PeriodicTask } from './periodic-task.ts';
import { ProducePath, type Production } from './produce.ts';
import { deleteRecords, endOfEpoch, listOffset } from './partition-queries.ts';
import type { PeerChannel } from './peer-router.ts';
import type {
  DeleteRecordsOutcome,
  DeleteRecordsPartition,
  EpochEndOutcome,
  EpochEndPartition,
  FetchRequest,
  ListOffsetsOutcome,
  ListOffsetsPartition,
  PartitionAddress,
  ProduceRequest,
  ReplicaDescription,
} from './requests.ts';
import type { ReplicaObserver } from './replica-observer.ts';
import { IsrProposals } from './replica/isr-proposals.ts';
import type { ReplicaContext, ReplicationSettings } from './replica/replica-context.ts';
import { Leaderships, type LeadershipListener } from './replica/leaderships.ts';
import { ReplicaExchange } from './replica/replica-exchange.ts';
import { ReplicaTicker } from './replica/replica-ticker.ts';
import { ReplicationQuota } from './replica/replication-quota.ts';
import type { TopicSettings } from './topic-settings.ts';

export interface ReplicaLimits {
  /** `queued.max.request.bytes`: produce bytes taken and not yet done with, all connections together. */
  readonly maxRequestBytes: number;
  /** `queued.max.response.bytes`: fetched bytes not yet sent, all connections together. */
  readonly maxResponseBytes: number;
  /** `fetch.max.bytes` */
  readonly maxFetchBytes: number;
  /** `max.inflated.batch.bytes` */
  readonly maxInflatedBatchBytes: number;
  readonly maxBatchesPerPartition: number;
  /** Long polls that may wait at once. */
  readonly maxWaitingFetches: number;
  /** Requests and fetches that may queue for memory. */
  readonly maxQueuedForMemory: number;
  readonly maxPartitionsPerStream: number;
}

export interface ReplicaIntervals {
  /** `log.retention.check.interval.ms` */
  readonly retentionMs: number;
  /** `log.cleaner.backoff.ms`; Infinity: `log.cleaner.enable` is false. */
  readonly cleanMs: number;
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly checkpointMs: number;
  /** `replica.high.watermark.checkpoint.interval.ms` */
  readonly highWatermarkMs: number;
}

/** Where the image comes from: the controller's side of the runtime. */
export interface MetadataSource {
  readonly image: MetadataImage;
  /** Calls back after every change, in order. Answers how to stop. */
  onImage(listener: (image: MetadataImage, previous: MetadataImage) => void): () => void;
}

export interface ReplicaManagerOptions {
  readonly self: BrokerId;
  /** Of this incarnation. */
  readonly brokerEpoch: BrokerEpoch;
  readonly clock: Clock;
  /** Between brokers; nobody else receives on it. */
  readonly peers: PeerChannel;
  readonly replication: ReplicationSettings;
  /** To the active controller. */
  readonly submit: <C extends AlterPartitionCommand | ReportOfflineReplicasCommand>(
    command: C,
    timeoutMs: number,
  ) => Promise<ResponseTo<C> | Failure>;
  /** The controller has not been heard for as long as a session: others may lead by now. */
  readonly isIsolated: () => boolean;
  readonly folder: LogFolder;
  readonly metadata: MetadataSource;
  readonly codecs: Codecs;
  readonly settings: (image: MetadataImage, topic: TopicName) => TopicSettings;
  /** `leader.` and `follower.replication.throttled.rate` under an image, in bytes a second; Infinity: no limit. */
  readonly throttle: (image: MetadataImage) => ReplicationThrottleRates;
  readonly limits: ReplicaLimits;
  readonly intervals: ReplicaIntervals;
  /** Nobody measures if absent. */
  readonly observer?: ReplicaObserver | undefined;
  /** Something in the background failed and goes on: for the process's log. */
  readonly onError: (cause: unknown, doing: string) => void;
}

/** How much later than in time something that depends on it may happen: this part of `replica.lag.time.max.ms`, within bounds. */
const TICKS_IN_LAG_TIME = 20;
const MIN_TICK_MS = 10;
const MAX_TICK_MS = 250;
/** How often a lost controller is looked for, besides whenever something is appended or acknowledged. */
const ISOLATION_CHECK_MS = 200;

export class ReplicaManager {
  readonly #options: ReplicaManagerOptions;
  readonly #hosted: HostedPartitions;
  readonly #proposals: IsrProposals;
  readonly #ticker: ReplicaTicker;
  readonly #leaderships = new Leaderships();
  readonly #exchange: ReplicaExchange;
  readonly #quotas = { leader: new ReplicationQuota(), follower: new ReplicationQuota() };
  readonly #purgatory: FetchPurgatory;
  readonly #offline: OfflineReplicas;
  readonly #produce: ProducePath;
  readonly #fetch: FetchPath;
  readonly #tasks: PeriodicTask[] = [];
  readonly #isolationListeners = new Set<() => void>();
  #wasIsolated = false;
  #unfollow: () => void = () => undefined;
  #isClosed = false;
  /** Taken by whoever reads produce requests from the network, before they are handed over here. */
  readonly requestBudget: ByteBudget;
  /** Taken by fetches; given back by whoever sent the answer. */
  readonly responseBudget: ByteBudget;

  constructor(options: ReplicaManagerOptions) {
    const { self, brokerEpoch, clock, limits, replication, onError } = options;
    this.#options = options;
    const { lagTimeMaxMs, requestTimeoutMs } = replication;
    this.#proposals = new IsrProposals({
      self,
      brokerEpoch,
      requestTimeoutMs,
      submit: options.submit,
      onError,
    });
    const tickMs = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, Math.floor(lagTimeMaxMs / TICKS_IN_LAG_TIME)));
    this.#ticker = new ReplicaTicker(clock, tickMs);
    this.#exchange = new ReplicaExchange({
      brokerEpoch,
      clock,
      channel: options.peers,
      quota: this.#quotas.leader,
      settings: replication,
      find: (topicId, index, leaderEpoch) => this.#hosted.findLeading(topicId, index, leaderEpoch),
      onError,
    });
    const context: ReplicaContext = {
      self,
      brokerEpoch,
      clock,
      settings: replication,
      brokers: (id) => this.#hosted.image.broker(id),
      exchange: this.#exchange,
      proposals: this.#proposals,
      ticker: this.#ticker,
      leaderships: this.#leaderships,
      quotas: this.#quotas,
      isIsolated: options.isIsolated,
      observer: options.observer,
      onError,
    };
    this.#hosted = new HostedPartitions({
      context,
      codecs: options.codecs,
      folder: options.folder,
      image: options.metadata.image,
      settings: options.settings,
      onError: (cause, partition) => options.onError(cause, `partition ${partition}`),
    });
    this.#offline = new OfflineReplicas({
      ...{ self, brokerEpoch, requestTimeoutMs, submit: options.submit, onError },
      image: () => this.#hosted.image,
      offline: () => this.#hosted.offline(),
    });
    const find = (address: PartitionAddress): Partition | Failure => this.#hosted.find(address);
    this.requestBudget = new ByteBudget(
      limits.maxRequestBytes,
      limits.maxQueuedForMemory,
      limits.maxRequestBytes,
    );
    this.responseBudget = new ByteBudget(limits.maxResponseBytes, limits.maxQueuedForMemory);
    this.#purgatory = new FetchPurgatory(clock, limits.maxWaitingFetches);
    this.#produce = new ProducePath(find, clock, options.codecs, limits, options.observer);
    this.#fetch = new FetchPath(find, this.#purgatory, this.responseBudget, limits.maxFetchBytes);
  }

  /** Opens what the image places here, removes what it does not, and follows it from then on, unless it is closed meanwhile. */
  async start(): Promise<void> {
    const { clock, intervals, metadata, onError } = this.#options;
    await this.#removeStrays();
    if (this.#isOver()) return;
    this.#unfollow = metadata.onImage((image, previous) => {
      const { self } = this.#options;
      const isSame = (broker: BrokerId | ''): boolean =>
        image.brokerConfigs(broker) === previous.brokerConfigs(broker);
      if (!isSame('') || !isSame(self)) this.#setQuotas(image);
      this.#hosted.apply(image);
    });
    this.#setQuotas(metadata.image);
    this.#hosted.apply(metadata.image);
    await this.#hosted.settled();
    if (this.#isOver()) return;
    const every = (intervalMs: number, doing: string, run: () => Promise<void>): void => {
      this.#tasks.push(new PeriodicTask(clock, intervalMs, run, (cause) => onError(cause, doing)));
    };
    every(intervals.retentionMs, 'retention', () => this.#retain());
    if (intervals.cleanMs !== Infinity) every(intervals.cleanMs, 'cleaning', () => this.#clean());
    every(intervals.checkpointMs, 'checkpoint', () => this.#options.folder.checkpoint());
    every(intervals.highWatermarkMs, 'high watermark checkpoint', () => this.#saveHighWatermarks());
    every(REPORT_OFFLINE_MS, 'looking for replicas that are not open', () => {
      this.#offline.report();
      return Promise.resolve();
    });
    every(ISOLATION_CHECK_MS, 'looking for the controller', () => this.#lookIsolated());
  }

  /** What the replica manager has taken over of the metadata; never behind what requests are answered from. */
  get image(): MetadataImage {
    return this.#hosted.image;
  }

  produce(request: ProduceRequest): Production {
    return this.#produce.produce(request);
  }

  fetch(request: FetchRequest): Fetching {
    return this.#fetch.fetch(request);
  }

  openFetchSession(): FetchSession {
    return new FetchSession(
      (address) => this.#hosted.find(address),
      this.#options.clock,
      this.responseBudget,
      this.#options.limits.maxPartitionsPerStream,
    );
  }

  listOffsets(requests: readonly ListOffsetsPartition[]): Promise<readonly ListOffsetsOutcome[]> {
    return Promise.all(requests.map((each) => listOffset(this.#hosted.find(each.address), each)));
  }

  offsetForLeaderEpoch(requests: readonly EpochEndPartition[]): readonly EpochEndOutcome[] {
    return requests.map((each) => endOfEpoch(this.#hosted.find(each.address), each));
  }

  deleteRecords(
    requests: readonly DeleteRecordsPartition[],
    timeoutMs: number,
  ): Promise<readonly DeleteRecordsOutcome[]> {
    const limit = { clock: this.#options.clock, timeoutMs };
    return Promise.all(requests.map((each) => deleteRecords(this.#hosted.find(each.address), each, limit)));
  }

  /** The controller has not answered this broker for as long as a session: what its image says may be old. */
  get isIsolated(): boolean {
    return this.#options.isIsolated();
  }

  /** Called when that has become so. Answers how to stop. */
  onIsolated(listener: () => void): () => void {
    this.#isolationListeners.add(listener);
    return () => this.#isolationListeners.delete(listener);
  }

  /** A partition that is open here; for who looks on from outside, such as checkers. */
  partition(topic: string, index: PartitionIndex): Partition | undefined {
    const found = this.#hosted.find({ topic: topic as TopicName, topicId: undefined, partition: index });
    return isFailure(found) ? undefined : found;
  }

  findTopic(name: TopicName | undefined, id: TopicId | undefined): TopicImage | Failure {
    return this.#hosted.findTopic(name, id);
  }

  /** Every replica here, or those of some topics. */
  describeReplicas(topics?: ReadonlySet<string>): readonly ReplicaDescription[] {
    const descriptions: ReplicaDescription[] = [];
    for (const partition of this.#hosted.all()) {
      if (topics !== undefined && !topics.has(partition.topic)) continue;
      descriptions.push(partition.describe());
    }
    return descriptions;
  }

  /** The replicas that should be here and could not be opened, and why. */
  unopenedReplicas(topics?: ReadonlySet<string>): readonly Unopened[] {
    return [...this.#hosted.unopened()].filter(({ topic }) => topics === undefined || topics.has(topic));
  }

  /** The disk was full and has room again: what could not be opened for want of it is tried once more. */
  roomFound(): void {
    this.#hosted.openAgain();
  }

  /** To be called before `start`, so that none is missed. Answers how to stop. */
  followLeaderships(listener: LeadershipListener): () => void {
    return this.#leaderships.follow(listener);
  }

  /** Resolves when the partitions of the topic that belong here are open. */
  whenHosted(topicId: TopicId): Promise<void> {
    return this.#hosted.whenHosted(topicId);
  }

  /** Bytes of the logs in memory: for readers near the end, and taken but not yet written. */
  get logMemory(): { readonly tailBytes: number; readonly pendingBytes: number } {
    const { tailBytes, pendingBytes } = this.#options.folder;
    return { tailBytes, pendingBytes };
  }

  get waitingFetches(): number {
    return this.#purgatory.waitingCount;
  }

  /** Answers every long poll and refuses those who wait for memory: the node is going. Appends under way go on. */
  drain(): void {
    this.#purgatory.close();
    this.requestBudget.close();
    this.responseBudget.close();
  }

  /** The disk failed: nothing that waits will ever be committed, and nothing more is taken. */
  storageFailed(): void {
    this.#hosted.close(
      failure('KAFKA_STORAGE_ERROR', 'the log folder of this broker is offline: its disk failed'),
    );
  }

  /** Answers everybody who waits and stops following, or never begins. The folder is closed by whoever opened it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#options.folder.stopCleaning();
    this.#unfollow();
    this.drain();
    this.#hosted.close(failure('NOT_LEADER_OR_FOLLOWER', 'this broker is shutting down'));
    this.#exchange.close();
    this.#proposals.close();
    this.#ticker.close();
    await Promise.all(this.#tasks.map((task) => task.close()));
    await this.#hosted.settled();
    await this.#saveHighWatermarks();
  }

  /** Asked anew after every wait. */
  #isOver(): boolean {
    return this.#isClosed;
  }

  #setQuotas(image: MetadataImage): void {
    const { leaderBytesPerSecond, followerBytesPerSecond } = this.#options.throttle(image);
    const nowMs = this.#options.clock.monotonicMs();
    this.#quotas.leader.setRate(leaderBytesPerSecond, nowMs);
    this.#quotas.follower.setRate(followerBytesPerSecond, nowMs);
  }

  async #retain(): Promise<void> {
    const nowMs = this.#options.clock.wallMs();
    for (const partition of [...this.#hosted.all()]) {
      const start = partition.log.logStartOffset;
      try {
        await partition.log.runRetention(nowMs, partition.highWatermark);
      } catch (cause) {
        // Of one log; the others would fill the disk meanwhile.
        this.#options.onError(cause, `retention of ${partition.log.name}`);
      }
      if (partition.log.logStartOffset !== start) partition.logStartMoved();
    }
  }

  /** Until there is nothing left to clean; what was cleaned without an end, or could not be, waits for the next time. */
  async #clean(): Promise<void> {
    const { clock, folder } = this.#options;
    const highWatermarks = (): Map<string, Offset> =>
      new Map([...this.#hosted.all()].map(({ log, highWatermark }) => [log.name, highWatermark]));
    for (let type: string | undefined = 'cleaned'; type === 'cleaned';) {
      const known = highWatermarks();
      // What is not hosted here (the metadata log, a partition that is going) is left alone.
      const report = await folder.cleanNext(clock.wallMs(), (name) => known.get(name) ?? (0 as Offset));
      type = report?.type;
    }
  }

  async #saveHighWatermarks(): Promise<void> {
    const { folder } = this.#options;
    const moved = new Map<string, Offset>();
    for (const { log, highWatermark } of this.#hosted.all()) {
      if (folder.savedHighWatermark(log.name) !== highWatermark) moved.set(log.name, highWatermark);
    }
    if (moved.size > 0) await folder.saveHighWatermarks(moved);
  }

  #lookIsolated(): Promise<void> {
    const isIsolated = this.#options.isIsolated();
    if (isIsolated !== this.#wasIsolated) {
      this.#wasIsolated = isIsolated;
      for (const { leading } of this.#hosted.all()) leading?.lookIsolated();
      if (isIsolated) for (const listener of [...this.#isolationListeners]) listener();
    }
    return Promise.resolve();
  }

  /** A topic deleted just before a crash leaves its folders behind. They go the way of every deleted partition. */
  async #removeStrays(): Promise<void> {
    const { folder, onError } = this.#options;
    // The metadata log lives in the same folder and is the controller's.
    const partitions = folder.listPartitions().filter(({ topic }) => topic !== METADATA_TOPIC);
    for (const stray of this.#hosted.strays(partitions)) {
      if (this.#isOver()) return;
      onError(
        new TidemarkError('UNKNOWN_TOPIC_OR_PARTITION', `${stray} belongs to no topic of the metadata`),
        'removing a stray partition',
      );
      try {
        await folder.deletePartition(stray);
      } catch (cause) {
        // It does no harm, and the next start tries again; a broker whose disk is full is to serve what can be read.
        if (!saysDiskFull(cause)) throw cause;
        onError(cause, `removing the stray partition ${stray}`);
      }
    }
  }
}
