// A whole production node in the simulated world: log folder, metadata log, replica of the quorum, controller, and a broker that
// registers and heartbeats. The one place where the simulator touches the runtime's front door.

import {
  Controller,
  ImageDigester,
  imageInvariants,
  type MetadataImage,
  type TopicImage,
} from '@tidemark/controller';
import {
  type BrokerConfig,
  type BrokerEpoch,
  brokerConfigs,
  type BrokerId,
  describeProblems,
  DiskError,
  failure,
  type Failure,
  invariant,
  isFailure,
  resolveConfig,
  TidemarkError,
  topicConfigOf,
} from '@tidemark/core';
import { defaultGroupSettings } from '@tidemark/group';
import { LogFolder, type LogConfig } from '@tidemark/log';
import { defaultRaftLimits, type RaftLimits } from '@tidemark/raft';
import { type Codecs } from '@tidemark/record';
import {
  BrokerLifecycle,
  defaultCoordinatorLimits,
  FullDisk,
  GroupCoordinator,
  METADATA_LOG_NAME,
  METADATA_TOPIC_ID,
  metadataLogConfig,
  MetadataNode,
  PeerDirectory,
  peerChannels,
  ReplicaManager,
  type ReplicaLimits,
  type ReplicaManagerOptions,
  type ReplicationSettings,
  topicSettings,
} from '@tidemark/runtime';
import { SimPrng } from '../sim-prng.ts';
import {
  type ImageView,
  type NodeEnv,
  type NodeFactory,
  type PartitionPlace,
  type SimulatedNode,
  type TopicView,
} from './simulated-node.ts';

const CLUSTER_ID = 'simulated';
const LOG_DIRECTORY = 'logs';
/** The topic config that stands for a topic's value: any number is one. */
const VALUE_CONFIG = 'retention.ms';
const SESSION_TIMEOUT_MS = 1_000;
const HEARTBEAT_INTERVAL_MS = 300;
const RETRY_BACKOFF_MS = 30;

const simulatedLimits: RaftLimits = {
  ...defaultRaftLimits,
  maxInFlightBytes: 16 * 1024,
  maxInFlightMessages: 8,
  maxUncommittedBytes: 64 * 1024,
};

const PRODUCER_ID_EXPIRATION_MS = 86_400_000;
/** Records of the simulation are not compressed. */
const codecs = {} as Codecs;

const replicaLimits: ReplicaLimits = {
  maxRequestBytes: 1024 * 1024,
  maxResponseBytes: 1024 * 1024,
  maxFetchBytes: 256 * 1024,
  maxInflatedBatchBytes: 64 * 1024,
  maxBatchesPerPartition: 100,
  maxWaitingFetches: 1_000,
  maxQueuedForMemory: 1_000,
  maxPartitionsPerStream: 100,
};

/** What differs from cluster to cluster. */
interface Variant {
  readonly config: BrokerConfig;
  readonly limits: RaftLimits;
  readonly log: LogConfig;
  readonly snapshotEveryBytes: number;
  readonly saveAfterMs: number;
  readonly digester: ImageDigester;
  readonly replication: ReplicationSettings;
  /** Of a partition's log. */
  readonly recordSegmentBytes: number;
  readonly highWatermarkMs: number;
}

/** The factory of the simulated cluster of `seed`. */
export function productionNodes(seed: number): NodeFactory {
  const resolved = resolveConfig(brokerConfigs, { file: '' });
  if (!resolved.ok) throw new RangeError(describeProblems(resolved.problems));
  const prng = new SimPrng(seed).fork('variant');
  const anyOf = (...values: readonly number[]): number => values[prng.below(values.length)]!;
  // Small, so that a short run rolls segments, drops old log and sends snapshots, in one piece or in several.
  const segmentBytes = anyOf(1024, 2 * 1024, 16 * 1024);
  const log: LogConfig = {
    ...metadataLogConfig,
    segmentBytes,
    retentionBytes: segmentBytes,
    fileDeleteDelayMs: 500,
  };
  const variant: Variant = {
    config: resolved.config,
    log,
    limits: {
      ...simulatedLimits,
      maxCachedBytes: anyOf(1024, 8 * 1024),
      maxMessageBytes: anyOf(512, 4 * 1024, 1024 * 1024),
      maxSnapshotPieceBytes: anyOf(1024, 4 * 1024, 1024 * 1024),
    },
    snapshotEveryBytes: anyOf(1024, 2 * 1024, 16 * 1024),
    saveAfterMs: anyOf(10, 100, 1_000),
    replication: {
      // Shorter than a session, and longer, as it is by default: what a broker had is then known for longer than the broker.
      lagTimeMaxMs: anyOf(800, 2_500),
      fetchMaxBytes: anyOf(200, 1024, 64 * 1024),
      responseMaxBytes: anyOf(400, 4 * 1024, 256 * 1024),
      windowBytes: anyOf(300, 2 * 1024, 256 * 1024),
      keepAliveMs: anyOf(50, 150),
      backoffMs: anyOf(30, 200),
      requestTimeoutMs: 500,
    },
    recordSegmentBytes: anyOf(1024, 4 * 1024, 1024 * 1024),
    highWatermarkMs: anyOf(50, 500),
    // One for all nodes: it only makes comparing them cheaper.
    digester: new ImageDigester(),
  };
  return (env) => ProductionNode.open(env, variant);
}

