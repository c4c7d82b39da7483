// The stateful half of a node: its folder, its metadata and, on a broker, its partitions, opened in the order in which they rely
// on each other.

import { resolve } from 'node:path';
import {
  brokerConfigWith,
  nodeRole,
  replicationThrottleRates,
  TidemarkError,
  topicConfigOf,
  type BrokerConfig,
  type BrokerEpoch,
  type BrokerId,
  type Disk,
  type TopicName,
} from '@tidemark/core';
import { nodeCodecs } from '@tidemark/compression';
import type { MetadataImage } from '@tidemark/controller';
import { defaultGroupSettings, type GroupSettings } from '@tidemark/group';
import type { LogFolder } from '@tidemark/log';
import type { Codecs } from '@tidemark/record';
import {
  BrokerLifecycle,
  defaultCoordinatorLimits,
  FullDisk,
  GroupCoordinator,
  OffsetsTopic,
  offsetsTopicSettings,
  peerChannels,
  ProducerIds,
  ReplicaManager,
  topicSettings,
  type FullDiskOptions,
  type MetadataNode,
  type ReplicaLimits,
  type ReplicaObserver,
  type ReplicationSettings,
  type TopicSettings,
} from '@tidemark/runtime';
import type { GrpcNetwork } from './grpc-network.ts';
import { createMetaProperties, type ExpectedMeta, type MetaProperties } from './meta-properties.ts';
import { checkFolder, diskErrors, openFolder, type FoundFolder } from './open-folder.ts';
import { openMetadata, type MetadataOptions } from './open-metadata.ts';
import { StartupError } from './startup-error.ts';

export interface NodeOptions extends MetadataOptions {
  readonly diskAt: (folder: string) => Disk;
  readonly observer: ReplicaObserver;
  /** What the start is at, for whoever asks why the node is not ready. */
  readonly onStage: (stage: string) => void;
}

/** What a node has that is a broker. */
export interface OpenBroker {
  readonly replicas: ReplicaManager;
  readonly producerIds: ProducerIds;
  readonly groups: GroupCoordinator;
  readonly offsetsTopic: OffsetsTopic;
  readonly lifecycle: BrokerLifecycle;
  readonly epoch: BrokerEpoch;
}

export interface OpenNode {
  readonly self: BrokerId;
  readonly clusterId: string;
  readonly codecs: Codecs;
  readonly metadata: MetadataNode;
  readonly network: GrpcNetwork;
  /** Undefined on a node that is no broker. */
  readonly broker: OpenBroker | undefined;
  close(): Promise<void>;
}

export async function openNode(options: NodeOptions): Promise<OpenNode> {
  const { config } = options;
  const folderPath = resolve(config.get('log.dirs')[0]!);
  const disk = options.diskAt(folderPath);
  const expected = {
    clusterId: config.get('cluster.id'),
    nodeId: config.get('node.id'),
    folder: folderPath,
  };
  const known = await diskErrors(folderPath, () => checkFolder(disk, expected));
  if (known === undefined) checkClusterId(config);
  const codecs = nodeCodecs();
  let running: ReplicaManager | undefined;
  let fullDisk: FullDisk | undefined;
  const folder = await diskErrors(folderPath, () =>
    openFolder(
      options,
      disk,
      codecs,
      () => running?.storageFailed(),
      () => fullDisk?.met(),
    ),
  );
  const undo: (() => Promise<void>)[] = [() => folder.close()];
  try {
    const meta = await diskErrors(folderPath, () => identityOf(options, disk, expected, known));
    options.onStage('it joins the quorum: a first start waits for all voters, a later one for a leader');
    const opened = await diskErrors(folderPath, () => openMetadata(options, folder, folderPath, meta));
    undo.push(() => opened.close());
    const { metadata, network } = opened;
    const self = meta.nodeId as BrokerId;
    const { clusterId } = meta;
    if (!nodeRole(config).isBroker) {
      const close = async (): Promise<void> => {
        await opened.close();
        await folder.close();
      };
      return { self, clusterId, codecs, metadata, network, broker: undefined, close };
    }
    const lifecycle = brokerLifecycle(options, metadata, meta, folder, () => fullDisk?.wantsFence === true);
    fullDisk = fullDiskOf(options, metadata, folder, self, {
      onChange: () => lifecycle.wishesChanged(),
      onRoom: () => running?.roomFound(),
    });
    undo.push(() => {
      fullDisk?.close();
      lifecycle.close();
      return Promise.resolve();
    });
    options.onStage('it is not registered with the controller yet');
    const epoch = await registered(lifecycle);
    const replicas = replicaManager(options, metadata, folder, codecs, { self, epoch, lifecycle });
    running = replicas;
    undo.push(() => replicas.close());
    // Before there are partitions, so that it misses none.
    const groups = groupCoordinator(options, replicas, codecs, self);
    undo.push(() => groups.close());
    groups.follow({
      followLeaderships: (listener) => replicas.followLeaderships(listener),
      onImage: (listener) => metadata.onImage(listener),
    });
    options.onStage('it opens its partitions');
    await replicas.start();
    // Unfenced only now: whoever is elected leader of a partition here finds its log open.
    lifecycle.start();
    lifecycle.ready();
    options.onStage('the controller has not let it serve yet: it catches up with the metadata');
    await lifecycle.unfenced();
    const timeoutMs = config.get('controller.quorum.request.timeout.ms');
    const producerIds = new ProducerIds(() =>
      metadata.submit({ type: 'allocateProducerIds', brokerId: self, brokerEpoch: epoch }, timeoutMs),
    );
    const offsetsTopic = new OffsetsTopic(metadata, offsetsTopicSettings(config));
    const close = async (): Promise<void> => {
      fullDisk?.close();
      lifecycle.close();
      await groups.close();
      await replicas.close();
      await opened.close();
      await folder.close({ brokerEpoch: epoch });
    };
    const broker = { replicas, producerIds, groups, offsetsTopic, lifecycle, epoch };
    return { self, clusterId, codecs, metadata, network, broker, close };
  } catch (thrown) {
    for (const step of undo.reverse()) await step();
    throw thrown;
  }
}

