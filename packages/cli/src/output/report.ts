// One formatter for every command: a command hands over its data once, with a description of how people see it, and `-o`
// decides. What JSON shows is the data itself, so a column may be added or dropped without breaking a script.
import { InvalidArgumentError } from 'commander';
import { renderFields, renderTable, type Column } from './table.ts';
import { toYaml } from './yaml.ts';

export const outputFormats = ['table', 'wide', 'json', 'jsonl', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export function parseOutputFormat(text: string): OutputFormat {
  const format = outputFormats.find((name) => name === text);
  if (format === undefined) {
    throw new InvalidArgumentError(`Choose one of ${outputFormats.join(', ')}.`);
  }
  return format;
}

/** A list of like things. `json` and `yaml` print an array, `jsonl` one object a line. */
export function renderList<Row extends object>(
  format: OutputFormat,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): string {
  switch (format) {
    case 'table':
    case 'wide':
      return renderTable(rows, columns, { wide: format === 'wide' });
    case 'json':
      return `${JSON.stringify(rows, null, 2)}\n`;
    case 'jsonl':
      return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    case 'yaml':
      return toYaml(rows);
  }
}

/** One thing with a head of fields and, below it, tables. `human` is asked only when a person reads. */
export function renderDocument(
  format: OutputFormat,
  document: object,
  human: (wide: boolean) => readonly string[],
): string {
  switch (format) {
    case 'table':
    case 'wide':
      return human(format === 'wide')
        .filter((section) => section !== '')
        .join('\n');
    case 'json':
      return `${JSON.stringify(document, null, 2)}\n`;
    case 'jsonl':
      return `${JSON.stringify(document)}\n`;
    case 'yaml':
      return toYaml(document);
  }
}

export { renderFields, renderTable, type Column };