interface NodeParts {
  readonly broker: BrokerLifecycle;
  readonly folder: LogFolder;
  readonly digester: ImageDigester;
  readonly fullDisk: FullDisk;
}

class ProductionNode implements SimulatedNode {
  readonly holdsRecords = true;
  readonly #node: MetadataNode;
  readonly #broker: BrokerLifecycle;
  readonly #folder: LogFolder;
  readonly #digester: ImageDigester;
  readonly #fullDisk: FullDisk;
  #replicas: ReplicaManager | undefined;
  #groups: GroupCoordinator | undefined;
  #epoch: BrokerEpoch | undefined;
  #isClosed = false;

  private constructor(node: MetadataNode, { broker, folder, digester, fullDisk }: NodeParts) {
    this.#node = node;
    this.#fullDisk = fullDisk;
    this.#broker = broker;
    this.#folder = folder;
    this.#digester = digester;
  }

  static async open(env: NodeEnv, variant: Variant): Promise<SimulatedNode> {
    const { disk, clock, prng, onFatal } = env;
    let running: ReplicaManager | undefined;
    /** What is made only when all it needs is there. */
    const late: { fullDisk?: FullDisk } = {};
    const folder = await LogFolder.open({
      disk,
      clock,
      prng,
      directory: LOG_DIRECTORY,
      onDiskFull: () => late.fullDisk?.met(),
      onOffline: (cause) => {
        running?.storageFailed();
        onFatal(cause);
      },
    });
    const log = await folder.openPartition(METADATA_LOG_NAME, METADATA_TOPIC_ID, variant.log);
    const node = await MetadataNode.open({ ...metadataOptions(env, variant), log });
    const { digester } = variant;
    node.onImage((image) => env.onImage(new ImageOf(image, digester)));
    const broker = brokerOf(env, node, folder, () => late.fullDisk?.wantsFence === true);
    const fullDisk = new FullDisk({
      self: env.self.nodeId as number as BrokerId,
      clock,
      image: () => node.image,
      hasRoom: () => folder.hasRoom(),
      onChange: () => broker.wishesChanged(),
      onRoom: () => running?.roomFound(),
      onTold: (isFull) => clock.trace.note('disk full', env.self.nodeId, String(isFull)),
      onFatal,
    });
    late.fullDisk = fullDisk;
    const opened = new ProductionNode(node, { broker, folder, digester, fullDisk });
    opened.#serve(env, variant).then(
      (replicas) => {
        running = replicas;
      },
      // A cluster that cannot be reached for long is no reason to end.
      () => undefined,
    );
    return opened;
  }

  /** In the order of a node's start: register, open the partitions, be unfenced. */
  async #serve(env: NodeEnv, variant: Variant): Promise<ReplicaManager | undefined> {
    const epoch = await this.#broker.register();
    if (this.#isOver()) return undefined;
    this.#epoch = epoch;
    const replicas = new ReplicaManager(
      replicaOptions(env, variant, this.#node, this.#broker, this.#folder, epoch),
    );
    this.#replicas = replicas;
    this.#groups = groupCoordinator(env, this.#node, replicas);
    await replicas.start();
    if (this.#isOver()) return replicas;
    this.#broker.start();
    this.#broker.ready();
    return replicas;
  }

  /** Asked anew after every wait. */
  #isOver(): boolean {
    return this.#isClosed;
  }

  get image(): ImageView {
    return new ImageOf(this.#node.image, this.#digester);
  }

  get replicas(): ReplicaManager | undefined {
    return this.#replicas;
  }

  get groups(): GroupCoordinator | undefined {
    return this.#groups;
  }

  partitionsOf(name: string): readonly PartitionPlace[] {
    const topic = this.#node.image.topicByName(name);
    if (topic === undefined) return [];
    return topic.partitions.map(({ partition, leader, leaderEpoch, replicas, isr, elr }) => ({
      ...{ topic: name, topicId: topic.id, partition, leader, leaderEpoch, replicas, isr, elr },
    }));
  }

  registeredDirectory(broker: number): string | undefined {
    return this.#node.image.broker(broker)?.directoryId;
  }

  async createRecordTopic(
    name: string,
    partitionCount: number,
    replicationFactor: number,
    timeoutMs: number,
  ): Promise<{ ok: true } | Failure> {
    const topic = { name, partitionCount, replicationFactor, assignments: [], configs: new Map() };
    const answer = await this.#node.submit(
      { type: 'createTopics', topics: [topic], validateOnly: false },
      timeoutMs,
    );
    return isFailure(answer) ? answer : firstOf(answer.topics);
  }

  async electPreferred(timeoutMs: number): Promise<{ ok: true } | Failure> {
    const answer = await this.#node.submit({ type: 'electLeaders', election: 'preferred' }, timeoutMs);
    return isFailure(answer) ? answer : { ok: true };
  }

  async reassign(
    topic: string,
    partition: number,
    replicas: readonly number[],
    timeoutMs: number,
  ): Promise<{ ok: true } | Failure> {
    const partitions = [{ topic, partition, replicas }];
    const answer = await this.#node.submit(
      { type: 'reassignPartitions', partitions, allowReplicationFactorChange: false },
      timeoutMs,
    );
    return isFailure(answer) ? answer : firstOf(answer.partitions);
  }

  get status() {
    return this.#node.quorum;
  }

  async createTopic(name: string, timeoutMs: number): Promise<{ ok: true; id: string } | Failure> {
    const topic = { name, partitionCount: 1, replicationFactor: 0, assignments: [], configs: new Map() };
    const answer = await this.#node.submit(
      { type: 'createTopics', topics: [topic], validateOnly: false },
      timeoutMs,
    );
    if (isFailure(answer)) return answer;
    const created = answer.topics[0];
    invariant(created !== undefined, 'each topic gets an answer');
    if (!created.ok) return created;
    return { ok: true, id: created.topicId ?? '' };
  }

  async setValue(name: string, value: string, timeoutMs: number): Promise<{ ok: true } | Failure> {
    const resource = { type: 'topic', name } as const;
    const changes = [{ name: VALUE_CONFIG, value }];
    const answer = await this.#node.submit(
      { type: 'alterConfigs', resources: [{ resource, changes }], validateOnly: false },
      timeoutMs,
    );
    return isFailure(answer) ? answer : firstOf(answer.resources);
  }

  async deleteTopic(name: string, timeoutMs: number): Promise<{ ok: true } | Failure> {
    const answer = await this.#node.submit({ type: 'deleteTopics', topics: [{ name }] }, timeoutMs);
    return isFailure(answer) ? answer : firstOf(answer.topics);
  }

  readBarrier(timeoutMs: number): ReturnType<SimulatedNode['readBarrier']> {
    return this.#node.readBarrier(timeoutMs);
  }

  changeVoters(
    change: Parameters<SimulatedNode['changeVoters']>[0],
    timeoutMs: number,
  ): ReturnType<SimulatedNode['changeVoters']> {
    return this.#node.changeVoters(change, timeoutMs);
  }

  transferLeadership(
    to: Parameters<SimulatedNode['transferLeadership']>[0],
    timeoutMs: number,
  ): ReturnType<SimulatedNode['transferLeadership']> {
    return this.#node.transferLeadership(to, timeoutMs);
  }

  async handOver(timeoutMs: number): Promise<void> {
    await this.#broker.shutDown(timeoutMs);
    this.#replicas?.drain();
    if (this.#node.isActive && this.#node.quorum.voters.length > 1) {
      await this.#node.transferLeadership(undefined, timeoutMs);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#fullDisk.close();
    this.#broker.close();
    await this.#groups?.close();
    await this.#replicas?.close();
    await this.#node.close();
    await this.#folder.close({ brokerEpoch: this.#epoch });
  }
}

