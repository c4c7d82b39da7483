// Some nodes of one cluster, each with its replica of the metadata, on one simulated network: production code but for clock, disk,
// store and network.

import {
  Controller,
  type ControllerCommand,
  type MetadataImage,
  type NewTopic,
  type ResponseTo,
} from '@tidemark/controller';
import {
  brokerConfigs,
  resolveConfig,
  topicIdFromBytes,
  type BrokerId,
  type Failure,
  type Network,
  type NodeId,
} from '@tidemark/core';
import { LogFolder, type PartitionLog } from '@tidemark/log';
import { defaultRaftLimits, type ReplicaKey } from '@tidemark/raft';
import {
  METADATA_LOG_NAME,
  METADATA_TOPIC_ID,
  MetadataNode,
  metadataLogConfig,
  PeerDirectory,
} from '@tidemark/runtime';
import {
  NodeSimClock,
  SimClock,
  SimDisk,
  SimKeyValueStore,
  SimNetwork,
  SimPrng,
  type CrashMode,
  type DiskOperation,
} from '@tidemark/simulation';
import { WatchedStore } from './watched-store.ts';

const resolved = resolveConfig(brokerConfigs, {});
if (!resolved.ok) throw new Error('the defaults are a valid configuration');
const { config } = resolved;

export const TIMEOUT_MS = 10_000;

export interface GroupOptions {
  readonly voters: number;
  readonly seed?: number;
  /** Bytes of log kept behind the image. Default: all of them. */
  readonly keptLogBytes?: number;
  /** Default: 4096 where old log is dropped. */
  readonly segmentBytes?: number;
  readonly maxSnapshotPieceBytes?: number;
  readonly maxWaitingCommands?: number;
  readonly maxUncommittedBytes?: number;
  readonly maxCachedBytes?: number;
  /** What may wait to be written in the folder of a node. */
  readonly maxFolderPendingBytes?: number;
  readonly snapshotEveryBytes?: number;
  readonly saveAfterMs?: number;
  /** How long a read of the store's iterators takes. Default: no time. */
  readonly readMs?: number;
  /** How long a sync takes. Default: 0.2 to 2.2 ms. */
  readonly syncMs?: number;
}

interface Machine {
  readonly id: NodeId;
  directoryId: string;
  disk: SimDisk;
  store: SimKeyValueStore;
  /** Of the process that runs, or starts. */
  process: Process | undefined;
}

interface Process {
  readonly clock: NodeSimClock;
  readonly network: Network;
  readonly store: WatchedStore;
  folder: LogFolder | undefined;
  log: PartitionLog | undefined;
  node: MetadataNode | undefined;
}

export interface StartOptions {
  readonly isController?: boolean;
  readonly clusterId?: string;
}

export class QuorumGroup {
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly fatal: unknown[] = [];
  readonly waited: string[] = [];
  /** What the active controllers say of themselves. */
  readonly activity: string[] = [];
  readonly prng: SimPrng;
  readonly #options: GroupOptions;
  readonly #machines = new Map<number, Machine>();

  constructor(options: GroupOptions) {
    this.#options = options;
    this.prng = new SimPrng(options.seed ?? 1);
    this.clock = new SimClock();
    this.network = new SimNetwork({ clock: this.clock, prng: this.prng.fork('network') });
  }

  /** Starts the voters together and waits until one of them decides. */
  static async formed(options: GroupOptions): Promise<QuorumGroup> {
    const group = new QuorumGroup(options);
    const ids = Array.from({ length: options.voters }, (_, at) => at + 1);
    await group.clock.settle(Promise.all(ids.map((id) => group.start(id))));
    await group.leader();
    return group;
  }

  /** As `formed`, with a cluster of its name and broker 1 to place partitions on. */
  static async withBroker(options: GroupOptions): Promise<QuorumGroup> {
    const group = await QuorumGroup.formed(options);
    await group.must(1, { type: 'registerCluster', clusterId: 'cluster' });
    await group.register(1);
    return group;
  }

  node(id: number): MetadataNode {
    return this.#process(id).node!;
  }

  log(id: number): PartitionLog {
    return this.#process(id).log!;
  }

  folder(id: number): LogFolder {
    return this.#process(id).folder!;
  }

  disk(id: number): SimDisk {
    return this.#machine(id).disk;
  }

  store(id: number): SimKeyValueStore {
    return this.#machine(id).store;
  }

  watchedStore(id: number): WatchedStore {
    return this.#process(id).store;
  }

