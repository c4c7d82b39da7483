// SimHost: one machine of a simulated cluster. Its disk and its store stay while processes come and go: a power failure takes what
// was not synced, a kill nothing, a wipe everything, and then the node comes back as another replica (KIP-853).

import { DiskError, TidemarkError, type NetworkMessage, type NodeId, type Term } from '@tidemark/core';
import { decodeMessage, type PeerEndpoint, type RaftObserver, type ReplicaKey } from '@tidemark/raft';
import { type CrashMode } from '../crash-survivors.ts';
import { type InjectedFault } from '../disk-step.ts';
import { NodeSimClock } from '../node-sim-clock.ts';
import { SimDisk, type SimDiskOptions } from '../sim-disk.ts';
import { SimKeyValueStore, type SimKeyValueStoreOptions } from '../sim-key-value.ts';
import { type SimPrng } from '../sim-prng.ts';
import { type NodeEnv, type SimulatedNode } from './simulated-node.ts';
import { type WorldParts } from './world-parts.ts';

/** How a process ends: killed, which the disk does not notice, or with the power, of which the mode says what survives. */
export type EndMode = CrashMode | 'kill';

export interface DiskTrouble {
  /** What it fails. Without one: `capacityBytes` or `shortWriteOneIn` alone. */
  readonly fault?: InjectedFault;
  readonly inStore?: boolean;
}

interface Incarnation {
  readonly clock: NodeSimClock;
  readonly key: ReplicaKey;
  readonly leave: () => void;
  readonly prng: SimPrng;
  isAlive: boolean;
  /** It was told to end. */
  isStopping: boolean;
  node: SimulatedNode | undefined;
}

/** How long a process that is told to end waits for others to take over. */
const HAND_OVER_MS = 1_000;
/** How long a process that has ended itself is gone. */
const RESTART_MS = 100;

export class SimHost {
  readonly id: NodeId;
  readonly endpoint: PeerEndpoint;
  readonly #world: WorldParts;
  readonly #prng: SimPrng;
  #disk: SimDisk;
  #store: SimKeyValueStore;
  #directoryId: string;
  #isFounder: boolean;
  #wipes = 0;
  #incarnations = 0;
  #current: Incarnation | undefined;
  /** Its disk has been made to fail, so that its process may end. */
  #isInTrouble = false;
  #rate = 1;
  #wallOffsetMs = 0;
  /** Disk and store take so many times longer. */
  diskFactor = 1;

  constructor(world: WorldParts, id: NodeId, isFounder: boolean) {
    this.#world = world;
    this.id = id;
    this.endpoint = { host: `node-${id}`, port: 9_000 + id };
    this.#prng = world.prng.fork(`host ${id}`);
    this.#directoryId = directoryIdOf(id, 0);
    this.#isFounder = isFounder;
    this.#disk = new SimDisk(this.#diskOptions(undefined));
    this.#store = new SimKeyValueStore(this.#storeOptions(undefined));
  }

