// Prometheus' text format, family by family. Values of labels are names of ours, numbers, topic names or addresses; what would have
// to be escaped is escaped all the same.

export type MetricType = 'counter' | 'gauge' | 'histogram';

export class Exposition {
  readonly #lines: string[] = [];

  /** `name` says its unit and, for a counter, ends in `_total`. */
  family(name: string, type: MetricType, help: string, rows: Iterable<string>): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const row of rows) this.#lines.push(row);
  }

  get text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

export function labelValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
