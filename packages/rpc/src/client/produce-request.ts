// The produce request as a client writes it: by hand, into one buffer that is final. The batches are copied in, once, so that
// the memory they were encoded in belongs to the caller again when this returns.
import type { Buffer } from 'node:buffer';
import { MessageWriter } from '../server/protobuf-wire.ts';

export interface ProduceEntry {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** Not sent when below 0. */
  readonly currentLeaderEpoch: number;
  readonly batches: Uint8Array;
}

const ACKS_CODES = { 0: 1, 1: 2, [-1]: 3 } as const;

/** A serialized ProduceStreamRequest. `acks` is 0, 1 or -1 for all; `timeoutMs` is how long the server may wait for it. */
export function encodeProduceStreamRequest(
  correlationId: number,
  acks: 0 | 1 | -1,
  timeoutMs: number,
  entries: readonly ProduceEntry[],
): Buffer {
  const request = new MessageWriter(32);
  request.int(1, ACKS_CODES[acks]);
  request.int(2, timeoutMs);
  for (const { topic, topicId, partition, currentLeaderEpoch, batches } of entries) {
    const entry = new MessageWriter(64 + topic.length + topicId.length);
    entry.string(1, topic);
    entry.string(2, topicId);
    entry.int(3, partition);
    if (currentLeaderEpoch >= 0) entry.presentInt(4, currentLeaderEpoch);
    entry.presentBytes(5, batches);
    request.message(3, entry);
  }
  const message = new MessageWriter(24);
  message.int(1, correlationId);
  message.message(2, request);
  return message.finish().toBuffer();
}
