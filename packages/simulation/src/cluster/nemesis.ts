// The nemesis: does to a simulated cluster what its schedule says, and undoes all of it in the end. Contract: it never destroys
// what was promised to be kept. A wiped disk counts against the voters until its replica is one no longer, and there is only one
// such at a time, and only of a broker each of whose partitions another in-sync replica holds (`#mayWipe` says why that is enough);
// a power failure may strike everybody, because what is acknowledged is synced.

import { OFFSETS_TOPIC, type NodeId } from '@tidemark/core';
import { type ReplicaKey } from '@tidemark/raft';
import { noNetworkFaults } from '../sim-network.ts';
import { SimPrng } from '../sim-prng.ts';
import { Ambushes } from './ambushes.ts';
import { type Fault, type Schedule, type Victims } from './faults.ts';
import { cutNetwork } from './network-cut.ts';
import { RECORD_TOPIC } from './replica-checks.ts';
import { shuffled } from './shuffled.ts';
import { type SimHost } from './sim-host.ts';
import { type PartitionPlace, type SimulatedNode } from './simulated-node.ts';
import { type SimWorld } from './sim-world.ts';
import { VoterChanges } from './voter-changes.ts';

const COMMAND_TIMEOUT_MS = 1_000;
/** How often the nemesis looks whether a process has ended. */
const STOPPING_MS = 20;

