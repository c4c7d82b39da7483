// Hand-written encoder of the fetch answers, the read half of the hot path: the parts the log answered go by reference into the
// message and are copied once, into the frame that grpc-js sends.

import type { WireError } from './error-detail.ts';
import { writeError, writeLeaderHint, type LeaderHintAnswer } from './produce-codec.ts';
import { MessageWriter, type GatheredMessage } from './protobuf-wire.ts';

export interface FetchedHeaderAnswer {
  readonly key: string;
  readonly value: Uint8Array | null;
}

export interface FetchedRecordAnswer {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly FetchedHeaderAnswer[];
}

/** What was read of one partition as it is answered: `parts` are whole batches back to back, or `records` are decoded. */
export interface FetchAnswer {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly error?: WireError;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly leaderEpoch: number;
  readonly parts: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly records?: readonly FetchedRecordAnswer[];
  readonly currentLeader?: LeaderHintAnswer;
  readonly positionId: number;
}

export interface FetchResponseAnswer {
  readonly results: readonly FetchAnswer[];
  readonly throttleMs: number;
}

function writeRecord(writer: MessageWriter, field: number, record: FetchedRecordAnswer): void {
  const nested = new MessageWriter(48);
  nested.int(1, record.offset);
  nested.int(2, record.timestampMs);
  if (record.key !== null) nested.presentBytes(3, record.key);
  if (record.value !== null) nested.presentBytes(4, record.value);
  for (const header of record.headers) {
    const pair = new MessageWriter(16 + header.key.length);
    pair.string(1, header.key);
    if (header.value !== null) pair.presentBytes(2, header.value);
    nested.message(5, pair);
  }
  writer.message(field, nested);
}

function writeResult(writer: MessageWriter, result: FetchAnswer): void {
  const nested = new MessageWriter(160);
  nested.string(1, result.topic);
  nested.string(2, result.topicId);
  nested.int(3, result.partition);
  if (result.error !== undefined) writeError(nested, 4, result.error);
  nested.int(5, result.highWatermark);
  nested.int(6, result.lastStableOffset);
  nested.int(7, result.logStartOffset);
  nested.int(8, result.leaderEpoch);
  if (result.sizeBytes > 0) nested.bytesOf(9, result.parts, result.sizeBytes);
  for (const record of result.records ?? []) writeRecord(nested, 10, record);
  if (result.currentLeader !== undefined) writeLeaderHint(nested, 11, result.currentLeader);
  nested.int(12, result.positionId);
  writer.message(1, nested);
}

export function encodeFetchResponse(response: FetchResponseAnswer): GatheredMessage {
  const writer = new MessageWriter(64);
  for (const result of response.results) writeResult(writer, result);
  writer.int(2, response.throttleMs);
  return writer.finish();
}

/** A pushed message; the same fields as a fetch answer without the throttle. */
export function encodeFetchStreamResponse(response: {
  readonly results: readonly FetchAnswer[];
}): GatheredMessage {
  const writer = new MessageWriter(64);
  for (const result of response.results) writeResult(writer, result);
  return writer.finish();
}
