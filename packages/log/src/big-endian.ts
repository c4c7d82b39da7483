// Big-endian integers in a Uint8Array by plain byte arithmetic, for the index and snapshot files.
// Contract: the caller guarantees that the bytes are there; an int64 is exact within +-(2^53 - 1).

const TWO_32 = 2 ** 32;

export function getInt16(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!;
}

export function getInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

export function getInt64(bytes: Uint8Array, at: number): number {
  return getInt32(bytes, at) * TWO_32 + (getInt32(bytes, at + 4) >>> 0);
}

export function putInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

export function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

export function putInt64(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  putInt32(bytes, at, high);
  putInt32(bytes, at + 4, value - high * TWO_32);
}
