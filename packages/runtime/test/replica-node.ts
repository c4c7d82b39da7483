// A node's partitions on a simulated disk, following an image that the test changes record by record.

import {
  brokerConfigs,
  resolveConfig,
  topicConfigOf,
  topicIdFromBytes,
  failure,
  type BrokerEpoch,
  type BrokerId,
  type LeaderEpoch,
  type Network,
  type NodeId,
  type Offset,
  type PartitionEpoch,
  type PartitionIndex,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import {
  applyRecords,
  MetadataImage,
  type ControllerCommand,
  type MetadataRecord,
} from '@tidemark/controller';
import { LogFolder } from '@tidemark/log';
import { BatchBuilder, type Codecs } from '@tidemark/record';
import {
  ReplicaManager,
  topicSettings,
  PeerRouter,
  peerChannels,
  type AcksLevel,
  type FetchAnswer,
  type FetchPartition,
  type PartitionAddress,
  type ProduceOutcome,
  type ReplicaLimits,
  type ReplicationSettings,
} from '@tidemark/runtime';
import { SimClock, SimDisk, SimNetwork, SimPrng } from '@tidemark/simulation';

export const SELF = 1 as BrokerId;
const MIB = 1024 * 1024;
const limits: ReplicaLimits = {
  maxRequestBytes: 16 * MIB,
  maxResponseBytes: 16 * MIB,
  maxFetchBytes: 8 * MIB,
  maxInflatedBatchBytes: MIB,
  maxBatchesPerPartition: 100,
  maxWaitingFetches: 3,
  maxQueuedForMemory: 10,
  maxPartitionsPerStream: 10,
};
const resolved = resolveConfig(brokerConfigs, {});
if (!resolved.ok) throw new Error('the defaults are a valid configuration');
const { config } = resolved;

export const REPLICATION: ReplicationSettings = {
  lagTimeMaxMs: 30_000,
  fetchMaxBytes: MIB,
  responseMaxBytes: 4 * MIB,
  windowBytes: 16 * MIB,
  keepAliveMs: 500,
  backoffMs: 1_000,
  requestTimeoutMs: 2_000,
};

/** Without compression there is nothing to inflate. */
const codecs = {} as Codecs;

export function batch(...values: string[]): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 64 });
  for (const value of values) builder.append(1_800_000_000_000, null, new TextEncoder().encode(value));
  return builder.build().slice();
}

export interface TopicPlan {
  readonly partitions?: number;
  readonly replicas?: readonly number[];
  readonly isr?: readonly number[];
  readonly configs?: Readonly<Record<string, string>>;
}

export class ReplicaNode {
  readonly clock = new SimClock({ wallMs: 1_800_000_000_000 });
  disk = new SimDisk({ clock: this.clock });
  readonly errors: string[] = [];
  /** What it asked of the controller, which refuses everything. */
  readonly submitted: ControllerCommand[] = [];
  readonly #network = new SimNetwork({ clock: this.clock, prng: new SimPrng(1) });
  #joined: Network | undefined;
  isIsolated = false;
  /** How often a write found no room. */
  diskFullCount = 0;
  /** Its machine is gone: what it still tries is nobody's business. */
  isDead = false;
  image = MetadataImage.empty();
  readonly #listeners = new Set<(image: MetadataImage, previous: MetadataImage) => void>();
  #folder: LogFolder | undefined;
  #replicas: ReplicaManager | undefined;

  /** For who follows its leaderships. */
  protected beforeStart(): void {
    // Nobody does.
  }

  static async start(): Promise<ReplicaNode> {
    const node = new ReplicaNode();
    await node.open();
    return node;
  }

  get replicas(): ReplicaManager {
    return this.#replicas!;
  }

