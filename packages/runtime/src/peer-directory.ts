// Where a node's peers are reached: what the configuration says first, because an operator can correct it; then what the node said
// itself; then what the voters and the brokers are registered with.

import type { MetadataImage } from '@tidemark/controller';
import type { NodeId } from '@tidemark/core';
import type { PeerEndpoint, VoterSet } from '@tidemark/raft';

/** A node named as a voter by the configuration. */
export interface VoterAddress {
  readonly nodeId: NodeId;
  readonly endpoint: PeerEndpoint;
}

/** What the metadata say, once there are any. */
export interface KnownPeers {
  readonly voters: VoterSet;
  readonly image: MetadataImage;
}

/** Nodes that have said where they are; the oldest is forgotten first. */
const MAX_HEARD = 10_000;
const PEER_LISTENER = 'PEER';

export class PeerDirectory {
  readonly #configured: ReadonlyMap<NodeId, PeerEndpoint>;
  readonly #heard = new Map<NodeId, PeerEndpoint>();
  #known: (() => KnownPeers) | undefined;

  constructor(configured: readonly VoterAddress[]) {
    this.#configured = new Map(configured.map(({ nodeId, endpoint }) => [nodeId, endpoint]));
  }

  /** From now on the metadata are asked as well. */
  follow(known: () => KnownPeers): void {
    this.#known = known;
  }

  /** A node said where it is. */
  heard(node: NodeId, endpoint: PeerEndpoint): void {
    this.#heard.delete(node);
    if (this.#heard.size >= MAX_HEARD) this.#heard.delete(this.#heard.keys().next().value!);
    this.#heard.set(node, endpoint);
  }

  addressOf(node: NodeId): PeerEndpoint | undefined {
    const said = this.#configured.get(node) ?? this.#heard.get(node);
    if (said !== undefined) return said;
    const known = this.#known?.();
    const voter = known?.voters.find(({ nodeId }) => nodeId === node);
    return voter?.endpoint ?? known?.image.broker(node)?.endpoints.find(({ name }) => name === PEER_LISTENER);
  }
}
