// `tidemark log dump FILE`: what a file of a partition's folder holds, one row an entry, as it is read. Damage is a row too, and exit
// code 3, so that a script may ask whether a file is whole.
import { dumpSegmentFile, SEGMENT_FILE_EXTENSIONS, type SegmentDumpEntry } from '@tidemark/broker';
import { extname } from 'node:path';
import { write, type CommandContext } from '../command-context.ts';
import { exitCodes, usageFailure, type ExitCode } from '../exit.ts';
import { ByteSink } from '../format/byte-sink.ts';
import { isoTime, writeJson } from '../format/output-format.ts';
import { renderTable, type Column } from '../output/report.ts';

interface DumpOptions {
  readonly records?: boolean;
}

const CHUNK_ROWS = 500;
const MAX_CELL = 60;

const shorten = (text: string): string => (text.length > MAX_CELL ? `${text.slice(0, MAX_CELL - 1)}…` : text);
const text = (bytes: Uint8Array | null): string =>
  bytes === null ? 'null' : shorten(Buffer.from(bytes).toString('utf8'));

/** The entry as JSON shows it: flat, with the names of the other commands. */
function flat(entry: SegmentDumpEntry): object {
  switch (entry.kind) {
    case 'batch': {
      const { header, ...rest } = entry;
      return { ...rest, ...header };
    }
    case 'record': {
      const sink = new ByteSink();
      const { offset, timestampMs, key, value, headers } = entry;
      writeJson({ topic: '', partition: 0, offset, timestampMs, key, value, headers }, sink);
      const shown = JSON.parse(sink.take().toString()) as Record<string, unknown>;
      // A file knows neither; they are the folder's name.
      delete shown['topic'];
      delete shown['partition'];
      return { kind: 'record', ...shown };
    }
    case 'offset-index':
    case 'time-index':
    case 'producer':
    case 'problem':
      return entry;
  }
}

function details(entry: SegmentDumpEntry): string {
  switch (entry.kind) {
    case 'batch': {
      const { header } = entry;
      const producer =
        header.producerId < 0
          ? ''
          : ` producer ${header.producerId}/${header.producerEpoch} sequence ${header.baseSequence}`;
      const marks = `${header.isTransactional ? ' transactional' : ''}${header.isControl ? ' control' : ''}`;
      return `${header.recordCount} records to ${header.lastOffset}, ${header.compression}, epoch ${header.partitionLeaderEpoch},${producer}${marks} crc ${entry.crcIsValid ? 'ok' : 'WRONG'}`;
    }
    case 'record':
      return `${text(entry.key)} = ${text(entry.value)}`;
    case 'producer':
      return `producer ${entry.producerId}/${entry.producerEpoch} sequence ${entry.lastSequence}`;
    case 'problem':
      return entry.message;
    case 'offset-index':
    case 'time-index':
      return '';
  }
}

function offsetOf(entry: SegmentDumpEntry): string | number {
  switch (entry.kind) {
    case 'batch':
      return entry.header.baseOffset;
    case 'producer':
      return entry.lastOffset;
    case 'problem':
      return '';
    case 'record':
    case 'offset-index':
    case 'time-index':
      return entry.offset;
  }
}

function timeOf(entry: SegmentDumpEntry): string {
  switch (entry.kind) {
    case 'batch':
      return isoTime(entry.header.maxTimestamp);
    case 'record':
    case 'time-index':
      return isoTime(entry.timestampMs);
    case 'producer':
      return isoTime(entry.lastTimestampMs);
    case 'offset-index':
    case 'problem':
      return '';
  }
}

const columns: readonly Column<SegmentDumpEntry>[] = [
  { header: 'kind', cell: (row) => row.kind.padEnd(12) },
  { header: 'position', cell: (row) => ('position' in row ? row.position : ''), align: 'right' },
  { header: 'bytes', cell: (row) => (row.kind === 'batch' ? row.header.sizeBytes : ''), align: 'right' },
  { header: 'offset', cell: offsetOf, align: 'right' },
  { header: 'time', cell: (row) => timeOf(row).padEnd(24) },
  { header: 'details', cell: details },
];

/** Rows are printed a few hundred at a time, so that a large file needs no memory; only the first lot has headers. */
function renderChunk(context: CommandContext, rows: readonly SegmentDumpEntry[], isFirst: boolean): string {
  switch (context.output) {
    case 'json':
      return rows
        .map((row, at) => `${isFirst && at === 0 ? '[\n' : ',\n'}  ${JSON.stringify(flat(row))}`)
        .join('');
    case 'jsonl':
      return rows.map((row) => `${JSON.stringify(flat(row))}\n`).join('');
    case 'table':
    case 'wide':
    case 'yaml':
    case undefined: {
      const table = renderTable(rows, columns);
      return isFirst ? table : table.slice(table.indexOf('\n') + 1);
    }
  }
}

export async function dumpLog(
  context: CommandContext,
  [path]: readonly string[],
  options: DumpOptions,
): Promise<ExitCode | undefined> {
  const { stdout } = context.io;
  if (!SEGMENT_FILE_EXTENSIONS.some((extension) => extension === extname(path!))) {
    throw usageFailure(`${path} is none of ${SEGMENT_FILE_EXTENSIONS.join(', ')}`);
  }
  let rows: SegmentDumpEntry[] = [];
  let isFirst = true;
  let problems = 0;
  for await (const entry of dumpSegmentFile(path!, { records: options.records === true })) {
    if (entry.kind === 'problem') problems++;
    rows.push(entry);
    if (rows.length < CHUNK_ROWS) continue;
    if (!(await write(stdout, renderChunk(context, rows, isFirst)))) return undefined;
    isFirst = false;
    rows = [];
  }
  await write(
    stdout,
    rows.length > 0 || context.output === undefined ? renderChunk(context, rows, isFirst) : '',
  );
  if (context.output === 'json') await write(stdout, isFirst && rows.length === 0 ? '[]\n' : '\n]\n');
  return problems > 0 ? exitCodes.unhealthy : undefined;
}
