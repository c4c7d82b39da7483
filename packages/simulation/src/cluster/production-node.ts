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
  brokerConfigs,
  type BrokerId,
  describeProblems,
  failure,
  type Failure,
  invariant,
  isFailure,
  resolveConfig,
} from '@tidemark/core';
import { LogFolder, type LogConfig } from '@tidemark/log';
import { defaultRaftLimits, type RaftLimits } from '@tidemark/raft';
import {
  BrokerLifecycle,
  METADATA_LOG_NAME,
  METADATA_TOPIC_ID,
  metadataLogConfig,
  MetadataNode,
  PeerDirectory,
} from '@tidemark/runtime';
import { SimPrng } from '../sim-prng.ts';
import {
  type ImageView,
  type NodeEnv,
  type NodeFactory,
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

/** What differs from cluster to cluster. */
interface Variant {
  readonly config: BrokerConfig;
  readonly limits: RaftLimits;
  readonly log: LogConfig;
  readonly snapshotEveryBytes: number;
  readonly saveAfterMs: number;
  readonly digester: ImageDigester;
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
    // One for all nodes: it only makes comparing them cheaper.
    digester: new ImageDigester(),
  };
  return (env) => ProductionNode.open(env, variant);
}

class ProductionNode implements SimulatedNode {
  readonly #node: MetadataNode;
  readonly #broker: BrokerLifecycle;
  readonly #folder: LogFolder;
  readonly #digester: ImageDigester;

  private constructor(
    node: MetadataNode,
    broker: BrokerLifecycle,
    folder: LogFolder,
    digester: ImageDigester,
  ) {
    this.#node = node;
    this.#broker = broker;
    this.#folder = folder;
    this.#digester = digester;
  }

  static async open(env: NodeEnv, variant: Variant): Promise<SimulatedNode> {
    const { disk, clock, prng, onFatal } = env;
    const folder = await LogFolder.open({ disk, clock, prng, directory: LOG_DIRECTORY, onOffline: onFatal });
    const log = await folder.openPartition(METADATA_LOG_NAME, METADATA_TOPIC_ID, variant.log);
    const node = await MetadataNode.open({ ...metadataOptions(env, variant), log });
    const { digester } = variant;
    node.onImage((image) => env.onImage(new ImageOf(image, digester)));
    const broker = brokerOf(env, node);
    const opened = new ProductionNode(node, broker, folder, digester);
    broker.register().then(
      () => {
        broker.start();
        broker.ready();
      },
      // A cluster that cannot be reached for long is no reason to end.
      () => undefined,
    );
    return opened;
  }

  get image(): ImageView {
    return new ImageOf(this.#node.image, this.#digester);
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

  async close(): Promise<void> {
    this.#broker.close();
    await this.#node.close();
    await this.#folder.close();
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

function brokerOf(env: NodeEnv, metadata: MetadataNode): BrokerLifecycle {
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
      previousBrokerEpoch: -1,
    },
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    requestTimeoutMs: 500,
    retryBackoffMs: RETRY_BACKOFF_MS,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
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