  get running(): readonly MetadataNode[] {
    return [...this.#machines.values()].flatMap(({ process }) => process?.node ?? []);
  }

  /** Ids above the number of voters are brokers without the controller role. */
  async start(id: number, as: StartOptions = {}): Promise<MetadataNode> {
    const machine = this.#machine(id);
    const prng = this.prng.fork(`node ${id} ${this.clock.monotonicMs()}`);
    const clock = new NodeSimClock(this.clock, { onError: (cause) => this.fatal.push(cause) });
    const network = this.network.join(machine.id);
    const { syncMs } = this.#options;
    const latency =
      syncMs === undefined
        ? {}
        : { latencyMs: (operation: DiskOperation) => (operation === 'sync' ? syncMs : 0.1) };
    machine.disk = machine.disk.passOn({ clock, prng: prng.fork('disk'), ...latency });
    machine.store = machine.store.fork('all', prng, { clock, prng: prng.fork('store') });
    const { readMs } = this.#options;
    const store = new WatchedStore(machine.store, () =>
      readMs === undefined
        ? Promise.resolve()
        : new Promise((resolve) => clock.setTimer(readMs, () => resolve())),
    );
    const process: Process = { clock, network, store, folder: undefined, log: undefined, node: undefined };
    machine.process = process;
    const keptBytes = this.#options.keptLogBytes ?? -1;
    const folder = await LogFolder.open({
      disk: machine.disk,
      clock,
      prng,
      codecs: {} as never,
      directory: '.',
      tailBytes: 1024 * 1024,
      onOffline: (cause) => this.fatal.push(cause),
      maxFolderPendingBytes: this.#options.maxFolderPendingBytes,
    });
    process.folder = folder;
    const isLogNew = !folder.listPartitions().some(({ name }) => name === METADATA_LOG_NAME);
    const log = await folder.openPartition(METADATA_LOG_NAME, METADATA_TOPIC_ID, {
      ...metadataLogConfig,
      retentionBytes: keptBytes,
      segmentBytes: this.#options.segmentBytes ?? (keptBytes < 0 ? metadataLogConfig.segmentBytes : 4096),
    });
    process.log = log;
    const node = await MetadataNode.open({
      ...this.#nodeOptions(id, as),
      log,
      isLogNew,
      store,
      network,
      clock,
      prng,
    });
    process.node = node;
    return node;
  }

  key(id: number): ReplicaKey {
    const { directoryId } = this.#machine(id);
    return { nodeId: id as NodeId, directoryId };
  }

  async stop(id: number): Promise<void> {
    const { node, folder, network } = this.#process(id);
    await node?.close();
    await folder?.close();
    await network.close();
    this.#machine(id).process = undefined;
  }

  /** SIGKILL: nothing that was written is lost. */
  kill(id: number): void {
    const { clock, network } = this.#process(id);
    clock.kill();
    void network.close();
    this.#machine(id).process = undefined;
  }

  /** A power failure: what was not synced may be lost, as the mode says. */
  crash(id: number, mode: CrashMode): void {
    const machine = this.#machine(id);
    this.kill(id);
    machine.disk = machine.disk.fork(mode, this.prng);
    machine.store = machine.store.fork(mode, this.prng);
  }

  /** SIGSTOP: nothing of it runs, and what comes for it waits. Its clock goes on. */
  pause(id: number): void {
    this.#process(id).clock.pause();
    this.network.pause(id as NodeId);
  }

  resume(id: number): void {
    this.#process(id).clock.resume();
    this.network.resume(id as NodeId);
  }

  /** The node is stopped already; its disk is lost. */
  wipe(id: number): void {
    const machine = this.#machine(id);
    machine.directoryId = topicIdFromBytes(this.prng.bytes(16));
    machine.disk = new SimDisk({ clock: this.clock });
    machine.store = new SimKeyValueStore({ clock: this.clock });
  }

  /** The node is stopped already, and comes back with these. */
  replaceDisks(id: number, disk: SimDisk, store: SimKeyValueStore): void {
    const machine = this.#machine(id);
    machine.disk = disk;
    machine.store = store;
  }

  /** The active controller, once there is one. */
  async leader(): Promise<MetadataNode> {
    await this.until(() => this.running.some(({ isActive }) => isActive));
    return this.running.find(({ isActive }) => isActive)!;
  }

  /** The voters that do not lead, by their ids. */
  async followers(): Promise<number[]> {
    const leader = await this.leader();
    const ids = this.running.map(({ self }) => self.nodeId as number);
    return ids.filter((id) => id !== leader.self.nodeId && id <= this.#options.voters);
  }

  /** Lets time pass until it holds; fails after a minute. */
  async until(holds: () => boolean): Promise<void> {
    for (let tries = 0; !holds(); tries++) {
      if (tries > 3000) throw new Error('it does not come true within a minute');
      await this.clock.advance(20);
    }
  }

  /** Until every running node has applied the same. */
  async same(): Promise<void> {
    await this.until(() => {
      const [first, ...others] = this.running.map(({ appliedOffset }) => appliedOffset);
      return others.every((offset) => offset === first);
    });
  }

  async submit<C extends ControllerCommand>(id: number, command: C): Promise<ResponseTo<C> | Failure> {
    return this.clock.settle(this.node(id).submit(command, TIMEOUT_MS));
  }

  /** Throws when it is refused. */
  async must<C extends ControllerCommand>(id: number, command: C): Promise<ResponseTo<C>> {
    const answer = await this.submit(id, command);
    if ('error' in answer) throw new Error(`${answer.error}: ${answer.message}`);
    return answer;
  }

  createTopic(id: number, name: string) {
    return this.submit(id, creation(name));
  }

  /** A broker to place partitions on. */
  async register(id: number, incarnation = 1): Promise<void> {
    const brokerId = id as BrokerId;
    const { brokerEpoch } = await this.must(id, {
      type: 'registerBroker',
      clusterId: 'cluster',
      brokerId,
      incarnationId: topicIdFromBytes(new Uint8Array(16).fill(16 * incarnation + id)),
      endpoints: [],
      rack: '',
      directoryId: this.key(id).directoryId,
      previousBrokerEpoch: -1,
      flushPolicy: 'ack',
    });
    await this.must(id, { type: 'unfenceBroker', brokerId, brokerEpoch });
  }

  topics(id: number): string[] {
    return topicNames(this.node(id).image);
  }

  #nodeOptions(id: number, as: StartOptions) {
    const { voters, maxSnapshotPieceBytes, maxUncommittedBytes, maxWaitingCommands } = this.#options;
    const voterIds = Array.from({ length: voters }, (_, at) => (at + 1) as NodeId);
    const configuredVoters = voterIds.map((nodeId) => ({
      nodeId,
      endpoint: { host: `node-${nodeId}`, port: 9291 },
    }));
    return {
      clusterId: as.clusterId ?? 'cluster',
      directory: new PeerDirectory(configuredVoters),
      config,
      snapshotEveryBytes: this.#options.snapshotEveryBytes ?? 1024 * 1024,
      snapshotEveryMs: 0,
      self: this.key(id),
      endpoint: { host: `node-${id}`, port: 9291 },
      isController: as.isController ?? id <= voters,
      broker: id as BrokerId,
      configuredVoters,
      controller: new Controller(config),
      timing: { electionTimeoutMs: 1000, heartbeatIntervalMs: 200, checkQuorumMs: 2000, lingerMs: 25 },
      limits: {
        ...defaultRaftLimits,
        maxCachedBytes: this.#options.maxCachedBytes ?? 4096,
        maxSnapshotPieceBytes: maxSnapshotPieceBytes ?? 1024,
        maxUncommittedBytes: maxUncommittedBytes ?? defaultRaftLimits.maxUncommittedBytes,
      },
      sessionTimeoutMs: 9000,
      maxWaitingCommands: maxWaitingCommands ?? 1000,
      retryBackoffMs: 20,
      saveAfterMs: this.#options.saveAfterMs ?? 100,
      onWaiting: (missing: readonly NodeId[]) => this.waited.push(`${id} waits for ${missing.join(', ')}`),
      onActive: (isActive: boolean) =>
        this.activity.push(`${id} is ${isActive ? 'active' : 'active no longer'}`),
      onFatal: (cause: unknown) => this.fatal.push(cause),
    };
  }

  #process(id: number): Process {
    const { process } = this.#machine(id);
    if (process === undefined) throw new Error(`node ${id} does not run`);
    return process;
  }

  #machine(id: number): Machine {
    let machine = this.#machines.get(id);
    if (machine === undefined) {
      const { clock } = this;
      machine = {
        id: id as NodeId,
        directoryId: topicIdFromBytes(this.prng.bytes(16)),
        disk: new SimDisk({ clock }),
        store: new SimKeyValueStore({ clock }),
        process: undefined,
      };
      this.#machines.set(id, machine);
    }
    return machine;
  }
}

export const newTopic = (name: string): NewTopic => ({
  name,
  partitionCount: 1,
  replicationFactor: 1,
  assignments: [],
  configs: new Map(),
});

export const creation = (name: string) =>
  ({ type: 'createTopics', topics: [newTopic(name)], validateOnly: false }) as const;

export const topicNames = (image: MetadataImage): string[] =>
  [...image.topics()].map(({ name }) => name).sort();

/** 'ok', or the error of the command or of its first topic. */
export function outcome(answer: object): string {
  if ('error' in answer) return String(answer.error);
  if ('topics' in answer) return outcome((answer.topics as readonly object[])[0]!);
  return 'ok';
}
