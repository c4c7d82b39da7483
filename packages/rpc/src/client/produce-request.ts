// The produce request as a client writes it, by hand. The batches stay where they were encoded and are copied once, into the
// frame that grpc-js sends; `onCopied` tells when, so that their memory is not used again before.
import type { Buffer } from 'node:buffer';
import { MessageWriter } from '../server/protobuf-wire.ts';
import type { GatheredMessage } from '../server/protobuf-wire.ts';

export interface ProduceEntry {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** Not sent when below 0. */
  readonly currentLeaderEpoch: number;
  /** One after another, in order. */
  readonly batches: readonly Uint8Array[];
}

const ACKS_CODES = { 0: 1, 1: 2, [-1]: 3 } as const;

/** A serialized ProduceStreamRequest, until grpc-js copies it into a frame: all that it asks of a message. */
export class ProduceStreamMessage {
  readonly #message: GatheredMessage;
  readonly #onCopied: () => void;

  constructor(message: GatheredMessage, onCopied: () => void) {
    this.#message = message;
    this.#onCopied = onCopied;
  }

  get length(): number {
    return this.#message.byteLength;
  }

  get byteLength(): number {
    return this.#message.byteLength;
  }

  copy(target: Uint8Array, at = 0): number {
    const copied = this.#message.copy(target, at);
    this.#onCopied();
    return copied;
  }

  /** As the bytes it is taken for where grpc-js types a serialized message. */
  asBuffer(): Buffer {
    return this as unknown as Buffer;
  }
}

/** `acks` is 0, 1 or -1 for all; `timeoutMs` is how long the server may wait for it; `traceParent` may be empty. */
export function encodeProduceStreamRequest(
  correlationId: number,
  acks: 0 | 1 | -1,
  timeoutMs: number,
  entries: readonly ProduceEntry[],
  onCopied: () => void,
  traceParent = '',
): ProduceStreamMessage {
  const request = new MessageWriter(32);
  request.int(1, ACKS_CODES[acks]);
  request.int(2, timeoutMs);
  for (const { topic, topicId, partition, currentLeaderEpoch, batches } of entries) {
    const entry = new MessageWriter(64 + topic.length + topicId.length);
    entry.string(1, topic);
    entry.string(2, topicId);
    entry.int(3, partition);
    if (currentLeaderEpoch >= 0) entry.presentInt(4, currentLeaderEpoch);
    entry.bytesOf(
      5,
      batches,
      batches.reduce((sum, { length }) => sum + length, 0),
    );
    request.message(3, entry);
  }
  const message = new MessageWriter(24);
  message.int(1, correlationId);
  message.message(2, request);
  message.string(3, traceParent);
  return new ProduceStreamMessage(message.finish(), onCopied);
}
