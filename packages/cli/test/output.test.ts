// Tables, JSON, YAML and quantities: what every command prints with.
import { expect } from 'chai';
import {
  formatBytes,
  formatCount,
  formatMs,
  parseBytes,
  parseCount,
  parseDurationMs,
  ProgressLine,
  renderDocument,
  renderFields,
  renderList,
  renderTable,
  toYaml,
  type Column,
} from '@tidemark/cli';

interface Row {
  readonly name: string;
  readonly size: number;
}

const rows: readonly Row[] = [
  { name: 'orders', size: 5 },
  { name: 'x', size: 12_345 },
];
const columns: readonly Column<Row>[] = [
  { header: 'name', cell: (row) => row.name },
  { header: 'size', cell: (row) => row.size, align: 'right' },
  { header: 'twice', cell: (row) => row.size * 2, wide: true },
];

describe('a table', () => {
  it('has capitals above, no borders, numbers on the right and no blanks at line ends', () => {
    expect(renderTable(rows, columns)).to.equal('NAME     SIZE\norders      5\nx       12345\n');
  });

  it('shows more with -o wide', () => {
    expect(renderTable(rows.slice(0, 1), columns, { wide: true })).to.equal(
      'NAME    SIZE  TWICE\norders     5  10\n',
    );
  });

  it('prints its headers although it is empty', () => {
    expect(renderTable([], columns)).to.equal('NAME  SIZE\n');
  });

  it('lets no data move the cursor or break the rows', () => {
    const hostile = renderTable([{ name: 'a\n\u001b[2Jb\tc', size: 1 }], columns);
    expect(hostile.split('\n')).to.have.length(3);
    expect(hostile).not.to.include('\u001b');
  });
});

describe('-o', () => {
  it('prints the data itself as JSON, JSON lines and YAML', () => {
    expect(JSON.parse(renderList('json', rows, columns))).to.deep.equal(rows);
    const lines = renderList('jsonl', rows, columns).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).to.deep.equal(rows);
    expect(renderList('yaml', rows, columns)).to.equal(
      '- name: orders\n  size: 5\n- name: x\n  size: 12345\n',
    );
  });

  it('prints a document for people only when they read', () => {
    expect(renderDocument('json', { a: 1 }, () => expect.fail('nobody reads'))).to.equal('{\n  "a": 1\n}\n');
    expect(renderDocument('table', {}, () => [renderFields([['name', 'x']]), '', 'rows\n'])).to.equal(
      'NAME  x\n\nrows\n',
    );
  });
});

describe('YAML', () => {
  it('nests, and quotes whatever a reader could mistake', () => {
    expect(
      toYaml({
        name: 'orders',
        on: 'yes',
        empty: '',
        number: '12',
        none: null,
        list: [1, [2, 3], { a: 'b: c', d: [] }],
        inner: { deep: { er: true }, nothing: {} },
      }),
    ).to.equal(
      `name: orders
"on": "yes"
empty: ""
number: "12"
none: null
list:
- 1
- - 2
  - 3
- a: "b: c"
  d: []
inner:
  deep:
    er: true
  nothing: {}
`,
    );
    expect(toYaml([])).to.equal('[]\n');
  });
});

describe('quantities', () => {
  it('are printed for people', () => {
    expect([0, 1_023, 1_024, 1_536, 10 * 1_024 ** 2, 3.25 * 1_024 ** 3].map(formatBytes)).to.deep.equal([
      '0 B',
      '1023 B',
      '1 KiB',
      '1.50 KiB',
      '10 MiB',
      '3.25 GiB',
    ]);
    expect([0, 999, 1_000, 1_234_567.4].map(formatCount)).to.deep.equal(['0', '999', '1,000', '1,234,567']);
    expect([0.123, 3.44, 1_250, 125_000].map(formatMs)).to.deep.equal([
      '0.12 ms',
      '3.4 ms',
      '1.25 s',
      '2m 05s',
    ]);
  });

  it('are read from flags, or refused', () => {
    expect(parseDurationMs('500ms', 'x')).to.equal(500);
    expect(parseDurationMs('2m', 'x')).to.equal(120_000);
    expect(parseDurationMs('10', 'x')).to.equal(10_000);
    expect(parseCount('1k', 'x')).to.equal(1_000);
    expect(parseCount('2.5m', 'x')).to.equal(2_500_000);
    expect(parseCount('0', 'x')).to.equal(0);
    expect(parseCount('1_000', 'x')).to.equal(1_000);
    expect(parseBytes('1KiB', 'x')).to.equal(1_024);
    expect(parseBytes('1KB', 'x')).to.equal(1_024);
    expect(parseBytes('100', 'x')).to.equal(100);
    for (const bad of ['', '-1', '1.5', 'x', '1t'])
      expect(() => parseCount(bad, 'x'), bad).to.throw('at least 0');
    for (const bad of ['', '0', '5x', '-1k'])
      expect(() => parseBytes(bad, 'x'), bad).to.throw('size in bytes');
    for (const bad of ['', 'soon', '-1s'])
      expect(() => parseDurationMs(bad, 'x'), bad).to.throw('a duration');
  });
});

describe('the progress line', () => {
  const sink = (isTerminal: boolean) => {
    const written: string[] = [];
    return { isTerminal, written, write: (text: string) => void written.push(text) };
  };

  it('is rewritten in place on a terminal, ten times a second at most, and taken away at the end', () => {
    const terminal = sink(true);
    const line = new ProgressLine(terminal, { forced: false, nowMs: 0 });
    line.update('produced', 1, 1, 50);
    line.update('produced', 100, 2_048, 1_000);
    line.update('produced', 101, 2_049, 1_050);
    line.clear();
    line.clear();
    expect(terminal.written).to.deep.equal(['\r\u001b[Kproduced 100 records, 2 KiB, 100/s', '\r\u001b[K']);
  });

  it('is silent elsewhere, unless it is asked for: then a line each second', () => {
    const silent = sink(false);
    new ProgressLine(silent, { forced: false, nowMs: 0 }).update('x', 1, 1, 10_000);
    expect(silent.written).to.deep.equal([]);
    const asked = sink(false);
    const line = new ProgressLine(asked, { forced: true, nowMs: 0 });
    line.update('read', 1, 1, 500);
    line.update('read', 10, 1, 2_000);
    line.clear();
    expect(asked.written).to.deep.equal(['read 10 records, 1 B, 5/s\n']);
  });
});
