// Some nodes of one cluster, each with its replica of the metadata, on one simulated network: production code but for clock, disk,
// store and network.

import { Controller, type ControllerCommand, type NewTopic, type ResponseTo } from '@tidemark/controller';
import {
  brokerConfigs,
  resolveConfig,
  topicIdFromBytes,
  type BrokerId,
  type Failure,
  type NodeId,
} from '@tidemark/core';
import { LogFolder } from '@tidemark/log';
import { defaultRaftLimits, type ReplicaKey } from '@tidemark/raft';
import {
  METADATA_LOG_NAME,
  METADATA_TOPIC_ID,
  MetadataNode,
  metadataLogConfig,
  PeerDirectory,
} from '@tidemark/runtime';
import { SimClock, SimDisk, SimKeyValueStore, SimNetwork, SimPrng } from '@tidemark/simulation';

const resolved = resolveConfig(brokerConfigs, {});
if (!resolved.ok) throw new Error('the defaults are a valid configuration');
const { config } = resolved;

export const TIMEOUT_MS = 10_000;

export interface GroupOptions {
  readonly voters: number;
  readonly seed?: number;
  /** Bytes of log kept behind the image, and the size of its segments. */
  readonly keptLogBytes?: number;
  readonly maxSnapshotPieceBytes?: number;
}

interface Machine {
  readonly id: NodeId;
  directoryId: string;
  disk: SimDisk;
  store: SimKeyValueStore;
  stop: (() => Promise<void>) | undefined;
  node: MetadataNode | undefined;
}

export class QuorumGroup {
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly fatal: unknown[] = [];
  readonly waited: string[] = [];
  readonly #prng: SimPrng;
  readonly #options: GroupOptions;
  readonly #machines = new Map<number, Machine>();

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#prng = new SimPrng(options.seed ?? 1);
    this.clock = new SimClock();
    this.network = new SimNetwork({ clock: this.clock, prng: this.#prng.fork('network') });
  }

  /** Starts the voters together and waits until one of them decides. */
  static async formed(options: GroupOptions): Promise<QuorumGroup> {
    const group = new QuorumGroup(options);
    const ids = Array.from({ length: options.voters }, (_, at) => at + 1);
    await group.clock.settle(Promise.all(ids.map((id) => group.start(id))));
    await group.leader();
    return group;
  }

  node(id: number): MetadataNode {
    return this.#machines.get(id)!.node!;
  }

  get running(): readonly MetadataNode[] {
    return [...this.#machines.values()].flatMap(({ node }) => (node === undefined ? [] : [node]));
  }

  /** Ids above the number of voters are brokers without the controller role. */
  async start(id: number, as: { readonly isController?: boolean } = {}): Promise<MetadataNode> {
    const machine = this.#machine(id);
    const { clock } = this;
    const prng = this.#prng.fork(`node ${id} ${clock.monotonicMs()}`);
    const network = this.network.join(machine.id);
    const keptBytes = this.#options.keptLogBytes ?? -1;
    const folder = await LogFolder.open({
      disk: machine.disk,
      clock,
      prng,
      codecs: {} as never,
      directory: '.',
      tailBytes: 1024 * 1024,
      onOffline: (cause) => this.fatal.push(cause),
    });
    const log = await folder.openPartition(METADATA_LOG_NAME, METADATA_TOPIC_ID, {
      ...metadataLogConfig,
      retentionBytes: keptBytes,
      segmentBytes: keptBytes < 0 ? metadataLogConfig.segmentBytes : 4096,
    });
    const voterIds = Array.from({ length: this.#options.voters }, (_, at) => (at + 1) as NodeId);
    const configuredVoters = voterIds.map((nodeId) => ({
      nodeId,
      endpoint: { host: `node-${nodeId}`, port: 9291 },
    }));
    const node = await MetadataNode.open({
      clusterId: 'cluster',
      directory: new PeerDirectory(configuredVoters),
      config,
      snapshotEveryBytes: 1024 * 1024,
      snapshotEveryMs: 0,
      self: this.key(id),
      endpoint: { host: `node-${id}`, port: 9291 },
      isController: as.isController ?? id <= this.#options.voters,
      broker: id as BrokerId,
      configuredVoters,
      log,
      store: machine.store,
      network,
      clock,
      prng,
      controller: new Controller(config),
      timing: { electionTimeoutMs: 1000, heartbeatIntervalMs: 200, checkQuorumMs: 2000, lingerMs: 25 },
      limits: {
        ...defaultRaftLimits,
        maxCachedBytes: 4096,
        maxSnapshotPieceBytes: this.#options.maxSnapshotPieceBytes ?? 1024,
      },
      sessionTimeoutMs: 9000,
      maxWaitingCommands: 1000,
      retryBackoffMs: 20,
      saveAfterMs: 100,
      onWaiting: (missing) => this.waited.push(`${id} waits for ${missing.join(', ')}`),
      onFatal: (cause) => this.fatal.push(cause),
    });
    machine.node = node;
    machine.stop = async () => {
      await node.close();
      await folder.close();
      await network.close();
      machine.store = machine.store.fork('all', prng, { clock });
    };
    return node;
  }

  key(id: number): ReplicaKey {
    const { directoryId } = this.#machine(id);
    return { nodeId: id as NodeId, directoryId };
  }

  async stop(id: number): Promise<void> {
    const machine = this.#machine(id);
    await machine.stop?.();
    machine.node = undefined;
    machine.stop = undefined;
  }

  /** The node is stopped already; its disk is lost. */
  wipe(id: number): void {
    const machine = this.#machine(id);
    machine.directoryId = topicIdFromBytes(this.#prng.bytes(16));
    machine.disk = new SimDisk({ clock: this.clock });
    machine.store = new SimKeyValueStore({ clock: this.clock });
  }

  /** The active controller, once there is one. */
  async leader(): Promise<MetadataNode> {
    await this.until(() => this.running.some(({ isActive }) => isActive));
    return this.running.find(({ isActive }) => isActive)!;
  }

  /** Lets time pass until it holds; fails after a minute. */
  async until(holds: () => boolean): Promise<void> {
    for (let tries = 0; !holds(); tries++) {
      if (tries > 3000) throw new Error('it does not come true within a minute');
      await this.clock.advance(20);
    }
  }

  async submit<C extends ControllerCommand>(id: number, command: C): Promise<ResponseTo<C> | Failure> {
    return this.clock.settle(this.node(id).submit(command, TIMEOUT_MS));
  }

  createTopic(id: number, name: string) {
    return this.submit(id, { type: 'createTopics', topics: [newTopic(name)], validateOnly: false });
  }

  #machine(id: number): Machine {
    let machine = this.#machines.get(id);
    if (machine === undefined) {
      const { clock } = this;
      machine = {
        id: id as NodeId,
        directoryId: topicIdFromBytes(this.#prng.bytes(16)),
        disk: new SimDisk({ clock }),
        store: new SimKeyValueStore({ clock }),
        stop: undefined,
        node: undefined,
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
