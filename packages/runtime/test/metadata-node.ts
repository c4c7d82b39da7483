// A node's metadata side on a simulated disk: log folder, metadata log, quorum of one, controller. Everything is the
// production code but for the disk, the clock and the randomness.

import { Controller, type MetadataImage, type NewTopic, type ResponseTo } from '@tidemark/controller';
import type { ControllerCommand } from '@tidemark/controller';
import { brokerConfigs, describeProblems, resolveConfig, type BrokerId, type Failure } from '@tidemark/core';
import { LogFolder, type PartitionLog } from '@tidemark/log';
import {
  ControllerRuntime,
  LocalQuorum,
  METADATA_LOG_NAME,
  METADATA_TOPIC_ID,
  metadataLogConfig,
} from '@tidemark/runtime';
import { SimClock, SimDisk, SimPrng } from '@tidemark/simulation';

export const CLUSTER_ID = 'cluster';

export interface NodeOptions {
  readonly disk?: SimDisk;
  readonly clock?: SimClock;
  readonly seed?: number;
  readonly maxWaitingCommands?: number;
  readonly maxInFlightBytes?: number;
  readonly file?: string;
}

export class MetadataNode {
  readonly clock: SimClock;
  readonly disk: SimDisk;
  readonly folder: LogFolder;
  readonly log: PartitionLog;
  readonly runtime: ControllerRuntime;
  /** What the process would have ended of. */
  readonly fatal: unknown[];

  private constructor(
    clock: SimClock,
    disk: SimDisk,
    folder: LogFolder,
    log: PartitionLog,
    runtime: ControllerRuntime,
    fatal: unknown[],
  ) {
    this.clock = clock;
    this.disk = disk;
    this.folder = folder;
    this.log = log;
    this.runtime = runtime;
    this.fatal = fatal;
  }

  static async start(options: NodeOptions = {}): Promise<MetadataNode> {
    const clock = options.clock ?? new SimClock();
    const disk = options.disk ?? new SimDisk({ clock });
    return clock.settle(MetadataNode.#open(clock, disk, options));
  }

  static async #open(clock: SimClock, disk: SimDisk, options: NodeOptions): Promise<MetadataNode> {
    const { seed = 1, maxWaitingCommands = 100, maxInFlightBytes = 1_000_000, file = '' } = options;
    const fatal: unknown[] = [];
    const config = resolveConfig(brokerConfigs, { file });
    if (!config.ok) throw new Error(describeProblems(config.problems));
    const folder = await LogFolder.open({ disk, clock, directory: 'data', onOffline: () => undefined });
    const log = await folder.openPartition(METADATA_LOG_NAME, METADATA_TOPIC_ID, metadataLogConfig);
    const onFatal = (cause: unknown) => fatal.push(cause);
    const quorum = new LocalQuorum({ log, clock, maxInFlightBytes, onFatal });
    const controller = new Controller(config.config);
    const prng = new SimPrng(seed);
    const runtime = await ControllerRuntime.start({ controller, quorum, prng, maxWaitingCommands });
    return new MetadataNode(clock, disk, folder, log, runtime, fatal);
  }

  get image(): MetadataImage {
    return this.runtime.image;
  }

  /** Submits and runs the world until there is an answer. */
  submit<C extends ControllerCommand>(command: C): Promise<ResponseTo<C> | Failure> {
    return this.clock.settle(this.runtime.submit(command));
  }

  /** Submits; throws when the command is refused. */
  async must<C extends ControllerCommand>(command: C): Promise<ResponseTo<C>> {
    const answer = await this.submit(command);
    if ('error' in answer) throw new Error(`${answer.error}: ${answer.message}`);
    return answer;
  }

  /** Registers the cluster and broker 1, unfenced: a node that is ready. */
  async join(incarnation = 1): Promise<void> {
    await this.must({ type: 'registerCluster', clusterId: CLUSTER_ID });
    const { brokerEpoch } = await this.must(registration(incarnation));
    await this.must({ type: 'unfenceBroker', brokerId: 1 as BrokerId, brokerEpoch });
  }

  async close(): Promise<void> {
    await this.clock.settle(this.runtime.close());
    await this.clock.settle(this.folder.close());
  }
}

export function registration(incarnation: number) {
  const incarnationId = `${String(incarnation).padStart(21, 'A')}A`;
  const endpoints = [{ name: 'CLIENT', host: 'localhost', port: 9290 }];
  return {
    type: 'registerBroker',
    clusterId: CLUSTER_ID,
    brokerId: 1 as BrokerId,
    incarnationId,
    endpoints,
    rack: '',
    directoryId: incarnationId,
    previousBrokerEpoch: -1,
  } as const;
}

export function creation(...names: readonly string[]) {
  const topics = names.map((name): NewTopic => ({
    name,
    partitionCount: 2,
    replicationFactor: 0,
    assignments: [],
    configs: new Map([['retention.ms', '1000']]),
  }));
  return { type: 'createTopics', topics, validateOnly: false } as const;
}

/** Everything an image says, as plain data. */
export function contents(image: MetadataImage) {
  return {
    offset: image.offset,
    clusterId: image.clusterId,
    brokers: image.brokers(),
    topics: [...image.topics()].map((topic) => ({ ...topic, configs: [...topic.configs] })),
    partitionCount: image.partitionCount,
    allBrokers: [...image.brokerConfigs('')],
    nextProducerId: image.nextProducerId,
  };
}

export const topicNames = (image: MetadataImage) => [...image.topics()].map(({ name }) => name).sort();
