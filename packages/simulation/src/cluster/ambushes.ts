// Faults that wait for their moment: each is made for one mistake that hardly anything else brings to light. Contract: nothing of an
// ambush strikes once `end` was called.

import { type NodeId } from '@tidemark/core';
import { type SimPrng } from '../sim-prng.ts';
import { type Fault } from './faults.ts';
import { placesOf, RECORD_TOPIC } from './replica-checks.ts';
import { raftMessageTypes, type SimHost } from './sim-host.ts';
import { type SimWorld } from './sim-world.ts';

type FaultOf<T extends Fault['type']> = Fault & { readonly type: T };

/** Between the end of processes and their start, where the schedule does not say. */
const RESTART_MS = 20;
/** So long a snapshot is waited for once its receiver is back. */
const LISTEN_MS = 1_500;
const RECORD_FILE = new RegExp(`/${RECORD_TOPIC}-\\d+/`);

export class Ambushes {
  readonly #world: SimWorld;
  readonly #traps = new Set<() => void>();
  #isOver = false;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  end(): void {
    this.#isOver = true;
    for (const untrap of this.#traps) untrap();
  }

  /** A power failure right after a message: what it promised must be on the disk. */
  crashAfterSend(fault: FaultOf<'crash-after-send'>): () => void {
    const { clock, hosts } = this.#world;
    let { skip } = fault;
    const strike = (sender: SimHost): void => {
      if (this.#isOver) return;
      const victims = fault.victims === 'all' ? hosts : [sender];
      for (const host of victims) host.end('nothing');
      // At once, so that it meets those who still count on what it said.
      clock.after(1, () => this.#start(victims));
    };
    const untrap = this.#onSend((sender, type) => {
      if (type !== raftMessageTypes[fault.message] || skip-- > 0) return;
      untrap();
      clock.after(fault.delayMs, () => strike(sender));
    });
    const leader = fault.election ? this.#world.leader() : undefined;
    leader?.end('kill');
    return () => {
      untrap();
      leader?.start();
    };
  }

  /** A replica's sync fails whenever the next one comes. Who counts what it was for as held is found out when it has to start again. */
  failSync({ skip, forMs, mode, victims }: FaultOf<'failed-sync'>, prng: SimPrng): void {
    const { clock, hosts } = this.#world;
    const places = placesOf(this.#world, RECORD_TOPIC);
    const place = places[prng.below(Math.max(1, places.length))];
    const id = place?.replicas[prng.below(place.replicas.length)];
    const host = hosts.find((each) => (each.id as number) === id);
    const onStrike = (): void => {
      clock.after(forMs, () => {
        if (this.#isOver || host === undefined) return;
        const ended = victims === 'all' ? hosts : [host];
        for (const each of ended) each.end(mode);
        host.mend();
        clock.after(RESTART_MS, () => this.#start(ended));
      });
    };
    const path = (name: string): boolean => RECORD_FILE.test(name);
    host?.inject({ operation: 'sync', path, error: 'EIO', skip, onStrike }, false);
  }

  /**
   * For a host that has ended: its earlier incarnation was in sync a moment ago, and the next one is not heard by the leaders. Only
   * the metadata tells them apart, and the leaders must.
   */
  returnAlone(host: SimHost, cutMs: number): void {
    const { clock, network } = this.#world;
    const leaders = new Set(placesOf(this.#world, RECORD_TOPIC).map(({ leader }) => leader as NodeId));
    // Without the controller it would not come back at all.
    leaders.delete(this.#world.leader()?.id ?? host.id);
    leaders.delete(host.id);
    for (const leader of leaders) network.block(host.id, leader);
    host.start();
    clock.after(cutMs, () => {
      for (const leader of leaders) network.unblock(host.id, leader);
    });
  }

  /** Somebody falls behind what the leader's log still has, and what brings it up to date comes once more when it is old. */
  lateSnapshot(host: SimHost, awayMs: number): void {
    const { clock, network } = this.#world;
    host.end('kill');
    clock.after(awayMs, () => {
      if (!this.#isOver) host.start();
    });
    const untrap = this.#onSend((_, type) => {
      if (type !== raftMessageTypes.snapshot) return;
      // For this one message, which is sent right after this.
      const usual = network.faults;
      const twice = { dropOneIn: 0, duplicateOneIn: 1, reorderOneIn: 0 };
      network.faults = twice;
      clock.after(0, () => {
        if (network.faults === twice) network.faults = usual;
      });
    });
    clock.after(awayMs + LISTEN_MS, untrap);
  }

  #start(hosts: readonly SimHost[]): void {
    for (const host of hosts) host.start();
  }

  #onSend(trap: (host: SimHost, type: number) => void): () => void {
    const stop = this.#world.onSend(trap);
    const untrap = (): void => {
      stop();
      this.#traps.delete(untrap);
    };
    this.#traps.add(untrap);
    return untrap;
  }
}
