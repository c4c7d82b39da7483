// Entries of the quorum's log as record batches, one batch an entry, the same bytes on every replica. What the controller proposes
// is a batch already; what Raft itself adds is a control batch under Kafka's type for it (LEADER_CHANGE 2, KRAFT_VOTERS 6), with
// the entry's payload as the value and timestamp 0, so that Kafka's own tools list the log.

import {
  failure,
  invariant,
  readInt16,
  writeInt16,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type Term,
} from '@tidemark/core';
import type { AppendBatch } from '@tidemark/log';
import type { Entry, EntryKind } from '@tidemark/raft';
import {
  BATCH_HEADER_BYTES,
  BatchBuilder,
  batchBaseOffset,
  batchIsControl,
  batchLastOffset,
  batchLeaderEpoch,
  batchSizeBytes,
  readBatchHeader,
  RecordCursor,
  rewriteBatch,
  validateBatches,
  type Codecs,
  type CompressionCodec,
} from '@tidemark/record';

const CONTROL_TYPES: { readonly [K in Exclude<EntryKind, 'data'>]: number } = { leaderChange: 2, voters: 6 };
const KEY_BYTES = 4;

const refusal = failure('UNSUPPORTED_COMPRESSION_TYPE', 'The metadata log is never compressed.');
const noCodec: CompressionCodec = { compress: (bytes) => bytes, decompress: () => refusal };
export const noCodecs: Codecs = { gzip: noCodec, snappy: noCodec, lz4: noCodec, zstd: noCodec };

export interface EntryBatch {
  readonly bytes: Uint8Array;
  readonly batches: readonly [AppendBatch];
}

/** The entry as the log stores it. A `data` payload is stamped in place and handed on, not copied. */
export function entryBatch({ kind, term, baseOffset, payload }: Entry): EntryBatch {
  const epoch = term as number as LeaderEpoch;
  const bytes = kind === 'data' ? payload : controlBatch(kind, payload);
  rewriteBatch(bytes, 0, baseOffset, epoch);
  return { bytes, batches: [{ at: 0, ...readBatchHeader(bytes, 0) }] };
}

function controlBatch(kind: Exclude<EntryKind, 'data'>, value: Uint8Array): Uint8Array {
  const key = new Uint8Array(KEY_BYTES);
  writeInt16(key, 2, CONTROL_TYPES[kind]);
  const builder = new BatchBuilder({ capacityBytes: BATCH_HEADER_BYTES + value.length + 32 });
  builder.append(0, key, value);
  return builder.build({ isControl: true });
}

/** The entries in bytes read from the log: whole batches, end to end. CORRUPT_MESSAGE for anything else. */
export function entriesOf(
  bytes: Uint8Array,
): { readonly ok: true; readonly entries: readonly Entry[] } | Failure {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += batchSizeBytes(bytes, at)) {
    const batch = bytes.subarray(at, at + batchSizeBytes(bytes, at));
    const range = {
      term: batchLeaderEpoch(batch, 0) as number as Term,
      baseOffset: batchBaseOffset(batch, 0),
      endOffset: (batchLastOffset(batch, 0) + 1) as Offset,
    };
    if (!batchIsControl(batch, 0)) {
      entries.push({ kind: 'data', ...range, payload: batch });
      continue;
    }
    const control = controlOf(batch);
    if (control === undefined) {
      return failure(
        'CORRUPT_MESSAGE',
        `The metadata log has an unknown control batch at ${range.baseOffset}.`,
      );
    }
    entries.push({ ...control, ...range });
  }
  return { ok: true, entries };
}

function controlOf(batch: Uint8Array): Pick<Entry, 'kind' | 'payload'> | undefined {
  const cursor = new RecordCursor({ codecs: noCodecs, showControlRecords: true });
  cursor.load(batch, batchBaseOffset(batch, 0));
  if (!cursor.next()) return undefined;
  const key = cursor.key();
  const value = cursor.value();
  if (key?.length !== KEY_BYTES || value === null) return undefined;
  const type = readInt16(key, 2);
  const kind = (Object.keys(CONTROL_TYPES) as (keyof typeof CONTROL_TYPES)[]).find(
    (name) => CONTROL_TYPES[name] === type,
  );
  return kind === undefined ? undefined : { kind, payload: value.slice() };
}

const RULES = {
  maxBatchBytes: 2 ** 31 - 1,
  maxInflatedBytes: 0,
  codecs: noCodecs,
  origin: 'replica',
} as const;

/** What is wrong with an entry another node has sent; it must not get into the log, whoever sent it. */
export function entryFault({ kind, payload, baseOffset, endOffset }: Entry): Failure | undefined {
  if (kind !== 'data') return undefined;
  const checked = validateBatches(payload, RULES);
  if (!checked.ok) return checked;
  const [batch] = checked.batches;
  invariant(batch !== undefined, 'what was validated holds a batch');
  if (checked.batches.length > 1 || batch.isControl || batch.lastOffsetDelta + 1 !== endOffset - baseOffset) {
    return failure('CORRUPT_MESSAGE', `The entry at ${baseOffset} is not one batch of its width.`);
  }
  return undefined;
}
