import { nodeCodecs } from '@tidemark/compression';
import {
  BatchBuilder,
  decodeEndTxnMarker,
  RecordCursor,
  validateBatches,
  type BatchHeader,
  type CompressionType,
} from '@tidemark/record';
import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readAll } from './batches.ts';

// What Java's producer and librdkafka wrote, as a Kafka broker stored it, beside what Kafka's own classes read from it.
// How the files came about: ../testdata/README.md.

type GoldenBytes = string | null | { readonly length: number; readonly sha256: string };

interface GoldenRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: GoldenBytes;
  readonly value: GoldenBytes;
  readonly headers: readonly { readonly key: string; readonly value: GoldenBytes }[];
}

type GoldenBatch = Omit<BatchHeader, 'batchLength' | 'attributes' | 'lastOffsetDelta' | 'baseTimestamp'> & {
  readonly at: number;
  readonly records: readonly GoldenRecord[];
};

const folder = new URL('../testdata/', import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.bin'))
  .map((file) => file.slice(0, -4));
const codecs = nodeCodecs();
const limits = { maxBatchBytes: 1 << 20, maxInflatedBytes: 1 << 20, codecs };

const load = (name: string): { bytes: Uint8Array; batches: GoldenBatch[] } => ({
  bytes: readFileSync(new URL(`${name}.bin`, folder)),
  batches: JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as GoldenBatch[],
});

function golden(bytes: Uint8Array | null): GoldenBytes {
  if (bytes === null) return null;
  if (bytes.length <= 400) return Buffer.from(bytes).toString('hex');
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function readGolden(bytes: Uint8Array): GoldenRecord[] {
  const { records, cursor } = readAll(bytes, { codecs, showControlRecords: true });
  expect([cursor.failure, cursor.trailingBytes]).to.deep.equal([undefined, 0]);
  return records.map(({ offset, timestampMs, key, value, headers }) => ({
    offset,
    timestampMs,
    key: golden(key),
    value: golden(value),
    headers: headers.map((header) => ({ key: header.key, value: golden(header.value) })),
  }));
}

describe('Batches of other people’s clients', () => {
  it('are here for every codec of both clients, and for every kind of batch', () => {
    const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
    const kinds = ['java-idempotent', 'java-log-append-time', 'java-transactional', 'librdkafka-idempotent'];
    const expected = [...codecNames.flatMap((codec) => [`java-${codec}`, `librdkafka-${codec}`]), ...kinds];
    expect([...names].sort()).to.deep.equal(expected.sort());
  });

  for (const name of names) {
    describe(name, () => {
      const { bytes, batches } = load(name);

      it('pass validation and have the headers that Kafka reads', () => {
        const answer = validateBatches(bytes, { ...limits, origin: 'replica' });
        if (!answer.ok) throw new Error(answer.message);
        expect(answer.batches).to.have.length(batches.length);
        batches.forEach(({ records: _, ...header }, index) => {
          expect(answer.batches[index]).to.include(header);
        });
      });

      it('hold the records that Kafka reads', () => {
        expect(readGolden(bytes)).to.deep.equal(batches.flatMap(({ records }) => records));
      });

      it('pass validation as a client would send them, unless only a broker writes such', () => {
        for (const batch of batches) {
          const answer = validateBatches(bytes.subarray(batch.at, batch.at + batch.sizeBytes), limits);
          const isFromClient = !batch.isControl && batch.timestampType === 'CreateTime';
          expect(answer.ok, answer.ok ? 'accepted' : answer.message).to.equal(isFromClient);
        }
      });

      for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
        it(`come out ${compression === 'none' ? 'byte for byte ' : ''}the same when the builder builds them with ${compression}`, () => {
          for (const batch of batches.filter(({ timestampType }) => timestampType === 'CreateTime')) {
            const original = bytes.subarray(batch.at, batch.at + batch.sizeBytes);
            const rebuilt = rebuild(original, compression);
            if (compression === 'none' && batch.compression === 'none') {
              expect(Buffer.from(rebuilt).equals(original)).to.equal(true);
            }
            expect(readGolden(rebuilt)).to.deep.equal(batch.records);
            const answer = validateBatches(rebuilt, { ...limits, origin: 'replica' });
            expect(answer.ok && answer.batches[0]).to.include({
              compression,
              maxTimestamp: batch.maxTimestamp,
            });
          }
        });
      }
    });
  }

  it('end transactions with markers that are understood', () => {
    const { bytes } = load('java-transactional');
    const cursor = new RecordCursor({ codecs, showControlRecords: true });
    cursor.load(bytes);
    const markers = [];
    while (cursor.next())
      if (cursor.isControl) markers.push(decodeEndTxnMarker(cursor.key(), cursor.value()));
    expect(markers).to.deep.equal([
      { type: 'commit', coordinatorEpoch: 0 },
      { type: 'abort', coordinatorEpoch: 0 },
    ]);
  });
});

function rebuild(original: Uint8Array, compression: CompressionType): Uint8Array {
  const builder = new BatchBuilder({ capacityBytes: 512 });
  const { records, cursor } = readAll(original, { codecs, showControlRecords: true });
  for (const { timestampMs, key, value, headers } of records)
    builder.append(timestampMs, key, value, headers);
  const { baseOffset, partitionLeaderEpoch, producerId, producerEpoch, baseSequence, ...flags } =
    cursor.batch();
  return builder.build({
    compression,
    codecs,
    baseOffset,
    leaderEpoch: partitionLeaderEpoch,
    producerId,
    producerEpoch,
    baseSequence,
    isControl: flags.isControl,
    isTransactional: flags.isTransactional,
  });
}
