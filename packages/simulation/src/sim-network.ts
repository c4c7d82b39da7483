// SimNetwork: messages between simulated nodes, with delay, loss, duplication, reordering and partitions drawn from the
// seed. Without faults a pair of nodes is one unbroken connection: in order, at most once. A fault stands for a connection
// that broke and was made again around that message.

import { type Network, type NetworkMessage, type NodeId } from '@tidemark/core';
import { type SimClock } from './sim-clock.ts';
import { type SimPrng } from './sim-prng.ts';

export interface SimNetworkOptions {
  readonly clock: SimClock;
  readonly prng: SimPrng;
  /** Bounds of the delay of one message, in ms. Default 0.1 to 2. */
  readonly delayMs?: { readonly min: number; readonly max: number };
  /** Bytes under way from one node to another; past it `send` answers false. Default 64 MiB. */
  readonly limitBytes?: number;
}

/** One message in so many is struck; 0 is never. */
export interface NetworkFaults {
  readonly dropOneIn: number;
  readonly duplicateOneIn: number;
  readonly reorderOneIn: number;
}

const NO_FAULTS: NetworkFaults = { dropOneIn: 0, duplicateOneIn: 0, reorderOneIn: 0 };
/** How much longer than the longest delay a message that is overtaken or repeated may stay under way. */
const LATE_FACTOR = 10;

interface Link {
  queuedBytes: number;
  /** The last message of the unbroken connection arrives then; the next one not before. */
  lastArrivalMs: number;
}

export class SimNetwork {
  faults: NetworkFaults = NO_FAULTS;
  readonly #options: SimNetworkOptions;
  readonly #delay: { readonly min: number; readonly max: number };
  readonly #nodes = new Map<NodeId, SimNode>();
  readonly #links = new Map<string, Link>();
  readonly #blocked = new Set<string>();

  constructor(options: SimNetworkOptions) {
    this.#options = options;
    this.#delay = options.delayMs ?? { min: 0.1, max: 2 };
  }

  /** Adds a node. An id whose node was closed may join again, as a restarted process does. */
  join(id: NodeId): Network {
    if (this.#nodes.has(id)) throw new RangeError(`node ${id} is on the network already`);
    const node = new SimNode(id, this.#send, () => this.#nodes.delete(id));
    this.#nodes.set(id, node);
    return node;
  }

  /** Cuts every path between different groups. Nodes named in no group keep all their paths. */
  partition(...groups: readonly (readonly NodeId[])[]): void {
    for (const [at, group] of groups.entries()) {
      for (const from of group) {
        for (const [other, members] of groups.entries()) {
          if (other !== at) for (const to of members) this.block(from, to);
        }
      }
    }
  }

  /** Cuts one direction. */
  block(from: NodeId, to: NodeId): void {
    this.#blocked.add(key(from, to));
    this.#options.clock.trace.note('block', from, to);
  }

  unblock(from: NodeId, to: NodeId): void {
    this.#blocked.delete(key(from, to));
  }

  /** Opens every path and ends every fault. */
  heal(): void {
    this.#blocked.clear();
    this.faults = NO_FAULTS;
    this.#options.clock.trace.note('heal');
  }

  readonly #send = (from: NodeId, to: NodeId, payload: Uint8Array): boolean => {
    const { clock, prng, limitBytes = 64 * 1024 * 1024 } = this.#options;
    if (!this.#nodes.has(to)) return false;
    const link = this.#link(from, to);
    if (link.queuedBytes + payload.length > limitBytes) return false;
    // The sender may reuse its buffer at once: what is under way is a copy.
    const copy = payload.slice();
    if (prng.chance(this.faults.dropOneIn)) {
      clock.trace.note('net drop', from, to, copy.length);
      return true;
    }
    const delay = this.#draw();
    if (prng.chance(this.faults.duplicateOneIn)) this.#deliver(from, to, copy, delay + this.#late());
    if (prng.chance(this.faults.reorderOneIn)) this.#deliver(from, to, copy, delay + this.#late());
    else {
      link.lastArrivalMs = Math.max(link.lastArrivalMs, clock.monotonicMs() + delay);
      this.#deliver(from, to, copy, link.lastArrivalMs - clock.monotonicMs());
    }
    return true;
  };

  #deliver(from: NodeId, to: NodeId, payload: Uint8Array, delayMs: number): void {
    const { clock } = this.#options;
    const link = this.#link(from, to);
    // Addressed to this incarnation: a node that joins later under the same id has other connections.
    const receiver = this.#nodes.get(to);
    const sender = this.#nodes.get(from);
    link.queuedBytes += payload.length;
    clock.after(delayMs, () => {
      link.queuedBytes -= payload.length;
      const lost = this.#blocked.has(key(from, to)) || sender?.closed !== false;
      clock.trace.note(lost ? 'net lost' : 'net', from, to, payload.length);
      clock.trace.noteBytes(payload);
      if (!lost) receiver?.receive({ from, payload });
    });
  }

  #draw(): number {
    const { min, max } = this.#delay;
    return min + ((max - min) * this.#options.prng.below(1001)) / 1000;
  }

  #late(): number {
    return (this.#delay.max * this.#options.prng.below(LATE_FACTOR * 100 + 1)) / 100;
  }

  #link(from: NodeId, to: NodeId): Link {
    let link = this.#links.get(key(from, to));
    if (link === undefined) {
      link = { queuedBytes: 0, lastArrivalMs: 0 };
      this.#links.set(key(from, to), link);
    }
    return link;
  }
}

const key = (from: NodeId, to: NodeId): string => `${from}>${to}`;

class SimNode implements Network {
  readonly self: NodeId;
  closed = false;
  readonly #send: (from: NodeId, to: NodeId, payload: Uint8Array) => boolean;
  readonly #leave: () => void;
  #receiver: ((message: NetworkMessage) => void) | undefined;

  constructor(
    self: NodeId,
    send: (from: NodeId, to: NodeId, payload: Uint8Array) => boolean,
    leave: () => void,
  ) {
    this.self = self;
    this.#send = send;
    this.#leave = leave;
  }

  send(to: NodeId, payload: Uint8Array): boolean {
    return !this.closed && this.#send(this.self, to, payload);
  }

  onMessage(receiver: (message: NetworkMessage) => void): void {
    this.#receiver = receiver;
  }

  receive(message: NetworkMessage): void {
    if (!this.closed) this.#receiver?.(message);
  }

  close(): Promise<void> {
    if (!this.closed) this.#leave();
    this.closed = true;
    return Promise.resolve();
  }
}
