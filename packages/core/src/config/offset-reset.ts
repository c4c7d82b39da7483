// The values of `auto.offset.reset`: the end, the start, an error, or so long ago (KIP-1106). Durations are those of java.time.Duration,
// so that a value taken from a Kafka client means the same here.

import type { ConfigValue } from './descriptor.ts';

export type OffsetReset =
  | { readonly kind: 'latest' | 'earliest' | 'none' }
  | { readonly kind: 'by-duration'; readonly durationMs: number };

const PREFIX = 'by_duration:';
const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i;

/** Undefined for anything else. */
export function parseOffsetReset(text: string): OffsetReset | undefined {
  if (text === 'latest' || text === 'earliest' || text === 'none') return { kind: text };
  const match = text.startsWith(PREFIX) ? DURATION.exec(text.slice(PREFIX.length)) : null;
  // A group that took no part is undefined.
  const parts: readonly (string | undefined)[] = match?.slice(1) ?? [];
  if (parts.every((part) => part === undefined)) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map((part) => Number(part ?? 0));
  const durationMs = Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
  return Number.isSafeInteger(durationMs) ? { kind: 'by-duration', durationMs } : undefined;
}

export function offsetResetProblem(value: ConfigValue) {
  if (parseOffsetReset(String(value)) !== undefined) return undefined;
  return {
    cause: 'is none of latest, earliest, none and by_duration:DURATION',
    remedy: 'Give one of them; a duration is written as in by_duration:PT1H30M or by_duration:P7D.',
  };
}
