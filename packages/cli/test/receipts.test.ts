// Receipts and their verification: what is planted into a log is found, told apart, and nothing else is.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Receipt } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { ReceiptFile } from '../src/receipts/receipt-file.ts';
import { formatReceiptLine, parseReceiptLine, type ReceiptLine } from '../src/receipts/receipt-line.ts';
import {
  ReceiptVerifier,
  type Finding,
  type LogBounds,
  type LogReader,
  type ReadRecords,
  type Verification,
} from '../src/receipts/receipt-verifier.ts';
import { ReceiptWindows, type NumberedReceipt } from '../src/receipts/receipt-windows.ts';
import { RecordChecksum } from '../src/receipts/record-checksum.ts';

/** Partition 0 of one topic: content by offset; what is absent is a hole. */
class PlantedLog implements LogReader {
  records = new Map<number, number>();
  topicId = 'id-1';
  exists = true;
  startOffset = 0;
  endOffset = 0;
  recordsRead = 0;
  /** Called before each read. */
  onRead: () => void = () => undefined;

  append(...checksums: number[]): void {
    for (const checksum of checksums) this.records.set(this.endOffset++, checksum);
  }

  topic() {
    return Promise.resolve(this.exists ? { topicId: this.topicId, partitions: 1 } : undefined);
  }

  bounds(): Promise<LogBounds> {
    return Promise.resolve({ startOffset: this.startOffset, endOffset: this.endOffset });
  }

  async *read(_topic: string, _partition: number, from: number, to: number): AsyncGenerator<ReadRecords> {
    this.onRead();
    if (from < this.startOffset) throw new TidemarkError('OFFSET_OUT_OF_RANGE');
    await Promise.resolve();
    for (let at = from; at < to; at += 7) {
      const offsets = Array.from({ length: Math.min(7, to - at) }, (_, index) => at + index).filter(
        (offset) => this.records.has(offset),
      );
      this.recordsRead += offsets.length;
      yield { offsets, checksums: offsets.map((offset) => this.records.get(offset)!) };
    }
  }
}

/** Content of the record that was acknowledged at the offset. */
const content = (offset: number): number => 1_000_000 + offset;

const receipt = (baseOffset: number, count: number, line = baseOffset + 1): NumberedReceipt => ({
  topic: 'orders',
  topicId: 'id-1',
  partition: 0,
  leaderEpoch: 3,
  baseOffset,
  count,
  timestamp: 1_700_000_000_000,
  inSyncReplicas: [1, 2, 3],
  onDisk: true,
  checksums: Uint32Array.from({ length: count }, (_, at) => content(Math.max(baseOffset, 0) + at)),
  line,
});

interface Verified extends Verification {
  readonly findings: readonly Finding[];
}

async function verify(
  log: PlantedLog,
  windows: readonly (readonly NumberedReceipt[])[],
  searchOffsets = 50,
): Promise<Verified> {
  const findings: Finding[] = [];
  const verifier = new ReceiptVerifier({
    reader: log,
    searchOffsets,
    onFinding: (finding) => {
      findings.push(finding);
      return Promise.resolve();
    },
  });
  for (const window of windows) await verifier.verify(window);
  return { ...verifier.result, findings };
}

const told = ({ findings }: Verified) =>
  findings.map(({ verdict, offset, count, movedTo }) => [
    verdict,
    offset,
    count,
    ...(movedTo === undefined ? [] : [movedTo]),
  ]);

