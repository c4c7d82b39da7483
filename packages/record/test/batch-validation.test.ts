import { failure, type ErrorName } from '@tidemark/core';
import { BatchBuilder, validateBatches, type Codecs, type ValidationRules } from '@tidemark/record';
import { expect } from 'chai';
import {
  batchAround,
  build,
  bytesOf,
  concat,
  noCodecs,
  patched,
  plainBatch,
  readAll,
  sealed,
  T0,
} from './batches.ts';

const rules: ValidationRules = { maxBatchBytes: 1 << 20, maxInflatedBytes: 1 << 20, codecs: noCodecs };

/** Codecs that answer what the test wants, and note the bound they were given. */
function answering(answer: Uint8Array | ErrorName): { codecs: Codecs; bounds: number[] } {
  const bounds: number[] = [];
  const codec = {
    compress: (bytes: Uint8Array) => bytes,
    decompress(_bytes: Uint8Array, maxBytes: number) {
      bounds.push(maxBytes);
      return answer instanceof Uint8Array
        ? { ok: true as const, bytes: answer }
        : failure(answer, 'Because.');
    },
  };
  return { codecs: { gzip: codec, snappy: codec, lz4: codec, zstd: codec }, bounds };
}

function refused(
  bytes: Uint8Array,
  error: ErrorName,
  text: string | RegExp,
  with_: Partial<ValidationRules> = {},
): void {
  const answer = validateBatches(bytes, { ...rules, ...with_ });
  expect(answer.ok ? 'accepted' : answer.error, String(text)).to.equal(error);
  expect(answer.ok ? '' : answer.message).to.match(text instanceof RegExp ? text : new RegExp(text));
}

function accepted(bytes: Uint8Array, with_: Partial<ValidationRules> = {}): void {
  expect(validateBatches(bytes, { ...rules, ...with_ })).to.include({ ok: true });
}

const one = [12, 0, 0, 0, 1, 1, 0]; // a record of null key and value, delta 0
const second = [12, 0, 0, 2, 1, 1, 0]; // the same with offset delta 1

