// `tidemark produce`: input -> records -> producer, with backpressure all the way: no more is read than the producer takes. The
// first record that cannot be delivered ends it with exit code 1; what was taken before is flushed and counted.
import { Producer, type Receipt } from '@tidemark/client';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { clientOptions, requireTopic } from '../cluster-access.ts';
import { parseAssignments, write, type CommandContext } from '../command-context.ts';
import { CommandFailure, usageFailure, type ExitCode } from '../exit.ts';
import {
  compileInputFormat,
  INPUT_FORMAT_HELP,
  type InputFormat,
  type ParsedRecord,
} from '../format/input-format.ts';
import { RecordSplitter } from '../format/record-splitter.ts';
import { chunks, openInput } from '../input-stream.ts';
import { ProgressLine } from '../output/progress-line.ts';
import { formatBytes, formatCount, formatMs } from '../output/quantity.ts';
import { ReceiptPrinter } from '../output/receipt-printer.ts';
import { ReceiptFile } from '../receipts/receipt-file.ts';
import { RecordChecksum } from '../receipts/record-checksum.ts';

export interface ProduceOptions {
  readonly file?: string;
  readonly format?: string;
  readonly key?: string;
  readonly header?: readonly string[];
  readonly partition?: number;
  readonly acks?: 'all' | '1' | '0' | '-1';
  readonly compression?: string;
  readonly tombstone?: boolean;
  readonly receipts?: string;
}

/**
 * After so many records the network gets its turn. A pipe that is always full would otherwise be read again and again within one
 * turn of the event loop, and nothing would be sent for seconds.
 */
const TURN_RECORDS = 1_000;

/** Longer than any batch a broker takes by default, short enough for any machine. */
const MAX_RECORD_BYTES = 64 * 1_024 * 1_024;

interface Fixed {
  readonly key: Buffer | null;
  readonly partition: number | undefined;
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  readonly tombstones: boolean;
}

class Production {
  readonly producer: Producer<Uint8Array, Uint8Array>;
  readonly stop = new AbortController();
  readonly #topic: string;
  readonly #fixed: Fixed;
  readonly #receipts: ReceiptPrinter | undefined;
  readonly #file: ReceiptFile | undefined;
  readonly #checksum = new RecordChecksum();
  #error: unknown;
  records = 0;
  bytes = 0;

