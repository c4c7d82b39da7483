// A record's place in a trace: the headers `traceparent` and `tracestate` of W3C Trace Context, in ASCII, as other Kafka clients write
// them. They travel as any header does; brokers do not read them.
import { Buffer } from 'node:buffer';
import { context, trace } from '@opentelemetry/api';
import type { SpanContext } from '@opentelemetry/api';
import { TRACE_PARENT, TRACE_STATE, formatTraceParent, parseTraceParent } from '@tidemark/core';
import type { RecordHeader } from '@tidemark/record';

const ascii = (value: Uint8Array): string =>
  Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');

/** The headers, and those of the active span; as they are when there is none or they name one themselves. */
export function withTraceContext(headers: readonly RecordHeader[]): readonly RecordHeader[] {
  const active = trace.getSpanContext(context.active());
  if (active === undefined || headers.some(({ key }) => key === TRACE_PARENT)) return headers;
  const { traceId, spanId, traceFlags, traceState } = active;
  const parent = formatTraceParent({ traceId, spanId, flags: traceFlags });
  // What is not valid (the span of nobody) is nothing to go on from.
  if (parseTraceParent(parent) === undefined) return headers;
  const added: RecordHeader[] = [...headers, { key: TRACE_PARENT, value: Buffer.from(parent, 'latin1') }];
  const state = traceState?.serialize() ?? '';
  if (state !== '') added.push({ key: TRACE_STATE, value: Buffer.from(state, 'latin1') });
  return added;
}

/** The value of `traceparent`, if it is one; else empty. */
export function traceParentIn(headers: readonly RecordHeader[]): string {
  for (const { key, value } of headers) {
    if (key !== TRACE_PARENT || value === null) continue;
    const text = ascii(value);
    return parseTraceParent(text) === undefined ? '' : text;
  }
  return '';
}

/** Without the state of tracing systems: that stays in its header. */
export function traceContextIn(headers: readonly RecordHeader[]): SpanContext | undefined {
  const parent = parseTraceParent(traceParentIn(headers));
  if (parent === undefined) return undefined;
  const { traceId, spanId, flags } = parent;
  return { traceId, spanId, traceFlags: flags, isRemote: true };
}