  get key(): ReplicaKey {
    return { nodeId: this.id, directoryId: this.#directoryId };
  }

  /** The running node; undefined while it is down or starting. */
  get node(): SimulatedNode | undefined {
    return this.#current?.node;
  }

  /** Whether there is a process, running or starting. */
  get isUp(): boolean {
    return this.#current !== undefined;
  }

  /** Whether the process was told to end and has not yet. */
  get isStopping(): boolean {
    return this.#current?.isStopping === true;
  }

  get isPaused(): boolean {
    return this.#current?.clock.isPaused === true;
  }

  /** Starts a process. Nothing happens if there is one. */
  start(): void {
    if (this.#current !== undefined) return;
    const { clock: worldClock, network, factory, violations } = this.#world;
    const number = ++this.#incarnations;
    worldClock.trace.note('start', this.id, number);
    const key = this.key;
    const prng = this.#prng.fork(`incarnation ${number}`);
    const clock = new NodeSimClock(worldClock, {
      rate: this.#rate,
      wallOffsetMs: this.#wallOffsetMs,
      onError: (cause) => this.#threw(incarnation, cause),
    });
    const joined = network.join(this.id);
    const incarnation: Incarnation = {
      clock,
      key,
      prng,
      leave: () => void joined.close(),
      isAlive: true,
      isStopping: false,
      node: undefined,
    };
    this.#current = incarnation;
    this.#disk = this.#disk.passOn(this.#diskOptions(clock));
    this.#store = this.#store.fork('all', prng, this.#storeOptions(clock));
    const images = this.#world.images.watch(`node ${this.id}/${number}`);
    const observer = this.#world.checks.observe(key, number, () => incarnation.isAlive);
    const snapshotInstalled: RaftObserver['snapshotInstalled'] = (snapshot, voters) => {
      images.replaced();
      observer.snapshotInstalled?.(snapshot, voters);
    };
    const env: NodeEnv = {
      self: key,
      endpoint: this.endpoint,
      incarnation: number,
      clock,
      disk: this.#disk,
      store: this.#store,
      network: this.#watched(joined, incarnation),
      prng: prng.fork('node'),
      observer: { ...observer, snapshotInstalled },
      initialVoters: this.#world.initialVoters,
      isFounder: this.#isFounder,
      bootstrapNodes: this.#world.initialVoters.map(({ nodeId }) => nodeId),
      timing: this.#world.timing,
      onImage: (image) => {
        if (incarnation.isAlive) images.changed(image);
      },
      onCommitted: (topic, partition) => {
        if (incarnation.isAlive) this.#world.committed(topic, partition);
      },
      onFenced: ({ error }) => this.#fenced(incarnation, number, error),
      onFatal: (cause) => this.#died(incarnation, cause),
    };
    factory(env).then(
      (node) => {
        if (incarnation.isAlive) incarnation.node = node;
      },
      (cause: unknown) => {
        if (violations.first === undefined) this.#died(incarnation, cause);
      },
    );
  }

  /** Ends the process. Nothing happens if there is none. */
  end(mode: EndMode): void {
    const incarnation = this.#current;
    if (incarnation === undefined) return;
    this.#world.clock.trace.note('end', this.id, mode);
    this.#bury(incarnation);
    if (mode === 'kill') return;
    this.#disk = this.#disk.fork(mode, incarnation.prng, this.#diskOptions(undefined));
    this.#store = this.#store.fork(mode, incarnation.prng, this.#storeOptions(undefined));
  }

  /** Tells the process to end: it hands over, closes, and then goes the way of `mode`. Nothing happens unless one runs. */
  stop(mode: EndMode): void {
    const incarnation = this.#current;
    if (incarnation?.node === undefined || incarnation.isStopping) return;
    this.#world.clock.trace.note('stop', this.id, mode);
    incarnation.isStopping = true;
    this.#stopped(incarnation, incarnation.node).then(
      () => {
        if (incarnation.isAlive) this.end(mode);
      },
      (cause: unknown) => this.#died(incarnation, cause),
    );
  }

  async #stopped(incarnation: Incarnation, node: SimulatedNode): Promise<void> {
    await node.handOver(HAND_OVER_MS);
    // Nobody is answered any more.
    incarnation.node = undefined;
    await node.close();
  }

  /** Ends the process and takes its disk away. It comes back as a replica that has promised nothing. */
  wipe(): void {
    this.end('kill');
    this.#world.clock.trace.note('wipe', this.id);
    this.#directoryId = directoryIdOf(this.id, ++this.#wipes);
    this.#isFounder = false;
    this.#disk = new SimDisk(this.#diskOptions(undefined));
    this.#store = new SimKeyValueStore(this.#storeOptions(undefined));
  }

  pause(): void {
    if (this.#current === undefined) return;
    this.#world.clock.trace.note('pause', this.id);
    this.#current.clock.pause();
    this.#world.network.pause(this.id);
  }

  resume(): void {
    if (this.#current === undefined) return;
    this.#world.clock.trace.note('resume', this.id);
    this.#current.clock.resume();
    this.#world.network.resume(this.id);
  }

  /** Also for the processes to come. */
  setClock(rate: number, wallJumpMs: number): void {
    this.#rate = rate;
    this.#wallOffsetMs += wallJumpMs;
    this.#current?.clock.setRate(rate);
    this.#current?.clock.jumpWall(wallJumpMs);
  }

  /** The disk or the store begins to fail. The process may end of it; whoever starts it again finds both sound. */
  inject(fault: InjectedFault, inStore: boolean): void {
    if (this.#current === undefined) return;
    this.#isInTrouble = true;
    this.#world.clock.trace.note('fault', this.id, fault.operation, fault.error, inStore);
    if (inStore) this.#store.inject(fault);
    else this.#disk.inject(fault);
  }

  /** The disk has only `bytes` left. */
  fill(bytes: number): void {
    if (this.#current === undefined) return;
    this.#isInTrouble = true;
    this.#world.clock.trace.note('fill', this.id, bytes);
    this.#disk.capacityBytes = this.#disk.usedBytes + bytes;
  }

  shortWrites(oneIn: number): void {
    this.#disk.shortWriteOneIn = oneIn;
  }

  /** Disk and store are sound again. */
  mend(): void {
    this.#disk.clearFaults();
    this.#disk.capacityBytes = Infinity;
    this.#disk.shortWriteOneIn = 0;
    this.#store.clearFaults();
    this.diskFactor = 1;
  }

  #bury(incarnation: Incarnation): void {
    incarnation.isAlive = false;
    incarnation.node = undefined;
    incarnation.clock.kill();
    incarnation.leave();
    this.#current = undefined;
    this.#isInTrouble = false;
  }

  /** The process has ended itself. */
  #died(incarnation: Incarnation, cause: unknown): void {
    if (!incarnation.isAlive) return;
    this.#world.clock.trace.note('fatal', this.id, String(cause));
    if (!this.#isInTrouble || !isStorageError(cause)) {
      this.#world.violations.report('node-failed', `node ${this.id} ended: ${describe(cause)}`);
    }
    this.#bury(incarnation);
  }

  /** The process has ended itself, and is started anew by whatever watches over it. From a disk that fails, once that is mended. */
  #fenced(incarnation: Incarnation, number: number, why: string): void {
    if (!incarnation.isAlive) return;
    this.#world.clock.trace.note('fenced', this.id, number, why);
    const isInTrouble = this.#isInTrouble;
    this.#bury(incarnation);
    if (!isInTrouble) this.#world.clock.after(RESTART_MS, () => this.start());
  }

  #threw(incarnation: Incarnation, cause: unknown): void {
    if (!incarnation.isAlive) return;
    this.#world.violations.report('node-failed', `node ${this.id} threw: ${describe(cause)}`);
    this.#bury(incarnation);
  }

