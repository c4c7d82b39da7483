// Counts what a benchmark moved and how long it took, prints a line each second to stderr and the result at the end.
import type { CommandContext } from '../command-context.ts';
import { write } from '../command-context.ts';
import { formatCount } from '../output/quantity.ts';
import { renderDocument, renderFields, renderTable } from '../output/report.ts';
import { LatencyHistogram, type LatencySummary } from './latency-histogram.ts';

const MEGA = 1e6;
const LINE_MS = 1_000;

export interface BenchResult {
  readonly benchmark: string;
  readonly topic: string;
  readonly records: number;
  /** Of keys and values. */
  readonly bytes: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** 10^6 bytes. */
  readonly megabytesPerSecond: number;
  readonly latency?: LatencySummary;
  /** Records that could not be written. */
  readonly failed?: number;
}

const ms = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(1));

function latencyText({ p50Ms, p95Ms, p99Ms, p999Ms, maxMs }: LatencySummary): string {
  return `p50 ${ms(p50Ms)}  p95 ${ms(p95Ms)}  p99 ${ms(p99Ms)}  p99.9 ${ms(p999Ms)}  max ${ms(maxMs)} ms`;
}

export class Meter {
  readonly latencies = new LatencyHistogram();
  records = 0;
  bytes = 0;
  readonly #context: CommandContext;
  readonly #startMs = performance.now();
  #endMs: number | undefined;
  #seenRecords = 0;
  #seenBytes = 0;
  #seenMs = this.#startMs;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
    if (context.progress) this.#timer = setInterval(() => this.#line(), LINE_MS).unref();
  }

  get startMs(): number {
    return this.#startMs;
  }

  /** The measurement is over; what follows is cleaning up. */
  stop(): void {
    this.#endMs ??= performance.now();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  result(benchmark: string, topic: string, failed?: number): BenchResult {
    this.stop();
    const seconds = Math.max((this.#endMs! - this.#startMs) / 1_000, 1e-6);
    const latency = this.latencies.total();
    return {
      benchmark,
      topic,
      records: this.records,
      bytes: this.bytes,
      seconds,
      recordsPerSecond: this.records / seconds,
      megabytesPerSecond: this.bytes / seconds / MEGA,
      ...(latency.count === 0 ? {} : { latency }),
      ...(failed === undefined ? {} : { failed }),
    };
  }

  #line(): void {
    const now = performance.now();
    const seconds = (now - this.#seenMs) / 1_000;
    const records = (this.records - this.#seenRecords) / seconds;
    const megabytes = (this.bytes - this.#seenBytes) / seconds / MEGA;
    this.#seenMs = now;
    this.#seenRecords = this.records;
    this.#seenBytes = this.bytes;
    const latency = this.latencies.takeInterval();
    const tail = latency.count === 0 ? '' : `  ${latencyText(latency)}`;
    this.#context.io.stderr.write(`${formatCount(records)} records/s  ${megabytes.toFixed(1)} MB/s${tail}\n`);
  }
}

export async function printResult(context: CommandContext, result: BenchResult): Promise<void> {
  const { latency } = result;
  const text = renderDocument(context.output ?? 'table', result, () => [
    renderFields([
      ['benchmark', result.benchmark],
      ['topic', result.topic],
      ['records', formatCount(result.records)],
      ['seconds', result.seconds.toFixed(2)],
      ['records/s', formatCount(result.recordsPerSecond)],
      ['mb/s', result.megabytesPerSecond.toFixed(2)],
      ...(result.failed === undefined || result.failed === 0
        ? []
        : [['failed', formatCount(result.failed)] as const]),
    ]),
    latency === undefined
      ? ''
      : renderTable(
          [latency],
          [
            { header: 'mean-ms', cell: (row) => ms(row.meanMs), align: 'right' },
            { header: 'p50-ms', cell: (row) => ms(row.p50Ms), align: 'right' },
            { header: 'p95-ms', cell: (row) => ms(row.p95Ms), align: 'right' },
            { header: 'p99-ms', cell: (row) => ms(row.p99Ms), align: 'right' },
            { header: 'p99.9-ms', cell: (row) => ms(row.p999Ms), align: 'right' },
            { header: 'max-ms', cell: (row) => ms(row.maxMs), align: 'right' },
            { header: 'samples', cell: (row) => formatCount(row.count), align: 'right' },
          ],
        ),
  ]);
  await write(context.io.stdout, text);
}
