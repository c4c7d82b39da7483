// Hand-written codec of what nodes send each other, one message for every batch and follower and one for every acknowledgement.
// Decoding gives the same object as proto-loader would (a property test holds it to that), but without its intermediate message;
// `payload` aliases the bytes that came in, and on the way out is copied once, into the frame.

import type { SendRequest, SendRequestOutput } from '../generated/tidemark/internal/v1/SendRequest.ts';
import { peerService } from '../definitions.ts';
import { MessageReader, MessageWriter, type GatheredMessage } from './protobuf-wire.ts';

const EMPTY = Buffer.alloc(0);

/** A message as a node writes it. `payload` is taken by reference: it must not change any more. */
export interface PeerMessage {
  readonly from: number;
  readonly to: number;
  readonly payload: Uint8Array;
}

export function encodeSendRequest({ from, to, payload }: PeerMessage): GatheredMessage {
  const writer = new MessageWriter(40);
  writer.presentInt(1, from);
  writer.presentInt(2, to);
  writer.presentBytes(3, payload);
  return writer.finish();
}

export function decodeSendRequest(bytes: Buffer): SendRequestOutput {
  const decoded: SendRequestOutput = { from: 0, to: 0, payload: EMPTY };
  const reader = new MessageReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) decoded.from = reader.int32();
    else if (reader.field === 2) decoded.to = reader.int32();
    else if (reader.field === 3) decoded.payload = reader.bytes();
    else reader.skip();
  }
  return decoded;
}

/** PeerService with this codec in the place of the generated one. On the wire nothing differs. */
export const peerMessageService = {
  ...peerService,
  Send: {
    ...peerService.Send,
    // Of a serialized message grpc-js asks `length`, `byteLength` and `copy`, which a GatheredMessage has.
    requestSerialize: encodeSendRequest as unknown as (message: SendRequest) => Buffer,
    requestDeserialize: decodeSendRequest,
  },
};