  #watched(joined: NodeEnv['network'], incarnation: Incarnation): NodeEnv['network'] {
    return {
      self: joined.self,
      send: (to, payload, lane) => {
        if (!incarnation.isAlive) return false;
        this.#noteVote(incarnation.key, payload);
        return joined.send(to, payload, lane);
      },
      onMessage: (receiver) =>
        joined.onMessage((message: NetworkMessage) => {
          try {
            receiver(message);
          } catch (cause) {
            this.#threw(incarnation, cause);
          }
        }),
      onRefused: (listener) =>
        joined.onRefused?.((peer: NodeId) => {
          try {
            listener(peer);
          } catch (cause) {
            this.#threw(incarnation, cause);
          }
        }),
      close: () => joined.close(),
    };
  }

  /** A vote counts from when it leaves: in a request for votes its sender's own. */
  #noteVote(voter: ReplicaKey, payload: Uint8Array): void {
    // Channel, version, type: only votes are worth decoding.
    const type = payload[CHANNEL_BYTES + 1];
    if (payload[0] !== RAFT_CHANNEL || type === undefined) return;
    this.#world.sent(this, type);
    if (type !== raftMessageTypes.vote && type !== raftMessageTypes.voteResponse) return;
    const decoded = decodeMessage(payload.subarray(CHANNEL_BYTES));
    if (!decoded.ok) return;
    const { message } = decoded;
    const vote = (term: Term, candidate: ReplicaKey): void =>
      this.#world.checks.voteSent(voter, term, candidate);
    if (message.type === 'vote' && !message.pre) vote(message.term, message.from);
    if (message.type === 'voteResponse' && !message.pre && message.granted) vote(message.term, message.to);
  }

  #diskOptions(clock: NodeSimClock | undefined): SimDiskOptions {
    return {
      prng: this.#prng.fork('disk'),
      latencyMs: (operation, bytes, prng) => this.#latencyMs(operation, bytes, prng),
      onSyncAfterFailure: (path) => this.#syncedAgain(path),
      ...(clock === undefined ? { trace: this.#world.clock.trace } : { clock }),
    };
  }

  /** By the process that saw the sync fail: the next one reads what the disk has. What is not a log is written whole each time. */
  #syncedAgain(path: string): void {
    if (!path.endsWith('.log')) return;
    const what = `node ${this.id} synced ${path} after a sync of it had failed: what that was for is not on the disk`;
    this.#world.violations.report('sync-after-failure', what);
  }

  #storeOptions(clock: NodeSimClock | undefined): SimKeyValueStoreOptions {
    return {
      prng: this.#prng.fork('store'),
      name: `store-${this.id}`,
      latencyMs: (operation, bytes, prng) => this.#latencyMs(operation, bytes, prng),
      ...(clock === undefined ? { trace: this.#world.clock.trace } : { clock }),
    };
  }

  #latencyMs(operation: string, bytes: number, prng: SimPrng): number {
    const isSync = operation === 'sync' || operation === 'syncDirectory';
    const ms = isSync ? 0.2 + prng.below(2_000) / 1_000 : 0.01 + bytes / 1e6 + prng.below(100) / 1_000;
    return ms * this.diskFactor;
  }
}

const RAFT_CHANNEL = 1;
const CHANNEL_BYTES = 1;
/** The codes of the messages whose sender it is worth crashing; see packages/raft/src/message-codec.ts. */
export const raftMessageTypes = {
  vote: 1,
  voteResponse: 2,
  append: 3,
  appendResponse: 4,
  snapshot: 5,
  snapshotResponse: 6,
};

/** A UUID in the text form of a topic id: 22 characters of base64url, the last of which has its low four bits clear. */
function directoryIdOf(id: NodeId, wipes: number): string {
  const bytes = new Uint8Array(16);
  bytes[0] = 0xd1;
  bytes[14] = wipes + 1;
  bytes[15] = id;
  return Buffer.from(bytes).toString('base64url');
}

function isStorageError(cause: unknown): boolean {
  for (let at = cause; at instanceof Error; at = at.cause) {
    if (at instanceof DiskError) return true;
    if (at instanceof TidemarkError && at.error === 'KAFKA_STORAGE_ERROR') return true;
  }
  return false;
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const because = cause.cause === undefined ? '' : `\n  because of ${describe(cause.cause)}`;
  return (cause.stack ?? String(cause)) + because;
}
