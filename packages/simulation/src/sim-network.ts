// SimNetwork: messages between simulated nodes, with delay, loss, duplication, reordering, slow links and partitions drawn from
// the seed. Without faults a pair of nodes is one unbroken connection: in order, at most once. A fault stands for a connection
// that broke and was made again around that message. A paused node gets nothing until it goes on, and then all of it. A node that
// is not there refuses, and the sender hears of it mostly, a little later: it may be back by then.

import { type Lane, type Network, type NetworkMessage, type NodeId } from '@tidemark/core';
import { type SimClock } from './sim-clock.ts';
import { type SimPrng } from './sim-prng.ts';

export interface SimNetworkOptions {
  readonly clock: SimClock;
  readonly prng: SimPrng;
  /** Bounds of the delay of one message, in ms. Default 0.1 to 2. */
  readonly delayMs?: { readonly min: number; readonly max: number };
  /** Bytes under way from one node to another, held back ones included; past it `send` answers false. Default 64 MiB. */
  readonly limitBytes?: number;
  /** What a node had sent before it was closed still arrives, as from a kernel whose process is gone. Default: it is lost. */
  readonly outliveSender?: boolean;
}

/** One message in so many is struck; 0 is never. */
export interface NetworkFaults {
  readonly dropOneIn: number;
  readonly duplicateOneIn: number;
  readonly reorderOneIn: number;
}

/** What one direction between two nodes is like. */
export interface LinkQuality {
  /** The delay of every message times this; 1 is as fast as the others. */
  readonly delayFactor: number;
  /** Bytes that go through in a millisecond, one message after another; Infinity: no limit. */
  readonly bytesPerMs: number;
  /** In place of the network's. */
  readonly faults: NetworkFaults | undefined;
}

export const noNetworkFaults: NetworkFaults = { dropOneIn: 0, duplicateOneIn: 0, reorderOneIn: 0 };
const GOOD_LINK: LinkQuality = { delayFactor: 1, bytesPerMs: Infinity, faults: undefined };
/** How much longer than the longest delay a message that is overtaken or repeated may stay under way: mostly, and now and then. */
const LATE_FACTOR = 10;
const VERY_LATE_FACTOR = 100;
const VERY_LATE_ONE_IN = 4;
const REFUSAL_MISSED_ONE_IN = 3;
const REFUSAL_HEARD_WITHIN_MS = 300;

interface Link {
  readonly from: NodeId;
  readonly to: NodeId;
  queuedBytes: number;
  /** The last message of the unbroken connection arrives then, of each lane; the next one not before. */
  readonly lastArrivalMs: Record<Lane, number>;
  /** The last message has left the sender then. */
  busyUntilMs: number;
  isBlocked: boolean;
  quality: LinkQuality;
}

export class SimNetwork {
  faults: NetworkFaults = noNetworkFaults;
  readonly #options: SimNetworkOptions;
  readonly #delay: { readonly min: number; readonly max: number };
  readonly #limitBytes: number;
  readonly #nodes = new Map<NodeId, SimNode>();
  readonly #links = new Map<NodeId, Map<NodeId, Link>>();
  /** Numbers of their own: who does not listen for refusals draws none. */
  #refusalPrng: SimPrng | undefined;

  constructor(options: SimNetworkOptions) {
    this.#options = options;
    this.#delay = options.delayMs ?? { min: 0.1, max: 2 };
    this.#limitBytes = options.limitBytes ?? 64 * 1024 * 1024;
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
    this.#link(from, to).isBlocked = true;
    this.#options.clock.trace.note('block', from, to);
  }

  unblock(from: NodeId, to: NodeId): void {
    this.#link(from, to).isBlocked = false;
    this.#options.clock.trace.note('unblock', from, to);
  }

  /** Makes one direction slow, narrow or faulty; what is not named becomes as good as new. */
  setLink(from: NodeId, to: NodeId, quality: Partial<LinkQuality>): void {
    this.#link(from, to).quality = { ...GOOD_LINK, ...quality };
    this.#options.clock.trace.note('link', from, to, quality.delayFactor, quality.bytesPerMs);
  }

  /** Holds back what arrives for the node, as a stopped process's sockets do. Nothing is lost by it. */
  pause(id: NodeId): void {
    const node = this.#nodes.get(id);
    if (node !== undefined) node.held ??= [];
  }

  /** What was held back arrives now, in its order, an event each. */
  resume(id: NodeId): void {
    const node = this.#nodes.get(id);
    const held = node?.held;
    if (node === undefined || held === undefined) return;
    node.held = undefined;
    for (const { link, payload } of held) {
      this.#options.clock.after(0, () => this.#arrive(link, this.#nodes.get(link.from), node, payload));
    }
  }

  /** Opens every path and ends every fault. Paused nodes stay paused. */
  heal(): void {
    for (const links of this.#links.values()) {
      for (const link of links.values()) {
        link.isBlocked = false;
        link.quality = GOOD_LINK;
      }
    }
    this.faults = noNetworkFaults;
    this.#options.clock.trace.note('heal');
  }

