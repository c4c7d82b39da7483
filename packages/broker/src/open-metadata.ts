// The node's replica of the metadata: its log, its store, its peers, and the quorum over them. Pending as long as a first start
// waits for other nodes, so the PEER listener must serve `network` before.

import { join } from 'node:path';
import { Controller } from '@tidemark/controller';
import {
  DiskError,
  hostAndPort,
  listenerConfig,
  nodeRole,
  TidemarkError,
  type BrokerConfig,
  type BrokerId,
  type KeyValueStore,
  type NodeId,
} from '@tidemark/core';
import type { LogFolder } from '@tidemark/log';
import { defaultRaftLimits, type PeerEndpoint, type RaftTiming } from '@tidemark/raft';
import {
  METADATA_LOG_NAME,
  METADATA_TOPIC_ID,
  MetadataNode,
  metadataLogConfig,
  PeerDirectory,
  type VoterAddress,
} from '@tidemark/runtime';
import { tlsCredentials } from '@tidemark/rpc';
import { GrpcNetwork, type GrpcNetworkOptions } from './grpc-network.ts';
import { LevelStore } from './level-store.ts';
import type { Listeners } from './listeners.ts';
import type { MetaProperties } from './meta-properties.ts';
import { METADATA_STORE_NAME, type FolderOptions } from './open-folder.ts';
import { peerQueueBytes } from './peer-limits.ts';
import { nodeCheck } from './security/node-gate.ts';
import { RefusalLog } from './security/refusal-log.ts';

export interface MetadataOptions extends FolderOptions {
  readonly listeners: Listeners;
  readonly storeAt: (folder: string) => Promise<KeyValueStore>;
  /** Begins to answer peers. */
  readonly servePeers: (network: GrpcNetwork) => void;
}

export interface OpenMetadata {
  readonly metadata: MetadataNode;
  readonly network: GrpcNetwork;
  close(): Promise<void>;
}

/** Metadata decided and not yet committed; beyond it commands are refused. */
const MAX_WAITING_COMMANDS = 1_000;
/** How far the stored image may lag behind: what a restart replays. */
const SAVE_AFTER_MS = 200;
/** A leader speaks so many times in an election timeout. */
const HEARTBEATS = 5;

export async function openMetadata(
  options: MetadataOptions,
  folder: LogFolder,
  folderPath: string,
  { clusterId, nodeId, directoryId }: MetaProperties,
): Promise<OpenMetadata> {
  const { config, clock, prng, log, failure } = options;
  const role = nodeRole(config);
  const self = nodeId as NodeId;
  const endpoint = peerEndpoint(options.listeners);
  const configuredVoters = votersOf(role.membership === 'alone' ? [{ nodeId, ...endpoint }] : role.voters);
  const directory = new PeerDirectory(configuredVoters);
  const network = new GrpcNetwork({
    self,
    clock,
    addressOf: (node) => {
      const address = directory.addressOf(node);
      return address === undefined ? undefined : hostAndPort(address.host, address.port);
    },
    maxQueuedBytes: peerQueueBytes(config),
    ...peerCredentials(options),
  });
  const store = await options.storeAt(join(folderPath, METADATA_STORE_NAME));
  try {
    const isLogNew = !folder.listPartitions().some(({ name }) => name === METADATA_LOG_NAME);
    const metadataLog = await folder.openPartition(METADATA_LOG_NAME, METADATA_TOPIC_ID, logConfig(config));
    options.servePeers(network);
    const preferred = config.get('controller.quorum.preferred.leader');
    log.info(
      { nodeId, directoryId, membership: role.membership, voters: config.get('controller.quorum.voters') },
      'joining the quorum',
    );
    const metadata = await MetadataNode.open({
      self: { nodeId: self, directoryId },
      endpoint,
      isController: role.isController,
      broker: role.isBroker ? (nodeId as BrokerId) : undefined,
      clusterId,
      configuredVoters,
      directory,
      config,
      preferredLeader: preferred < 0 ? undefined : (preferred as NodeId),
      log: metadataLog,
      isLogNew,
      store,
      network,
      clock,
      prng,
      controller: new Controller(config),
      timing: timingOf(config),
      limits: defaultRaftLimits,
      sessionTimeoutMs: config.get('broker.session.timeout.ms'),
      maxWaitingCommands: MAX_WAITING_COMMANDS,
      retryBackoffMs: config.get('controller.quorum.retry.backoff.ms'),
      saveAfterMs: SAVE_AFTER_MS,
      snapshotEveryBytes: config.get('metadata.log.max.record.bytes.between.snapshots'),
      snapshotEveryMs: config.get('metadata.log.max.snapshot.interval.ms'),
      observer: {
        roleChanged: (is, term, leader) =>
          log.info({ role: is, term, leader: leader?.nodeId }, 'role in the quorum'),
        votersChanged: (voters) =>
          log.info({ voters: voters.map((each) => each.nodeId) }, 'voters of the quorum'),
      },
      onWaiting: (missing) => {
        log.info({ missing }, 'a first start waits for the other voters: all of them must be up once');
      },
      onActive: (isActive) =>
        log.info(
          isActive ? 'this node is the active controller' : 'this node is no longer the active controller',
        ),
      onRefused: (broker) => log.info({ broker }, 'a broker refuses connections and is silent: it is fenced'),
      onDutyFailed: (command, cause) =>
        log.warn({ command: command.type, cause: cause.message }, 'a duty of the controller failed'),
      onFatal: (cause) => failure.raise(cause, whatFailed(cause)),
    });
    const close = async (): Promise<void> => {
      await metadata.close();
      await network.close();
      await store.close();
    };
    return { metadata, network, close };
  } catch (thrown) {
    await network.close();
    await store.close();
    throw thrown;
  }
}

