// The stateful half of a node: its folder, its metadata and its partitions, opened in the order in which they rely on each other.

import { resolve } from 'node:path';
import {
  brokerConfigWith,
  DiskError,
  hostAndPort,
  topicConfigOf,
  topicIdFromBytes,
  type BrokerConfig,
  type BrokerEpoch,
  type BrokerId,
  type Clock,
  type Disk,
  type NodeId,
  type Prng,
  type TopicName,
} from '@tidemark/core';
import { nodeCodecs } from '@tidemark/compression';
import { Controller, type MetadataImage } from '@tidemark/controller';
import { LogFolder } from '@tidemark/log';
import type { Codecs } from '@tidemark/record';
import { isFailure } from '@tidemark/rpc';
import {
  ControllerRuntime,
  LocalQuorum,
  METADATA_LOG_NAME,
  METADATA_TOPIC_ID,
  metadataLogConfig,
  ProducerIds,
  ReplicaManager,
  topicSettings,
  type ReplicaLimits,
  type TopicSettings,
} from '@tidemark/runtime';
import type { Logger } from 'pino';
import type { FailureSignal } from './failure-signal.ts';
import { GrpcNetwork } from './grpc-network.ts';
import type { Listeners } from './listeners.ts';
import { checkMetaProperties, createMetaProperties, type ExpectedMeta } from './meta-properties.ts';
import { StartupError } from './startup-error.ts';

export interface NodeOptions {
  readonly config: BrokerConfig;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly diskAt: (folder: string) => Disk;
  readonly log: Logger;
  readonly failure: FailureSignal;
  readonly listeners: Listeners;
}

export interface OpenNode {
  readonly self: BrokerId;
  readonly clusterId: string;
  readonly codecs: Codecs;
  readonly controller: ControllerRuntime;
  readonly replicas: ReplicaManager;
  readonly producerIds: ProducerIds;
  /** To the other nodes. */
  readonly network: GrpcNetwork;
  close(): Promise<void>;
}

/** The folder, as the Disk's root sees it. */
const ROOT = '.';
/** Metadata decided and not yet on disk; beyond either bound commands are refused. */
const MAX_METADATA_BYTES = 16 * 1024 * 1024;
const MAX_WAITING_COMMANDS = 1_000;
const PROGRESS_EVERY_MS = 1_000;
/** What may be queued for one other node; more is dropped, and sent again by the protocols above. */
const MAX_PEER_QUEUE_BYTES = 64 * 1024 * 1024;

export async function openNode(options: NodeOptions): Promise<OpenNode> {
  const { config, clock, prng, log } = options;
  const folderPath = resolve(config.get('log.dirs')[0]!);
  const disk = options.diskAt(folderPath);
  const expected = {
    clusterId: config.get('cluster.id'),
    nodeId: config.get('node.id'),
    folder: folderPath,
  };
  const known = await diskErrors(folderPath, () => checkFolder(disk, expected));
  const codecs = nodeCodecs();
  let running: ReplicaManager | undefined;
  const folder = await diskErrors(folderPath, () =>
    openFolder(options, disk, codecs, () => running?.storageFailed()),
  );
  try {
    const meta = known ?? (await diskErrors(folderPath, () => createMetaProperties(disk, prng, expected)));
    const self = meta.nodeId as BrokerId;
    const controller = await openController(options, folder);
    const { brokerEpoch } = await register(options, controller, meta.clusterId, self);
    const replicas = new ReplicaManager({
      self,
      clock,
      folder,
      metadata: controller,
      codecs,
      settings: (image, topic) => settingsOf(config, self, image, topic),
      limits: replicaLimits(config),
      intervals: {
        retentionMs: config.get('log.retention.check.interval.ms'),
        checkpointMs: config.get('log.flush.offset.checkpoint.interval.ms'),
      },
      onError: (cause, doing) => log.error({ err: cause }, doing),
    });
    running = replicas;
    await replicas.start();
    await must(controller.submit({ type: 'unfenceBroker', brokerId: self, brokerEpoch }));
    const producerIds = new ProducerIds(() =>
      controller.submit({ type: 'allocateProducerIds', brokerId: self, brokerEpoch }),
    );
    const network = new GrpcNetwork({
      self: self as number as NodeId,
      clock,
      addressOf: (node) => peerAddress(controller.image, node),
      maxQueuedBytes: MAX_PEER_QUEUE_BYTES,
    });
    const close = async (): Promise<void> => {
      await replicas.close();
      await controller.close();
      await folder.close({ brokerEpoch });
    };
    return { self, clusterId: meta.clusterId, codecs, controller, replicas, producerIds, network, close };
  } catch (thrown) {
    await folder.close();
    throw thrown;
  }
}

async function openController(
  { config, clock, prng, failure }: NodeOptions,
  folder: LogFolder,
): Promise<ControllerRuntime> {
  const quorum = new LocalQuorum({
    log: await folder.openPartition(METADATA_LOG_NAME, METADATA_TOPIC_ID, metadataLogConfig),
    clock,
    maxInFlightBytes: MAX_METADATA_BYTES,
    onFatal: (cause) => failure.raise(cause, 'a bug was met while committing metadata; the process ends'),
  });
  const controller = new Controller(config);
  return ControllerRuntime.start({ controller, quorum, prng, maxWaitingCommands: MAX_WAITING_COMMANDS });
}

