// Walks Zstandard frames by their headers (RFC 8878, section 3.1), to bound what they inflate to and the window a decoder
// would allocate for them, before any decoder sees them. Contract: reads only. The answer is an upper bound: exact where
// frames declare their content size, otherwise what their blocks can hold (Java's clients write no content size).

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 128 * 1024;

/** Compressors write one frame for a batch. The limit is there for the time that a million empty ones would take. */
const MAX_FRAMES = 1000;

export interface ZstdFrames {
  readonly kind: 'frames';
  /** The most that all frames together inflate to. */
  readonly maxBytes: number;
  /** The least: what the headers alone promise. Above the caller's bound, nothing needs to be inflated to refuse. */
  readonly minBytes: number;
  /** Where each frame begins and the last one ends; skippable frames included. */
  readonly bounds: readonly number[];
  /** Positions of window descriptors that ask for more than `windowBytes`, which is what the caller allows. */
  readonly wideWindowsAt: readonly number[];
  /** The widest that any frame asks for; that of a single segment is its content. */
  readonly widestWindowBytes: number;
}

export type ZstdMeasure = ZstdFrames | { readonly kind: 'broken'; readonly cause: string };

interface FrameHeader {
  /** Behind the header. */
  readonly end: number;
  /** Position of the window descriptor, or -1 in a single-segment frame. */
  readonly windowAt: number;
  readonly windowBytes: number;
  /** -1: not declared. */
  readonly contentBytes: number;
  readonly hasChecksum: boolean;
}

const broken = (cause: string): ZstdMeasure => ({ kind: 'broken', cause });

/** `bytes` must be whole frames, end to end, at least one of them. */
export function measureZstd(bytes: Uint8Array, allowedWindowBytes: number): ZstdMeasure {
  const wideWindowsAt: number[] = [];
  const bounds: number[] = [];
  let maxBytes = 0;
  let minBytes = 0;
  let widestWindowBytes = 0;
  let at = 0;
  if (bytes.length === 0) return broken('it is empty');
  while (at < bytes.length) {
    if (bytes.length - at < 8) return broken('it is cut off');
    if (bounds.length === MAX_FRAMES)
      return broken(`it has more than ${MAX_FRAMES} frames, where one is enough`);
    bounds.push(at);
    const magic = uint32(bytes, at);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + uint32(bytes, at + 4);
      if (at > bytes.length) return broken('a skippable frame is cut off');
      continue;
    }
    if (magic !== MAGIC) return broken(`at byte ${at} there is no Zstandard frame`);
    const header = readFrameHeader(bytes, at + 4);
    if (typeof header === 'string') return broken(header);
    if (header.windowBytes > allowedWindowBytes && header.windowAt >= 0) wideWindowsAt.push(header.windowAt);
    widestWindowBytes = Math.max(widestWindowBytes, header.windowBytes);
    const blocks = measureBlocks(bytes, header);
    if (typeof blocks === 'string') return broken(blocks);
    minBytes += header.contentBytes < 0 ? blocks.minBytes : header.contentBytes;
    maxBytes += header.contentBytes < 0 ? blocks.maxBytes : header.contentBytes;
    at = blocks.end;
  }
  bounds.push(at);
  return { kind: 'frames', maxBytes, minBytes, bounds, wideWindowsAt, widestWindowBytes };
}

function readFrameHeader(bytes: Uint8Array, start: number): FrameHeader | string {
  const descriptor = bytes[start]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) return 'its frame header has a reserved bit set';
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const windowAt = isSingleSegment ? -1 : start + 1;
  let at = start + (isSingleSegment ? 1 : 2);
  if (at + dictionaryBytes + contentSizeBytes > bytes.length) return 'its frame header is cut off';
  for (let index = 0; index < dictionaryBytes; index++) {
    if (bytes[at + index] !== 0) return 'it needs a dictionary';
  }
  at += dictionaryBytes;
  let contentBytes = contentSizeBytes === 0 ? -1 : contentSizeBytes === 2 ? 256 : 0;
  for (let index = 0; index < contentSizeBytes; index++)
    contentBytes += bytes[at + index]! * 2 ** (8 * index);
  at += contentSizeBytes;
  let windowBytes = contentBytes;
  if (windowAt >= 0) {
    const window = bytes[windowAt]!;
    const base = 2 ** (10 + (window >> 3));
    windowBytes = base + (base / 8) * (window & 7);
  }
  return { end: at, windowAt, windowBytes, contentBytes, hasChecksum: (descriptor & 0x04) !== 0 };
}

function measureBlocks(
  bytes: Uint8Array,
  header: FrameHeader,
): { minBytes: number; maxBytes: number; end: number } | string {
  const maxBlockBytes = Math.min(MAX_BLOCK_BYTES, header.windowBytes);
  let at = header.end;
  let minBytes = 0;
  let maxBytes = 0;
  for (let isLast = false; !isLast;) {
    if (at + 3 > bytes.length) return 'a block header is cut off';
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    isLast = (word & 1) !== 0;
    const type = (word >> 1) & 3;
    const size = word >> 3;
    if (type === 3) return 'a block has the reserved type';
    if (size > maxBlockBytes) return `a block of ${size} bytes is larger than ${maxBlockBytes}`;
    at += 3 + (type === 1 ? 1 : size);
    // Raw and run-length blocks say what they hold; a compressed one holds up to the maximum.
    minBytes += type === 2 ? 0 : size;
    maxBytes += type === 2 ? maxBlockBytes : size;
  }
  if (header.hasChecksum) at += 4;
  if (at > bytes.length) return 'a block is cut off';
  return { minBytes, maxBytes, end: at };
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
