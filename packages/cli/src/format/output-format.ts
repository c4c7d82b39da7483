// The format language of `consume -f`: compiled once, then run for every record into a ByteSink. Without `-f` a record is a
// line of JSON; text that is not UTF-8 appears as base64 under `keyBase64` or `valueBase64`, so nothing is lost or guessed.
import { decodeUtf8Strict } from '@tidemark/core';
import { usageFailure } from '../exit.ts';
import type { ByteSink } from './byte-sink.ts';
import { describeField, parsePattern } from './pattern.ts';

export interface HeaderView {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** One record as the formats see it. */
export interface RecordView {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly HeaderView[];
}

export type RecordWriter = (record: RecordView, sink: ByteSink) => void;

export const OUTPUT_FORMAT_HELP = `The format says how each record is printed.

  %t topic       %p partition    %o offset
  %k key         %v value        %T timestamp, Unix milliseconds
  %h headers as name=value, separated by commas
  %K length of the key, %V length of the value in bytes, %H number of headers
  %% a percent sign; \\n newline, \\t tab, \\r return, \\0 zero byte, \\\\ backslash, \\xHH any byte

  %k{hex} %k{base64} %k{json}     the key in another form; %v takes the same
  %T{iso}                         the timestamp as 2026-01-01T00:00:00.000Z
  %h{json}                        the headers as a JSON object

A null key or value prints nothing, and null in JSON. Nothing is added: end the format with \\n to get lines.

  tidemark consume orders -f '%p %o %k %v\\n'
  tidemark consume orders -f '{"at":"%T{iso}","value":%v{json}}\\n'

Without --format every record is a line of JSON:

  {"topic":"orders","partition":0,"offset":17,"timestamp":1767225600000,"key":"k","value":"v","headers":{"a":"1"}}

A key or value that is not UTF-8 is given as keyBase64 or valueBase64 instead.
`;

type FieldWriter = (record: RecordView, sink: ByteSink) => void;
type Bytes = 'key' | 'value';

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A JSON string; bytes that are not UTF-8 are replaced by U+FFFD, as JSON cannot carry them. */
const jsonText = (bytes: Uint8Array | null): string =>
  bytes === null ? 'null' : JSON.stringify(asBuffer(bytes).toString('utf8'));

function headersJson(headers: readonly HeaderView[]): string {
  const entries = headers.map((header) => `${JSON.stringify(header.key)}:${jsonText(header.value)}`);
  return `{${entries.join(',')}}`;
}

function bytesField(which: Bytes, modifier: string | undefined): FieldWriter | undefined {
  switch (modifier) {
    case undefined:
      return (record, sink) => {
        const bytes = record[which];
        if (bytes !== null) sink.bytes(bytes);
      };
    case 'hex':
    case 'base64':
      return (record, sink) => {
        const bytes = record[which];
        if (bytes !== null) sink.text(asBuffer(bytes).toString(modifier));
      };
    case 'json':
      return (record, sink) => sink.text(jsonText(record[which]));
    default:
      return undefined;
  }
}

function headersField(modifier: string | undefined): FieldWriter | undefined {
  if (modifier === 'json') return (record, sink) => sink.text(headersJson(record.headers));
  if (modifier !== undefined) return undefined;
  return (record, sink) =>
    record.headers.forEach((header, at) => {
      sink.text(`${at === 0 ? '' : ','}${header.key}=`);
      if (header.value !== null) sink.bytes(header.value);
    });
}

function plain(
  modifier: string | undefined,
  text: (record: RecordView) => string | number,
): FieldWriter | undefined {
  return modifier === undefined ? (record, sink) => sink.text(String(text(record))) : undefined;
}

function fieldWriter(letter: string, modifier: string | undefined): FieldWriter | undefined {
  switch (letter) {
    case 't':
      return plain(modifier, (record) => record.topic);
    case 'p':
      return plain(modifier, (record) => record.partition);
    case 'o':
      return plain(modifier, (record) => record.offset);
    case 'T':
      return modifier === 'iso'
        ? (record, sink) => sink.text(isoTime(record.timestampMs))
        : plain(modifier, (record) => record.timestampMs);
    case 'k':
      return bytesField('key', modifier);
    case 'v':
      return bytesField('value', modifier);
    case 'K':
      return plain(modifier, (record) => record.key?.length ?? 0);
    case 'V':
      return plain(modifier, (record) => record.value?.length ?? 0);
    case 'h':
      return headersField(modifier);
    case 'H':
      return plain(modifier, (record) => record.headers.length);
    default:
      return undefined;
  }
}

/** ISO 8601 in UTC; the number itself for "none" (-1) and for what no calendar reaches. */
export function isoTime(timestampMs: number): string {
  return timestampMs >= 0 && timestampMs <= 8.64e15
    ? new Date(timestampMs).toISOString()
    : String(timestampMs);
}

/** Throws a usage failure for a field or modifier that does not exist. */
export function compileOutputFormat(pattern: string): RecordWriter {
  const writers = parsePattern(pattern).map((piece): FieldWriter => {
    if (piece.kind === 'literal') return (_record, sink) => sink.bytes(piece.bytes);
    const writer = fieldWriter(piece.letter, piece.modifier);
    if (writer === undefined) {
      throw usageFailure(`the format has no ${describeField(piece)}`, 'see `tidemark consume --format help`');
    }
    return writer;
  });
  return (record, sink) => {
    for (const write of writers) write(record, sink);
  };
}

function jsonBytes(name: string, bytes: Uint8Array | null): string {
  if (bytes === null) return `"${name}":null`;
  const text = decodeUtf8Strict(bytes);
  return text === undefined
    ? `"${name}Base64":"${asBuffer(bytes).toString('base64')}"`
    : `"${name}":${JSON.stringify(text)}`;
}

/** One record as a JSON object, without a newline. */
export const writeJson: RecordWriter = (record, sink) => {
  sink.text(
    `{"topic":${JSON.stringify(record.topic)},"partition":${record.partition},"offset":${record.offset},` +
      `"timestamp":${record.timestampMs},`,
  );
  sink.text(`${jsonBytes('key', record.key)},${jsonBytes('value', record.value)}`);
  sink.text(record.headers.length === 0 ? '}' : `,"headers":${headersJson(record.headers)}}`);
};