export class Nemesis {
  readonly #world: SimWorld;
  readonly #voters: VoterChanges;
  readonly #ambushes: Ambushes;
  #isHealing = false;
  #usualNetwork = noNetworkFaults;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#voters = new VoterChanges(world);
    this.#ambushes = new Ambushes(world);
  }

  /** Everything of the schedule happens at its time from now. */
  begin({ faults, network = noNetworkFaults }: Schedule): void {
    this.#usualNetwork = network;
    this.#world.network.faults = network;
    for (const fault of faults) {
      this.#world.clock.after(fault.atMs, () => {
        if (this.#isHealing) return;
        const undo = this.#strike(fault, new SimPrng(fault.pick));
        if (undo !== undefined) this.#world.clock.after(fault.forMs, undo);
      });
    }
  }

  /** Ends every fault and starts every node. What needs the cluster's consent, `mendVoters` does. */
  heal(): void {
    this.#isHealing = true;
    this.#voters.stop();
    this.#ambushes.end();
    this.#world.network.heal();
    for (const host of this.#world.hosts) {
      host.mend();
      host.resume();
      host.setClock(1, 0);
      host.start();
    }
  }

  /** Takes the voter whose disk is gone out of the quorum. To be called until it answers true. */
  mendVoters(): Promise<boolean> {
    return this.#voters.mend();
  }

  #strike(fault: Fault, prng: SimPrng): (() => void) | undefined {
    const { clock, network, hosts } = this.#world;
    clock.trace.note('nemesis', fault.type);
    switch (fault.type) {
      case 'partition':
        return cutNetwork(this.#world, fault.shape, prng);
      case 'network': {
        const { dropOneIn, duplicateOneIn, reorderOneIn } = fault;
        network.faults = { dropOneIn, duplicateOneIn, reorderOneIn };
        return () => {
          if (!this.#isHealing) network.faults = this.#usualNetwork;
        };
      }
      case 'slow-link': {
        const [from, to] = [this.#any(prng).id, this.#any(prng).id];
        network.setLink(from, to, { delayFactor: fault.delayFactor, bytesPerMs: fault.bytesPerMs });
        return () => network.setLink(from, to, {});
      }
      case 'crash': {
        const victims = this.#victims(fault.victims, prng).filter(({ isUp }) => isUp);
        for (const host of victims) host.end(fault.mode);
        return () => this.#restart(victims);
      }
      case 'stop': {
        const host = this.#any(prng);
        host.stop(fault.mode);
        return () => this.#startOnceStopped(host);
      }
      case 'crash-after-send':
        return this.#ambushes.crashAfterSend(fault);
      case 'pause': {
        const victims = this.#victims(fault.victims, prng);
        for (const host of victims) host.pause();
        return () => victims.forEach((host) => host.resume());
      }
      case 'clock': {
        const host = this.#any(prng);
        host.setClock(fault.rate, fault.wallJumpMs);
        return () => host.setClock(1, 0);
      }
      case 'disk-fault': {
        const host = this.#any(prng);
        const { operation, error, skip, inStore } = fault;
        host.inject({ error, skip, ...(operation === undefined || inStore ? {} : { operation }) }, inStore);
        return () => this.#mendAndRestart(host);
      }
      case 'failed-sync':
        this.#ambushes.failSync(fault, prng);
        return undefined;
      case 'lonely-return': {
        const host = this.#any(prng);
        if (fault.how !== 'wipe') host.end(fault.how);
        else if (this.#mayWipe(host)) this.#voters.lose(host, prng);
        else return undefined;
        return () => this.#ambushes.returnAlone(host, fault.cutMs);
      }
      case 'late-snapshot':
        this.#ambushes.lateSnapshot(this.#any(prng), fault.awayMs);
        return undefined;
      case 'disk-full': {
        const host = this.#any(prng);
        host.fill(fault.bytes);
        return () => this.#mendAndRestart(host);
      }
      case 'short-writes': {
        const host = this.#any(prng);
        host.shortWrites(fault.oneIn);
        return () => host.shortWrites(0);
      }
      case 'slow-disk': {
        const host = this.#any(prng);
        host.diskFactor = fault.factor;
        return () => {
          host.diskFactor = 1;
        };
      }
      case 'transfer':
        this.#ask(
          (host) => host.node!.transferLeadership(this.#transferTarget(prng), COMMAND_TIMEOUT_MS),
          prng,
        );
        return undefined;
      case 'elect-leaders':
        this.#ask((host) => host.node!.electPreferred(COMMAND_TIMEOUT_MS), prng);
        return undefined;
      case 'reassign':
        this.#ask((host) => this.#reassign(host.node!, prng), prng);
        return undefined;
      case 'add-voter':
        void this.#voters.change(prng, 'add');
        return undefined;
      case 'remove-voter':
        void this.#voters.change(prng, 'remove');
        return undefined;
      case 'two-voter-changes':
        // At the same moment, and again at the same moments.
        void this.#voters.change(prng.fork('one'), fault.first);
        void this.#voters.change(prng.fork('other'), 'add');
        return undefined;
      case 'wipe': {
        const host = hosts[prng.below(hosts.length)]!;
        if (!this.#mayWipe(host)) return undefined;
        this.#voters.lose(host, prng);
        return () => this.#restart([host]);
      }
    }
  }

  #restart(hosts: readonly SimHost[]): void {
    for (const host of hosts) host.start();
  }

  #startOnceStopped(host: SimHost): void {
    if (host.isStopping) this.#world.clock.after(STOPPING_MS, () => this.#startOnceStopped(host));
    else host.start();
  }

  /** Only a process that has ended finds its disk sound: one that goes on has to live with it. */
  #mendAndRestart(host: SimHost): void {
    host.mend();
    host.start();
  }

  #any(prng: SimPrng): SimHost {
    return this.#world.hosts[prng.below(this.#world.hosts.length)]!;
  }

  #victims(victims: Victims, prng: SimPrng): readonly SimHost[] {
    const { hosts } = this.#world;
    const leader = this.#world.leader();
    const voters = shuffled(
      hosts.filter((host) => this.#voters.isVoter(host)),
      prng,
    );
    const majority = Math.floor(voters.length / 2) + 1;
    switch (victims) {
      case 'one':
        return [this.#any(prng)];
      case 'leader':
        return [leader ?? this.#any(prng)];
      case 'minority':
        return voters.slice(0, voters.length - majority);
      case 'majority':
        return voters.slice(0, majority);
      case 'all':
        return hosts;
    }
  }

  // --- what needs the cluster's consent ---

  /** Puts a question to any running node and does not wait for the answer. */
  #ask(question: (host: SimHost) => Promise<unknown>, prng: SimPrng): void {
    const up = this.#world.hosts.filter(({ node, isPaused }) => node !== undefined && !isPaused);
    const host = up[prng.below(Math.max(1, up.length))];
    if (host === undefined) return;
    question(host).catch((cause: unknown) => {
      if (host.node !== undefined)
        this.#world.violations.report('node-failed', `a question was rejected: ${String(cause)}`);
    });
  }

  /** A partition of records or of groups to any three nodes. */
  async #reassign(node: SimulatedNode, prng: SimPrng): Promise<void> {
    const places = placesIn(node);
    const place = places[prng.below(Math.max(1, places.length))];
    if (place === undefined) return;
    const replicas = shuffled(this.#world.hosts, prng).slice(0, place.replicas.length >= 3 ? 3 : 1);
    const ids = replicas.map(({ id }) => id as number);
    const answer = await node.reassign(place.topic, place.partition, ids, COMMAND_TIMEOUT_MS);
    this.#world.clock.trace.note('reassign', place.partition, ids.join(), answer.ok ? '' : answer.error);
  }

  #transferTarget(prng: SimPrng): NodeId | undefined {
    const voters = this.#world.voters();
    return prng.below(2) === 0 ? undefined : voters[prng.below(voters.length)]?.nodeId;
  }

  /**
   * Whether a disk may be lost: of one that the quorum can spare, and each of whose partitions another in-sync replica holds.
   *
   * That one is enough is what acks=all promises with min.insync.replicas=2 and flush.policy=ack. A record is committed only while
   * two at least are in sync, and then it is on the disk of every one of them; what falls out of sync when that makes them fewer
   * stays eligible (KIP-966). So of those that may lead another one has on its disk whatever is committed, also if a change of the
   * in-sync replicas is under way, and nothing but the loss of a second disk takes it away: a crash or a power failure of the other
   * at the same moment leaves what was synced, and for a broker that syncs before it acknowledges the controller keeps its place
   * after an unclean end. The broker that lost its disk loses its place with its registration, whose directory is another. Until
   * then the controller may make it the leader, in name: its process is not one to it before it has registered. So no second disk
   * may be lost before the image has that registration.
   */
  #mayWipe(host: SimHost): boolean {
    return this.#voters.maySpare(host) && this.#isSpare(host);
  }

  /** By the newest image, and not while that still takes a broker for the one it was before its disk was gone. */
  #isSpare(host: SimHost): boolean {
    const node = this.#world.furthest();
    if (node === undefined) return false;
    if (!this.#world.hosts.every(({ key }) => isRegistered(node, key))) return false;
    return placesIn(node)
      .filter(({ replicas }) => replicas.includes(host.id))
      .every(({ isr, leader }) => leader >= 0 && isr.filter((id) => id !== host.id).length >= 1);
  }
}

function isRegistered(node: SimulatedNode, { nodeId, directoryId }: ReplicaKey): boolean {
  const registered = node.registeredDirectory(nodeId);
  return registered === undefined || registered === directoryId;
}

function placesIn(node: SimulatedNode): readonly PartitionPlace[] {
  return [...node.partitionsOf(RECORD_TOPIC), ...node.partitionsOf(OFFSETS_TOPIC)];
}
