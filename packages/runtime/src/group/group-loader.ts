// Reads a partition of `__consumer_offsets` up to where this leadership began and replays it. In pieces, with a pause after each, so
// that a large partition keeps nobody waiting. Contract: answers once everything was replayed, or why it never will be; what cannot
// be read for now is tried again; after `isOver` nothing is replayed.

import { failure, isFailure, TidemarkError, type Failure, type Offset } from '@tidemark/core';
import { decodeGroupRecord, type GroupRecord } from '@tidemark/group';
import type { ReadResult } from '@tidemark/log';
import { RecordCursor, type Codecs } from '@tidemark/record';
import type { Partition } from '../partition.ts';
import type { Pauses } from '../pauses.ts';

export interface GroupLoad {
  readonly partition: Partition;
  /** Where the leadership began. */
  readonly endOffset: Offset;
  /** How much one read answers, if a batch is not larger. */
  readonly chunkBytes: number;
  readonly maxInflatedBytes: number;
  readonly retryMs: number;
  readonly codecs: Codecs;
  readonly pauses: Pauses;
  readonly isOver: () => boolean;
  readonly replay: (record: GroupRecord, offset: Offset) => void;
  /** After each piece. */
  readonly onPiece: () => void;
  /** A read that failed and is tried again. */
  readonly onRetry: (cause: Failure) => void;
}

export async function loadGroups(load: GroupLoad): Promise<Failure | undefined> {
  const { partition, endOffset, chunkBytes, maxInflatedBytes, codecs, pauses, isOver } = load;
  const { log } = partition;
  const cursor = new RecordCursor({ codecs, maxInflatedBytes });
  let offset: Offset = log.logStartOffset;
  while (offset < endOffset && !isOver()) {
    const options = { maxBytes: chunkBytes, upTo: endOffset, atLeastOne: true };
    const read = await readLog(() => log.read(offset, options));
    if (isOver()) break;
    if (isFailure(read)) {
      if (read.error === 'CORRUPT_MESSAGE') return read;
      load.onRetry(read);
      await pauses.wait(load.retryMs);
      // Where it began to read may have been removed meanwhile.
      offset = Math.max(offset, log.logStartOffset) as Offset;
      continue;
    }
    // Nothing is left up to the end: compaction took the rest.
    if (read.sizeBytes === 0) break;
    for (const part of read.parts) {
      const failed = replayBatches(cursor, part, offset, load);
      if (failed !== undefined) return failed;
    }
    offset = read.nextOffset;
    load.onPiece();
    await pauses.wait(0);
  }
  return undefined;
}

function replayBatches(
  cursor: RecordCursor,
  bytes: Uint8Array,
  offset: Offset,
  { partition, replay }: GroupLoad,
): Failure | undefined {
  const where = (): string => `${partition.topic}-${partition.index} at offset ${cursor.offset}`;
  cursor.load(bytes, offset);
  while (cursor.next()) {
    const key = cursor.key();
    if (key === null) return failure('CORRUPT_MESSAGE', `${where()}: a record has no key`);
    const decoded = decodeGroupRecord(key, cursor.value());
    if (!decoded.ok) return failure(decoded.error, `${where()}: ${decoded.message}`);
    replay(decoded.record, cursor.offset);
  }
  return cursor.failure;
}

async function readLog(read: () => ReadResult | Promise<ReadResult>): Promise<ReadResult> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof TidemarkError) return failure(cause.error, cause.detail);
    throw cause;
  }
}
