// The format language of `produce -f`: cutting a stream of bytes into records, whatever the borders of the chunks.
import { expect } from 'chai';
import fc from 'fast-check';
import { CommandFailure, compileInputFormat, RecordSplitter, type ParsedRecord } from '@tidemark/cli';

function cut(pattern: string, chunks: readonly Buffer[], maxRecordBytes = 1_000): ParsedRecord[] {
  const format = compileInputFormat(pattern);
  const splitter = new RecordSplitter(format.terminator, format.terminatorsPerRecord, maxRecordBytes);
  const records: ParsedRecord[] = [];
  for (const chunk of chunks) {
    for (const bytes of splitter.push(chunk)) records.push(format.parse(bytes, records.length + 1));
  }
  const rest = splitter.end();
  if (rest !== undefined) records.push(format.parse(rest, records.length + 1));
  return records;
}

const cutText = (pattern: string, text: string): ParsedRecord[] => cut(pattern, [Buffer.from(text)]);
const text = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString();
const pairs = (records: readonly ParsedRecord[]) => records.map(({ key, value }) => [text(key), text(value)]);

/** The same bytes in pieces of the given sizes. */
function inPieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...pieces, bytes.subarray(at)];
}

describe('the input format', () => {
  it('takes every line as a value by default, empty ones too, and a last one without its end', () => {
    expect(pairs(cutText('%v\\n', 'a\n\nb\r\nc'))).to.deep.equal([
      [null, 'a'],
      [null, ''],
      [null, 'b\r'],
      [null, 'c'],
    ]);
    expect(cutText('%v\\n', '')).to.deep.equal([]);
  });

  it('cuts key and value at the first text between them', () => {
    expect(pairs(cutText('%k\\t%v\\n', 'a\t1\nb\t2\t3\n'))).to.deep.equal([
      ['a', '1'],
      ['b', '2\t3'],
    ]);
  });

  it('ends a record at the end of the line when the format says no end', () => {
    expect(pairs(cutText('%k %v', 'a 1\nb 2\n'))).to.deep.equal([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  it('takes key and value from lines of their own', () => {
    expect(pairs(cutText('%k\\n%v\\n', 'a\n1\nb\n2\n'))).to.deep.equal([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  it('takes partition, timestamp and headers', () => {
    const [record] = cutText('%p;%T;%h;%v\\n', '3;1767225600000;{"a":"1","b":null};x\n');
    expect(record).to.deep.include({ partition: 3, timestampMs: 1_767_225_600_000 });
    expect(record!.headers.map(({ key, value }) => [key, text(value)])).to.deep.equal([
      ['a', '1'],
      ['b', null],
    ]);
  });

  it('decodes hexadecimal and base64', () => {
    expect(pairs(cutText('%k{hex} %v{base64}\\n', '6b31 djE=\n'))).to.deep.equal([['k1', 'v1']]);
  });

  it('needs the text before the first field and takes it away', () => {
    expect(pairs(cutText('> %v\\n', '> a\n'))).to.deep.equal([[null, 'a']]);
    expect(() => cutText('> %v\\n', 'a\n')).to.throw(CommandFailure, 'record 1');
  });

  it('says which record does not match, and why', () => {
    for (const [pattern, input, words] of [
      ['%k\\t%v\\n', 'a\t1\nb 2\n', 'record 2 of the input does not match the format'],
      ['%p %v\\n', 'x 1\n', '"x" is not a partition'],
      ['%k{hex} %v\\n', 'zz 1\n', 'is not hexadecimal'],
      ['%h %v\\n', '[] 1\n', 'headers must be a JSON object'],
      ['%h %v\\n', '{ 1\n', 'record 1'],
    ] as const) {
      expect(() => cutText(pattern, input), input)
        .to.throw(CommandFailure, words)
        .with.property('exitCode', 1);
    }
  });

  it('refuses a format that cannot tell where a field ends', () => {
    for (const [pattern, words] of [
      ['%k%v\\n', 'a text between %k and %v'],
      ['%v %v\\n', '%v twice'],
      ['lines\\n', 'names no field'],
      ['%o %v\\n', 'no %o'],
    ] as const) {
      expect(() => compileInputFormat(pattern), pattern)
        .to.throw(CommandFailure, words)
        .with.property('exitCode', 2);
    }
  });

  it('holds no more than a record: a longer one is an error', () => {
    const line = Buffer.alloc(600, 'x');
    expect(() => cut('%v\\n', [line, line])).to.throw(CommandFailure, 'longer than 1000 bytes');
    expect(() => cut('%v\\r\\n', [line, line])).to.throw(CommandFailure, 'longer than 1000 bytes');
  });

  it('cuts the same records however the input is chunked', () => {
    const letters = fc.constantFrom('a', '\n', '-', ' ');
    fc.assert(
      fc.property(
        fc.constantFrom('%v\\n', '%v--', '%k\\n%v\\n', '%k-\\n-%v\\n-\\n', '%v\\n\\n'),
        fc.array(letters, { maxLength: 40 }),
        fc.array(fc.nat(5)),
        (pattern, input, sizes) => {
          const bytes = Buffer.from(input.join(''));
          const attempt = (chunks: readonly Buffer[]): unknown => {
            try {
              return pairs(cut(pattern, chunks));
            } catch (error) {
              return String(error);
            }
          };
          expect(attempt(inPieces(bytes, sizes))).to.deep.equal(attempt([bytes]));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
