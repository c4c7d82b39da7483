// The nemesis: does to a simulated cluster what its schedule says, and undoes all of it in the end. Contract: it never destroys
// what was promised to be kept. A wiped disk counts against the voters until its replica is one no longer, and there is only one
// such at a time, and only of a broker whose partitions two others hold; a power failure may strike everybody, because what is
// acknowledged is synced.

import { OFFSETS_TOPIC, type NodeId } from '@tidemark/core';
import { findVoter, replicaName, type ReplicaKey, type Voter } from '@tidemark/raft';
import { noNetworkFaults } from '../sim-network.ts';
import { SimPrng } from '../sim-prng.ts';
import { type Fault, type PartitionShape, type Schedule, type Victims } from './faults.ts';
import { RECORD_TOPIC } from './replica-checks.ts';
import { raftMessageTypes, type SimHost } from './sim-host.ts';
import { type PartitionPlace, type SimulatedNode } from './simulated-node.ts';
import { type SimWorld } from './sim-world.ts';

const COMMAND_TIMEOUT_MS = 1_000;
/** A change of the voters is tried so often; most fail because nobody leads or the replica is not there yet. */
const CHANGE_TRIES = 8;
const RETRY_MS = 120;
/** Between the end of processes and their start, where the schedule does not say. */
const RESTART_MS = 20;
/** How often the nemesis looks whether a process has ended. */
const STOPPING_MS = 20;
/** Who must have everything that a disk has before that may be lost. */
const OTHERS_IN_SYNC = 2;
const RECORD_FILE = new RegExp(`/${RECORD_TOPIC}-\\d+/`);

export class Nemesis {
  readonly #world: SimWorld;
  /** The voter whose disk is gone. */
  #lost: ReplicaKey | undefined;
  #isHealing = false;
  #usualNetwork = noNetworkFaults;
  readonly #traps = new Set<() => void>();
  /** Changes of the voters under way. */
  #changes = 0;

  constructor(world: SimWorld) {
    this.#world = world;
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
    for (const untrap of this.#traps) untrap();
    this.#world.network.heal();
    for (const host of this.#world.hosts) {
      host.mend();
      host.resume();
      host.setClock(1, 0);
      host.start();
    }
  }

  /** Takes the voter whose disk is gone out of the quorum. To be called until it answers true. */
  async mendVoters(): Promise<boolean> {
    await this.#removeLost();
    return this.#lost === undefined;
  }

  #strike(fault: Fault, prng: SimPrng): (() => void) | undefined {
    const { clock, network, hosts } = this.#world;
    clock.trace.note('nemesis', fault.type);
    switch (fault.type) {
      case 'partition':
        return this.#partition(fault.shape, prng);
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
        return this.#crashAfterSend(fault);
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
        this.#failSync(fault, prng);
        return undefined;
      case 'lonely-return':
        return this.#returnAlone(fault, prng);
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
        void this.#changeVoters(prng, 'add');
        return undefined;
      case 'remove-voter':
        void this.#changeVoters(prng, 'remove');
        return undefined;
      case 'wipe': {
        const host = hosts[prng.below(hosts.length)]!;
        if (!this.#mayWipe(host)) return undefined;
        this.#wipe(host, prng);
        return () => this.#restart([host]);
      }
    }
  }

  #crashAfterSend(fault: Fault & { readonly type: 'crash-after-send' }): () => void {
    const { clock, hosts } = this.#world;
    let { skip } = fault;
    const strike = (sender: SimHost): void => {
      if (this.#isHealing) return;
      const victims = fault.victims === 'all' ? hosts : [sender];
      for (const host of victims) host.end('nothing');
      // At once, so that it meets those who still count on what it said.
      clock.after(1, () => this.#restart(victims));
    };
    const untrap = this.#world.onSend((sender, type) => {
      if (type !== raftMessageTypes[fault.message] || skip-- > 0) return;
      untrap();
      clock.after(fault.delayMs, () => strike(sender));
    });
    this.#traps.add(untrap);
    const leader = fault.election ? this.#world.leader() : undefined;
    leader?.end('kill');
    return () => {
      untrap();
      leader?.start();
    };
  }

