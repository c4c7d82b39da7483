// The `.snapshot` file: Kafka's ProducerStateManager format, version 1, with the CRC32C over everything behind it. Kafka keeps
// only the newest batch of each producer in it; the older remembered ones follow here as a trailer that Kafka's reader does
// not look at, so that a retry of any of the last five is recognised after a restart too.
// Contract: what does not check out in every length and in the CRC is no snapshot, and an older one is used.

import { crc32c } from '@tidemark/record';
import { readInt16, readInt32, readInt64, writeInt16, writeInt32, writeInt64 } from '@tidemark/core';
import { addSequence, REMEMBERED_BATCHES, type ProducerBatch, type ProducerEntry } from './producer-state.ts';

const VERSION = 1;
const HEADER_BYTES = 10;
const CRC_AT = 2;
const ENTRIES_AT = 6;
const ENTRY_BYTES = 46;
/** 'TMK1' */
const TRAILER_MAGIC = 0x544d4b31;
const OLDER_BYTES = 24;

export function encodeProducerSnapshot(entries: Iterable<ProducerEntry>): Uint8Array {
  const kept = [...entries].map((entry) => ({
    entry,
    batches: entry.batches.filter(({ epoch }) => epoch === entry.epoch).slice(-REMEMBERED_BATCHES),
  }));
  let older = 0;
  for (const { batches } of kept) older += Math.max(0, batches.length - 1);
  const trailerAt = HEADER_BYTES + kept.length * ENTRY_BYTES;
  const bytes = new Uint8Array(trailerAt + 4 + kept.length + older * OLDER_BYTES);
  writeInt16(bytes, 0, VERSION);
  writeInt32(bytes, ENTRIES_AT, kept.length);
  let at = HEADER_BYTES;
  let olderAt = trailerAt + 4;
  writeInt32(bytes, trailerAt, TRAILER_MAGIC);
  for (const { entry, batches } of kept) {
    const newest = batches.at(-1);
    writeInt64(bytes, at, entry.producerId);
    writeInt16(bytes, at + 8, entry.epoch);
    writeInt32(bytes, at + 10, newest?.lastSequence ?? -1);
    writeInt64(bytes, at + 14, newest?.lastOffset ?? -1);
    writeInt32(bytes, at + 22, newest === undefined ? 0 : newest.lastOffset - newest.baseOffset);
    writeInt64(bytes, at + 26, entry.lastTimestamp);
    writeInt32(bytes, at + 34, entry.coordinatorEpoch);
    writeInt64(bytes, at + 38, entry.currentTxnFirstOffset);
    at += ENTRY_BYTES;
    bytes[olderAt++] = Math.max(0, batches.length - 1);
    for (const batch of batches.slice(0, -1)) {
      writeInt32(bytes, olderAt, batch.lastSequence);
      writeInt64(bytes, olderAt + 4, batch.lastOffset);
      writeInt32(bytes, olderAt + 12, batch.lastOffset - batch.baseOffset);
      writeInt64(bytes, olderAt + 16, batch.timestamp);
      olderAt += OLDER_BYTES;
    }
  }
  writeInt32(bytes, CRC_AT, crc32c(bytes.subarray(ENTRIES_AT)));
  return bytes;
}

export function decodeProducerSnapshot(bytes: Uint8Array): ProducerEntry[] | undefined {
  if (bytes.length < HEADER_BYTES || readInt16(bytes, 0) !== VERSION) return undefined;
  if (readInt32(bytes, CRC_AT) >>> 0 !== crc32c(bytes.subarray(ENTRIES_AT))) return undefined;
  const count = readInt32(bytes, ENTRIES_AT);
  const trailerAt = HEADER_BYTES + count * ENTRY_BYTES;
  if (count < 0 || trailerAt > bytes.length) return undefined;
  // A snapshot that Kafka wrote ends here.
  const hasTrailer = trailerAt + 4 <= bytes.length && readInt32(bytes, trailerAt) === TRAILER_MAGIC;
  let olderAt = trailerAt + 4;
  const entries: ProducerEntry[] = [];
  for (let index = 0; index < count; index++) {
    const at = HEADER_BYTES + index * ENTRY_BYTES;
    const epoch = readInt16(bytes, at + 8);
    const lastTimestamp = readInt64(bytes, at + 26);
    const batches: ProducerBatch[] = [];
    if (hasTrailer) {
      const older = bytes[olderAt++] ?? 0;
      if (olderAt + older * OLDER_BYTES > bytes.length) return undefined;
      for (let left = older; left > 0; left--) {
        const timestamp = readInt64(bytes, olderAt + 16);
        batches.push(batchAt(bytes, olderAt, epoch, timestamp));
        olderAt += OLDER_BYTES;
      }
    }
    if (readInt64(bytes, at + 14) >= 0) batches.push(batchAt(bytes, at + 10, epoch, lastTimestamp));
    entries.push({
      producerId: readInt64(bytes, at),
      epoch,
      batches,
      contiguous: 0,
      coordinatorEpoch: readInt32(bytes, at + 34),
      currentTxnFirstOffset: readInt64(bytes, at + 38),
      lastTimestamp,
    });
  }
  return entries;
}

/** Last sequence, last offset and offset delta lie side by side in both parts of the file. */
function batchAt(bytes: Uint8Array, at: number, epoch: number, timestamp: number): ProducerBatch {
  const lastSequence = readInt32(bytes, at);
  const lastOffset = readInt64(bytes, at + 4);
  const delta = readInt32(bytes, at + 12);
  return {
    epoch,
    baseSequence: addSequence(lastSequence, 2 ** 31 - delta),
    lastSequence,
    baseOffset: lastOffset - delta,
    lastOffset,
    timestamp,
  };
}
