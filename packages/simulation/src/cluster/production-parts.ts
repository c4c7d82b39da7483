// The parts of a production node in the simulated world, each with what it is given there: the options of a server, shorter and smaller.
// The one place, with production-node.ts, where the simulator touches the runtime's front door.

import { Controller } from '@tidemark/controller';
import {
  type BrokerEpoch,
  type BrokerId,
  type ConfigOverrides,
  DiskError,
  TidemarkError,
  topicConfigOf,
} from '@tidemark/core';
import { defaultGroupSettings } from '@tidemark/group';
import { type LogFolder } from '@tidemark/log';
import { type Codecs } from '@tidemark/record';
import {
  BrokerLifecycle,
  defaultCoordinatorLimits,
  GroupCoordinator,
  type MetadataNode,
  PeerDirectory,
  peerChannels,
  type ReplicaManager,
  type ReplicaLimits,
  type ReplicaManagerOptions,
  topicSettings,
  type TopicSettings,
} from '@tidemark/runtime';
import { type Variant } from './production-variant.ts';
import { type NodeEnv } from './simulated-node.ts';

const CLUSTER_ID = 'simulated';
const SESSION_TIMEOUT_MS = 1_000;
const HEARTBEAT_INTERVAL_MS = 300;
const RETRY_BACKOFF_MS = 30;
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

export function metadataOptions(env: NodeEnv, variant: Variant) {
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

export function replicaOptions(
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
    settings: (image, topic) => settingsOf(variant, image.topicConfigs(topic)),
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

/**
 * Worked out once for each set of overrides: it is asked for whenever anything about a topic changes, on every node. Each time
 * another object, as in a server.
 */
function settingsOf(variant: Variant, overrides: ConfigOverrides): TopicSettings {
  let settings = variant.settings.get(overrides);
  if (settings === undefined) {
    settings = topicSettings(topicConfigOf(variant.config, overrides), PRODUCER_ID_EXPIRATION_MS);
    variant.settings.set(overrides, settings);
  }
  const log = { ...settings.log, segmentBytes: variant.recordSegmentBytes, fileDeleteDelayMs: 500 };
  return { ...settings, log, minInsyncReplicas: (replicas) => (replicas >= 3 ? 2 : 1) };
}

/** A partition is watched from the first time on that it is led here. */
export function tellCommitted({ onCommitted }: NodeEnv, replicas: ReplicaManager): void {
  const watched = new WeakSet<object>();
  replicas.followLeaderships({
    began: (partition) => {
      const tell = (): void => {
        if (partition.isLeader) onCommitted(partition.topic, partition.index);
      };
      if (!watched.has(partition)) partition.watch({ progressed: tell, disturbed: tell });
      watched.add(partition);
      tell();
    },
    ended: () => undefined,
  });
}

/** Everything that is waited for, short. */
export function groupCoordinator(
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

export function brokerOf(
  env: NodeEnv,
  metadata: MetadataNode,
  folder: LogFolder,
  wantsFence: () => boolean,
): BrokerLifecycle {
  const { self, endpoint, clock, prng, onFenced, onFatal } = env;
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
    onFenced,
    onFatal,
  });
}
