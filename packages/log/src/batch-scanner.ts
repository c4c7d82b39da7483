// Goes over the batches of a log file from a position on, in large sequential reads into one buffer that is used again.
// Contract: nothing is allocated for a batch. `next` says what there is; after 'batch' the fields tell where, until the next
// call; after 'fill' the caller awaits `fill()` and asks again; 'end' is a clean end, 'corrupt' names the fault.

import type { DiskFile } from '@tidemark/core';
import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchCrcIsValid,
  batchLastOffsetDelta,
  batchMagic,
  batchSizeBytes,
} from '@tidemark/record';
import { MAX_BATCH_BYTES } from './log-config.ts';
import { readFully } from './write-fully.ts';

export const SCAN_BYTES = 1024 * 1024;

export type ScanStep = 'batch' | 'fill' | 'end' | 'corrupt';

export interface ScanOptions {
  readonly position?: number;
  /** Whether the CRC of each batch is checked, which needs all its bytes. */
  readonly checkCrc: boolean;
  /** The lowest base offset the first batch may have. None begins below the end of the one before; compaction leaves gaps. */
  readonly expectedOffset?: number | undefined;
  /** The scan ends before the batch that begins here or above, whatever is behind it in the file. */
  readonly endOffset?: number | undefined;
  /** A buffer to use instead of allocating one. */
  readonly buffer?: Uint8Array | undefined;
}

export class BatchScanner {
  readonly #file: DiskFile;
  readonly #endPosition: number;
  readonly #checkCrc: boolean;
  readonly #endOffset: number;
  #expectedOffset: number | undefined;
  #buffer: Uint8Array;
  /** File position of the buffer's first byte, and how many bytes of it are filled. */
  #bufferPosition: number;
  #filled = 0;
  #readBytes = 0;
  #wanted = 0;
  #at = 0;
  #size = 0;
  #fault = '';

  constructor(file: DiskFile, endPosition: number, options: ScanOptions) {
    this.#file = file;
    this.#endPosition = endPosition;
    this.#checkCrc = options.checkCrc;
    this.#expectedOffset = options.expectedOffset;
    this.#endOffset = options.endOffset ?? Infinity;
    this.#bufferPosition = options.position ?? 0;
    const size = Math.min(SCAN_BYTES, Math.max(endPosition - this.#bufferPosition, BATCH_HEADER_BYTES));
    this.#buffer = options.buffer ?? new Uint8Array(size);
  }

  /** The buffer the current batch is in; it begins at `at`. */
  get bytes(): Uint8Array {
    return this.#buffer;
  }

  get at(): number {
    return this.#at;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  /** Where in the file the current batch begins, or where the scan stopped. */
  get position(): number {
    return this.#bufferPosition + this.#at;
  }

  /** What is wrong, after 'corrupt'. */
  get fault(): string {
    return this.#fault;
  }

  /** The buffer, for another scanner to use. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  next(): ScanStep {
    this.#at += this.#size;
    this.#size = 0;
    const remaining = this.#endPosition - this.position;
    if (remaining === 0) return 'end';
    if (this.#expectedOffset !== undefined && this.#expectedOffset >= this.#endOffset) return 'end';
    if (remaining < BATCH_HEADER_BYTES)
      return this.#corrupt(`${remaining} bytes are left, less than a header`);
    if (this.#filled - this.#at < BATCH_HEADER_BYTES) return this.#fillFor(BATCH_HEADER_BYTES);
    const size = batchSizeBytes(this.#buffer, this.#at);
    if (size < BATCH_HEADER_BYTES || size > MAX_BATCH_BYTES)
      return this.#corrupt(`its length is ${size} bytes`);
    if (size > remaining) return this.#corrupt(`its length is ${size} bytes, but ${remaining} are left`);
    if (this.#filled - this.#at < size) return this.#fillFor(size);
    const fault = this.#faultOf(size);
    if (fault !== '') return this.#corrupt(fault);
    this.#expectedOffset =
      batchBaseOffset(this.#buffer, this.#at) + batchLastOffsetDelta(this.#buffer, this.#at) + 1;
    this.#size = size;
    return 'batch';
  }

  /** After 'corrupt': goes past the batch when its length and offsets are sound, so that only its content is. */
  skipCorrupt(): boolean {
    const remaining = this.#endPosition - this.position;
    if (remaining < BATCH_HEADER_BYTES || this.#filled - this.#at < BATCH_HEADER_BYTES) return false;
    const size = batchSizeBytes(this.#buffer, this.#at);
    if (size < BATCH_HEADER_BYTES || size > remaining || this.#filled - this.#at < size) return false;
    if (this.#offsetFault() !== '') return false;
    // Only where nothing is amiss at all: over a gap a damaged header could lead anywhere.
    const baseOffset = batchBaseOffset(this.#buffer, this.#at);
    if (this.#expectedOffset !== undefined && baseOffset !== this.#expectedOffset) return false;
    this.#expectedOffset =
      batchBaseOffset(this.#buffer, this.#at) + batchLastOffsetDelta(this.#buffer, this.#at) + 1;
    this.#size = size;
    return true;
  }

  /** How much the last `fill` read. */
  get filledBytes(): number {
    return this.#readBytes;
  }

  /** Reads on, after 'fill'. */
  async fill(): Promise<void> {
    const kept = this.#filled - this.#at;
    if (this.#wanted > this.#buffer.length) {
      const larger = new Uint8Array(this.#wanted);
      larger.set(this.#buffer.subarray(this.#at, this.#filled));
      this.#buffer = larger;
    } else this.#buffer.copyWithin(0, this.#at, this.#filled);
    this.#bufferPosition += this.#at;
    this.#at = 0;
    this.#filled = kept;
    const room = Math.min(this.#buffer.length - kept, this.#endPosition - this.#bufferPosition - kept);
    const read = await readFully(
      this.#file,
      this.#buffer.subarray(kept, kept + room),
      this.#bufferPosition + kept,
    );
    this.#filled += read;
    this.#readBytes = read;
    // The file is shorter than it was said to be: zeros, which are no batch.
    if (read < room) this.#buffer.fill(0, kept + read, kept + room);
    this.#filled = kept + room;
  }

  #fillFor(bytes: number): 'fill' {
    this.#wanted = bytes;
    return 'fill';
  }

  #faultOf(size: number): string {
    const magic = batchMagic(this.#buffer, this.#at);
    if (magic !== 2) return `its magic is ${magic}, not 2`;
    const fault = this.#offsetFault();
    if (fault !== '') return fault;
    if (this.#checkCrc && !batchCrcIsValid(this.#buffer, this.#at)) {
      return `its CRC does not match its ${size} bytes`;
    }
    return '';
  }

  #offsetFault(): string {
    const baseOffset = batchBaseOffset(this.#buffer, this.#at);
    const delta = batchLastOffsetDelta(this.#buffer, this.#at);
    if (delta < 0) return `its last offset delta is ${delta}`;
    if (!Number.isSafeInteger(baseOffset) || baseOffset < 0) return 'its base offset is out of range';
    if (this.#expectedOffset !== undefined && baseOffset < this.#expectedOffset) {
      return `its base offset is ${baseOffset}, below ${this.#expectedOffset}`;
    }
    return '';
  }

  #corrupt(fault: string): 'corrupt' {
    this.#fault = fault;
    return 'corrupt';
  }
}