function peerAddress(image: MetadataImage, node: NodeId): string | undefined {
  const endpoint = image.broker(node)?.endpoints.find(({ name }) => name === 'PEER');
  return endpoint === undefined ? undefined : hostAndPort(endpoint.host, endpoint.port);
}

/** Looks before anything is locked or changed. */
async function checkFolder(disk: Disk, expected: ExpectedMeta) {
  if ((await disk.stat(ROOT)) === undefined) return undefined;
  const meta = await checkMetaProperties(disk, expected);
  const names = (await disk.list(ROOT)).filter(({ kind }) => kind === 'directory').map(({ name }) => name);
  const partitions = names.filter((name) => /-\d+$/.test(name));
  if (partitions.length > 0 && !names.includes(METADATA_LOG_NAME)) {
    throw new StartupError(
      `the folder ${expected.folder} holds partitions (${partitions[0]!} and ${partitions.length - 1} more) but no ${METADATA_LOG_NAME}, so nothing says what they are`,
      `restore ${METADATA_LOG_NAME} from a backup, or point log.dirs at another folder`,
    );
  }
  return meta;
}

function openFolder(
  { config, clock, prng, log, failure }: NodeOptions,
  disk: Disk,
  codecs: Codecs,
  onFailed: () => void,
): Promise<LogFolder> {
  return LogFolder.open({
    disk,
    clock,
    prng,
    codecs,
    directory: ROOT,
    tailBytes: config.get('log.tail.bytes'),
    onOffline: (cause) => {
      onFailed();
      failure.raise(cause, 'the log folder failed and takes no more writes; the process ends');
    },
    onWarning: (message, cause) => log.warn({ err: cause }, message),
    onProgress: recoveryProgress(clock, log),
  });
}

/** A long recovery says now and then how far it is; a short one says nothing. */
function recoveryProgress(clock: Clock, log: Logger): (name: string, scannedBytes: number) => void {
  let saidAtMs = clock.monotonicMs();
  return (partition, scannedBytes) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - saidAtMs < PROGRESS_EVERY_MS) return;
    saidAtMs = nowMs;
    log.info({ partition, scannedBytes }, 'checking logs after a stop that was not clean');
  };
}

/** Turns the disk's refusals into why the node does not start. */
async function diskErrors<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    const elsewhere = 'or point log.dirs at another folder';
    if (cause.code === 'ELOCKED') {
      throw new StartupError(
        `the folder ${folder} is in use by another process`,
        `stop that process, ${elsewhere}`,
        { cause },
      );
    }
    const mayNot = cause.code === 'EACCES' || cause.code === 'EROFS';
    throw new StartupError(
      `the folder ${folder} cannot be ${mayNot ? 'written' : 'used'} (${cause.message})`,
      `${mayNot ? 'give this user the right to' : 'see to the disk'}, ${elsewhere}`,
      { cause },
    );
  }
}

async function must<T>(answer: Promise<T>): Promise<Exclude<T, { readonly ok: false }>> {
  const value = await answer;
  if (isFailure(value)) {
    throw new StartupError(`the cluster refused this node: ${value.message}`, 'correct its configuration');
  }
  return value as Exclude<T, { readonly ok: false }>;
}

async function register(
  { config, prng, listeners }: NodeOptions,
  controller: ControllerRuntime,
  clusterId: string,
  brokerId: BrokerId,
): Promise<{ readonly brokerEpoch: BrokerEpoch }> {
  await must(controller.submit({ type: 'registerCluster', clusterId }));
  return must(
    controller.submit({
      type: 'registerBroker',
      clusterId,
      brokerId,
      incarnationId: topicIdFromBytes(prng.bytes(16)),
      endpoints: listeners.advertised.map(({ name, host, port }) => ({ name, host, port })),
      rack: config.get('broker.rack'),
      directoryId: topicIdFromBytes(prng.bytes(16)),
      previousBrokerEpoch: -1,
    }),
  );
}

function settingsOf(
  config: BrokerConfig,
  self: BrokerId,
  image: MetadataImage,
  topic: TopicName,
): TopicSettings {
  const broker = brokerConfigWith(config, image.brokerConfigs(''), image.brokerConfigs(self));
  return topicSettings(
    topicConfigOf(broker, image.topicConfigs(topic)),
    broker.get('producer.id.expiration.ms'),
  );
}

function replicaLimits(config: BrokerConfig): ReplicaLimits {
  return {
    maxRequestBytes: config.get('queued.max.request.bytes'),
    maxResponseBytes: config.get('queued.max.response.bytes'),
    maxFetchBytes: config.get('fetch.max.bytes'),
    maxInflatedBatchBytes: config.get('max.inflated.batch.bytes'),
    maxBatchesPerPartition: 10_000,
    maxWaitingFetches: 10_000,
    maxQueuedForMemory: 10_000,
    maxPartitionsPerStream: 10_000,
  };
}
