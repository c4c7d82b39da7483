import { expect } from 'chai';
import fc from 'fast-check';
import { decodeRecord, encodeRecord, type MetadataRecord } from '@tidemark/controller';
import { topicIdFromBytes, type BrokerId, type TopicName } from '@tidemark/core';
import { anyRecord } from './arbitraries.ts';

const topicId = topicIdFromBytes(new Uint8Array(16).fill(7));

function refusal(bytes: Uint8Array) {
  const decoded = decodeRecord(bytes);
  if (decoded.ok) throw new Error('was decoded');
  return decoded;
}

describe('the binary form of metadata records', () => {
  it('reads back what it wrote, whatever the record', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(decodeRecord(encodeRecord(record))).to.deep.equal({ ok: true, record });
      }),
      { numRuns: 1000 },
    );
  });

  it('stays as it is: frame 1, type, version, fields', () => {
    const record: MetadataRecord = { type: 'topic', topicId, name: 'orders' as TopicName };
    const expected = [1, 5, 0, ...Array<number>(16).fill(7), 6, ...Buffer.from('orders')];
    expect([...encodeRecord(record)]).to.deep.equal(expected);
    const fence: MetadataRecord = {
      type: 'brokerChange',
      brokerId: 300 as BrokerId,
      brokerEpoch: 2 ** 40,
      fenced: true,
    } as MetadataRecord;
    expect([...encodeRecord(fence)]).to.deep.equal([
      1, 4, 1, 0xac, 0x02, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 1, 0,
    ]);
    const gone = { type: 'unregisterBroker', brokerId: 300, brokerEpoch: 5 } as MetadataRecord;
    expect([...encodeRecord(gone)]).to.deep.equal([1, 12, 0, 0xac, 0x02, 5]);
  });

  it('reads what the first versions wrote', () => {
    const read = (...bytes: number[]) => decodeRecord(Uint8Array.from(bytes));
    const uuid = Array<number>(16).fill(7);
    expect(read(1, 3, 0, 9, 5, ...uuid, 0, 0, 1)).to.deep.equal({
      ok: true,
      record: {
        type: 'registerBroker',
        brokerId: 9,
        brokerEpoch: 5,
        incarnationId: topicId,
        endpoints: [],
        rack: '',
        fenced: true,
        directoryId: '',
      },
    });
    expect(read(1, 4, 0, 9, 5, 0)).to.deep.equal({
      ok: true,
      record: { type: 'brokerChange', brokerId: 9, brokerEpoch: 5, fenced: false },
    });
    expect(read(1, 8, 0, ...uuid, 3, 0, 1, 1, 9, 1, 0)).to.deep.equal({
      ok: true,
      record: { type: 'partitionChange', topicId, partition: 3, isr: [9], leader: -1 },
    });
  });

  it('refuses what a newer version wrote, by name, instead of guessing', () => {
    const record = encodeRecord({ type: 'removeTopic', topicId });
    const with_ = (at: number, value: number) =>
      Uint8Array.from(record, (byte, i) => (i === at ? value : byte));
    expect(refusal(with_(0, 2))).to.include({ error: 'UNSUPPORTED_VERSION' });
    expect(refusal(with_(0, 2)).message).to.contain('frame version 2');
    expect(refusal(with_(1, 99)).message).to.contain('record type 99');
    expect(refusal(with_(2, 1)).message).to.contain('version 1 of record type removeTopic');
    const future = encodeRecord({ type: 'featureLevel', feature: 'metadata.version', level: 2 });
    expect(refusal(future)).to.include({ error: 'UNSUPPORTED_VERSION' });
    expect(refusal(future).message).to.contain('metadata.version 2');
  });

  it('refuses every truncation and every surplus byte', () => {
    fc.assert(
      fc.property(
        anyRecord,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (record, share) => {
          const bytes = encodeRecord(record);
          expect(refusal(bytes.slice(0, Math.floor(bytes.length * share))).error).to.equal('CORRUPT_MESSAGE');
          expect(refusal(Uint8Array.of(...bytes, 0)).error).to.equal('CORRUPT_MESSAGE');
        },
      ),
    );
  });

  it('answers any bytes with a record or a refusal, and allocates nothing for counts that cannot be', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(12), (bytes, type) => {
        const decoded = decodeRecord(Uint8Array.of(1, type, 0, ...bytes));
        if (decoded.ok) expect(decodeRecord(encodeRecord(decoded.record))).to.deep.equal(decoded);
        else expect(decoded.error).to.be.oneOf(['CORRUPT_MESSAGE', 'UNSUPPORTED_VERSION']);
      }),
      { numRuns: 5000 },
    );
    const replicas = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    expect(refusal(Uint8Array.of(1, 7, 0, ...new Uint8Array(16), 0, ...replicas)).message).to.contain(
      'declares',
    );
    const tooLong = new Uint8Array(12).fill(0xff);
    expect(refusal(Uint8Array.of(1, 1, 0, ...tooLong)).error).to.equal('CORRUPT_MESSAGE');
  });

  it('never writes a UUID that is none', () => {
    const record = { type: 'removeTopic', topicId: 'nonsense' } as unknown as MetadataRecord;
    expect(() => encodeRecord(record)).to.throw(RangeError, 'is not a UUID');
  });
});
