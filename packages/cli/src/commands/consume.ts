// `tidemark consume`: partitions -> records -> stdout, as fast as the reader of stdout takes them. Where reading begins and, with
// -e, ends is settled before the first record, partition by partition.
import { Consumer, type ConsumerBatch } from '@tidemark/client';
import { clientOptions, requireTopic } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts';
import { ByteSink } from '../format/byte-sink.ts';
import {
  compileOutputFormat,
  OUTPUT_FORMAT_HELP,
  writeJson,
  type HeaderView,
  type RecordWriter,
} from '../format/output-format.ts';
import { RECORD_TABLE_HEADERS, writeTableRow } from '../format/table-format.ts';
import { parseOffsetSpec, startingOffset, type OffsetSpec } from '../offset-spec.ts';
import { ProgressLine } from '../output/progress-line.ts';
import { parseCount } from '../output/quantity.ts';

export interface ConsumeOptions {
  readonly from: string;
  readonly num?: number;
  readonly exitAtEnd?: boolean;
  readonly format?: string;
  readonly partition?: readonly string[];
  readonly group?: string;
  readonly commitInterval?: number;
}

export type ByteConsumer = Consumer;
export type ByteBatch = ConsumerBatch<Uint8Array, Uint8Array>;

const WRITE_BYTES = 64 * 1_024;
const EVERYTHING = { skipBelow: 0, endOffset: Infinity };
const NO_HEADERS: readonly HeaderView[] = [];

/** What is read of one partition. */
interface Span {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly skipBelow: number;
  /** With -e one past the last record to read, otherwise without bound. */
  readonly endOffset: number;
}

async function resolveSpans(
  context: CommandContext,
  consumer: ByteConsumer,
  partitions: readonly { readonly topic: string; readonly partition: number }[],
  spec: OffsetSpec,
  toEnd: boolean,
): Promise<readonly Span[]> {
  const times = spec.kind === 'timestamp' ? consumer.offsetsForTime(partitions, spec.timestampMs) : undefined;
  const [starts, ends, found] = await Promise.all([
    consumer.beginningOffsets(partitions),
    consumer.endOffsets(partitions),
    times,
  ]);
  return partitions.map(({ topic, partition }, at) => {
    const range = { startOffset: starts[at]!.offset, endOffset: ends[at]!.offset };
    const foundOffset = found?.[at]?.offset;
    const start = startingOffset(spec, range, foundOffset === -1 ? undefined : foundOffset);
    if (start.missing > 0) {
      context.io.stderr.write(
        `partition ${partition} begins at ${range.startOffset}: ${start.missing} of the records asked for are gone\n`,
      );
    }
    return {
      topic,
      partition,
      fromOffset: start.offset,
      skipBelow: start.skipBelow,
      endOffset: toEnd ? range.endOffset : Infinity,
    };
  });
}

/** How records are printed: what comes before, between and after them, and each one. */
export interface Style {
  readonly before: string;
  readonly between: string;
  readonly after: (count: number) => string;
  readonly record: RecordWriter;
}

function styleOf(context: CommandContext, format: string | undefined): Style {
  const plain = { before: '', between: '', after: () => '' };
  if (format !== undefined) {
    if (context.output !== undefined)
      throw usageFailure('--format and --output exclude each other; keep one');
    return { ...plain, record: compileOutputFormat(format) };
  }
  switch (context.output) {
    case 'table':
      return { ...plain, before: RECORD_TABLE_HEADERS, record: writeTableRow };
    case 'json':
      return {
        before: '[',
        between: ',',
        after: (count) => (count === 0 ? ']\n' : '\n]\n'),
        record: jsonItem,
      };
    case 'jsonl':
    case 'wide':
    case 'yaml':
    case undefined:
      return { ...plain, record: jsonLine };
  }
}

const jsonLine: RecordWriter = (record, sink) => {
  writeJson(record, sink);
  sink.text('\n');
};

const jsonItem: RecordWriter = (record, sink) => {
  sink.text('\n  ');
  writeJson(record, sink);
};

export class Printer {
  readonly #context: CommandContext;
  readonly #style: Style;
  readonly #spans: ReadonlyMap<number, Span>;
  readonly #isBounded: boolean;
  readonly #open: Set<number>;
  readonly #limit: number;
  readonly #sink = new ByteSink();
  readonly #progress: ProgressLine;
  /** Behind the last record that was printed of the batch. */
  nextOffset = 0;
  #count = 0;
  #bytes = 0;

