// The comparison for people: one row a cell and system, the numbers of Tidemark and its peer below each other.
import type { CellResult } from './cell.ts';

const HEADERS = [
  'PARTITIONS',
  'RF',
  'SIZE',
  'ACKS',
  'FLUSH',
  'RATE',
  'SYSTEM',
  'PRODUCE/S',
  'MB/S',
  'P50-MS',
  'P99-MS',
  'P99.9-MS',
  'CONSUME/S',
  'MB/S',
  'CPU-S/GB',
  'CPU-%',
  'IDLE-%',
  'RSS-IDLE',
  'RSS-LOADED',
  'PROBLEM',
] as const;

const count = (value: number | undefined): string =>
  value === undefined
    ? '-'
    : Math.round(value)
        .toString()
        .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
const fixed = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '-';
const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)}M`;

function row({ cell, ...result }: CellResult): readonly string[] {
  return [
    String(cell.partitions),
    String(cell.replicas),
    String(cell.sizeBytes),
    cell.acks,
    cell.flush,
    cell.rate === undefined ? 'full' : String(cell.rate),
    result.system,
    count(result.produce?.recordsPerSecond),
    fixed(result.produce?.megabytesPerSecond, 1),
    fixed(result.produce?.p50Ms, 1),
    fixed(result.produce?.p99Ms, 1),
    fixed(result.produce?.p999Ms, 1),
    count(result.consume?.recordsPerSecond),
    fixed(result.consume?.megabytesPerSecond, 1),
    fixed(result.cpuSecondsPerGb, 1),
    fixed(result.cpuPercentProducing, 1),
    fixed(result.cpuPercentIdle, 1),
    mebibytes(result.rssIdleBytes),
    mebibytes(result.rssLoadedBytes),
    result.problem ?? '',
  ];
}

export function renderReport(results: readonly CellResult[]): string {
  const lines = [[...HEADERS], ...results.map(row)];
  const widths = HEADERS.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((text, at) => text.padEnd(widths[at]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
