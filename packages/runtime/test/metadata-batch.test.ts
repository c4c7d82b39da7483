import { expect } from 'chai';
import { decodeMetadataBatches, encodeMetadataBatch, METADATA_TOPIC_ID } from '@tidemark/runtime';
import { rewriteBatch } from '@tidemark/record';
import { topicIdToBytes, type LeaderEpoch, type Offset } from '@tidemark/core';
import type { MetadataRecord } from '@tidemark/controller';

const epoch = 1 as LeaderEpoch;
const records: readonly MetadataRecord[] = [
  { type: 'cluster', clusterId: 'x' },
  { type: 'featureLevel', feature: 'metadata.version', level: 1 },
];

function batchAt(offset: number): Uint8Array {
  const { bytes, batches } = encodeMetadataBatch(records, 1_800_000_000_000, epoch);
  expect(batches[0]).to.include({ recordCount: 2, lastOffsetDelta: 1, partitionLeaderEpoch: 1 });
  rewriteBatch(bytes, 0, offset as Offset, epoch);
  return bytes;
}

describe('metadata batches', () => {
  it('carry records there and back, at their offsets', () => {
    const bytes = Uint8Array.of(...batchAt(5), ...batchAt(7));
    const decoded = decodeMetadataBatches(bytes, 5 as Offset);
    expect(decoded).to.deep.equal({ ok: true, baseOffset: 5, records: [...records, ...records] });
    const later = decodeMetadataBatches(bytes, 6 as Offset);
    expect(later).to.deep.equal({ ok: true, baseOffset: 6, records: [records[1], ...records] });
  });

  it('with a gap, a flipped bit or a record nobody knows are refused', () => {
    const gap = decodeMetadataBatches(Uint8Array.of(...batchAt(5), ...batchAt(8)), 5 as Offset);
    expect(gap).to.have.property('message').that.contains('goes on at offset 8 where 7 must be');
    const flipped = batchAt(5);
    flipped[70]! ^= 1;
    expect(decodeMetadataBatches(flipped, 5 as Offset)).to.include({ ok: false, error: 'CORRUPT_MESSAGE' });
  });

  it('are in the log with Kafka’s id for it', () => {
    expect([...topicIdToBytes(METADATA_TOPIC_ID)]).to.deep.equal([...new Uint8Array(15), 1]);
  });
});