/**
 * A folder that was emptied but for its identity gets a new one: as its former self the node could vote twice in a term, and would count
 * as having records that are gone.
 */
async function identityOf(
  { prng, log }: NodeOptions,
  disk: Disk,
  expected: ExpectedMeta,
  known: FoundFolder | undefined,
): Promise<MetaProperties> {
  if (known === undefined) return createMetaProperties(disk, prng, expected);
  const { meta, isEmptied } = known;
  if (!isEmptied) return meta;
  const made = await createMetaProperties(disk, prng, { ...expected, clusterId: meta.clusterId });
  const { directoryId } = made;
  log.warn({ directoryId, before: meta.directoryId }, 'the folder was emptied: it has a new directory id');
  return made;
}

/** Nodes that would each draw an id of their own could never be one cluster. */
function checkClusterId(config: BrokerConfig): void {
  if (config.get('cluster.id') !== '' || nodeRole(config).membership === 'alone') return;
  throw new StartupError(
    'cluster.id is not set, and controller.quorum.voters names other nodes',
    'give all nodes of the cluster the same cluster.id',
  );
}

function brokerLifecycle(
  { config, clock, prng, log, failure, listeners }: NodeOptions,
  metadata: MetadataNode,
  { clusterId, nodeId, directoryId }: MetaProperties,
  folder: LogFolder,
  wantsFence: () => boolean,
): BrokerLifecycle {
  return new BrokerLifecycle({
    metadata,
    clock,
    prng,
    identity: {
      clusterId,
      brokerId: nodeId as BrokerId,
      endpoints: listeners.advertised.map(({ name, host, port }) => ({ name, host, port })),
      rack: config.get('broker.rack'),
      directoryId,
      previousBrokerEpoch: folder.cleanShutdown?.brokerEpoch ?? -1,
      flushPolicy: config.get('flush.policy'),
    },
    heartbeatIntervalMs: config.get('broker.heartbeat.interval.ms'),
    sessionTimeoutMs: config.get('broker.session.timeout.ms'),
    requestTimeoutMs: config.get('controller.quorum.request.timeout.ms'),
    retryBackoffMs: config.get('controller.quorum.retry.backoff.ms'),
    wantsFence,
    onRetry: (cause, doing) => {
      const what =
        doing === 'register'
          ? 'the broker waits to be registered'
          : 'the controller did not hear this broker';
      log.warn({ cause: cause.message }, `${what}; it goes on trying`);
    },
    onFenced: (cause) => {
      failure.raise(TidemarkError.from(cause), 'this broker was replaced or removed; the process ends');
    },
    onFatal: (cause) => failure.raise(cause, 'a bug was met in the broker’s heartbeat; the process ends'),
  });
}

