import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeProducerSnapshot,
  defaultLogConfig,
  type AppendResult,
  type PartitionLog,
} from '@tidemark/log';
import { crc32c } from '@tidemark/record';
import { SimPrng } from '@tidemark/simulation';
import { append, batchOf, concat, NAME, openFolder, openLog, smallSegments, TOPIC_ID } from './story.ts';

const MAX_SEQUENCE = 2 ** 31 - 1;

interface Send {
  readonly records?: number;
  readonly epoch?: number;
  readonly producerId?: number;
}

function send(log: PartitionLog, baseSequence: number, options: Send = {}): AppendResult {
  const { records = 1, epoch: producerEpoch = 0, producerId = 9 } = options;
  return append(log, batchOf({ records, producerId, producerEpoch, baseSequence }));
}

const outcome = (result: AppendResult): string =>
  result.ok ? `${result.duplicate ? 'again ' : ''}${result.baseOffset}-${result.lastOffset}` : result.error;

describe('an idempotent producer (rule 11, KIP-98, KIP-360)', () => {
  it('gets the first answer again for any of its last five batches, written or still queued', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    for (let batch = 0; batch < 7; batch++) {
      expect(outcome(send(log, batch * 2, { records: 2 }))).to.equal(`${batch * 2}-${batch * 2 + 1}`);
    }
    for (let batch = 2; batch < 7; batch++) {
      expect(outcome(send(log, batch * 2, { records: 2 })), 'queued').to.match(/^again /);
    }
    await log.flush();
    for (let batch = 2; batch < 7; batch++) {
      const again = outcome(send(log, batch * 2, { records: 2 }));
      expect(again).to.equal(`again ${batch * 2}-${batch * 2 + 1}`);
    }
    expect(log.nextOffset).to.equal(14);
    await world.folder.close();
  });

  it('is told that a batch older than the last five is a duplicate, and that a gap is out of order', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    for (let sequence = 0; sequence < 8; sequence++) {
      send(log, sequence);
      await log.flush();
    }
    expect(outcome(send(log, 1))).to.equal('DUPLICATE_SEQUENCE_NUMBER');
    expect(outcome(send(log, 9))).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(outcome(send(log, 7, { records: 2 })), 'half of it is new').to.equal(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    );
    expect(outcome(send(log, 8))).to.equal('8-8');
    await world.folder.close();
  });

  it('begins a new epoch at sequence 0, and the old epoch is fenced', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    send(log, 0);
    expect(outcome(send(log, 1, { epoch: 1 }))).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(outcome(send(log, 0, { epoch: 1 }))).to.equal('1-1');
    expect(outcome(send(log, 1))).to.equal('INVALID_PRODUCER_EPOCH');
    expect(outcome(send(log, 0, { epoch: 1 }))).to.equal('again 1-1');
    expect(outcome(send(log, 1, { epoch: 1 }))).to.equal('2-2');
    await world.folder.close();
  });

  it('may begin anywhere when it is not known; what lies before its first batch is not taken for a duplicate', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    expect(outcome(send(log, 100))).to.equal('0-0');
    expect(outcome(send(log, 99))).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(outcome(send(log, 101))).to.equal('1-1');
    await world.folder.close();
  });

  it('wraps from 2^31 - 1 to 0, also inside a batch', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    expect(outcome(send(log, MAX_SEQUENCE))).to.equal('0-0');
    expect(outcome(send(log, 0))).to.equal('1-1');
    expect(outcome(send(log, 0))).to.equal('again 1-1');
    expect(outcome(send(log, MAX_SEQUENCE - 1, { records: 3, producerId: 10 }))).to.equal('2-4');
    expect(outcome(send(log, 1, { producerId: 10 }))).to.equal('5-5');
    expect(outcome(send(log, MAX_SEQUENCE - 1, { records: 3, producerId: 10 }))).to.equal('again 2-4');
    await world.folder.close();
  });

  it('has all batches of an append accepted or none', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    const batch = (baseSequence: number): Uint8Array =>
      batchOf({ producerId: 9, producerEpoch: 0, baseSequence });
    expect(outcome(append(log, concat([batch(0), batch(1), batch(3)])))).to.equal(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    );
    expect(log.nextOffset).to.equal(0);
    expect(outcome(append(log, concat([batch(0), batch(1)])))).to.equal('0-1');
    expect(outcome(send(log, 2))).to.equal('2-2');
    await world.folder.close();
  });

  it('has several batches that are in the log already answered together, and never a new one beside them', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    const batch = (baseSequence: number, producerId = 9): Uint8Array =>
      batchOf({ producerId, producerEpoch: 0, baseSequence });
    append(log, concat([batch(0), batch(1)]));
    expect(outcome(append(log, concat([batch(0), batch(1)]))), 'up to the last one').to.equal('again 0-1');
    for (const mixed of [
      [batch(1), batch(2)],
      [batch(0, 10), batch(1)],
      [batch(2), batch(2)],
    ])
      expect(outcome(append(log, concat(mixed)))).to.equal('INVALID_RECORD');
    expect(log.nextOffset).to.equal(2);
    expect(outcome(send(log, 2))).to.equal('2-2');
    expect(outcome(send(log, 0, { producerId: 10 }))).to.equal('3-3');
    await world.folder.close();
  });

  it('is still known by its last five batches after an append of several that was refused', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    for (let sequence = 0; sequence < 5; sequence++) send(log, sequence);
    await log.flush();
    const gap = [5, 6, 8].map((baseSequence) => batchOf({ producerId: 9, producerEpoch: 0, baseSequence }));
    expect(outcome(append(log, concat(gap)))).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    for (let sequence = 0; sequence < 5; sequence++)
      expect(outcome(send(log, sequence))).to.equal(`again ${sequence}-${sequence}`);
    await world.folder.close();
  });

  for (const stop of ['a clean stop', 'a crash', 'a crash after a checkpoint'] as const) {
    it(`is recognised by its last five batches after ${stop}, over several segments`, async () => {
      const world = await openFolder();
      const log = await openLog(world, smallSegments);
      for (let sequence = 0; sequence < 30; sequence++) {
        send(log, sequence);
        await log.flush();
        if (stop === 'a crash after a checkpoint' && sequence === 20) await world.folder.checkpoint();
      }
      if (stop === 'a clean stop') await world.folder.close();
      const disk = stop === 'a clean stop' ? world.disk : world.disk.crash('nothing', new SimPrng(1));
      const again = await openFolder(disk);
      const reopened = await openLog(again, smallSegments);
      for (let sequence = 25; sequence < 30; sequence++) {
        expect(outcome(send(reopened, sequence))).to.equal(`again ${sequence}-${sequence}`);
      }
      expect(outcome(send(reopened, 31))).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
      expect(outcome(send(reopened, 30))).to.equal('30-30');
      await again.folder.close();
    });
  }

  it('is known after a truncation by what is left of it (rule 2)', async () => {
    const world = await openFolder();
    const log = await openLog(world, smallSegments);
    for (let sequence = 0; sequence < 30; sequence++) send(log, sequence);
    await log.flush();
    await log.truncateTo(12 as typeof log.logEndOffset);
    expect(outcome(send(log, 11))).to.equal('again 11-11');
    expect(outcome(send(log, 13))).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(outcome(send(log, 12))).to.equal('12-12');
    await world.folder.close();
  });

  it('is forgotten after producer.id.expiration.ms of silence', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...defaultLogConfig, producerIdExpirationMs: 5000, retentionMs: -1 });
    send(log, 7);
    await log.flush();
    // The records are of time 1000: that they are old says nothing of when their producer was heard.
    await log.runRetention(100_000, log.logEndOffset);
    expect(outcome(send(log, 7)), 'a retry of what was appended a moment ago').to.equal('again 0-0');
    await log.runRetention(104_999, log.logEndOffset);
    expect(outcome(send(log, 100))).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    await log.runRetention(105_000, log.logEndOffset);
    expect(outcome(send(log, 100))).to.equal('1-1');
    await world.folder.close();
  });

  it('is one of a bounded number: the least recently active is forgotten first', async () => {
    const world = await openFolder(undefined, { maxProducerIds: 3 });
    const log = await openLog(world);
    for (const producerId of [1, 2, 3, 1, 4])
      send(log, producerId === 1 ? log.nextOffset && 1 : 0, { producerId });
    const gap = (producerId: number): string => outcome(send(log, 500, { producerId }));
    expect(gap(1)).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(gap(3)).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(gap(2), 'unknown again').to.match(/^\d/);
    await world.folder.close();
  });
});

