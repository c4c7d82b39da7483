// The binary form of what PeerRequests say to each other. The first byte is left free for the channel, so that a frame is built
// once and sent without a copy. Contract: what cannot be a frame decodes to undefined; bodies are views, not copies.
//
//   request   channel 1, kind 1, incarnation 8, sequence 8, sent at 8, time left 4, body
//   answer    channel 1, error code 2 (0: none), incarnation 8, sequence 8, body (after an error its message in UTF-8)

import {
  decodeUtf8Strict,
  encodeUtf8,
  errorName,
  errorTable,
  failure,
  readInt16,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
  type Failure,
} from '@tidemark/core';

export interface RequestFrame {
  readonly kind: number;
  /** Of the caller: drawn at random when its process starts. */
  readonly incarnation: number;
  /** Counts this caller's requests to this server, from 1. */
  readonly sequence: number;
  /** When it was sent, by the caller's monotonic clock, in ms. Says nothing by itself, only against others of the caller. */
  readonly sentAtMs: number;
  /** How long the caller waits from then on, in ms. */
  readonly timeoutMs: number;
  readonly body: Uint8Array;
}

export interface AnswerFrame {
  readonly incarnation: number;
  readonly sequence: number;
  readonly answer: PeerAnswer;
}

export type PeerAnswer = { readonly ok: true; readonly body: Uint8Array } | Failure;

const REQUEST_HEADER_BYTES = 30;
const ANSWER_HEADER_BYTES = 19;

/** With the first byte free. */
export function encodeRequestFrame(frame: RequestFrame): Uint8Array {
  const bytes = new Uint8Array(REQUEST_HEADER_BYTES + frame.body.length);
  bytes[1] = frame.kind;
  writeInt64(bytes, 2, frame.incarnation);
  writeInt64(bytes, 10, frame.sequence);
  writeInt64(bytes, 18, frame.sentAtMs);
  writeInt32(bytes, 26, frame.timeoutMs);
  bytes.set(frame.body, REQUEST_HEADER_BYTES);
  return bytes;
}

/** `payload`: the frame after its first byte, as a channel delivers it. */
export function decodeRequestFrame(payload: Uint8Array): RequestFrame | undefined {
  if (payload.length < REQUEST_HEADER_BYTES - 1) return undefined;
  const incarnation = readInt64(payload, 1);
  const sequence = readInt64(payload, 9);
  const sentAtMs = readInt64(payload, 17);
  if (!isCount(incarnation) || !isCount(sequence) || !isCount(sentAtMs)) return undefined;
  const timeoutMs = readUint32(payload, 25);
  const body = payload.subarray(REQUEST_HEADER_BYTES - 1);
  return { kind: payload[0]!, incarnation, sequence, sentAtMs, timeoutMs, body };
}

/** With the first byte free. */
export function encodeAnswerFrame({ incarnation, sequence, answer }: AnswerFrame): Uint8Array {
  const body = answer.ok ? answer.body : encodeUtf8(answer.message);
  const bytes = new Uint8Array(ANSWER_HEADER_BYTES + body.length);
  writeInt16(bytes, 1, answer.ok ? 0 : errorTable[answer.error].code);
  writeInt64(bytes, 3, incarnation);
  writeInt64(bytes, 11, sequence);
  bytes.set(body, ANSWER_HEADER_BYTES);
  return bytes;
}

/** `payload`: the frame after its first byte. An error this version does not know is UNKNOWN_SERVER_ERROR. */
export function decodeAnswerFrame(payload: Uint8Array): AnswerFrame | undefined {
  if (payload.length < ANSWER_HEADER_BYTES - 1) return undefined;
  const code = readInt16(payload, 0);
  const incarnation = readInt64(payload, 2);
  const sequence = readInt64(payload, 10);
  if (!isCount(incarnation) || !isCount(sequence)) return undefined;
  const body = payload.subarray(ANSWER_HEADER_BYTES - 1);
  if (code === 0) return { incarnation, sequence, answer: { ok: true, body } };
  const message = decodeUtf8Strict(body);
  if (message === undefined) return undefined;
  return { incarnation, sequence, answer: failure(errorName(code), message) };
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