  /** A replica's sync fails whenever the next one comes. Who counts what it was for as held is found out when it has to start again. */
  #failSync(fault: Fault & { readonly type: 'failed-sync' }, prng: SimPrng): void {
    const { clock, hosts } = this.#world;
    const places = this.#world.furthest()?.partitionsOf(RECORD_TOPIC) ?? [];
    const place = places[prng.below(Math.max(1, places.length))];
    const id = place?.replicas[prng.below(place.replicas.length)];
    const host = hosts.find((each) => (each.id as number) === id);
    const { skip, forMs, mode, victims } = fault;
    const onStrike = (): void => {
      clock.after(forMs, () => {
        if (this.#isHealing || host === undefined) return;
        const ended = victims === 'all' ? hosts : [host];
        for (const each of ended) each.end(mode);
        host.mend();
        clock.after(RESTART_MS, () => this.#restart(ended));
      });
    };
    const path = (name: string): boolean => RECORD_FILE.test(name);
    host?.inject({ operation: 'sync', path, error: 'EIO', skip, onStrike }, false);
  }

  /**
   * Its earlier incarnation was in sync a moment ago and the next one is not heard by the leaders: only the metadata tells them
   * apart, and the leaders must.
   */
  #returnAlone(fault: Fault & { readonly type: 'lonely-return' }, prng: SimPrng): (() => void) | undefined {
    const { clock, network } = this.#world;
    const host = this.#any(prng);
    if (fault.how !== 'wipe') host.end(fault.how);
    else if (this.#mayWipe(host)) this.#wipe(host, prng);
    else return undefined;
    return () => {
      const led = this.#world.furthest()?.partitionsOf(RECORD_TOPIC) ?? [];
      const leaders = new Set(led.map(({ leader }) => leader as NodeId));
      // Without the controller it would not come back at all.
      leaders.delete(this.#world.leader()?.id ?? host.id);
      leaders.delete(host.id);
      for (const leader of leaders) network.block(host.id, leader);
      host.start();
      clock.after(fault.cutMs, () => {
        for (const leader of leaders) network.unblock(host.id, leader);
      });
    };
  }

  #wipe(host: SimHost, prng: SimPrng): void {
    if (this.#isVoter(host)) this.#lost = host.key;
    host.wipe();
    void this.#replaceLost(prng);
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
      hosts.filter((host) => this.#isVoter(host)),
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

  #isVoter(host: SimHost): boolean {
    return findVoter(this.#world.voters(), host.key) !== undefined;
  }

  // --- the network ---

  #partition(shape: PartitionShape, prng: SimPrng): () => void {
    const { network } = this.#world;
    const cut: (readonly [NodeId, NodeId])[] = [];
    const block = (from: NodeId, to: NodeId): void => {
      if (from === to) return;
      network.block(from, to);
      cut.push([from, to]);
    };
    const both = (a: NodeId, b: NodeId): void => {
      block(a, b);
      block(b, a);
    };
    const ids = shuffled(this.#world.hosts, prng).map(({ id }) => id);
    const leader = this.#world.leader()?.id ?? ids[0]!;
    const half = Math.ceil(ids.length / 2);
    switch (shape) {
      case 'halves':
        for (const a of ids.slice(0, half)) for (const b of ids.slice(half)) both(a, b);
        break;
      case 'isolate-leader':
        for (const id of ids) both(leader, id);
        break;
      case 'isolate-one':
        for (const id of ids) both(ids[0]!, id);
        break;
      case 'bridge':
        // Two halves that only the one in the middle can reach, both of them.
        for (const a of ids.slice(1, half)) for (const b of ids.slice(half)) both(a, b);
        break;
      case 'one-way':
        // Heard by nobody, or hearing nobody.
        for (const id of ids) {
          if (prng.seed % 2 === 0) block(leader, id);
          else block(id, leader);
        }
        break;
      case 'ring':
        // Everybody reaches a majority, and no two of them the same one (Jepsen's majorities ring).
        for (const [at, a] of ids.entries()) {
          for (let step = 2; step <= ids.length - 2; step++) both(a, ids[(at + step) % ids.length]!);
        }
    }
    return () => {
      for (const [from, to] of cut) network.unblock(from, to);
    };
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

  async #changeVoters(prng: SimPrng, type: 'add' | 'remove'): Promise<void> {
    for (let turn = 0; turn < CHANGE_TRIES && !this.#isHealing && this.#lost === undefined; turn++) {
      const voters = this.#world.voters();
      if (type === 'remove') {
        const gone = voters[prng.below(voters.length)];
        if (gone === undefined || voters.length <= 2) return;
        if (await this.#change({ type, replica: { nodeId: gone.nodeId, directoryId: gone.directoryId } }))
          return;
      } else {
        const outside = this.#world.hosts.filter((host) => !this.#isVoter(host));
        const host = outside[prng.below(Math.max(1, outside.length))];
        if (host === undefined) return;
        if (await this.#change({ type, voter: { ...host.key, endpoint: host.endpoint } })) return;
      }
      await this.#sleep(RETRY_MS);
    }
  }

  /**
   * One voter at a time may be lost, and those that are left must hold a majority among themselves, whichever set of voters comes
   * to be in force: so no change may be under way, and everybody must know the same set.
   */
  #mayWipe(host: SimHost): boolean {
    if (this.#lost !== undefined || this.#changes > 0) return false;
    const name = (voters: readonly Voter[]): string => voters.map(replicaName).join();
    const known = name(this.#committedVoters());
    if (!this.#world.hosts.every(({ node }) => node !== undefined && name(node.status.voters) === known)) {
      return false;
    }
    return this.#isSpare(host) && (!this.#isVoter(host) || this.#committedVoters().length >= 3);
  }

  /**
   * Everything its partitions have two others have, too. Judged by the newest image, and not while that still takes a broker for the
   * one it was before its disk was gone: what it counts as in sync may be nothing.
   */
  #isSpare(host: SimHost): boolean {
    const node = this.#world.furthest();
    if (node === undefined) return false;
    if (!this.#world.hosts.every(({ key }) => isRegistered(node, key))) return false;
    return placesIn(node)
      .filter(({ replicas }) => replicas.includes(host.id))
      .every(({ isr, leader }) => leader >= 0 && isr.filter((id) => id !== host.id).length >= OTHERS_IN_SYNC);
  }

  async #replaceLost(prng: SimPrng): Promise<void> {
    for (let turn = 0; turn < CHANGE_TRIES && this.#lost !== undefined && !this.#isHealing; turn++) {
      await this.#sleep(RETRY_MS);
      await this.#removeLost();
    }
    if (this.#lost === undefined && !this.#isHealing) await this.#changeVoters(prng, 'add');
  }

  async #removeLost(): Promise<void> {
    const lost = this.#lost;
    if (lost === undefined) return;
    await this.#change({ type: 'remove', replica: lost });
    // Whatever the answer was: it is gone once the cluster says so.
    if (findVoter(this.#committedVoters(), lost) === undefined) this.#lost = undefined;
  }

  #committedVoters(): readonly Voter[] {
    return this.#world.checks.committedVoters ?? this.#world.initialVoters;
  }

  async #change(
    change:
      | { readonly type: 'add'; readonly voter: Voter }
      | { readonly type: 'remove'; readonly replica: ReplicaKey },
  ): Promise<boolean> {
    const host = this.#world.leader();
    if (host?.node === undefined || host.isPaused) return false;
    const { trace } = this.#world.clock;
    trace.note(
      'change voters',
      change.type,
      replicaName(change.type === 'add' ? change.voter : change.replica),
    );
    this.#changes++;
    try {
      const { node } = host;
      // A node that goes away does not answer.
      const answer = await Promise.race([
        node.changeVoters(change, COMMAND_TIMEOUT_MS),
        this.#sleep(COMMAND_TIMEOUT_MS * 2).then(() => undefined),
      ]);
      trace.note('voters', answer?.ok, answer?.ok === false ? answer.error : '');
      return answer?.ok === true;
    } finally {
      this.#changes--;
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.clock.after(ms, resolve));
  }
}

function isRegistered(node: SimulatedNode, { nodeId, directoryId }: ReplicaKey): boolean {
  const registered = node.registeredDirectory(nodeId);
  return registered === undefined || registered === directoryId;
}

function placesIn(node: SimulatedNode): readonly PartitionPlace[] {
  return [...node.partitionsOf(RECORD_TOPIC), ...node.partitionsOf(OFFSETS_TOPIC)];
}

function shuffled<T>(items: readonly T[], prng: SimPrng): T[] {
  const left = [...items];
  const result: T[] = [];
  while (left.length > 0) result.push(...left.splice(prng.below(left.length), 1));
  return result;
}
