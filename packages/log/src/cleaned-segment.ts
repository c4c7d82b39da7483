// Writes the segment that takes the place of a group of old ones: batch after batch through one buffer. Contract: the file carries
// `.cleaned` until `finish`, which syncs it; what is there under that name before is a leftover and is written over.

import { TidemarkError, type DiskFile } from '@tidemark/core';
import { batchLastOffset, batchMaxTimestamp } from '@tidemark/record';
import type { LogContext, LogState } from './log-context.ts';
import { CLEANED_SUFFIX } from './segment-files.ts';
import { removeIfThere } from './segment-removal.ts';
import { MAX_SEGMENT_BYTES, newSegment, type Segment } from './segment.ts';
import { writeFully } from './write-fully.ts';

const WRITE_BYTES = 1024 * 1024;

export class CleanedSegment {
  readonly segment: Segment;
  readonly #context: LogContext;
  readonly #file: DiskFile;
  readonly #buffer = new Uint8Array(WRITE_BYTES);
  #filled = 0;
  #position = 0;

  private constructor(context: LogContext, segment: Segment, file: DiskFile) {
    this.#context = context;
    this.segment = segment;
    this.#file = file;
  }

  static async begin(context: LogContext, state: LogState, baseOffset: number): Promise<CleanedSegment> {
    const segment = newSegment(state, baseOffset, context.clock.wallMs());
    const file = await context.disk.open(segment.path + CLEANED_SUFFIX, 'create');
    segment.isCreated = true;
    try {
      await file.truncate(0);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new CleanedSegment(context, segment, file);
  }

  /** Counts the batch and copies it into the buffer; false: there is no room, and the caller hands it to `flush`. */
  add(batch: Uint8Array): boolean {
    const { segment } = this;
    if (segment.sizeBytes + batch.length > MAX_SEGMENT_BYTES) {
      const message = `Cleaned, the segment at ${segment.path} would have more than ${MAX_SEGMENT_BYTES} bytes.`;
      throw new TidemarkError('RECORD_LIST_TOO_LARGE', message);
    }
    segment.account(batchLastOffset(batch), batchMaxTimestamp(batch), batch.length);
    if (this.#filled + batch.length > this.#buffer.length) return false;
    this.#buffer.set(batch, this.#filled);
    this.#filled += batch.length;
    return true;
  }

  /** Writes what is buffered, and then `batch`. */
  async flush(batch?: Uint8Array): Promise<void> {
    const parts: Uint8Array[] = [this.#buffer.subarray(0, this.#filled)];
    if (batch !== undefined) parts.push(batch);
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytes === 0) return;
    await writeFully(
      this.#file,
      parts.filter((part) => part.length > 0),
      this.#position,
    );
    this.#position += bytes;
    this.#filled = 0;
  }

  /** Everything is on the disk when it resolves. */
  async finish(): Promise<void> {
    await this.flush();
    this.segment.finishTimeIndex();
    await this.#file.sync();
    await this.#file.close();
  }

  async abandon(): Promise<void> {
    await this.#file.close();
    await removeIfThere(this.#context.disk, this.segment.path + CLEANED_SUFFIX);
  }
}
