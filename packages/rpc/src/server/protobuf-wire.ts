// The few lines of the protobuf wire format that the hot messages and the descriptor index need. The writer gathers: it
// collects small fields in a scratch buffer and takes large ones by reference, so that record batches are copied once, into
// the frame that goes out. The reader aliases: `bytes` are views of the message it reads.

import { TidemarkError } from '@tidemark/core';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

const TWO_32 = 2 ** 32;

function malformed(what: string): TidemarkError {
  return new TidemarkError('INVALID_REQUEST', `malformed protobuf message: ${what}`);
}

/** How many bytes `value` (0 .. 2^53 - 1) takes as a varint; a negative one takes ten. */
export function varintBytes(value: number): number {
  if (value < 0) return 10;
  let bytes = 1;
  while (value >= 128) {
    value = Math.floor(value / 128);
    bytes += 1;
  }
  return bytes;
}

/**
 * A message as a list of parts. It answers `byteLength` and `copy` as a Buffer does, which is all that grpc-js asks of a
 * serialized message: the parts go straight into the frame.
 */
export class GatheredMessage {
  readonly #parts: readonly Uint8Array[];
  readonly byteLength: number;

  constructor(parts: readonly Uint8Array[], byteLength: number) {
    this.#parts = parts;
    this.byteLength = byteLength;
  }

  get length(): number {
    return this.byteLength;
  }

  copy(target: Uint8Array, at = 0): number {
    let position = at;
    for (const part of this.#parts) {
      target.set(part, position);
      position += part.length;
    }
    return this.byteLength;
  }

  toBuffer(): Buffer {
    const buffer = Buffer.allocUnsafe(this.byteLength);
    this.copy(buffer);
    return buffer;
  }
}

/** Writes one message. Default values (0, '', empty) are left out, as proto3 has it, unless the method says otherwise. */
export class MessageWriter {
  #scratch: Buffer;
  #at = 0;
  #from = 0;
  readonly #parts: Uint8Array[] = [];
  #byteLength = 0;

  constructor(scratchBytes = 256) {
    this.#scratch = Buffer.allocUnsafe(scratchBytes);
  }

  #need(bytes: number): void {
    if (this.#at + bytes <= this.#scratch.length) return;
    // What is written already stays where it is and becomes a part; writing goes on in a new scratch buffer.
    this.#cut();
    this.#scratch = Buffer.allocUnsafe(Math.max(256, bytes));
    this.#at = 0;
    this.#from = 0;
  }

  #cut(): void {
    if (this.#at > this.#from) this.#parts.push(this.#scratch.subarray(this.#from, this.#at));
    this.#byteLength += this.#at - this.#from;
    this.#from = this.#at;
  }

  varint(value: number): void {
    this.#need(10);
    const scratch = this.#scratch;
    if (value < 0) {
      // Two's complement over 64 bits: the low and the high half of 2^64 + value.
      let low = value % TWO_32;
      let high = Math.floor(value / TWO_32);
      low = low < 0 ? low + TWO_32 : low;
      high = high < 0 ? high + TWO_32 : high;
      for (let byte = 0; byte < 9; byte++) {
        scratch[this.#at++] = (low & 0x7f) | 0x80;
        low = ((low >>> 7) | (high << 25)) >>> 0;
        high >>>= 7;
      }
      scratch[this.#at++] = low & 0x7f;
      return;
    }
    while (value >= TWO_32) {
      scratch[this.#at++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    let rest = value >>> 0;
    while (rest >= 128) {
      scratch[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    scratch[this.#at++] = rest;
  }

  #tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  int(field: number, value: number): void {
    if (value !== 0) this.presentInt(field, value);
  }

  presentInt(field: number, value: number): void {
    this.#tag(field, WIRE_VARINT);
    this.varint(value);
  }

  bool(field: number, value: boolean): void {
    if (value) this.presentInt(field, 1);
  }

  string(field: number, value: string): void {
    if (value === '') return;
    const bytes = Buffer.byteLength(value);
    this.#tag(field, WIRE_BYTES);
    this.varint(bytes);
    this.#need(bytes);
    this.#at += this.#scratch.write(value, this.#at, bytes, 'utf8');
  }

  /** By reference: `value` must not change until the message has been copied out. */
  presentBytes(field: number, value: Uint8Array): void {
    this.bytesOf(field, [value], value.length);
  }

  /** One `bytes` field out of several parts, all by reference. */
  bytesOf(field: number, parts: readonly Uint8Array[], sizeBytes: number): void {
    this.#tag(field, WIRE_BYTES);
    this.varint(sizeBytes);
    this.#cut();
    for (const part of parts) if (part.length > 0) this.#parts.push(part);
    this.#byteLength += sizeBytes;
  }

  packedInts(field: number, values: readonly number[]): void {
    if (values.length === 0) return;
    let bytes = 0;
    for (const value of values) bytes += varintBytes(value);
    this.#tag(field, WIRE_BYTES);
    this.varint(bytes);
    for (const value of values) this.varint(value);
  }

  /** A nested message, its parts by reference. */
  message(field: number, nested: MessageWriter): void {
    nested.#cut();
    this.bytesOf(field, nested.#parts, nested.#byteLength);
  }

  finish(): GatheredMessage {
    this.#cut();
    return new GatheredMessage(this.#parts, this.#byteLength);
  }
}

/** Reads one message field by field: `while (reader.next()) switch (reader.field) ...`, each arm reading or skipping. */
export class MessageReader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;
  field = 0;
  wire = 0;

  constructor(bytes: Buffer, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.uint();
    this.wire = tag & 7;
    this.field = Math.floor(tag / 8);
    if (this.field === 0) throw malformed('field number 0');
    return true;
  }

  /** A varint as a signed 64-bit number. Beyond 2^53 - 1 either way the answer is not a safe integer: the edge refuses it. */
  int(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) return (high | 0) * TWO_32 + (low >>> 0);
    }
    throw malformed('a varint longer than ten bytes');
  }

  /** An int32 or enum field: the low 32 bits, signed. */
  int32(): number {
    return this.int() | 0;
  }

  uint(): number {
    const value = this.int();
    if (value < 0 || value > 0xffffffff) throw malformed('a tag or length out of range');
    return value;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw malformed('it ends inside a field');
    return this.#bytes[this.#at++]!;
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    if (this.wire !== WIRE_BYTES) throw malformed(`field ${this.field} has wire type ${this.wire}`);
    const length = this.uint();
    if (length > this.#end - this.#at) throw malformed('a length beyond the end');
    const view = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return view;
  }

  string(): string {
    return this.bytes().toString('utf8');
  }

  nested(): MessageReader {
    return new MessageReader(this.bytes());
  }

  skip(): void {
    switch (this.wire) {
      case WIRE_VARINT:
        this.int();
        return;
      case WIRE_FIXED64:
        this.#at += 8;
        break;
      case WIRE_BYTES:
        this.bytes();
        return;
      case WIRE_FIXED32:
        this.#at += 4;
        break;
      default:
        throw malformed(`wire type ${this.wire}`);
    }
    if (this.#at > this.#end) throw malformed('it ends inside a field');
  }
}