  /** Without spans everything is printed. */
  constructor(context: CommandContext, style: Style, spans: readonly Span[] | undefined, limit: number) {
    this.#context = context;
    this.#style = style;
    const bounded = spans ?? [];
    this.#isBounded = spans !== undefined;
    this.#spans = new Map(bounded.map((span) => [span.partition, span]));
    this.#open = new Set(
      bounded.filter(({ fromOffset, endOffset }) => fromOffset < endOffset).map(({ partition }) => partition),
    );
    this.#limit = limit;
    const { stderr, stdout } = context.io;
    this.#progress = new ProgressLine(
      // Records scrolling by are progress enough.
      {
        isTerminal: stderr.isTTY === true && stdout.isTTY !== true,
        write: (text) => void stderr.write(text),
      },
      { forced: context.progress, nowMs: performance.now() },
    );
  }

  isDone(): boolean {
    return (this.#isBounded && this.#open.size === 0) || this.#count >= this.#limit;
  }

  async begin(): Promise<void> {
    await write(this.#context.io.stdout, this.#style.before);
  }

  /** Answers false when nobody reads stdout any more. `more` says that further batches are at hand. */
  async print(batch: ByteBatch, more: boolean): Promise<boolean> {
    const span = this.#spans.get(batch.partition) ?? EVERYTHING;
    const cursor = batch.cursor();
    const view = {
      topic: batch.topic,
      partition: batch.partition,
      offset: 0,
      timestampMs: 0,
      key: null as Uint8Array | null,
      value: null as Uint8Array | null,
      headers: NO_HEADERS,
    };
    while (this.#count < this.#limit && cursor.next()) {
      const { offset } = cursor;
      if (offset < span.skipBelow) continue;
      if (offset >= span.endOffset) break;
      this.nextOffset = offset + 1;
      view.offset = offset;
      view.timestampMs = cursor.timestampMs;
      view.key = cursor.key();
      view.value = cursor.value();
      view.headers = cursor.headerCount === 0 ? NO_HEADERS : cursor.headers();
      if (this.#count > 0) this.#sink.text(this.#style.between);
      this.#style.record(view, this.#sink);
      this.#count++;
      this.#bytes += cursor.keyLength + cursor.valueLength;
      if (this.#sink.length >= WRITE_BYTES && !(await this.#flush())) return false;
    }
    batch.check(cursor);
    if (batch.lastOffset + 1 >= span.endOffset) this.#open.delete(batch.partition);
    this.#progress.update('read', this.#count, this.#bytes, performance.now());
    return more && !this.isDone() ? true : this.#flush();
  }

  async end(): Promise<void> {
    this.#progress.clear();
    this.#sink.text(this.#style.after(this.#count));
    await this.#flush();
  }

  #flush(): Promise<boolean> {
    this.#progress.clear();
    return this.#sink.length === 0
      ? Promise.resolve(true)
      : write(this.#context.io.stdout, this.#sink.take());
  }
}

function choosePartitions(
  all: readonly number[],
  wanted: readonly string[] | undefined,
  topic: string,
): readonly number[] {
  if (wanted === undefined) return all;
  const chosen = [...new Set(wanted.flatMap((text) => text.split(',')))].map((text) =>
    parseCount(text, '--partition'),
  );
  const missing = chosen.find((partition) => !all.includes(partition));
  if (missing !== undefined) {
    throw new CommandFailure(`topic "${topic}" has no partition ${missing}; it has 0 to ${all.length - 1}`, {
      exitCode: exitCodes.notFound,
      hint: `see them with \`tidemark topic describe ${topic}\``,
    });
  }
  return chosen;
}

export async function consume(
  context: CommandContext,
  topics: readonly string[],
  options: ConsumeOptions,
): Promise<number | undefined> {
  if (options.format === 'help') {
    await write(context.io.stdout, OUTPUT_FORMAT_HELP);
    return undefined;
  }
  const style = styleOf(context, options.format);
  if (options.group !== undefined) {
    const { consumeInGroup } = await import('./consume-group.ts');
    return consumeInGroup(context, topics, options, style);
  }
  const [topic] = topics;
  if (topics.length > 1 || options.commitInterval !== undefined) {
    const what = topics.length > 1 ? 'several topics' : '--commit-interval';
    throw usageFailure(`${what} without a group`, 'name the group with -g GROUP');
  }
  const spec = parseOffsetSpec(options.from, Date.now());
  const { signal } = context.interruption;
  const known = await requireTopic(context.cluster, topic!);
  const chosen = choosePartitions(known, options.partition, topic!);
  const consumer = new Consumer(clientOptions(context.cluster, { 'auto.offset.reset': 'none' }));
  try {
    const partitions = chosen.map((partition) => ({ topic: topic!, partition }));
    const spans = await resolveSpans(context, consumer, partitions, spec, options.exitAtEnd === true);
    const printer = new Printer(context, style, spans, options.num ?? Infinity);
    await printer.begin();
    try {
      await pump(context, consumer, printer, spans);
    } finally {
      await printer.end();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await consumer.close();
  }
  return undefined;
}

async function pump(
  context: CommandContext,
  consumer: ByteConsumer,
  printer: Printer,
  spans: readonly Span[],
): Promise<void> {
  if (printer.isDone()) return;
  const { signal } = context.interruption;
  consumer.assign(
    spans
      .filter(({ fromOffset, endOffset }) => fromOffset < endOffset)
      .map(({ topic, partition, fromOffset }) => ({ topic, partition, position: fromOffset })),
  );
  for await (const batch of consumer.batches({ signal })) {
    if (!(await printer.print(batch, consumer.metrics.prefetchedBytes > 0))) return;
    if (printer.isDone()) return;
  }
}
