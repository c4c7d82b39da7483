// Zigzag varints as in Kafka's records (Protocol Buffers' sint32 and sint64): 7 bits a byte, least significant first.
// Writers return the position behind what they wrote; the reader lives in `record-frame.ts`, where its position is.

/** Bytes that `value`, an int32, takes: 1 to 5. */
export function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x200000) return 3;
  return zigzag < 0x10000000 ? 4 : 5;
}

export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  let next = at;
  while (zigzag >= 0x80) {
    bytes[next++] = zigzag | 0x80;
    zigzag >>>= 7;
  }
  bytes[next++] = zigzag;
  return next;
}

const SMALL = 2 ** 30;
const EXACT = 2 ** 48;

/** Bytes that `value`, a safe integer, takes as an int64: 1 to 8. */
export function varlongBytes(value: number): number {
  if (value < SMALL && value >= -SMALL) return varintBytes(value);
  // Rounding begins at 2^53, far from the next limit that matters (2^49): the comparison stays right.
  const zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
  if (zigzag < 2 ** 35) return 5;
  if (zigzag < 2 ** 42) return 6;
  return zigzag < 2 ** 49 ? 7 : 8;
}

export function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value < SMALL && value >= -SMALL) return writeVarint(bytes, at, value);
  if (value >= EXACT || value < -EXACT) return writeHugeVarlong(bytes, at, value);
  let zigzag = value >= 0 ? value * 2 : -value * 2 - 1;
  let next = at;
  while (zigzag >= 0x80) {
    bytes[next++] = (zigzag % 0x80) | 0x80;
    zigzag = Math.floor(zigzag / 0x80);
  }
  bytes[next++] = zigzag;
  return next;
}

/** Deltas of 8,900 years and more. They are legal and need all bits, so BigInt does them. */
function writeHugeVarlong(bytes: Uint8Array, at: number, value: number): number {
  const big = BigInt(value);
  let zigzag = BigInt.asUintN(64, (big << 1n) ^ (big >> 63n));
  let next = at;
  while (zigzag >= 0x80n) {
    bytes[next++] = Number(zigzag & 0x7fn) | 0x80;
    zigzag >>= 7n;
  }
  bytes[next++] = Number(zigzag);
  return next;
}
