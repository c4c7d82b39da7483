// PeerRouter: one Network, with its one receiver, split into channels by the first byte of each payload, so that the quorum's
// messages, requests and answers to them share connections and know nothing of each other. Contract: a payload that is empty or
// names a channel nobody took is dropped and counted; everything else is as the Network has it.

import { invariant, type Lane, type Network, type NetworkMessage, type NodeId } from '@tidemark/core';

/** The first bytes in use. A node drops what it does not know, so a number is never given a second meaning. */
export const peerChannels = { raft: 1, request: 2, response: 3, formation: 4, replica: 5, knock: 6 } as const;

export interface PeerChannel {
  /** The id messages are sent from. */
  readonly self: NodeId;
  /** As `Network.send`. Copies the payload once, to put the channel's byte before it. */
  send(to: NodeId, payload: Uint8Array): boolean;
  /**
   * As `Network.send`, without the copy: the first byte of `message` is left free by the caller and written here; the payload
   * is what follows. For whoever builds its messages anyway.
   */
  sendPrefixed(to: NodeId, message: Uint8Array, lane?: Lane): boolean;
  /** The one receiver of this channel. Payloads come without the channel's byte, as views of what the Network delivered. */
  onMessage(receiver: (message: NetworkMessage) => void): void;
}

export class PeerRouter {
  readonly #network: Network;
  readonly #channels = new Map<number, Channel>();
  #dropped = 0;

  /** Becomes the network's receiver; closing the network stays with who opened it. */
  constructor(network: Network) {
    this.#network = network;
    network.onMessage((message) => this.#route(message));
  }

  get self(): NodeId {
    return this.#network.self;
  }

  /** Messages dropped so far because nobody receives their channel. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The channel of this number, 0 .. 255; always the same one. */
  channel(kind: number): PeerChannel {
    invariant(Number.isInteger(kind) && kind >= 0 && kind <= 255, 'a channel is a byte', { kind });
    let channel = this.#channels.get(kind);
    if (channel === undefined) {
      channel = new Channel(kind, this.#network);
      this.#channels.set(kind, channel);
    }
    return channel;
  }

  #route({ from, payload }: NetworkMessage): void {
    const receiver = payload.length === 0 ? undefined : this.#channels.get(payload[0]!)?.receiver;
    if (receiver === undefined) this.#dropped += 1;
    else receiver({ from, payload: payload.subarray(1) });
  }
}

class Channel implements PeerChannel {
  receiver: ((message: NetworkMessage) => void) | undefined;
  readonly #kind: number;
  readonly #network: Network;

  constructor(kind: number, network: Network) {
    this.#kind = kind;
    this.#network = network;
  }

  get self(): NodeId {
    return this.#network.self;
  }

  send(to: NodeId, payload: Uint8Array): boolean {
    const message = new Uint8Array(1 + payload.length);
    message.set(payload, 1);
    return this.sendPrefixed(to, message);
  }

  sendPrefixed(to: NodeId, message: Uint8Array, lane: Lane = 'control'): boolean {
    invariant(message.length > 0, 'a prefixed message has room for its channel');
    message[0] = this.#kind;
    return this.#network.send(to, message, lane);
  }

  onMessage(receiver: (message: NetworkMessage) => void): void {
    this.receiver = receiver;
  }
}