/** How the node shows other nodes who it is, and makes sure that they are nodes. Nothing where PEER speaks no TLS. */
function peerCredentials({
  config,
  clock,
  log,
  listeners,
}: MetadataOptions): Pick<GrpcNetworkOptions, 'credentials'> {
  const material = listeners.peerTls;
  if (material === undefined) return {};
  const refusals = new RefusalLog(clock, log, 'a node cannot be reached by TLS');
  return {
    credentials: tlsCredentials({
      material,
      verifyHostname: listenerConfig(config, 'PEER', 'ssl.endpoint.identification.algorithm') !== '',
      isTrusted: nodeCheck(config),
      onFailed: (host, cause) => refusals.tell({ host, cause: cause.message }),
    }),
  };
}

export const levelStoreAt = (folder: string): Promise<KeyValueStore> => LevelStore.open(folder);

function whatFailed(cause: unknown): string {
  return cause instanceof TidemarkError || cause instanceof DiskError
    ? 'this node cannot go on with the metadata; the process ends'
    : 'a bug was met in the quorum; the process ends';
}

function votersOf(
  voters: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[],
): readonly VoterAddress[] {
  return voters.map(({ nodeId, host, port }) => ({ nodeId: nodeId as NodeId, endpoint: { host, port } }));
}

/** A node without PEER is alone, and nobody asks. */
function peerEndpoint(listeners: Listeners): PeerEndpoint {
  const peer = listeners.advertised.find(({ kind }) => kind === 'PEER');
  return { host: peer?.host ?? 'localhost', port: peer?.port ?? 0 };
}

function timingOf(config: BrokerConfig): RaftTiming {
  const electionTimeoutMs = config.get('controller.quorum.election.timeout.ms');
  return {
    electionTimeoutMs,
    heartbeatIntervalMs: Math.max(1, Math.floor(electionTimeoutMs / HEARTBEATS)),
    checkQuorumMs: config.get('controller.quorum.fetch.timeout.ms'),
    lingerMs: config.get('controller.quorum.append.linger.ms'),
  };
}

function logConfig(config: BrokerConfig) {
  return {
    ...metadataLogConfig,
    segmentBytes: config.get('metadata.log.segment.bytes'),
    retentionBytes: config.get('metadata.max.retention.bytes'),
    retentionMs: config.get('metadata.max.retention.ms'),
  };
}
