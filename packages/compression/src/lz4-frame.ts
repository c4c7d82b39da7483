// Finds out how many bytes an LZ4 frame inflates to, exactly, without inflating it: by its block headers and, inside each
// block, by the lengths of its sequences. Contract: reads only; stops as soon as the sum passes the bound, so a bomb costs
// no memory and little time. Format: lz4_Frame_format.md and lz4_Block_format.md of the LZ4 project, 1.6.

const MAGIC = 0x184d2204;
const STORED_BIT = 0x80000000;
const MIN_MATCH = 4;

export type FrameSize =
  | { readonly kind: 'size'; readonly bytes: number }
  | { readonly kind: 'too large' }
  | { readonly kind: 'broken'; readonly cause: string };

const broken = (cause: string): FrameSize => ({ kind: 'broken', cause });

/** `bytes` must be one frame, end to end. */
export function lz4FrameSize(bytes: Uint8Array, maxBytes: number): FrameSize {
  if (bytes.length < 7 || uint32(bytes, 0) !== MAGIC) return broken('it does not begin with an LZ4 frame');
  const flags = bytes[4]!;
  if (flags >> 6 !== 1 || (flags & 0x02) !== 0)
    return broken(`frame flags 0x${flags.toString(16)} are unknown`);
  if ((flags & 0x01) !== 0) return broken('it needs a dictionary');
  const blockChecksumBytes = (flags & 0x10) !== 0 ? 4 : 0;
  const contentChecksumBytes = (flags & 0x04) !== 0 ? 4 : 0;
  const declaresSize = (flags & 0x08) !== 0;
  const code = (bytes[5]! >> 4) & 7;
  if (code < 4 || (bytes[5]! & 0x8f) !== 0)
    return broken(`block descriptor 0x${bytes[5]!.toString(16)} is unknown`);
  const maxBlockBytes = 2 ** (8 + 2 * code);

  let declared = -1;
  let at = 7;
  if (declaresSize) {
    if (bytes.length < 15) return broken('its header is cut off');
    declared = uint32(bytes, 6) + uint32(bytes, 10) * 2 ** 32;
    if (declared > maxBytes) return { kind: 'too large' };
    at = 15;
  }

  let total = 0;
  for (;;) {
    if (at + 4 > bytes.length) return broken('its end mark is missing');
    const header = uint32(bytes, at);
    at += 4;
    if (header === 0) break;
    const length = header % STORED_BIT;
    if (length > maxBlockBytes || length > bytes.length - at)
      return broken('a block is longer than it may be');
    const size = header >= STORED_BIT ? length : blockSize(bytes, at, at + length, maxBlockBytes);
    if (size < 0 || size > maxBlockBytes) return broken('a block holds more or less than it may');
    total += size;
    if (total > maxBytes) return { kind: 'too large' };
    at += length + blockChecksumBytes;
  }
  if (at + contentChecksumBytes !== bytes.length) return broken('it does not end where its last block does');
  if (declared >= 0 && declared !== total) return broken(`it declares ${declared} bytes and holds ${total}`);
  return { kind: 'size', bytes: total };
}

/** Of a frame that has been measured. Kafka's Lz4BlockInputStream takes none whose blocks refer to those before them. */
export function hasLinkedBlocks(bytes: Uint8Array): boolean {
  return (bytes[4]! & 0x20) === 0;
}

/** Adds up the literals and matches of a block; -1 when a sequence runs past the end, more than `limit` as soon as it is. */
function blockSize(bytes: Uint8Array, start: number, end: number, limit: number): number {
  let size = 0;
  let at = start;
  while (at < end) {
    const token = bytes[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255) {
        if (at >= end) return -1;
        more = bytes[at++]!;
        literals += more;
      }
    }
    at += literals;
    size += literals;
    if (at >= end) return at === end ? size : -1;
    at += 2;
    let match = (token & 15) + MIN_MATCH;
    if (match === 15 + MIN_MATCH) {
      let more = 255;
      while (more === 255) {
        if (at >= end) return -1;
        more = bytes[at++]!;
        match += more;
      }
    }
    size += match;
    if (size > limit) return size;
  }
  // The last sequence has literals only, so a block that ends with a match was cut off.
  return -1;
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
