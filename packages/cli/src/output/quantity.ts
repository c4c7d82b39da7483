// Numbers as people read them: bytes in binary units, rates, durations. Parsing is the exact inverse only where a flag needs
// it (`parseDurationMs`, `parseCount`).
import { usageFailure } from '../exit.ts';

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** 1536 -> `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || Number.isInteger(value) ? 0 : value < 10 ? 2 : 1;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]!}`;
}

/** 1234567 -> `1,234,567`; the same in every locale. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Milliseconds as `0.12 ms`, `3.4 ms`, `1.25 s`, `2m 05s`. */
export function formatMs(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 1_000) return `${ms.toFixed(1)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `500ms`, `10s`, `2m`, `1h`, `7d`; a bare number is seconds. Answers whole milliseconds. */
export function parseDurationMs(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  if (match === null)
    throw usageFailure(`${what} must be a duration such as 500ms, 10s or 2m, but is "${text}"`);
  return Math.round(Number(match[1]) * DURATION_UNITS[match[2] ?? 's']!);
}

const COUNT_UNITS: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9 };

/** `1000`, `1k`, `2.5m`: a whole number from `minimum` on. */
export function parseCount(text: string, what: string, minimum = 0): number {
  const match = /^(\d+(?:\.\d+)?)([kmg])?$/i.exec(text.replaceAll('_', ''));
  const value =
    match === null
      ? Number.NaN
      : Number(match[1]) * COUNT_UNITS[match[2]?.toLowerCase() ?? '']! || Number(match[1]);
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw usageFailure(`${what} must be a whole number of at least ${minimum}, but is "${text}"`);
  }
  return value;
}

/** `100`, `1KiB`, `1KB`, `4MiB`: bytes, a whole number from 1 on. KB and KiB both mean 1024, as in Kafka's tools. */
export function parseBytes(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmg])i?)?b?$/i.exec(text);
  const power = match?.[2] === undefined ? 0 : 'kmg'.indexOf(match[2].toLowerCase()) + 1;
  const value = match === null ? Number.NaN : Number(match[1]) * 1024 ** power;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw usageFailure(`${what} must be a size in bytes such as 100 or 1KiB, but is "${text}"`);
  }
  return value;
}
