// Where a trace goes on, as W3C Trace Context writes it down in `traceparent`: version, trace id, span id and flags. Field names only;
// who makes spans of it is the edge's business.

/** The gRPC metadata and the record header that carry it, and the one beside it that belongs to tracing systems. */
export const TRACE_PARENT = 'traceparent';
export const TRACE_STATE = 'tracestate';

export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** 16 of them, not all 0. */
  readonly spanId: string;
  /** Bit 0: sampled. */
  readonly flags: number;
}

const PATTERN = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ONLY_ZEROS = /^0+$/;
/** Longer ones are of a version nobody has written yet. */
const MAX_LENGTH = 256;

/** Undefined: not one, as the specification tells readers to take it; a version after 00 may be longer. */
export function parseTraceParent(text: string): TraceParent | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const found = PATTERN.exec(text);
  if (found === null) return undefined;
  const [, version, traceId, spanId, flags, rest] = found;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (ONLY_ZEROS.test(traceId!) || ONLY_ZEROS.test(spanId!)) return undefined;
  return { traceId: traceId!, spanId: spanId!, flags: Number.parseInt(flags!, 16) };
}

export function formatTraceParent({ traceId, spanId, flags }: TraceParent): string {
  return `00-${traceId}-${spanId}-${(flags & 0xff).toString(16).padStart(2, '0')}`;
}
