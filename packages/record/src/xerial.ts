// Snappy as Kafka's clients send it: Java's in xerial's framing (magic 0x82 'SNAPPY' 0, version, compatible version, then
// blocks behind a big-endian int32 length), librdkafka's as one raw block. Written: the framing, blocks of 32 KiB.
// Contract: the inflated size is added up from the blocks' own declarations and checked before anything is allocated.

import { failure, type Failure, readInt32, writeInt32 } from '@tidemark/core';
import type { Inflated } from './compression-type.ts';
import { viewOf } from './record-header.ts';

const MAGIC = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00] as const;
const HEADER_BYTES = 16;
const VERSION = 1;
/** What snappy-java cuts its input into. */
export const XERIAL_BLOCK_BYTES = 32 * 1024;
/** The densest element of the format makes 64 bytes out of 3, so a block that declares more than that lies. */
const MAX_EXPANSION = 64 / 3;

/** The plain Snappy format, one block at a time. */
export interface SnappyBlockCodec {
  compress(block: Uint8Array): Uint8Array;
  /** `sizeBytes` is what the block declares. Broken -> CORRUPT_MESSAGE. Never throws. */
  decompress(block: Uint8Array, sizeBytes: number): Inflated;
}

export function encodeXerial(bytes: Uint8Array, codec: SnappyBlockCodec): Uint8Array {
  const blocks: Uint8Array[] = [];
  let size = HEADER_BYTES;
  for (let at = 0; at < bytes.length; at += XERIAL_BLOCK_BYTES) {
    const block = codec.compress(viewOf(bytes, at, Math.min(XERIAL_BLOCK_BYTES, bytes.length - at)));
    blocks.push(block);
    size += 4 + block.length;
  }
  const framed = new Uint8Array(size);
  framed.set(MAGIC);
  writeInt32(framed, 8, VERSION);
  writeInt32(framed, 12, VERSION);
  let at = HEADER_BYTES;
  for (const block of blocks) {
    writeInt32(framed, at, block.length);
    framed.set(block, at + 4);
    at += 4 + block.length;
  }
  return framed;
}

/** Takes the framing or one raw block. Larger than `maxBytes` -> MESSAGE_TOO_LARGE, broken -> CORRUPT_MESSAGE. */
export function decodeXerial(bytes: Uint8Array, codec: SnappyBlockCodec, maxBytes: number): Inflated {
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) {
    const size = checkedBlockSize(bytes, 0, bytes.length, maxBytes);
    return typeof size === 'number' ? decodeBlock(bytes, codec, size) : size;
  }
  const total = framedSize(bytes, maxBytes);
  if (typeof total !== 'number') return total;
  const inflated = new Uint8Array(total);
  let filled = 0;
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const length = readInt32(bytes, at);
    const size = snappyBlockSize(bytes, at + 4, at + 4 + length);
    const block = decodeBlock(viewOf(bytes, at + 4, length), codec, size);
    if (!block.ok) return block;
    inflated.set(block.bytes, filled);
    filled += size;
    at += 4 + length;
  }
  return { ok: true, bytes: inflated };
}

/** What a raw block says it inflates to; -1 when it does not begin with a varint of 32 bits. */
export function snappyBlockSize(bytes: Uint8Array, at: number, end: number): number {
  let size = 0;
  for (let index = 0; index < 5 && at + index < end; index++) {
    const byte = bytes[at + index]!;
    size += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return size < 2 ** 32 ? size : -1;
  }
  return -1;
}

/** The sum over all blocks, each checked against the block's own length and the sum against the bound. */
function framedSize(bytes: Uint8Array, maxBytes: number): number | Failure {
  if (bytes.length < HEADER_BYTES) return corrupt('its xerial header is cut off');
  const compatible = readInt32(bytes, 12);
  if (compatible > VERSION) return corrupt(`its xerial framing needs version ${compatible}, and 1 is known`);
  let total = 0;
  for (let at = HEADER_BYTES; at < bytes.length;) {
    const left = bytes.length - at - 4;
    const length = left < 0 ? -1 : readInt32(bytes, at);
    if (length < 1 || length > left) return corrupt(`the length of the block at byte ${at} is wrong`);
    const size = checkedBlockSize(bytes, at + 4, at + 4 + length, maxBytes - total);
    if (typeof size !== 'number') return size;
    total += size;
    at += 4 + length;
  }
  return total;
}

function checkedBlockSize(bytes: Uint8Array, at: number, end: number, maxBytes: number): number | Failure {
  const size = snappyBlockSize(bytes, at, end);
  if (size < 0) return corrupt(`the block at byte ${at} does not declare its size`);
  if (size > (end - at) * MAX_EXPANSION) {
    return corrupt(`the block at byte ${at} declares ${size} bytes, more than ${end - at} can hold`);
  }
  if (size > maxBytes) {
    return failure(
      'MESSAGE_TOO_LARGE',
      `The snappy data inflates to more than the bound: a block of ${size} bytes where ${maxBytes} are left. Send smaller batches.`,
    );
  }
  return size;
}

function decodeBlock(block: Uint8Array, codec: SnappyBlockCodec, sizeBytes: number): Inflated {
  const inflated = codec.decompress(block, sizeBytes);
  if (inflated.ok && inflated.bytes.length !== sizeBytes) {
    return corrupt(`a block declares ${sizeBytes} bytes and holds ${inflated.bytes.length}`);
  }
  return inflated;
}

function corrupt(fault: string): Failure {
  return failure('CORRUPT_MESSAGE', `The snappy data is broken: ${fault}. Send the batch again.`);
}
