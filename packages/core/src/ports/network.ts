// Network: one-way messages between nodes. Loss, duplication and reordering across reconnects are normal; a protocol above
// it retries and deduplicates. Within one unbroken connection messages of a lane arrive in order,
// at most once.

import type { Brand } from '../ids.ts';

/** `node.id` of a process, whatever its roles. */
export type NodeId = Brand<number, 'NodeId'>;

/**
 * What a message shares its way with: `control` for what is small and urgent, `bulk` for what is large. They do not hold each other
 * up, and have no order between them.
 */
export type Lane = 'control' | 'bulk';

export interface NetworkMessage {
  readonly from: NodeId;
  readonly payload: Uint8Array;
}

export interface Network {
  /** The id messages are sent from. */
  readonly self: NodeId;
  /**
   * Hands the message over for delivery; never blocks and never throws for a peer that cannot be reached. Answers false when
   * the message was dropped at once (unknown peer, or the bytes queued for the peer in this lane would pass the limit). In the
   * `control` lane (the default) the sender may use its buffer again at once; in the `bulk` lane it is handed over for good.
   */
  send(to: NodeId, payload: Uint8Array, lane?: Lane): boolean;
  /** The one receiver of this node's messages. Called in arrival order, never inside `send`. */
  onMessage(receiver: (message: NetworkMessage) => void): void;
  /**
   * The one listener for peers that refused a connection: their host answered that nobody listens, as it does once the process is
   * gone, however it ended. Told once for each attempt, so again and again for as long as something is sent and the peer refuses.
   * One that is slow, frozen or cut off refuses nothing. Not every network notices: a hint, on which no safety may rest.
   */
  onRefused?(listener: (peer: NodeId) => void): void;
  /** After this nothing is sent or received. */
  close(): Promise<void>;
}
