// The format language of `produce -f`: how a stream of bytes is cut into records and a record into key, value, partition,
// timestamp and headers. Cutting is strict: a record that does not match is an error with its number, never a guess.
import { CommandFailure, usageFailure } from '../exit.ts';
import { describeField, parsePattern, type Piece } from './pattern.ts';

export const INPUT_FORMAT_HELP = `The format says how the input is cut into records.

  %k key         %v value        %p partition
  %T timestamp, Unix milliseconds
  %h headers as a JSON object of strings
  %% a percent sign; \\n newline, \\t tab, \\r return, \\0 zero byte, \\\\ backslash, \\xHH any byte

  %k{hex} %k{base64}     the key is written in that form; %v takes the same

A field reaches to the next text of the format; the text at the end ends the record (\\n when there is none). The last
record may lack it. The default is '%v\\n': every line is a value, and an empty line is an empty value.

  tidemark produce orders -f '%k\\t%v\\n' --file orders.tsv
  printf 'a 1\\nb 2\\n' | tidemark produce orders -f '%k %v\\n'
`;

/** What was cut out of the input. The byte fields are views into it. */
export interface ParsedRecord {
  key: Uint8Array | null;
  value: Uint8Array | null;
  partition: number | undefined;
  timestampMs: number | undefined;
  headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
}

export interface InputFormat {
  /** Ends a record: the last literal of the format. */
  readonly terminator: Buffer;
  /** How many terminators a record holds, the last included; more than one for e.g. `%k\n%v\n`. */
  readonly terminatorsPerRecord: number;
  readonly hasKey: boolean;
  /** `bytes` is one record without its last terminator, `number` counts from 1 for messages. */
  parse(bytes: Buffer, number: number): ParsedRecord;
}

type FieldReader = (record: ParsedRecord, bytes: Buffer) => void;
type FieldPiece = Extract<Piece, { kind: 'field' }>;

function decoder(modifier: string | undefined): ((bytes: Buffer) => Uint8Array) | undefined {
  switch (modifier) {
    case undefined:
      return (bytes) => bytes;
    case 'hex':
      return (bytes) => {
        const text = bytes.toString('latin1');
        if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new SyntaxError(`"${text}" is not hexadecimal`);
        return Buffer.from(text, 'hex');
      };
    case 'base64':
      return (bytes) => {
        const text = bytes.toString('latin1');
        if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw new SyntaxError(`"${text}" is not base64`);
        return Buffer.from(text, 'base64');
      };
    default:
      return undefined;
  }
}

function parseWhole(bytes: Buffer, what: string): number {
  const text = bytes.toString('latin1').trim();
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new SyntaxError(`"${text}" is not a ${what}`);
  return value;
}

function parseHeaders(bytes: Buffer): ParsedRecord['headers'] {
  const parsed: unknown = JSON.parse(bytes.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new SyntaxError('headers must be a JSON object');
  }
  return Object.entries(parsed).map(([key, value]: [string, unknown]) => {
    if (value !== null && typeof value !== 'string') throw new SyntaxError(`header "${key}" is not a string`);
    return { key, value: value === null ? null : Buffer.from(value) };
  });
}

function fieldReader({ letter, modifier }: FieldPiece): FieldReader | undefined {
  if (letter === 'k' || letter === 'v') {
    const decode = decoder(modifier);
    if (decode === undefined) return undefined;
    return letter === 'k'
      ? (record, bytes) => void (record.key = decode(bytes))
      : (record, bytes) => void (record.value = decode(bytes));
  }
  if (modifier !== undefined) return undefined;
  switch (letter) {
    case 'p':
      return (record, bytes) => void (record.partition = parseWhole(bytes, 'partition'));
    case 'T':
      return (record, bytes) => void (record.timestampMs = parseWhole(bytes, 'timestamp'));
    case 'h':
      return (record, bytes) => void (record.headers = parseHeaders(bytes));
    default:
      return undefined;
  }
}

function occurrences(haystack: Buffer, needle: Buffer): number {
  let count = 0;
  for (let at = haystack.indexOf(needle); at !== -1; at = haystack.indexOf(needle, at + needle.length))
    count++;
  return count;
}

interface Step {
  readonly field: FieldReader;
  /** The literal that must follow the field; undefined for the last one, which takes the rest. */
  readonly until: Buffer | undefined;
}

function compileSteps(pieces: readonly Piece[]): {
  readonly prefix: Buffer;
  readonly steps: readonly Step[];
} {
  const first = pieces[0];
  const prefix = first?.kind === 'literal' ? first.bytes : Buffer.alloc(0);
  const steps: Step[] = [];
  const seen = new Set<string>();
  for (let at = prefix.length > 0 ? 1 : 0; at < pieces.length; at++) {
    const piece = pieces[at]!;
    if (piece.kind === 'literal') continue;
    const field = fieldReader(piece);
    const name = describeField(piece);
    if (field === undefined)
      throw usageFailure(`the format has no ${name}`, 'see `tidemark produce --format help`');
    if (seen.has(piece.letter)) throw usageFailure(`the format has %${piece.letter} twice`);
    seen.add(piece.letter);
    const next = pieces[at + 1];
    if (next?.kind === 'field') {
      throw usageFailure(
        `the format needs a text between ${name} and ${describeField(next)}, to tell where one ends`,
      );
    }
    steps.push({ field, until: next?.bytes });
  }
  return { prefix, steps };
}

/** Throws a usage failure for a format that cannot cut records. */
export function compileInputFormat(pattern: string): InputFormat {
  const all = parsePattern(pattern);
  if (!all.some((piece) => piece.kind === 'field')) {
    throw usageFailure('the format names no field', 'see `tidemark produce --format help`');
  }
  const last = all.at(-1)!;
  const terminator = last.kind === 'literal' ? last.bytes : Buffer.from('\n');
  const pieces = last.kind === 'literal' ? all.slice(0, -1) : all;
  const { prefix, steps } = compileSteps(pieces);
  const inner = pieces.reduce(
    (sum, piece) => sum + (piece.kind === 'literal' ? occurrences(piece.bytes, terminator) : 0),
    0,
  );
  return {
    terminator,
    terminatorsPerRecord: inner + 1,
    hasKey: all.some((piece) => piece.kind === 'field' && piece.letter === 'k'),
    parse: (bytes, number) => parseRecord(pattern, prefix, steps, bytes, number),
  };
}

function parseRecord(
  pattern: string,
  prefix: Buffer,
  steps: readonly Step[],
  bytes: Buffer,
  number: number,
): ParsedRecord {
  const record: ParsedRecord = {
    key: null,
    value: null,
    partition: undefined,
    timestampMs: undefined,
    headers: [],
  };
  const fail = (why: string, cause?: unknown): Error =>
    new CommandFailure(`record ${number} of the input does not match the format "${pattern}": ${why}`, {
      hint: 'see `tidemark produce --format help`; the records before it are on their way',
      cause,
    });
  if (prefix.length > 0 && !bytes.subarray(0, prefix.length).equals(prefix)) {
    throw fail(`it does not begin with ${JSON.stringify(prefix.toString())}`);
  }
  let at = prefix.length;
  for (const { field, until } of steps) {
    const end = until === undefined ? bytes.length : bytes.indexOf(until, at);
    if (end === -1) throw fail(`${JSON.stringify(until!.toString())} is missing`);
    try {
      field(record, bytes.subarray(at, end));
    } catch (error) {
      if (error instanceof SyntaxError) throw fail(error.message, error);
      throw error;
    }
    at = end + (until?.length ?? 0);
  }
  return record;
}
