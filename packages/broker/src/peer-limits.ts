// How large a message between two nodes can be. Contract: whatever a leader puts into one message is taken by the queue it goes
// through and by the listener it comes to, however small the requests of clients have to be: a message that is refused once is refused
// every time it is made again, and the follower it is for never catches up.

import type { BrokerConfig } from '@tidemark/core';

const MIB = 1024 * 1024;
/** What may wait to be sent to one node, where no message is larger. */
const USUAL_QUEUE_BYTES = 64 * MIB;
/** Of a message apart from its batches, generously. */
const FRAME_BYTES = MIB;

/** A message is closed by the read that fills it, and a read has one batch at least: as large as a request that brought it may be. */
export function largestPeerMessageBytes(config: BrokerConfig): number {
  const largestReadBytes = Math.max(
    config.get('replica.fetch.max.bytes'),
    config.get('socket.request.max.bytes'),
  );
  return config.get('replica.fetch.response.max.bytes') + largestReadBytes + FRAME_BYTES;
}

/** What may wait to be sent to one node in one lane; more is dropped, and sent again by the protocols above. */
export function peerQueueBytes(config: BrokerConfig): number {
  return Math.max(USUAL_QUEUE_BYTES, largestPeerMessageBytes(config));
}