  readonly #send = (from: NodeId, to: NodeId, payload: Uint8Array, lane: Lane): boolean => {
    const { clock, prng } = this.#options;
    const link = this.#link(from, to);
    if (!this.#nodes.has(to)) {
      this.#refuse(link);
      return false;
    }
    if (link.queuedBytes + payload.length > this.#limitBytes) return false;
    // The sender may reuse its buffer at once: what is under way is a copy.
    const copy = payload.slice();
    const { delayFactor, bytesPerMs, faults = this.faults } = link.quality;
    if (prng.chance(faults.dropOneIn)) {
      clock.trace.note('net drop', from, to, copy.length);
      return true;
    }
    const nowMs = clock.monotonicMs();
    link.busyUntilMs = Math.max(link.busyUntilMs, nowMs) + copy.length / bytesPerMs;
    const delay = this.#draw() * delayFactor + link.busyUntilMs - nowMs;
    if (prng.chance(faults.duplicateOneIn)) this.#deliver(link, copy, delay + this.#late());
    if (prng.chance(faults.reorderOneIn)) this.#deliver(link, copy, delay + this.#late());
    else {
      link.lastArrivalMs[lane] = Math.max(link.lastArrivalMs[lane], nowMs + delay);
      this.#deliver(link, copy, link.lastArrivalMs[lane] - nowMs);
    }
    return true;
  };

  #deliver(link: Link, payload: Uint8Array, delayMs: number): void {
    // Addressed to this incarnation: a node that joins later under the same id has other connections.
    const receiver = this.#nodes.get(link.to);
    const sender = this.#nodes.get(link.from);
    link.queuedBytes += payload.length;
    this.#options.clock.after(delayMs, () => this.#arrive(link, sender, receiver, payload));
  }

  #arrive(link: Link, sender: SimNode | undefined, receiver: SimNode | undefined, payload: Uint8Array): void {
    if (receiver?.held !== undefined && !receiver.closed) {
      receiver.held.push({ link, payload });
      return;
    }
    link.queuedBytes -= payload.length;
    const isLost = link.isBlocked || (sender?.closed !== false && this.#options.outliveSender !== true);
    const { trace } = this.#options.clock;
    trace.note(isLost ? 'net lost' : 'net', link.from, link.to, payload.length);
    trace.noteBytes(payload);
    if (!isLost) receiver?.receive({ from: link.from, payload });
  }

  #refuse(link: Link): void {
    const { clock, prng } = this.#options;
    const sender = this.#nodes.get(link.from);
    // Across a cut path not even a refusal comes back.
    if (sender?.refusalListener === undefined || link.isBlocked) return;
    this.#refusalPrng ??= prng.fork('refusals');
    if (this.#refusalPrng.chance(REFUSAL_MISSED_ONE_IN)) return;
    clock.after(1 + this.#refusalPrng.below(REFUSAL_HEARD_WITHIN_MS), () => {
      clock.trace.note('net refused', link.from, link.to);
      sender.refused(link.to);
    });
  }

  #draw(): number {
    const { min, max } = this.#delay;
    return min + ((max - min) * this.#options.prng.below(1001)) / 1000;
  }

  #late(): number {
    const { prng } = this.#options;
    const factor = prng.chance(VERY_LATE_ONE_IN) ? VERY_LATE_FACTOR : LATE_FACTOR;
    return (this.#delay.max * prng.below(factor * 100 + 1)) / 100;
  }

  #link(from: NodeId, to: NodeId): Link {
    let links = this.#links.get(from);
    if (links === undefined) this.#links.set(from, (links = new Map<NodeId, Link>()));
    let link = links.get(to);
    if (link === undefined) {
      link = {
        from,
        to,
        queuedBytes: 0,
        lastArrivalMs: { control: 0, bulk: 0 },
        busyUntilMs: 0,
        isBlocked: false,
        quality: GOOD_LINK,
      };
      links.set(to, link);
    }
    return link;
  }
}

class SimNode implements Network {
  readonly self: NodeId;
  closed = false;
  /** While the node is paused: what waits for it. */
  held: { readonly link: Link; readonly payload: Uint8Array }[] | undefined;
  readonly #send: (from: NodeId, to: NodeId, payload: Uint8Array, lane: Lane) => boolean;
  readonly #leave: () => void;
  refusalListener: ((peer: NodeId) => void) | undefined;
  #receiver: ((message: NetworkMessage) => void) | undefined;

  constructor(
    self: NodeId,
    send: (from: NodeId, to: NodeId, payload: Uint8Array, lane: Lane) => boolean,
    leave: () => void,
  ) {
    this.self = self;
    this.#send = send;
    this.#leave = leave;
  }

  send(to: NodeId, payload: Uint8Array, lane: Lane = 'control'): boolean {
    return !this.closed && this.#send(this.self, to, payload, lane);
  }

  onMessage(receiver: (message: NetworkMessage) => void): void {
    this.#receiver = receiver;
  }

  onRefused(listener: (peer: NodeId) => void): void {
    this.refusalListener = listener;
  }

  refused(peer: NodeId): void {
    // A stopped process hears it when it goes on, if at all; what it knows by then is old.
    if (!this.closed && this.held === undefined) this.refusalListener?.(peer);
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
