// The real controller, pure as it is, deciding for one partition; with every image it ever had, since brokers are late.

import {
  applyRecords,
  Controller,
  MetadataImage,
  NO_SESSIONS,
  type ControllerCommand,
  type PartitionImage,
  type ResponseTo,
} from '@tidemark/controller';
import {
  brokerConfigs,
  describeProblems,
  minInsyncReplicas,
  resolveConfig,
  topicConfigOf,
  topicIdFromBytes,
  type BrokerConfig,
  type BrokerEpoch,
  type BrokerId,
  type Failure,
  type Offset,
  type TopicId,
} from '@tidemark/core';
import type { SeededPrng } from './seeded-prng.ts';

const CLUSTER_ID = 'model';
const TOPIC = 't';

function configOf(file: string): BrokerConfig {
  const resolved = resolveConfig(brokerConfigs, { file });
  if (!resolved.ok) throw new Error(describeProblems(resolved.problems));
  return resolved.config;
}

const CONFIGS = { clean: configOf(''), unclean: configOf('unclean.leader.election.enable=true') };

function uuid(number: number): string {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, number);
  return topicIdFromBytes(bytes);
}

export class ModelController {
  readonly images: MetadataImage[] = [MetadataImage.empty()];
  readonly prng: SeededPrng;
  readonly #controller: Controller;
  readonly #flushPolicy: 'ack' | 'os';
  #incarnations = 0;

  constructor(prng: SeededPrng, isUnclean: boolean, flushPolicy: 'ack' | 'os') {
    this.prng = prng;
    this.#flushPolicy = flushPolicy;
    this.#controller = new Controller(isUnclean ? CONFIGS.unclean : CONFIGS.clean);
    this.run({ type: 'registerCluster', clusterId: CLUSTER_ID });
  }

  get image(): MetadataImage {
    return this.images.at(-1)!;
  }

  get topicId(): TopicId {
    return this.image.topicByName(TOPIC)!.id;
  }

  get partition(): PartitionImage {
    return this.image.topicByName(TOPIC)!.partitions[0]!;
  }

  static partitionOf(image: MetadataImage): PartitionImage | undefined {
    return image.topicByName(TOPIC)?.partitions[0];
  }

  /** In force under this image. */
  static minInsyncReplicasOf(image: MetadataImage): number {
    const { configs, partitions } = image.topicByName(TOPIC)!;
    return minInsyncReplicas(topicConfigOf(CONFIGS.clean, configs), partitions[0]!.replicas.length);
  }

  run<C extends ControllerCommand>(command: C): ResponseTo<C> | Failure {
    const { image, prng } = this;
    const nextOffset = (image.offset + 1) as Offset;
    const handled = this.#controller.handle(command, {
      image,
      nextOffset,
      prng,
      nowMs: 0,
      sessions: NO_SESSIONS,
    });
    if (!handled.ok) return handled;
    if (handled.records.length > 0) this.images.push(applyRecords(image, handled.records, nextOffset));
    return handled.response;
  }

  register(id: number, previousBrokerEpoch: number): BrokerEpoch {
    const answer = this.run({
      type: 'registerBroker',
      clusterId: CLUSTER_ID,
      brokerId: id as BrokerId,
      incarnationId: uuid(++this.#incarnations),
      endpoints: [],
      rack: '',
      directoryId: uuid(id),
      previousBrokerEpoch: previousBrokerEpoch as BrokerEpoch | -1,
      flushPolicy: this.#flushPolicy,
    });
    if ('error' in answer) throw new Error(answer.message);
    return answer.brokerEpoch;
  }

  heartbeat(id: number, brokerEpoch: BrokerEpoch, appliedOffset: number, wantShutDown = false): void {
    this.run({
      type: 'heartbeat',
      brokerId: id as BrokerId,
      brokerEpoch,
      wantFence: false,
      wantShutDown,
      appliedOffset: appliedOffset as Offset,
    });
  }

  fence(id: number): void {
    const brokerEpoch = this.image.broker(id)?.epoch;
    if (brokerEpoch !== undefined) this.run({ type: 'fenceBroker', brokerId: id as BrokerId, brokerEpoch });
  }

  create(replicas: readonly number[], minInsyncReplicas: number): void {
    const answer = this.run({
      type: 'createTopics',
      topics: [
        {
          name: TOPIC,
          partitionCount: 0,
          replicationFactor: 0,
          assignments: [{ partition: 0, replicas }],
          configs: new Map([['min.insync.replicas', String(minInsyncReplicas)]]),
        },
      ],
      validateOnly: false,
    });
    if ('error' in answer || !answer.topics[0]!.ok) throw new Error(JSON.stringify(answer));
  }

  /** `replicas` undefined: what is under way is cancelled. Either may be refused. */
  reassign(replicas: readonly number[] | undefined): void {
    const partitions = [{ topic: TOPIC, partition: 0, replicas }];
    this.run({ type: 'reassignPartitions', partitions, allowReplicationFactorChange: true });
  }

  setMinInsyncReplicas(count: number): void {
    const resource = { type: 'topic', name: TOPIC } as const;
    const changes = [{ name: 'min.insync.replicas', value: String(count) }];
    this.run({ type: 'alterConfigs', resources: [{ resource, changes }], validateOnly: false });
  }

  electPreferred(): void {
    this.run({ type: 'electLeaders', election: 'preferred' });
  }
}