describe('verifying receipts', () => {
  let log: PlantedLog;
  /** A hundred records, acknowledged by tens. */
  let receipts: NumberedReceipt[];
  beforeEach(() => {
    log = new PlantedLog();
    log.append(...Array.from({ length: 100 }, (_, offset) => content(offset)));
    receipts = Array.from({ length: 10 }, (_, at) => receipt(at * 10, 10));
  });

  it('finds nothing where nothing was planted, and reads each record once', async () => {
    const result = await verify(log, [receipts]);
    expect(told(result)).to.deep.equal([]);
    expect(result).to.deep.include({ receipts: 10 });
    expect(result.records.ok).to.equal(100);
    expect(log.recordsRead).to.equal(100);
  });

  it('says lost for what is beyond the end, and for a hole', async () => {
    for (const offset of [93, 94, 95, 96, 97, 98, 99]) log.records.delete(offset);
    log.endOffset = 93;
    log.records.delete(41);
    const result = await verify(log, [receipts]);
    expect(told(result)).to.deep.equal([
      ['lost', 41, 1],
      ['lost', 93, 7],
    ]);
    expect(result.findings.map(({ detail }) => detail)).to.deep.equal([
      'the log has a hole there',
      'the log ends at 93',
    ]);
    expect(result.records).to.include({ ok: 92, lost: 8 });
    expect(result.findings[0]).to.include({ line: 41, leaderEpoch: 3, onDisk: true });
  });

  it('says changed for other content', async () => {
    log.records.set(55, 77);
    log.records.set(56, 78);
    log.records.set(57, -1);
    const result = await verify(log, [receipts]);
    expect(told(result)).to.deep.equal([
      ['changed', 55, 2],
      ['changed', 57, 1],
    ]);
    expect(result.findings[1]!.detail).to.equal('it is damaged and cannot be read');
  });

  it('says moved for the same content elsewhere, up to the bound of the search and not beyond', async () => {
    // Somebody inserted three records in front of 60: all that follows is three further.
    const moved = [...log.records].filter(([offset]) => offset >= 60);
    for (const [offset] of moved) log.records.set(offset, 7 + offset);
    for (const [offset, checksum] of moved) log.records.set(offset + 3, checksum);
    log.endOffset = 103;
    const result = await verify(log, [receipts]);
    expect(result.records).to.include({ ok: 60, moved: 40, changed: 0, lost: 0 });
    expect(told(result)[0]).to.deep.equal(['moved', 60, 10, 63]);
    const near = await verify(log, [receipts], 2);
    expect(near.records).to.include({ ok: 60, moved: 0, changed: 40 });
  });

  it('does not take the content of another receipt for what it misses', async () => {
    // All records are alike; one of them became another.
    for (const offset of log.records.keys()) log.records.set(offset, 5);
    const alike = receipts.map((each) => ({ ...each, checksums: each.checksums.map(() => 5) }));
    log.records.set(50, 6);
    expect(told(await verify(log, [alike]))).to.deep.equal([['changed', 50, 1]]);
  });

  it('says expired for what is below the start, and that is no loss', async () => {
    log.startOffset = 25;
    const result = await verify(log, [receipts]);
    expect(told(result)).to.deep.equal([
      ['expired', 0, 10],
      ['expired', 10, 10],
      ['expired', 20, 5],
    ]);
    expect(result.records).to.include({ ok: 75, expired: 25, lost: 0 });
  });

  it('looks again when retention moves the start on while it reads', async () => {
    log.onRead = () => {
      log.startOffset = 30;
      log.onRead = () => undefined;
    };
    const result = await verify(log, [receipts]);
    expect(result.records).to.include({ ok: 70, expired: 30, lost: 0 });
  });

  it('says lost for a topic that is gone, or was created anew', async () => {
    log.topicId = 'id-2';
    const anew = await verify(log, [receipts]);
    expect(anew.records.lost).to.equal(100);
    expect(anew.findings[0]!.detail).to.equal(
      'the topic was deleted; another one of this name (id-2) was created',
    );
    log.exists = false;
    expect((await verify(log, [receipts])).findings[0]!.detail).to.equal('the topic does not exist');
  });

  it('counts what has no place as such', async () => {
    const result = await verify(log, [[receipt(-1, 4)]]);
    expect(told(result)).to.deep.equal([['unplaced', -1, 4]]);
    expect(result.records).to.include({ unplaced: 4, lost: 0 });
  });

  it('takes receipts in any order, twice, overlapping, and over many windows', async () => {
    log.records.set(55, 77);
    const shuffled = [...receipts.slice(5), ...receipts.slice(0, 5), receipts[5]!, receipt(52, 10, 99)];
    const windows = shuffled.map((each) => [each]);
    for (const result of [await verify(log, [shuffled]), await verify(log, windows)]) {
      expect(result.records).to.include({ ok: 117, changed: 3 });
      expect(told(result).every(([verdict, offset]) => verdict === 'changed' && offset === 55)).to.equal(
        true,
      );
    }
  });

  it('goes over what others wrote in between without reading it', async () => {
    log.append(...Array.from({ length: 50_000 }, (_, at) => 9_000_000 + at));
    log.append(content(50_100));
    const result = await verify(log, [[...receipts, receipt(50_100, 1)]]);
    expect(result.records.ok).to.equal(101);
    expect(log.recordsRead).to.equal(101);
  });

  it('tells apart whatever is planted', async () => {
    const damage = fc.record({
      offset: fc.integer({ min: 0, max: 99 }),
      kind: fc.constantFrom('hole' as const, 'change' as const),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(damage, { maxLength: 12 }),
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 60, max: 100 }),
        fc.integer({ min: 1, max: 10 }),
        async (damages, startOffset, endOffset, linesPerWindow) => {
          const planted = new PlantedLog();
          planted.append(...Array.from({ length: 100 }, (_, offset) => content(offset)));
          const expected = new Map<number, string>();
          for (const { offset, kind } of damages) {
            if (kind === 'hole') planted.records.delete(offset);
            else planted.records.set(offset, 1 + offset);
            expected.set(offset, kind === 'hole' ? 'lost' : 'changed');
          }
          planted.startOffset = startOffset;
          planted.endOffset = endOffset;
          for (let offset = 0; offset < 100; offset++) {
            if (offset < startOffset) expected.set(offset, 'expired');
            else if (offset >= endOffset) expected.set(offset, 'lost');
          }
          const windows: NumberedReceipt[][] = [];
          for (let at = 0; at < 10; at += linesPerWindow)
            windows.push(receipts.slice(at, at + linesPerWindow));
          const found = new Map<number, string>();
          const result = await verify(planted, windows);
          for (const { verdict, offset, count } of result.findings) {
            for (let at = offset; at < offset + count; at++) found.set(at, verdict);
          }
          const sorted = (map: Map<number, string>) => [...map].sort(([a], [b]) => a - b);
          expect(sorted(found)).to.deep.equal(sorted(expected));
          expect(result.records.ok).to.equal(100 - expected.size);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a receipts file', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'receipts-'));
    path = join(folder, 'receipts.jsonl');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const isr = [1, 2, 3];
  const acknowledged = (offset: number, changes: Partial<Receipt> = {}): Receipt => ({
    topic: 'orders',
    topicId: 'id-1',
    partition: 0,
    offset,
    timestampMs: 1_700_000_000_000 + offset,
    leaderEpoch: 3,
    inSyncReplicas: isr,
    onDisk: true,
    duplicate: false,
    ...changes,
  });
  const never = (error: unknown): void => {
    throw error;
  };

  async function* bytesOf(text: string, sizeBytes = 11): AsyncGenerator<Buffer> {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += sizeBytes) {
      await Promise.resolve();
      yield bytes.subarray(at, at + sizeBytes);
    }
  }
  const readAll = async (text: string, windows = new ReceiptWindows()) => {
    const all: (readonly NumberedReceipt[])[] = [];
    for await (const window of windows.read(bytesOf(text))) all.push(window);
    return all;
  };

  it('has a line for what was acknowledged together, and at most a thousand records in it', async () => {
    const file = await ReceiptFile.create(path, never);
    for (let offset = 0; offset < 1_500; offset++) file.add(acknowledged(offset), offset);
    file.add(acknowledged(7, { partition: 1 }), 8);
    await new Promise((resolve) => setImmediate(resolve));
    file.add(acknowledged(8, { partition: 1 }), 9);
    file.add(acknowledged(9, { partition: 1, leaderEpoch: 4 }), 10);
    await file.close();
    const [window] = await readAll(await readFile(path, 'utf8'));
    const places = window!.map(({ partition, baseOffset, count, leaderEpoch }) => [
      partition,
      baseOffset,
      count,
      leaderEpoch,
    ]);
    expect(places).to.deep.equal([
      [0, 0, 1_000, 3],
      [0, 1_000, 500, 3],
      [1, 7, 1, 3],
      [1, 8, 1, 3],
      [1, 9, 1, 4],
    ]);
    expect(window![1]!.checksums[499]).to.equal(1_499);
    expect(window![1]!.timestamp).to.equal(1_700_000_001_000);
  });

  it('is not written over', async () => {
    await writeFile(path, 'precious');
    const error = await ReceiptFile.create(path, never).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.include({ exitCode: 2 });
    expect(String(error)).to.match(/exists, and receipts are not written over/);
    expect(await readFile(path, 'utf8')).to.equal('precious');
  });

  it('comes back as it was written, in windows of bounded size', async () => {
    const lines = Array.from({ length: 25 }, (_, at): ReceiptLine => receipt(at * 4, 4));
    const windows = await readAll(
      lines.map(formatReceiptLine).join(''),
      new ReceiptWindows({ maxRecords: 40, maxLines: 1_000 }),
    );
    expect(windows.map(({ length }) => length)).to.deep.equal([10, 10, 5]);
    const expected = lines.map((line, at) => ({ ...line, line: at + 1 }));
    expect(windows.flat()).to.deep.equal(expected);
  });

  it('may end in the middle of a line, as after a kill: that line says nothing', async () => {
    const windows = new ReceiptWindows();
    const text = formatReceiptLine(receipt(0, 2)) + formatReceiptLine(receipt(2, 2)).slice(0, 40);
    expect((await readAll(text, windows)).flat()).to.have.length(1);
    expect(windows.isTorn).to.equal(true);
  });

  it('is refused with exit code 2 when a line is none, with its number and what is wrong', async () => {
    const good = formatReceiptLine(receipt(0, 2));
    const cases: readonly (readonly [string, RegExp])[] = [
      ['not json\n', /line 2 of the receipts is no JSON/],
      ['[]\n', /line 2 of the receipts has no topic/],
      [good.replace('"count":2', '"count":3'), /line 2 .* 16 digits of checksums where 3 records have 24/],
      [good.replace('"partition":0', '"partition":-4'), /line 2 .* no partition that is a whole number/],
      [`${'x'.repeat(70_000)}\n`, /line 2 .* more than 65536 bytes/],
    ];
    for (const [text, words] of cases) {
      const error = await readAll(good + text).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error, text.slice(0, 40)).to.include({ exitCode: 2 });
      expect(String(error)).to.match(words);
    }
    expect(parseReceiptLine(good)).to.not.have.property('fault');
  });

  it('has checksums that anybody can work out: zlib’s CRC-32 over lengths and bytes', () => {
    const checksum = new RecordChecksum();
    const bytes = (text: string): Uint8Array => Buffer.from(text);
    // By Python's zlib.crc32 and struct.pack('>i', ...).
    expect(checksum.of(null, bytes('a'), [])).to.equal(0x90f172a7);
    expect(checksum.of(bytes('alice'), bytes('one pound of tea'), [])).to.equal(0x5c2ac130);
    const headers = [
      { key: 'trace', value: bytes('1') },
      { key: 'n', value: null },
    ];
    expect(checksum.of(bytes('k'), null, headers)).to.equal(0xe0ec3607);
    expect(checksum.of(bytes(''), bytes(''), [])).to.equal(0x7bd5c66f);
    expect(checksum.of(bytes('ab'), bytes('c'), [])).to.not.equal(checksum.of(bytes('a'), bytes('bc'), []));
  });
});