describe('Validating incoming batches', () => {
  it('answers the headers of the batches and where each begins', () => {
    const first = plainBatch(3, { producerId: 7, producerEpoch: 0, baseSequence: 40 });
    const answer = validateBatches(concat(first, plainBatch(1)), rules);
    if (!answer.ok) throw new Error(answer.message);
    expect(
      answer.batches.map(({ at, recordCount, sizeBytes }) => [at, recordCount, sizeBytes]),
    ).to.deep.equal([
      [0, 3, first.length],
      [first.length, 1, plainBatch(1).length],
    ]);
    expect(answer.batches[0]).to.include({
      producerId: 7,
      producerEpoch: 0,
      baseSequence: 40,
      lastOffsetDelta: 2,
    });
  });

  it('takes a batch in the middle of a larger buffer, as it comes off the wire', () => {
    const wire = concat(new Uint8Array(13), plainBatch(2), new Uint8Array(5));
    accepted(Buffer.from(wire.buffer, 13, plainBatch(2).length));
  });

  it('wants at least one batch', () => {
    refused(new Uint8Array(0), 'INVALID_RECORD', 'no batch');
  });

  describe('its framing', () => {
    const batch = plainBatch(2);

    it('may not be cut off, by however little', () => {
      for (let length = 1; length < batch.length; length++) {
        refused(batch.subarray(0, length), 'CORRUPT_MESSAGE', length < 61 ? 'cut off' : /are left/);
      }
    });

    it('may not be followed by bytes that are no batch', () => {
      refused(
        concat(batch, new Uint8Array(1)),
        'CORRUPT_MESSAGE',
        `byte ${batch.length} is cut off: 1 bytes`,
      );
      refused(
        concat(batch, new Uint8Array(100)),
        'INVALID_RECORD',
        `byte ${batch.length} has the old message format 0`,
      );
    });

    it('has a length that holds the header and no more than is there', () => {
      refused(patched(batch, { batchLength: 48, crc: 0 }), 'CORRUPT_MESSAGE', 'says that it has 60 bytes');
      refused(patched(batch, { batchLength: -1, crc: 0 }), 'CORRUPT_MESSAGE', 'says that it has 11 bytes');
      refused(patched(batch, { batchLength: batch.length, crc: 0 }), 'CORRUPT_MESSAGE', 'are left');
    });

    it('has magic 2, and older formats are told apart from noise', () => {
      refused(patched(batch, { magic: 1 }), 'INVALID_RECORD', 'old message format 1');
      refused(patched(batch, { magic: 3 }), 'CORRUPT_MESSAGE', 'magic 3');
    });

    it('is no larger than max.message.bytes, header included', () => {
      accepted(batch, { maxBatchBytes: batch.length });
      refused(
        batch,
        'MESSAGE_TOO_LARGE',
        `has ${batch.length} bytes, more than max.message.bytes = ${batch.length - 1}`,
        {
          maxBatchBytes: batch.length - 1,
        },
      );
      refused(patched(batch, { batchLength: 2 ** 31 - 13, crc: 0 }), 'MESSAGE_TOO_LARGE', '2147483647 bytes');
    });

    it('comes in no more batches than allowed', () => {
      accepted(concat(batch, batch), { maxBatches: 2 });
      refused(concat(batch, batch), 'RECORD_LIST_TOO_LARGE', 'More than 1 batches', { maxBatches: 1 });
    });

    it('matches its CRC, whichever bit behind it is flipped', () => {
      for (let at = 21; at < batch.length; at++) {
        const flipped = Uint8Array.from(batch);
        flipped[at] = flipped[at]! ^ (1 << (at & 7));
        refused(
          flipped,
          'CORRUPT_MESSAGE',
          'has CRC [0-9a-f]{8} in its header, and its bytes have [0-9a-f]{8}',
        );
      }
    });

    it('has no CRC over base offset and leader epoch, which the client does not know', () => {
      const stamped = Uint8Array.from(batch);
      stamped.set([0, 0, 0, 0, 0, 0, 1, 2], 0);
      stamped.set([0, 0, 0, 9], 12);
      accepted(stamped);
    });
  });

  describe('its attributes', () => {
    const batch = plainBatch(1);

    it('have no bit that means nothing', () => {
      refused(patched(batch, { attributes: 0x80 }), 'INVALID_RECORD', 'attribute bits 0x80');
      refused(patched(batch, { attributes: -0x8000 }), 'INVALID_RECORD', 'attribute bits 0x8000');
      refused(patched(batch, { attributes: 0x80 }), 'INVALID_RECORD', 'attribute bits', {
        origin: 'replica',
      });
    });

    it('name a compression that exists', () => {
      for (const code of [5, 6, 7]) {
        refused(patched(batch, { attributes: code }), 'UNSUPPORTED_COMPRESSION_TYPE', `code ${code}`);
      }
    });

    it('say neither LogAppendTime nor delete horizon, when a client sends them', () => {
      refused(patched(batch, { attributes: 0x08 }), 'INVALID_TIMESTAMP', 'LogAppendTime');
      refused(patched(batch, { attributes: 0x40 }), 'INVALID_RECORD', 'delete horizon');
      accepted(patched(batch, { attributes: 0x08 }), { origin: 'replica' });
      accepted(patched(batch, { attributes: 0x40 }), { origin: 'replica' });
    });

    it('say control only when a coordinator or a leader sends them', () => {
      const control = patched(batch, { attributes: 0x30, producerId: 1, producerEpoch: 0 });
      refused(control, 'INVALID_RECORD', 'control batch');
      accepted(control, { acceptControlBatches: true });
      accepted(control, { origin: 'replica' });
      refused(control, 'INVALID_RECORD', 'control batch', { origin: 'replica', acceptControlBatches: false });
    });
  });

  describe('its counts', () => {
    const batch = plainBatch(2);

    it('are at least one and one more than the last offset delta', () => {
      refused(patched(batch, { recordCount: 0, lastOffsetDelta: -1 }), 'INVALID_RECORD', 'counts 0 records');
      refused(
        patched(batch, { recordCount: -1, lastOffsetDelta: -2 }),
        'INVALID_RECORD',
        'counts -1 records',
      );
      refused(
        patched(batch, { recordCount: 3 }),
        'INVALID_RECORD',
        'counts 3 records and ends at offset delta 1',
      );
      refused(patched(batch, { lastOffsetDelta: 5 }), 'INVALID_RECORD', 'ends at offset delta 5');
    });

    it('fit into the bytes, before anything is walked', () => {
      const count = 2 ** 31 - 1;
      const lying = patched(batch, { recordCount: count, lastOffsetDelta: count - 1 });
      refused(lying, 'INVALID_RECORD', `counts ${count} records in`);
      refused(lying, 'INVALID_RECORD', `counts ${count} records in`, { inspectRecords: false });
    });

    it('are the number of records that are there', () => {
      accepted(batchAround([...one, ...second], 2));
      refused(
        batchAround([...one, ...second], 1),
        'INVALID_RECORD',
        '7 bytes after the last of its 1 records',
      );
      refused(
        batchAround([...one, ...second, 0, 0, 0, 0, 0, 0, 0], 3),
        'INVALID_RECORD',
        'broken record 2 of 3',
      );
    });

    it('of a batch from a leader allow for compaction, but not for more records than offsets', () => {
      const replica = { origin: 'replica' } as const;
      accepted(patched(batch, { lastOffsetDelta: 8 }), replica);
      accepted(patched(batch.subarray(0, 61), { batchLength: 49, recordCount: 0 }), replica);
      accepted(batchAround(second, 1), { ...replica, inspectRecords: false });
      refused(patched(batch, { lastOffsetDelta: 0 }), 'INVALID_RECORD', '2 records in 1 offsets', replica);
      refused(patched(batch, { recordCount: -1 }), 'INVALID_RECORD', 'counts -1', replica);
      refused(patched(batch, { baseOffset: -1 }), 'INVALID_RECORD', 'base offset -1', replica);
      refused(patched(batch, { baseOffset: 2n ** 53n }), 'INVALID_RECORD', 'base offset', replica);
      refused(
        batchAround([...second, ...second], 2),
        'INVALID_RECORD',
        'offset delta 1 in record 1',
        replica,
      );
    });
  });

  describe('its records', () => {
    it('are numbered 0, 1, 2 ...', () => {
      refused(batchAround([...one, ...one], 2), 'INVALID_RECORD', 'offset delta 0 in record 1');
      refused(batchAround(second, 1), 'INVALID_RECORD', 'offset delta 1 in record 0');
      refused(batchAround([12, 0, 0, 1, 1, 1, 0], 1), 'INVALID_RECORD', 'offset delta -1 in record 0');
    });

    it('have lengths that add up, or a consumer would never get past them', () => {
      const broken: [string, number[]][] = [
        ['length runs past the batch', [...one].with(0, 14)],
        ['length is below the smallest record', [10, 0, 0, 0, 1, 1, 0]],
        ['length is negative', [...one].with(0, 1)],
        ['length is cut off', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]],
        ['length is a varint of six bytes', [0x8c, 0x80, 0x80, 0x80, 0x80, 0x00, ...one.slice(1)]],
        ['key runs past the record', [12, 0, 0, 0, 20, 1, 0]],
        ['key length is -2', [12, 0, 0, 0, 3, 1, 0]],
        ['value runs past the record', [12, 0, 0, 0, 1, 20, 0]],
        ['value length is -2', [12, 0, 0, 0, 1, 3, 0]],
        ['value leaves no room for the header count', [12, 0, 0, 0, 1, 2, 65]],
        ['bytes are left behind the headers', [14, 0, 0, 0, 1, 1, 0, 0]],
        ['header count is negative', [12, 0, 0, 0, 1, 1, 1]],
        ['header count is two billion', [20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]],
        ['header is missing', [12, 0, 0, 0, 1, 1, 2]],
        ['header key is null', [16, 0, 0, 0, 1, 1, 2, 1, 1]],
        ['header key runs past the record', [16, 0, 0, 0, 1, 1, 2, 20, 1]],
        ['header value runs past the record', [16, 0, 0, 0, 1, 1, 2, 0, 20]],
        ['header value length is -2', [16, 0, 0, 0, 1, 1, 2, 0, 3]],
        ['timestamp delta never ends', [24, 0, ...Array<number>(11).fill(0x80)]],
      ];
      for (const [what, record] of broken) {
        refused(batchAround(record, 1), 'INVALID_RECORD', 'broken record 0 of 1');
        expect(readAll(batchAround(record, 1)).cursor.failure, what).to.include({ error: 'CORRUPT_MESSAGE' });
      }
    });

    it('may have varints that are longer than they need to be, as any reader takes them', () => {
      accepted(batchAround([14, 0, 0x80, 0, 0, 1, 1, 0], 1));
    });

    it('of a batch that is not to be inspected are not', () => {
      accepted(batchAround([...one].with(0, 14), 1), { inspectRecords: false });
    });
  });

  describe('its timestamps', () => {
    const times = (...timestamps: number[]): Uint8Array =>
      build(timestamps.map((timestampMs) => ({ timestampMs, key: null, value: null, headers: [] })));

    it('are milliseconds that a number holds, or -1', () => {
      accepted(times(-1, -1));
      accepted(times(0, Number.MAX_SAFE_INTEGER));
      refused(patched(times(5), { baseTimestamp: -2 }), 'INVALID_TIMESTAMP', 'timestamp -2');
      refused(patched(times(5), { maxTimestamp: 2n ** 62n }), 'INVALID_TIMESTAMP', 'timestamp 46116');
      const huge = patched(times(0, 1), {
        baseTimestamp: Number.MAX_SAFE_INTEGER,
        maxTimestamp: Number.MAX_SAFE_INTEGER,
      });
      refused(huge, 'INVALID_TIMESTAMP', 'records timed from');
    });

    it('have their largest in the header, since that is what the time index says', () => {
      accepted(times(T0, T0 + 9, T0 - 9));
      refused(patched(times(T0), { maxTimestamp: T0 - 1 }), 'INVALID_TIMESTAMP', 'before its base timestamp');
      refused(
        patched(times(T0), { maxTimestamp: T0 + 1 }),
        'INVALID_TIMESTAMP',
        `and its records have ${T0}`,
      );
      refused(patched(times(T0, T0 + 2), { maxTimestamp: T0 + 1 }), 'INVALID_TIMESTAMP', 'its records have');
    });

    it('do not go below -1 in any record', () => {
      refused(
        patched(times(10, 5), { baseTimestamp: 2, maxTimestamp: 2 }),
        'INVALID_TIMESTAMP',
        'timed from -3 to 2',
      );
    });

    it('keep within the topic’s bounds, when a client sends them', () => {
      const batch = times(T0, T0 + 50, T0 - 50);
      accepted(batch, { earliestTimestampMs: T0 - 50, latestTimestampMs: T0 + 50 });
      refused(batch, 'INVALID_TIMESTAMP', 'message.timestamp.before.max.ms', {
        earliestTimestampMs: T0 - 49,
      });
      refused(batch, 'INVALID_TIMESTAMP', 'message.timestamp.after.max.ms', { latestTimestampMs: T0 + 49 });
      accepted(batch, { origin: 'replica', earliestTimestampMs: T0, latestTimestampMs: T0 });
    });

    it('are in no bounds where there are none, as Kafka has it', () => {
      const bounds = { earliestTimestampMs: T0 - 50, latestTimestampMs: T0 + 50 };
      accepted(times(-1, -1), bounds);
      accepted(times(-1, T0, -1), bounds);
      refused(times(-1, T0 - 51), 'INVALID_TIMESTAMP', `a record of ${T0 - 51}`, bounds);
      refused(times(T0, -1, 0), 'INVALID_TIMESTAMP', 'a record of 0', bounds);
    });
  });

  describe('its producer', () => {
    const producer = (producerId: number | bigint, producerEpoch: number, baseSequence: number): Uint8Array =>
      patched(plainBatch(1), { producerId, producerEpoch, baseSequence });

    it('has id, epoch and sequence, or none of them', () => {
      accepted(producer(-1, -1, -1));
      accepted(producer(0, 0, 0));
      accepted(producer(Number.MAX_SAFE_INTEGER, 32767, 2 ** 31 - 1));
      for (const [epoch, sequence] of [
        [-1, 0],
        [0, -1],
        [-2, 0],
        [0, -2],
      ] as const) {
        refused(
          producer(5, epoch, sequence),
          'INVALID_RECORD',
          `producer id 5, epoch ${epoch}, base sequence ${sequence}`,
        );
      }
      refused(producer(-1, 3, -1), 'INVALID_RECORD', 'Set all three, or all to -1');
      refused(producer(-1, -1, 3), 'INVALID_RECORD', 'Set all three, or all to -1');
      refused(producer(-2, -1, -1), 'INVALID_RECORD', 'producer id -2');
      refused(producer(2n ** 60n, 0, 0), 'INVALID_RECORD', 'producer id 11529');
    });

    it('may leave epoch and sequence at 0 without an id, as some clients do', () => {
      accepted(producer(-1, 0, 0));
    });

    it('has an id when the batch is transactional', () => {
      refused(
        patched(plainBatch(1), { attributes: 0x10 }),
        'INVALID_RECORD',
        'transactional without a producer id',
      );
      accepted(patched(producer(1, 0, 0), { attributes: 0x10 }));
    });

    it('writes no sequence into a control batch', () => {
      accepted(patched(producer(1, 0, -1), { attributes: 0x30 }), { acceptControlBatches: true });
    });
  });

  describe('its compression', () => {
    const compressed = patched(batchAround([9, 9, 9, 9, 9, 9, 9], 2), { attributes: 4 });
    const plain = Uint8Array.from([...one, ...second]);

    it('is undone within the bound, and what comes out is inspected like anything else', () => {
      const { codecs, bounds } = answering(plain);
      accepted(compressed, { codecs, maxInflatedBytes: 12345 });
      expect(bounds).to.deep.equal([12345]);
      refused(compressed, 'INVALID_RECORD', 'broken record 1', {
        codecs: answering(plain.with(7, 14)).codecs,
      });
      refused(compressed, 'INVALID_RECORD', '1 bytes after the last', {
        codecs: answering(concat(plain, new Uint8Array(1))).codecs,
      });
    });

    it('may not hide a count that cannot be', () => {
      const lying = patched(compressed, { recordCount: 3, lastOffsetDelta: 2 });
      refused(lying, 'INVALID_RECORD', 'counts 3 records in 14 inflated bytes', {
        codecs: answering(plain).codecs,
      });
    });

    it('that is broken or too large is refused in the codec’s words', () => {
      for (const error of ['CORRUPT_MESSAGE', 'MESSAGE_TOO_LARGE'] as const) {
        refused(compressed, error, /zstd, 68 bytes\) cannot be inflated. Because\./, {
          codecs: answering(error).codecs,
        });
      }
    });

    it('is not undone when records are not to be inspected', () => {
      accepted(compressed, { inspectRecords: false });
    });
  });

  it('refuses all batches for one, and names the place', () => {
    const batches = [plainBatch(1), plainBatch(1), plainBatch(1)];
    batches[1]![65] = 0xff;
    refused(concat(...batches), 'CORRUPT_MESSAGE', `byte ${batches[0]!.length} `);
  });

  it('changes nothing in what it looks at', () => {
    const batch = plainBatch(3);
    const before = Uint8Array.from(batch);
    accepted(batch);
    expect(batch).to.deep.equal(before);
    expect(sealed(batch)).to.deep.equal(before);
  });

  it('accepts whatever the builder builds', () => {
    const builder = new BatchBuilder({ capacityBytes: 64 });
    builder.append(T0, bytesOf('k'), null, [{ key: 'h', value: null }]);
    builder.append(T0 - 2 ** 40, null, bytesOf('v'.repeat(70_000)));
    accepted(builder.build({ producerId: 1, producerEpoch: 1, baseSequence: 1, isTransactional: true }));
  });
});

describe('The keys of a compacted topic', () => {
  const keys = { requireKeys: true };
  const builder = new BatchBuilder({ capacityBytes: 256 });
  const batchWith = (...given: (Uint8Array | null)[]): Uint8Array => {
    builder.reset();
    for (const key of given) builder.append(T0, key, bytesOf('v'));
    return builder.build().slice();
  };

  it('must be there, in every record', () => {
    accepted(batchWith(bytesOf('a'), bytesOf('')), keys);
    refused(batchWith(bytesOf('a'), null), 'INVALID_RECORD', 'no key in record 1 of 2', keys);
    accepted(batchWith(bytesOf('a'), null));
  });

  it('are looked for inside compressed batches as well', () => {
    const withKey = answering(batchWith(bytesOf('a')).slice(61));
    const without = answering(batchWith(null).slice(61));
    builder.reset();
    builder.append(T0, null, bytesOf('v'));
    const packed = builder.build({ compression: 'gzip', codecs: without.codecs }).slice();
    refused(packed, 'INVALID_RECORD', 'no key in record 0 of 1', { ...keys, codecs: without.codecs });
    accepted(packed, { ...keys, codecs: withKey.codecs });
  });
});
