// A whole production node in the simulated world: log folder, metadata log, replica of the quorum, controller, and a broker that
// registers and heartbeats.

import { type ImageDigester, type TopicImage } from '@tidemark/controller';
import { type BrokerEpoch, type BrokerId, failure, type Failure, invariant, isFailure } from '@tidemark/core';
import { LogFolder } from '@tidemark/log';
import {
  type BrokerLifecycle,
  FullDisk,
  type GroupCoordinator,
  METADATA_LOG_NAME,
  METADATA_TOPIC_ID,
  MetadataNode,
  ReplicaManager,
} from '@tidemark/runtime';
import { ImageOf, VALUE_CONFIG } from './production-image.ts';
import {
  brokerOf,
  groupCoordinator,
  metadataOptions,
  replicaOptions,
  tellCommitted,
} from './production-parts.ts';
import { variantOf, type Variant } from './production-variant.ts';
import {
  type ImageView,
  type NodeEnv,
  type NodeFactory,
  type PartitionPlace,
  type SimulatedNode,
} from './simulated-node.ts';

const LOG_DIRECTORY = 'logs';

/** The factory of the simulated cluster of `seed`. */
export function productionNodes(seed: number): NodeFactory {
  const variant = variantOf(seed);
  return (env) => ProductionNode.open(env, variant);
}

/** Of a topic as an image has it: asked for after every change of a high watermark, and the same until the topic changes. */
const placesOfTopic = new WeakMap<TopicImage, readonly PartitionPlace[]>();

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
      (cause: unknown) => {
        // A cluster that cannot be reached for long is no reason to end; partitions that cannot be opened are.
        if (opened.#epoch !== undefined && !opened.#isClosed) onFatal(cause);
      },
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
    tellCommitted(env, replicas);
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
    let places = placesOfTopic.get(topic);
    if (places === undefined) {
      places = topic.partitions.map(({ partition, leader, leaderEpoch, replicas, isr, elr }) => {
        return { topic: name, topicId: topic.id, partition, leader, leaderEpoch, replicas, isr, elr };
      });
      placesOfTopic.set(topic, places);
    }
    return places;
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

  async createTopic(
    name: string,
    replicationFactor: number,
    timeoutMs: number,
  ): Promise<{ ok: true; id: string } | Failure> {
    const topic = { name, partitionCount: 1, replicationFactor, assignments: [], configs: new Map() };
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

function firstOf(answers: readonly ({ readonly ok: true } | Failure)[]): { readonly ok: true } | Failure {
  const first = answers[0];
  if (first === undefined) return failure('UNKNOWN_SERVER_ERROR', 'no answer');
  return first.ok ? { ok: true } : first;
}