  /** Opens the folder and what the image places in it. */
  async open(): Promise<void> {
    const { clock, disk } = this;
    const opening = async (): Promise<void> => {
      const onOffline = (cause: unknown): void => {
        if (!this.isDead) throw cause;
      };
      const folder = await LogFolder.open({
        disk,
        clock,
        directory: 'data',
        onOffline,
        onDiskFull: () => (this.diskFullCount += 1),
      });
      this.#folder = folder;
      this.#replicas = new ReplicaManager({
        self: SELF,
        brokerEpoch: 1 as BrokerEpoch,
        clock,
        peers: new PeerRouter((this.#joined = this.#network.join(SELF as number as NodeId))).channel(
          peerChannels.replica,
        ),
        replication: REPLICATION,
        submit: (command) => {
          this.submitted.push(command);
          return Promise.resolve(failure('NOT_CONTROLLER'));
        },
        isIsolated: () => this.isIsolated,
        folder,
        metadata: this,
        codecs,
        settings: (image, topic) =>
          topicSettings(topicConfigOf(config, image.topicConfigs(topic)), 86_400_000),
        throttle: () => ({ leaderBytesPerSecond: Infinity, followerBytesPerSecond: Infinity }),
        limits,
        intervals: { retentionMs: 300_000, cleanMs: 15_000, checkpointMs: 60_000, highWatermarkMs: 5_000 },
        onError: (cause, doing) => this.errors.push(`${doing}: ${String(cause)}`),
      });
      this.beforeStart();
      await this.#replicas.start();
    };
    await clock.settle(opening());
  }

  async close(): Promise<void> {
    await this.clock.settle(this.replicas.close().then(() => this.#folder!.close()));
    await this.#joined?.close();
  }

  onImage(listener: (image: MetadataImage, previous: MetadataImage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  change(...records: MetadataRecord[]): void {
    const previous = this.image;
    this.image = applyRecords(previous, records, previous.offset + 1);
    for (const listener of this.#listeners) listener(this.image, previous);
  }

  /** Partitions led from here; resolves when their logs are open. */
  async createTopic(name: string, plan: TopicPlan = {}): Promise<TopicId> {
    const topicId = topicIdFromBytes(new Uint8Array(16).fill(this.image.topicCount + 1));
    const replicas = (plan.replicas ?? [1]) as BrokerId[];
    const partitions = Array.from({ length: plan.partitions ?? 1 }, (_, index): MetadataRecord => ({
      type: 'partition',
      topicId,
      partition: index as PartitionIndex,
      replicas,
      isr: (plan.isr ?? replicas) as BrokerId[],
      leader: SELF,
      leaderEpoch: 4 as LeaderEpoch,
      partitionEpoch: 0 as PartitionEpoch,
    }));
    const configs = Object.entries(plan.configs ?? {}).map(([key, value]): MetadataRecord => ({
      type: 'topicConfig',
      topicId,
      name: key,
      value,
    }));
    this.change({ type: 'topic', topicId, name: name as TopicName }, ...partitions, ...configs);
    await this.clock.settle(this.replicas.whenHosted(topicId));
    return topicId;
  }

  async produce(
    topic: string,
    bytes: Uint8Array,
    acks: AcksLevel = 'all',
    timeoutMs = 30_000,
  ): Promise<ProduceOutcome> {
    return this.clock.settle(this.begin(topic, bytes, acks, timeoutMs));
  }

  /** Appends now; the outcome comes as time goes on. */
  async begin(
    topic: string,
    bytes: Uint8Array,
    acks: AcksLevel = 'all',
    timeoutMs = 30_000,
  ): Promise<ProduceOutcome> {
    const partitions = [{ address: at(topic), currentLeaderEpoch: undefined, bytes }];
    const { outcomes } = this.replicas.produce({ acks, timeoutMs, partitions });
    return (await outcomes)[0]!;
  }

  /** Begins a long poll; the answer comes as time goes on. The memory it holds is given back here. */
  async poll(partitions: readonly FetchPartition[], maxWaitMs: number, minBytes = 1): Promise<FetchAnswer> {
    const { answer } = this.replicas.fetch({ maxWaitMs, minBytes, maxBytes: MIB, partitions });
    const fetched = await answer;
    if (!('outcomes' in fetched)) throw new Error(fetched.message);
    this.replicas.responseBudget.giveBack(fetched.outcomes.reduce((sum, each) => sum + each.sizeBytes, 0));
    return fetched;
  }
}

export function at(topic: string, partition = 0): PartitionAddress {
  return { topic: topic as TopicName, topicId: undefined, partition: partition as PartitionIndex };
}

export function from(topic: string, offset = 0, partition = 0): FetchPartition {
  const fetchOffset = offset as Offset;
  return { address: at(topic, partition), currentLeaderEpoch: undefined, fetchOffset, maxBytes: MIB };
}
