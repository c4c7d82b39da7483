// The offset grammar of `--from`, the same wherever the command takes an offset:
//   start | end | 47 | +2 (two after the start) | -3 (three before the end) | @2026-01-01T00:00:00Z | @1767225600000 | @-90m
// Parsing needs only the text and the time; where it lands in a partition is `startingOffset`.
import { usageFailure } from './exit.ts';
import { parseDurationMs } from './output/quantity.ts';

export type OffsetSpec =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'exact'; readonly offset: number }
  | { readonly kind: 'after-start'; readonly count: number }
  | { readonly kind: 'before-end'; readonly count: number }
  | { readonly kind: 'timestamp'; readonly timestampMs: number };

export const OFFSET_GRAMMAR =
  'start, end, 47, +2 (after the start), -3 (before the end), @2026-01-01T00:00:00Z, @UNIX-MS or @-1h';

const bad = (text: string, why: string): Error =>
  usageFailure(`"${text}" is not a position: ${why}`, `use ${OFFSET_GRAMMAR}`);

/** Digits of a Unix time say its unit, as in rpk: 10 seconds, 13 milliseconds. */
function parseUnixTime(digits: string, text: string): number {
  if (digits.length <= 10) return Number(digits) * 1_000;
  if (digits.length <= 13) return Number(digits);
  throw bad(text, 'a Unix time has 10 digits (seconds) or 13 (milliseconds)');
}

/** A date (midnight) or date and time; without a zone it is UTC, so that a script means the same everywhere. */
function parseIsoTime(iso: string, text: string): number {
  const zoned = /^\d{4}-\d{2}-\d{2}T[\d:.]+$/.test(iso) ? `${iso}Z` : iso;
  const ms = /^\d{4}-\d{2}-\d{2}(?:$|T)/.test(zoned) ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(ms)) throw bad(text, 'after @ comes a date, a date and time, a Unix time or -DURATION');
  return ms;
}

function parseCountOf(digits: string, text: string): number {
  const count = Number(digits);
  if (!/^\d+$/.test(digits) || !Number.isSafeInteger(count)) throw bad(text, 'the number is not whole');
  return count;
}

/** `nowMs` is wall time, for `@-DURATION`. Throws a usage failure. */
export function parseOffsetSpec(text: string, nowMs: number): OffsetSpec {
  switch (text) {
    case 'start':
    case 'earliest':
    case 'beginning':
      return { kind: 'start' };
    case 'end':
    case 'latest':
      return { kind: 'end' };
    default:
  }
  const rest = text.slice(1);
  switch (text.charAt(0)) {
    case '+':
      return { kind: 'after-start', count: parseCountOf(rest, text) };
    case '-':
      return { kind: 'before-end', count: parseCountOf(rest, text) };
    case '@': {
      if (/^\d+$/.test(rest)) return { kind: 'timestamp', timestampMs: parseUnixTime(rest, text) };
      if (rest.startsWith('-')) {
        return { kind: 'timestamp', timestampMs: nowMs - parseDurationMs(rest.slice(1), `"${text}"`) };
      }
      return { kind: 'timestamp', timestampMs: parseIsoTime(rest, text) };
    }
    default:
      if (/^\d+$/.test(text)) return { kind: 'exact', offset: parseCountOf(text, text) };
      throw bad(text, 'no such word');
  }
}

export interface PartitionRange {
  /** First offset the partition holds. */
  readonly startOffset: number;
  /** The high watermark: one past the last readable record. */
  readonly endOffset: number;
}

export interface StartingOffset {
  /** Where to fetch from, always inside the range. */
  readonly offset: number;
  /** Records below it were not asked for; drop them. Differs from `offset` only for an exact offset that lies in the future. */
  readonly skipBelow: number;
  /** Records asked for that the partition no longer holds. */
  readonly missing: number;
}

/**
 * Where a partition is read from. `timestampOffset` is what the server answered for a timestamp; undefined means that no
 * record is at or after it, so reading begins at the end.
 */
export function startingOffset(
  spec: OffsetSpec,
  range: PartitionRange,
  timestampOffset: number | undefined,
): StartingOffset {
  const within = (offset: number): number => Math.min(Math.max(offset, range.startOffset), range.endOffset);
  const at = (offset: number): StartingOffset => ({ offset, skipBelow: offset, missing: 0 });
  switch (spec.kind) {
    case 'start':
      return at(range.startOffset);
    case 'end':
      return at(range.endOffset);
    case 'after-start':
      return at(within(range.startOffset + spec.count));
    case 'before-end':
      return at(within(range.endOffset - spec.count));
    case 'timestamp':
      return at(within(timestampOffset ?? range.endOffset));
    case 'exact':
      return {
        offset: within(spec.offset),
        skipBelow: Math.max(spec.offset, range.startOffset),
        missing: Math.max(range.startOffset - spec.offset, 0),
      };
  }
}