class ImageOf implements ImageView {
  readonly #image: MetadataImage;
  readonly #digester: ImageDigester;

  constructor(image: MetadataImage, digester: ImageDigester) {
    this.#image = image;
    this.#digester = digester;
  }

  get offset(): number {
    return this.#image.offset;
  }

  topic(name: string): TopicView | undefined {
    const topic = this.#image.topicByName(name);
    return topic && { id: topic.id, value: valueOf(topic) };
  }

  *topicNames(): Iterable<string> {
    for (const { name } of this.#image.topics()) yield name;
  }

  digest(): string {
    return this.#digester.digest(this.#image);
  }

  problems(previous: ImageView | undefined): readonly string[] {
    return previous instanceof ImageOf ? imageInvariants(this.#image, previous.#image) : [];
  }
}

const valueOf = ({ configs }: TopicImage): string | undefined => configs.get(VALUE_CONFIG);

function metadataOptions(env: NodeEnv, variant: Variant) {
  const { config, limits, snapshotEveryBytes, saveAfterMs } = variant;
  const { self, endpoint, initialVoters, store, network, clock, prng, timing, observer, onFatal } = env;
  const configuredVoters = initialVoters.map(({ nodeId, endpoint: at }) => ({ nodeId, endpoint: at }));
  return {
    self,
    endpoint,
    isController: true,
    broker: self.nodeId as number as BrokerId,
    clusterId: CLUSTER_ID,
    configuredVoters,
    directory: new PeerDirectory(configuredVoters),
    config,
    store,
    network,
    clock,
    prng,
    controller: new Controller(config),
    timing,
    limits,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    maxWaitingCommands: 1_000,
    retryBackoffMs: RETRY_BACKOFF_MS,
    saveAfterMs,
    snapshotEveryBytes,
    snapshotEveryMs: 0,
    observer,
    onWaiting: () => undefined,
    onFatal,
  };
}

function replicaOptions(
  { self, clock, onFatal }: NodeEnv,
  variant: Variant,
  metadata: MetadataNode,
  lifecycle: BrokerLifecycle,
  folder: LogFolder,
  brokerEpoch: BrokerEpoch,
): ReplicaManagerOptions {
  return {
    self: self.nodeId as number as BrokerId,
    brokerEpoch,
    clock,
    folder,
    metadata,
    peers: metadata.peerChannel(peerChannels.replica),
    replication: variant.replication,
    submit: (command, timeoutMs) => metadata.submit(command, timeoutMs),
    isIsolated: () => lifecycle.isIsolated,
    codecs,
    settings: (image, topic) => {
      const settings = topicSettings(
        topicConfigOf(variant.config, image.topicConfigs(topic)),
        PRODUCER_ID_EXPIRATION_MS,
      );
      const log = { ...settings.log, segmentBytes: variant.recordSegmentBytes, fileDeleteDelayMs: 500 };
      return { ...settings, log, minInsyncReplicas: (replicas) => (replicas >= 3 ? 2 : 1) };
    },
    throttle: () => ({ leaderBytesPerSecond: Infinity, followerBytesPerSecond: Infinity }),
    limits: replicaLimits,
    intervals: {
      retentionMs: 60_000,
      cleanMs: Infinity,
      checkpointMs: 700,
      highWatermarkMs: variant.highWatermarkMs,
    },
    onError: (cause) => {
      clock.trace.note('replica error', self.nodeId, String(cause));
      // A disk that failed ends the node by itself, and a leader may send what is refused. Anything else is a bug.
      if (!(cause instanceof TidemarkError || cause instanceof DiskError)) onFatal(cause);
    },
  };
}

/** Everything that is waited for, short. */
function groupCoordinator(
  { self, clock, prng, onFatal }: NodeEnv,
  metadata: MetadataNode,
  replicas: ReplicaManager,
): GroupCoordinator {
  const groups = new GroupCoordinator({
    self: self.nodeId as number as BrokerId,
    clock,
    prng: prng.fork('groups'),
    codecs,
    settings: {
      ...defaultGroupSettings,
      minSessionTimeoutMs: 1,
      initialRebalanceDelayMs: 30,
      commitTimeoutMs: 400,
      newMemberJoinTimeoutMs: 2_000,
    },
    limits: { ...defaultCoordinatorLimits, loadChunkBytes: 512, retryMs: 50 },
    retentionCheckMs: 60_000,
    image: () => replicas.image,
    onError: (cause, doing) => {
      const { message } = cause as { readonly message?: string };
      clock.trace.note('group error', self.nodeId, doing, message ?? String(cause));
    },
    onFatal,
  });
  groups.follow({
    followLeaderships: (listener) => replicas.followLeaderships(listener),
    onImage: (listener) => metadata.onImage(listener),
  });
  return groups;
}

function brokerOf(
  env: NodeEnv,
  metadata: MetadataNode,
  folder: LogFolder,
  wantsFence: () => boolean,
): BrokerLifecycle {
  const { self, endpoint, incarnation, clock, prng, onFatal } = env;
  return new BrokerLifecycle({
    metadata,
    clock,
    prng: prng.fork('broker'),
    identity: {
      clusterId: CLUSTER_ID,
      brokerId: self.nodeId as number as BrokerId,
      endpoints: [{ name: 'PEER', ...endpoint }],
      rack: '',
      directoryId: self.directoryId,
      previousBrokerEpoch: folder.cleanShutdown?.brokerEpoch ?? -1,
      flushPolicy: 'ack',
    },
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    requestTimeoutMs: 500,
    retryBackoffMs: RETRY_BACKOFF_MS,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    wantsFence,
    onRetry: () => undefined,
    onFenced: (cause) => env.clock.trace.note('fenced', self.nodeId, incarnation, cause.error),
    onFatal,
  });
}

function firstOf(answers: readonly ({ readonly ok: true } | Failure)[]): { readonly ok: true } | Failure {
  const first = answers[0];
  if (first === undefined) return failure('UNKNOWN_SERVER_ERROR', 'no answer');
  return first.ok ? { ok: true } : first;
}
