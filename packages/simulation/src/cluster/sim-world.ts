// SimWorld: the machines, the network between them and the checks over all of them, in one process and under one seed.

import { type NodeId } from '@tidemark/core';
import { type Voter, type VoterSet } from '@tidemark/raft';
import { SimClock } from '../sim-clock.ts';
import { SimNetwork } from '../sim-network.ts';
import { SimPrng } from '../sim-prng.ts';
import { Trace } from '../trace.ts';
import { ClusterChecks } from './cluster-checks.ts';
import { ImageChecks } from './image-checks.ts';
import { SimHost } from './sim-host.ts';
import { type ClusterTiming, type NodeFactory, type SimulatedNode } from './simulated-node.ts';
import { Violations } from './violations.ts';
import { type WorldParts } from './world-parts.ts';

export interface SimWorldOptions {
  readonly seed: number;
  readonly voters: number;
  /** Nodes that are no voters at the start. */
  readonly observers: number;
  readonly factory: NodeFactory;
  readonly timing?: ClusterTiming;
  /** How many of the last events a violation shows. Default 200. */
  readonly keptEvents?: number;
}

/** Short, so that a second holds many elections. */
export const simulatedTiming: ClusterTiming = {
  electionTimeoutMs: 150,
  heartbeatIntervalMs: 40,
  checkQuorumMs: 220,
  lingerMs: 2,
};

export class SimWorld {
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly prng: SimPrng;
  readonly violations: Violations;
  readonly checks: ClusterChecks;
  readonly images: ImageChecks;
  readonly initialVoters: VoterSet;
  readonly hosts: readonly SimHost[];

  constructor({ seed, voters, observers, factory, timing, keptEvents = 200 }: SimWorldOptions) {
    this.prng = new SimPrng(seed);
    this.clock = new SimClock({ trace: new Trace(keptEvents) });
    this.network = new SimNetwork({
      clock: this.clock,
      prng: this.prng.fork('network'),
      limitBytes: 4 * 1024 * 1024,
      outliveSender: true,
    });
    this.violations = new Violations(this.clock);
    const ids = Array.from({ length: voters + observers }, (_, at) => (at + 1) as NodeId);
    const founders: Voter[] = [];
    this.initialVoters = founders;
    this.checks = new ClusterChecks(this.violations.report, founders);
    this.images = new ImageChecks({
      report: this.violations.report,
      committedOffset: () => this.checks.committedOffset,
    });
    const parts: WorldParts = {
      clock: this.clock,
      network: this.network,
      prng: this.prng,
      violations: this.violations,
      checks: this.checks,
      images: this.images,
      initialVoters: founders,
      timing: timing ?? simulatedTiming,
      factory,
      committed: (topic, partition) => {
        for (const listener of this.#commitListeners) listener(topic, partition);
      },
      sent: (host, type) => {
        for (const trap of this.#sendTraps) trap(host, type);
      },
    };
    this.hosts = ids.map((id, at) => new SimHost(parts, id, at < voters));
    for (const { key, endpoint } of this.hosts.slice(0, voters)) founders.push({ ...key, endpoint });
  }

  /** What to do when a node sends a Raft message of a type; see `onSend`. */
  readonly #sendTraps = new Set<(host: SimHost, type: number) => void>();

  /** Calls back whenever a node sends a Raft message, before it is under way. Answers how to stop. */
  onSend(trap: (host: SimHost, type: number) => void): () => void {
    this.#sendTraps.add(trap);
    return () => {
      this.#sendTraps.delete(trap);
    };
  }

  readonly #commitListeners = new Set<(topic: string, partition: number) => void>();

  /** Calls back whenever a node begins to lead a partition, or moves the high watermark of one. */
  onCommitted(listener: (topic: string, partition: number) => void): void {
    this.#commitListeners.add(listener);
  }

  host(id: NodeId): SimHost | undefined {
    return this.hosts.find((host) => host.id === id);
  }

  /** Whoever leads in the highest term, as far as it knows itself. */
  leader(): SimHost | undefined {
    let found: SimHost | undefined;
    let foundTerm = -1;
    for (const host of this.hosts) {
      const status = host.node?.status;
      if (status?.role !== 'leader' || status.term <= foundTerm) continue;
      found = host;
      foundTerm = status.term;
    }
    return found;
  }

  /** Whoever has replayed most: a leader that has just been elected may not have what is committed. */
  furthest(): SimulatedNode | undefined {
    let found: SimulatedNode | undefined;
    for (const { node } of this.hosts) {
      if (node !== undefined && (found === undefined || node.image.offset > found.image.offset)) found = node;
    }
    return found;
  }

  /** The voters in force, as the furthest running node has them; the initial ones when none runs. */
  voters(): VoterSet {
    let voters: VoterSet = this.initialVoters;
    let end = -1;
    for (const { node } of this.hosts) {
      if (node === undefined || node.status.commitOffset <= end || node.status.voters.length === 0) continue;
      end = node.status.commitOffset;
      ({ voters } = node.status);
    }
    return voters;
  }
}
