// Hand-written codec of the produce messages, the write half of the hot path. Decoding gives the same objects as proto-loader
// would (a property test holds it to that), but without its intermediate message; `batches` aliases the bytes that came in.

import { TidemarkError } from '@tidemark/core';
import type { AcksOutput } from '../generated/tidemark/v1/Acks.ts';
import type { HeaderOutput } from '../generated/tidemark/v1/Header.ts';
import type { PlainRecordOutput } from '../generated/tidemark/v1/PlainRecord.ts';
import type { ProducePartitionOutput } from '../generated/tidemark/v1/ProducePartition.ts';
import type { ProduceRequestOutput } from '../generated/tidemark/v1/ProduceRequest.ts';
import type { ProduceStreamRequestOutput } from '../generated/tidemark/v1/ProduceStreamRequest.ts';
import type { WireError } from './error-detail.ts';
import { MessageReader, MessageWriter, type GatheredMessage } from './protobuf-wire.ts';

const EMPTY = Buffer.alloc(0);

/**
 * Most partitions, plain records and headers of one request. An empty one takes two bytes on the wire and some two hundred in
 * here, so the size of the request bounds nothing.
 */
export const MAX_PRODUCE_ITEMS = 100_000;

/** Counts what a request made us allocate, over all its partitions together. */
interface Allowance {
  left: number;
}

function spend(allowance: Allowance): void {
  allowance.left -= 1;
  if (allowance.left < 0) {
    throw new TidemarkError(
      'INVALID_REQUEST',
      `a request holds at most ${MAX_PRODUCE_ITEMS} partitions, plain records and headers; send batches`,
    );
  }
}

const ACKS: readonly AcksOutput[] = ['ACKS_UNSPECIFIED', 'ACKS_NONE', 'ACKS_LEADER', 'ACKS_ALL'];

function readHeader(reader: MessageReader): HeaderOutput {
  const header: HeaderOutput = { key: '' };
  while (reader.next()) {
    if (reader.field === 1) header.key = reader.string();
    else if (reader.field === 2) {
      header.value = reader.bytes();
      header._value = 'value';
    } else reader.skip();
  }
  return header;
}

function readRecord(reader: MessageReader, allowance: Allowance): PlainRecordOutput {
  const record: PlainRecordOutput = { headers: [] };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        record.key = reader.bytes();
        record._key = 'key';
        break;
      case 2:
        record.value = reader.bytes();
        record._value = 'value';
        break;
      case 3:
        spend(allowance);
        record.headers.push(readHeader(reader.nested()));
        break;
      case 4:
        record.timestampMs = reader.int();
        record._timestampMs = 'timestampMs';
        break;
      default:
        reader.skip();
    }
  }
  return record;
}

function readPartition(reader: MessageReader, allowance: Allowance): ProducePartitionOutput {
  const partition: ProducePartitionOutput = {
    topic: '',
    topicId: '',
    partition: 0,
    batches: EMPTY,
    records: [],
  };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        partition.topic = reader.string();
        break;
      case 2:
        partition.topicId = reader.string();
        break;
      case 3:
        partition.partition = reader.int32();
        break;
      case 4:
        partition.currentLeaderEpoch = reader.int32();
        partition._currentLeaderEpoch = 'currentLeaderEpoch';
        break;
      case 5:
        partition.batches = reader.bytes();
        break;
      case 6:
        spend(allowance);
        partition.records.push(readRecord(reader.nested(), allowance));
        break;
      default:
        reader.skip();
    }
  }
  return partition;
}

function readRequest(reader: MessageReader): ProduceRequestOutput {
  const allowance: Allowance = { left: MAX_PRODUCE_ITEMS };
  const request: ProduceRequestOutput = { acks: 'ACKS_UNSPECIFIED', timeoutMs: 0, partitions: [] };
  while (reader.next()) {
    if (reader.field === 1) {
      const code = reader.int32();
      // An enum number nobody knows stays a number, as proto-loader has it; the edge check refuses it.
      request.acks = ACKS[code] ?? (code as unknown as AcksOutput);
    } else if (reader.field === 2) request.timeoutMs = reader.int32();
    else if (reader.field === 3) {
      spend(allowance);
      request.partitions.push(readPartition(reader.nested(), allowance));
    } else reader.skip();
  }
  return request;
}

export function decodeProduceRequest(bytes: Buffer): ProduceRequestOutput {
  return readRequest(new MessageReader(bytes));
}

export function decodeProduceStreamRequest(bytes: Buffer): ProduceStreamRequestOutput {
  const decoded: ProduceStreamRequestOutput = { correlationId: 0, request: null, traceparent: '' };
  const reader = new MessageReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) decoded.correlationId = reader.int();
    else if (reader.field === 2) decoded.request = readRequest(reader.nested());
    else if (reader.field === 3) decoded.traceparent = reader.string();
    else reader.skip();
  }
  return decoded;
}

/** The receipt for one partition as it is answered. */
export interface ProduceAnswer {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly error?: WireError;
  readonly baseOffset: number;
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  readonly leaderEpoch: number;
  readonly inSyncReplicas: readonly number[];
  readonly onDisk: boolean;
  readonly duplicate: boolean;
  readonly currentLeader?: LeaderHintAnswer;
}

export interface LeaderHintAnswer {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface ProduceResponseAnswer {
  readonly results: readonly ProduceAnswer[];
  readonly throttleMs: number;
}

export interface ProduceStreamAnswer {
  readonly correlationId: number;
  readonly response: ProduceResponseAnswer;
}

export function writeError(writer: MessageWriter, field: number, error: WireError): void {
  const nested = new MessageWriter(64 + error.message.length);
  nested.int(1, error.code);
  nested.string(2, error.name);
  nested.string(3, error.message);
  nested.bool(4, error.retriable);
  writer.message(field, nested);
}

export function writeLeaderHint(writer: MessageWriter, field: number, hint: LeaderHintAnswer): void {
  const nested = new MessageWriter(24);
  nested.int(1, hint.leaderId);
  nested.int(2, hint.leaderEpoch);
  writer.message(field, nested);
}

function writeProduceResponse(writer: MessageWriter, response: ProduceResponseAnswer): void {
  for (const result of response.results) {
    const nested = new MessageWriter(128);
    nested.string(1, result.topic);
    nested.string(2, result.topicId);
    nested.int(3, result.partition);
    if (result.error !== undefined) writeError(nested, 4, result.error);
    nested.int(5, result.baseOffset);
    nested.int(6, result.logAppendTimeMs);
    nested.int(7, result.logStartOffset);
    nested.int(8, result.leaderEpoch);
    nested.packedInts(9, result.inSyncReplicas);
    nested.bool(10, result.onDisk);
    nested.bool(11, result.duplicate);
    if (result.currentLeader !== undefined) writeLeaderHint(nested, 12, result.currentLeader);
    writer.message(1, nested);
  }
  writer.int(2, response.throttleMs);
}

export function encodeProduceResponse(response: ProduceResponseAnswer): GatheredMessage {
  const writer = new MessageWriter(64);
  writeProduceResponse(writer, response);
  return writer.finish();
}

export function encodeProduceStreamResponse(answer: ProduceStreamAnswer): GatheredMessage {
  const writer = new MessageWriter(64);
  writer.int(1, answer.correlationId);
  const nested = new MessageWriter(64);
  writeProduceResponse(nested, answer.response);
  writer.message(2, nested);
  return writer.finish();
}
