// The `.snapshot` file: Kafka's ProducerStateManager format, version 1, with the CRC32C over everything behind it. Kafka keeps
// only the newest batch of each producer in it; the older remembered ones follow here as a trailer that Kafka's reader does
// not look at, so that a retry of any of the last five is recognised after a restart too.
// Contract: what does not check out in every length and in the CRC is no snapshot, and an older one is used.

import { crc32c } from '@tidemark/record';
import { getInt16, getInt32, getInt64, putInt16, putInt32, putInt64 } from './big-endian.ts';
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
  putInt16(bytes, 0, VERSION);
  putInt32(bytes, ENTRIES_AT, kept.length);
  let at = HEADER_BYTES;
  let olderAt = trailerAt + 4;
  putInt32(bytes, trailerAt, TRAILER_MAGIC);
  for (const { entry, batches } of kept) {
    const newest = batches.at(-1);
    putInt64(bytes, at, entry.producerId);
    putInt16(bytes, at + 8, entry.epoch);
    putInt32(bytes, at + 10, newest?.lastSequence ?? -1);
    putInt64(bytes, at + 14, newest?.lastOffset ?? -1);
    putInt32(bytes, at + 22, newest === undefined ? 0 : newest.lastOffset - newest.baseOffset);
    putInt64(bytes, at + 26, entry.lastTimestamp);
    putInt32(bytes, at + 34, entry.coordinatorEpoch);
    putInt64(bytes, at + 38, entry.currentTxnFirstOffset);
    at += ENTRY_BYTES;
    bytes[olderAt++] = Math.max(0, batches.length - 1);
    for (const batch of batches.slice(0, -1)) {
      putInt32(bytes, olderAt, batch.lastSequence);
      putInt64(bytes, olderAt + 4, batch.lastOffset);
      putInt32(bytes, olderAt + 12, batch.lastOffset - batch.baseOffset);
      putInt64(bytes, olderAt + 16, batch.timestamp);
      olderAt += OLDER_BYTES;
    }
  }
  putInt32(bytes, CRC_AT, crc32c(bytes.subarray(ENTRIES_AT)));
  return bytes;
}

export function decodeProducerSnapshot(bytes: Uint8Array): ProducerEntry[] | undefined {
  if (bytes.length < HEADER_BYTES || getInt16(bytes, 0) !== VERSION) return undefined;
  if (getInt32(bytes, CRC_AT) >>> 0 !== crc32c(bytes.subarray(ENTRIES_AT))) return undefined;
  const count = getInt32(bytes, ENTRIES_AT);
  const trailerAt = HEADER_BYTES + count * ENTRY_BYTES;
  if (count < 0 || trailerAt > bytes.length) return undefined;
  // A snapshot that Kafka wrote ends here.
  const hasTrailer = trailerAt + 4 <= bytes.length && getInt32(bytes, trailerAt) === TRAILER_MAGIC;
  let olderAt = trailerAt + 4;
  const entries: ProducerEntry[] = [];
  for (let index = 0; index < count; index++) {
    const at = HEADER_BYTES + index * ENTRY_BYTES;
    const epoch = getInt16(bytes, at + 8);
    const lastTimestamp = getInt64(bytes, at + 26);
    const batches: ProducerBatch[] = [];
    if (hasTrailer) {
      const older = bytes[olderAt++] ?? 0;
      if (olderAt + older * OLDER_BYTES > bytes.length) return undefined;
      for (let left = older; left > 0; left--) {
        const timestamp = getInt64(bytes, olderAt + 16);
        batches.push(batchAt(bytes, olderAt, epoch, timestamp));
        olderAt += OLDER_BYTES;
      }
    }
    if (getInt64(bytes, at + 14) >= 0) batches.push(batchAt(bytes, at + 10, epoch, lastTimestamp));
    entries.push({
      producerId: getInt64(bytes, at),
      epoch,
      batches,
      contiguous: 0,
      coordinatorEpoch: getInt32(bytes, at + 34),
      currentTxnFirstOffset: getInt64(bytes, at + 38),
      lastTimestamp,
    });
  }
  return entries;
}

/** Last sequence, last offset and offset delta lie side by side in both parts of the file. */
function batchAt(bytes: Uint8Array, at: number, epoch: number, timestamp: number): ProducerBatch {
  const lastSequence = getInt32(bytes, at);
  const lastOffset = getInt64(bytes, at + 4);
  const delta = getInt32(bytes, at + 12);
  return {
    epoch,
    baseSequence: addSequence(lastSequence, 2 ** 31 - delta),
    lastSequence,
    baseOffset: lastOffset - delta,
    lastOffset,
    timestamp,
  };
}
