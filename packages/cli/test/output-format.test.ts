// The format language of `consume -f` and the JSON lines that are printed without it.
import { expect } from 'chai';
import fc from 'fast-check';
import { ByteSink, CommandFailure, compileOutputFormat, writeJson, type RecordView } from '@tidemark/cli';

const record = (over: Partial<RecordView> = {}): RecordView => ({
  topic: 'orders',
  partition: 2,
  offset: 47,
  timestampMs: Date.UTC(2026, 0, 1),
  key: Buffer.from('k1'),
  value: Buffer.from('v1'),
  headers: [
    { key: 'trace', value: Buffer.from('abc') },
    { key: 'none', value: null },
  ],
  ...over,
});

function print(pattern: string, view: RecordView = record()): string {
  const sink = new ByteSink();
  compileOutputFormat(pattern)(view, sink);
  return sink.take().toString('latin1');
}

describe('the output format', () => {
  it('prints every field', () => {
    expect(print('%t/%p@%o')).to.equal('orders/2@47');
    expect(print('%k=%v %T')).to.equal(`k1=v1 ${Date.UTC(2026, 0, 1)}`);
    expect(print('%K %V %H')).to.equal('2 2 2');
    expect(print('%h')).to.equal('trace=abc,none=');
  });

  it('knows escapes and the percent sign', () => {
    expect(print('\\t%%\\n\\r\\0\\\\\\x41\\xfF')).to.equal('\t%\n\r\0\\A\xff');
  });

  it('takes other forms of the fields', () => {
    expect(print('%k{hex} %v{base64} %v{json}')).to.equal('6b31 djE= "v1"');
    expect(print('%T{iso}')).to.equal('2026-01-01T00:00:00.000Z');
    expect(print('%h{json}')).to.equal('{"trace":"abc","none":null}');
  });

  it('prints nothing for a null key or value, and null in JSON', () => {
    expect(print('[%k|%v|%k{json}]', record({ key: null, value: null }))).to.equal('[||null]');
  });

  it('leaves braces alone that are no modifier', () => {
    expect(print('{"at":%o}')).to.equal('{"at":47}');
    expect(print('%o{}')).to.equal('47{}');
  });

  it('keeps values byte for byte, whatever they hold', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (key, value) => {
        const sink = new ByteSink();
        compileOutputFormat('%k%v')(record({ key, value }), sink);
        expect(Buffer.compare(sink.take(), Buffer.concat([key, value]))).to.equal(0);
      }),
    );
  });

  it('refuses what it does not know, with exit code 2 and the position', () => {
    for (const [pattern, words] of [
      ['%z', 'no %z'],
      ['%k{rot13}', 'no %k{rot13}'],
      ['%o{hex}', 'no %o{hex}'],
      ['ab%', 'position 3'],
      ['a\\q', 'position 2'],
      ['\\x4', 'two hexadecimal digits'],
    ] as const) {
      expect(() => compileOutputFormat(pattern), pattern)
        .to.throw(CommandFailure, words)
        .with.property('exitCode', 2);
    }
  });

  it('grows past its first buffer without losing a byte', () => {
    const sink = new ByteSink();
    const write = compileOutputFormat('%v\\n');
    const value = Buffer.alloc(50_000, 'x');
    for (let times = 0; times < 5; times++) write(record({ value }), sink);
    expect(sink.length).to.equal(5 * 50_001);
    const first = sink.take();
    write(record({ value: Buffer.from('after') }), sink);
    expect(sink.take().toString()).to.equal('after\n');
    expect(first.subarray(-2).toString()).to.equal('x\n');
  });
});

describe('a record as a line of JSON', () => {
  const parse = (view: RecordView): unknown => {
    const sink = new ByteSink();
    writeJson(view, sink);
    return JSON.parse(sink.take().toString());
  };

  it('has every field', () => {
    expect(parse(record())).to.deep.equal({
      topic: 'orders',
      partition: 2,
      offset: 47,
      timestamp: Date.UTC(2026, 0, 1),
      key: 'k1',
      value: 'v1',
      headers: { trace: 'abc', none: null },
    });
  });

  it('gives bytes that are not UTF-8 as base64, and null as null', () => {
    const parsed = parse(record({ key: null, value: Buffer.from([0xff, 0x00]), headers: [] }));
    expect(parsed).to.include({ key: null, valueBase64: '/wA=' });
    expect(parsed).not.to.have.any.keys('value', 'headers');
  });

  it('loses nothing of any value', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        const parsed = parse(record({ value })) as { value?: string; valueBase64?: string };
        const back =
          parsed.value === undefined ? Buffer.from(parsed.valueBase64!, 'base64') : Buffer.from(parsed.value);
        expect(Buffer.compare(back, value)).to.equal(0);
      }),
    );
  });
});