describe('the producer snapshot file', () => {
  it('is Kafka’s, version 1: id, epoch, last sequence, last offset, delta, timestamp, coordinator epoch, transaction', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    send(log, 5, { records: 3, epoch: 2, producerId: 77 });
    await world.folder.close();
    const bytes = Buffer.from(world.disk.contents().get(`data/${NAME}/00000000000000000003.snapshot`)!);
    expect(bytes.readInt16BE(0), 'version').to.equal(1);
    expect(bytes.readUInt32BE(2), 'crc of the rest').to.equal(crc32c(bytes.subarray(6)));
    expect(bytes.readInt32BE(6), 'entries').to.equal(1);
    expect(bytes.readBigInt64BE(10)).to.equal(77n);
    expect(bytes.readInt16BE(18)).to.equal(2);
    expect(bytes.readInt32BE(20)).to.equal(7);
    expect(bytes.readBigInt64BE(24)).to.equal(2n);
    expect(bytes.readInt32BE(32)).to.equal(2);
    expect(bytes.readBigInt64BE(36)).to.equal(1000n);
    expect(bytes.readInt32BE(44)).to.equal(-1);
    expect(bytes.readBigInt64BE(48)).to.equal(-1n);
  });

  it('as Kafka writes it, without our trailer, is read too', () => {
    const bytes = Buffer.alloc(56);
    bytes.writeInt16BE(1, 0);
    bytes.writeInt32BE(1, 6);
    bytes.writeBigInt64BE(77n, 10);
    bytes.writeInt16BE(2, 18);
    bytes.writeInt32BE(7, 20);
    bytes.writeBigInt64BE(102n, 24);
    bytes.writeInt32BE(2, 32);
    bytes.writeBigInt64BE(1000n, 36);
    bytes.writeInt32BE(-1, 44);
    bytes.writeBigInt64BE(-1n, 48);
    bytes.writeUInt32BE(crc32c(bytes.subarray(6)), 2);
    const [entry] = decodeProducerSnapshot(bytes)!;
    expect(entry!.batches).to.deep.equal([
      { epoch: 2, baseSequence: 5, lastSequence: 7, baseOffset: 100, lastOffset: 102, timestamp: 1000 },
    ]);
  });

  it('that was damaged anywhere is no snapshot, and the state comes from the log instead', async () => {
    const world = await openFolder();
    const log = await openLog(world);
    for (let sequence = 0; sequence < 6; sequence++) send(log, sequence);
    await world.folder.close();
    const path = `data/${NAME}/00000000000000000006.snapshot`;
    const good = world.disk.contents().get(path)!;
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const bad = new Uint8Array(good);
        bad[at]! ^= bits;
        expect(decodeProducerSnapshot(bad)).to.equal(undefined);
        expect(decodeProducerSnapshot(good.subarray(0, at))).to.equal(undefined);
      }),
    );
    const file = await world.disk.open(path, 'write');
    await file.write([new Uint8Array([0xff])], 12);
    await file.close();
    const again = await openFolder(world.disk);
    const reopened = await again.folder.openPartition(NAME, TOPIC_ID, defaultLogConfig);
    expect(outcome(send(reopened, 3))).to.equal('again 3-3');
    expect(outcome(send(reopened, 6))).to.equal('6-6');
    await again.folder.close();
  });
});