function fullDiskOf(
  { clock, log, failure }: NodeOptions,
  metadata: MetadataNode,
  folder: LogFolder,
  self: BrokerId,
  { onChange, onRoom }: Pick<FullDiskOptions, 'onChange' | 'onRoom'>,
): FullDisk {
  return new FullDisk({
    self,
    clock,
    image: () => metadata.image,
    hasRoom: () => folder.hasRoom(),
    onChange,
    onRoom,
    onTold: (isFull) => {
      if (isFull)
        log.error('the disk is full: the broker asks to be fenced, unless it alone can lead something');
      else log.info('the disk has room again');
    },
    onFatal: (cause) =>
      failure.raise(cause, 'a bug was met while looking for room on the disk; the process ends'),
  });
}

async function registered(lifecycle: BrokerLifecycle): Promise<BrokerEpoch> {
  try {
    return await lifecycle.register();
  } catch (cause) {
    if (!(cause instanceof TidemarkError)) throw cause;
    throw new StartupError(`the cluster refused this node: ${cause.message}`, 'correct its configuration', {
      cause,
    });
  }
}

interface RegisteredBroker {
  readonly self: BrokerId;
  readonly epoch: BrokerEpoch;
  readonly lifecycle: BrokerLifecycle;
}

function replicaManager(
  { config, clock, log, observer }: NodeOptions,
  metadata: MetadataNode,
  folder: LogFolder,
  codecs: Codecs,
  { self, epoch, lifecycle }: RegisteredBroker,
): ReplicaManager {
  return new ReplicaManager({
    self,
    brokerEpoch: epoch,
    clock,
    peers: metadata.peerChannel(peerChannels.replica),
    replication: replicationSettings(config),
    submit: (command, timeoutMs) => metadata.submit(command, timeoutMs),
    isIsolated: () => lifecycle.isIsolated,
    folder,
    metadata,
    codecs,
    settings: (image, topic) => settingsOf(config, self, image, topic),
    throttle: (image) =>
      replicationThrottleRates(brokerConfigWith(config, image.brokerConfigs(''), image.brokerConfigs(self))),
    limits: replicaLimits(config),
    intervals: {
      retentionMs: config.get('log.retention.check.interval.ms'),
      cleanMs: config.get('log.cleaner.enable') ? config.get('log.cleaner.backoff.ms') : Infinity,
      checkpointMs: config.get('log.flush.offset.checkpoint.interval.ms'),
      highWatermarkMs: config.get('replica.high.watermark.checkpoint.interval.ms'),
    },
    observer,
    onError: (cause, doing) => log.error({ err: cause }, doing),
  });
}

function groupCoordinator(
  { config, clock, prng, log, failure }: NodeOptions,
  replicas: ReplicaManager,
  codecs: Codecs,
  self: BrokerId,
): GroupCoordinator {
  return new GroupCoordinator({
    ...{ self, clock, prng, codecs },
    settings: groupSettings(config),
    limits: {
      ...defaultCoordinatorLimits,
      maxInflatedBatchBytes: config.get('max.inflated.batch.bytes'),
      appendLingerMs: config.get('group.coordinator.append.linger.ms'),
    },
    retentionCheckMs: config.get('offsets.retention.check.interval.ms'),
    image: () => replicas.image,
    onError: (cause, doing) => log.error({ err: cause }, doing),
    onFatal: (cause) => failure.raise(cause, 'a bug was met in a group coordinator; the process ends'),
  });
}

function groupSettings(config: BrokerConfig): GroupSettings {
  return {
    ...defaultGroupSettings,
    minSessionTimeoutMs: config.get('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.get('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: config.get('group.initial.rebalance.delay.ms'),
    maxSize: config.get('group.max.size'),
    offsetMetadataMaxBytes: config.get('offset.metadata.max.bytes'),
    offsetsRetentionMs: config.get('offsets.retention.minutes') * 60_000,
    commitTimeoutMs: config.get('offsets.commit.timeout.ms'),
  };
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

function replicationSettings(config: BrokerConfig): ReplicationSettings {
  return {
    lagTimeMaxMs: config.get('replica.lag.time.max.ms'),
    fetchMaxBytes: config.get('replica.fetch.max.bytes'),
    responseMaxBytes: config.get('replica.fetch.response.max.bytes'),
    windowBytes: config.get('replica.fetch.window.bytes'),
    keepAliveMs: config.get('replica.fetch.wait.max.ms'),
    backoffMs: config.get('replica.fetch.backoff.ms'),
    requestTimeoutMs: config.get('controller.quorum.request.timeout.ms'),
  };
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