  constructor(
    context: CommandContext,
    topic: string,
    options: ProduceOptions,
    file: ReceiptFile | undefined,
  ) {
    const config = {
      ...(options.acks === undefined ? {} : { acks: options.acks }),
      ...(options.compression === undefined ? {} : { 'compression.type': options.compression }),
    };
    this.producer = new Producer({
      ...clientOptions(context.cluster, config),
      onError: (error) => this.fail(error),
    });
    this.#topic = topic;
    this.#file = file;
    this.#receipts =
      context.output === undefined || context.output === 'table'
        ? undefined
        : new ReceiptPrinter(context.io.stdout, context.output);
    this.#fixed = {
      key: options.key === undefined ? null : Buffer.from(options.key),
      partition: options.partition,
      headers: Object.entries(parseAssignments(options.header ?? [])).map(([key, value]) => ({
        key,
        value: Buffer.from(value),
      })),
      tombstones: options.tombstone === true,
    };
  }

  get error(): unknown {
    return this.#error;
  }

  /** The first failure ends the reading; it is the one that is reported. */
  fail(error: unknown): void {
    this.#error ??= error;
    this.stop.abort();
  }

  /** False: await `ready()` before the next one. */
  take(record: ParsedRecord): boolean {
    const fixed = this.#fixed;
    const key = fixed.key ?? record.key;
    const value = fixed.tombstones && record.value?.length === 0 ? null : record.value;
    const partition = record.partition ?? fixed.partition;
    const headers = fixed.headers.length === 0 ? record.headers : [...fixed.headers, ...record.headers];
    this.records++;
    this.bytes += (key?.length ?? 0) + (value?.length ?? 0);
    if (this.#receipts === undefined && this.#file === undefined) {
      return this.producer.sendBytes(this.#topic, partition, key, value, headers, record.timestampMs);
    }
    const { timestampMs } = record;
    const checksum = this.#file === undefined ? 0 : this.#checksum.of(key, value, headers);
    this.producer.send(
      { topic: this.#topic, partition, key, value, headers, timestampMs },
      (error, receipt) => (error === undefined ? this.#receipt(receipt!, checksum) : this.fail(error)),
    );
    // Whether it waits is looked at now and then; what may wait meanwhile is small.
    return this.records % 64 !== 0;
  }

  /** Until the producer takes more and the reader of the receipts has kept up. */
  async ready(): Promise<void> {
    await this.producer.ready();
    await this.#receipts?.drained();
    await this.#file?.drained();
  }

  async close(): Promise<void> {
    const report = await this.producer.close();
    if (report.unsentRecords > 0) this.fail(report.firstError);
    await this.#receipts?.end();
    await this.#file?.close();
  }

  #receipt(receipt: Receipt, checksum: number): void {
    this.#receipts?.print(receipt);
    this.#file?.add(receipt, checksum);
  }
}

async function pump(
  context: CommandContext,
  production: Production,
  format: InputFormat,
  path: string | undefined,
): Promise<void> {
  const splitter = new RecordSplitter(format.terminator, format.terminatorsPerRecord, MAX_RECORD_BYTES);
  const { stderr } = context.io;
  const progress = new ProgressLine(
    { isTerminal: stderr.isTTY === true, write: (text) => void stderr.write(text) },
    { forced: context.progress, nowMs: performance.now() },
  );
  let number = 0;
  try {
    for await (const chunk of chunks(openInput(context.io, path), production.stop.signal)) {
      for (const bytes of splitter.push(chunk)) {
        if (production.stop.signal.aborted) break;
        if (!production.take(format.parse(bytes, ++number))) await production.ready();
        if (number % TURN_RECORDS === 0) await nextTurn();
      }
      // Receipts and errors come in between; a long input must not keep them waiting.
      await production.ready();
      progress.update('produced', production.records, production.bytes, performance.now());
    }
    const rest = production.stop.signal.aborted ? undefined : splitter.end();
    if (rest !== undefined) production.take(format.parse(rest, ++number));
  } finally {
    progress.clear();
  }
}

function summary(production: Production, startedMs: number): string {
  const { recordsAcknowledged, recordsFailed } = production.producer.metrics;
  const ms = performance.now() - startedMs;
  const rate = formatCount(recordsAcknowledged / Math.max(ms / 1_000, 0.001));
  const failed = recordsFailed === 0 ? '' : `, ${formatCount(recordsFailed)} failed`;
  const noun = recordsAcknowledged === 1 ? 'record' : 'records';
  return `Produced ${formatCount(recordsAcknowledged)} ${noun}, ${formatBytes(production.bytes)} in ${formatMs(ms)} (${rate}/s)${failed}.\n`;
}

export async function produce(
  context: CommandContext,
  [topic]: readonly string[],
  options: ProduceOptions,
): Promise<ExitCode | undefined> {
  if (options.format === 'help') {
    await write(context.io.stdout, INPUT_FORMAT_HELP);
    return undefined;
  }
  const format = compileInputFormat(options.format ?? '%v\\n');
  if (format.hasKey && options.key !== undefined)
    throw usageFailure('--key and %k both give the key; keep one of them');
  if (options.receipts !== undefined && (options.acks ?? context.cluster.clientConfig['acks']) === '0')
    throw usageFailure('--receipts needs acknowledgements, and with acks=0 there are none', 'use --acks all');
  await requireTopic(context.cluster, topic!);
  const startedMs = performance.now();
  const file =
    options.receipts === undefined
      ? undefined
      : await ReceiptFile.create(options.receipts, (error) => production.fail(error));
  const production = new Production(context, topic!, options, file);
  const { signal } = context.interruption;
  const stop = (): void => production.stop.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    // The leaders are found before the first record, so that none has to wait for them.
    await production.producer.partitionsFor(topic!);
    await pump(context, production, format, options.file);
  } catch (error) {
    production.fail(error);
  }
  signal.removeEventListener('abort', stop);
  await production.close();
  context.io.stderr.write(summary(production, startedMs));
  if (production.error === undefined) return undefined;
  if (production.error instanceof Error) throw production.error;
  throw new CommandFailure('the records could not be delivered', { cause: production.error });
}
