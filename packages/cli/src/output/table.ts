// Tables as in kubectl and rpk: UPPERCASE headers, two spaces between columns, no borders, no trailing blanks. Numbers are
// aligned right. An empty table still prints its headers, so that `| tail -n +2` behaves.

export interface Column<Row> {
  /** Shown in capitals. */
  readonly header: string;
  readonly cell: (row: Row) => string | number;
  readonly align?: 'left' | 'right';
  /** Only with `-o wide`. */
  readonly wide?: boolean;
}

const GAP = '  ';

// C0 and C1 controls would let data from a topic move the cursor or break the rows.
// eslint-disable-next-line no-control-regex
export const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;

const printable = (text: string): string =>
  text.replace(CONTROLS, (character) => (character === '\t' ? '\\t' : character === '\n' ? '\\n' : '\ufffd'));

const length = (text: string): number => Array.from(text).length;

export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  options: { readonly wide?: boolean } = {},
): string {
  const shown = columns.filter((column) => column.wide !== true || options.wide === true);
  const cells = rows.map((row) => shown.map((column) => printable(String(column.cell(row)))));
  const headers = shown.map((column) => column.header.toUpperCase());
  const widths = headers.map((header, at) =>
    cells.reduce((width, row) => Math.max(width, length(row[at]!)), length(header)),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, at) => {
        const padding = ' '.repeat(widths[at]! - length(text));
        return shown[at]!.align === 'right' ? padding + text : text + padding;
      })
      .join(GAP)
      .trimEnd();
  return [headers, ...cells].map((row) => `${line(row)}\n`).join('');
}

/** `NAME  value` pairs, one a line: the head of a `describe`. */
export function renderFields(fields: readonly (readonly [name: string, value: string | number])[]): string {
  const width = fields.reduce((widest, [name]) => Math.max(widest, length(name)), 0);
  return fields
    .map(
      ([name, value]) =>
        `${name.toUpperCase().padEnd(width)}${GAP}${printable(String(value))}`.trimEnd() + '\n',
    )
    .join('');
}
