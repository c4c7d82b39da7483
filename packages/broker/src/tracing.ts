// Spans of what this broker does, by OpenTelemetry's API alone: whoever wants them registers a tracer in the process
// (docs/operations.md, Traces). Without one this costs a look, tens of nanoseconds a request; what the sampler leaves out costs what
// the tracer takes for it. Nothing is done for a record.
//
// Contract: the broker never reads a record for this. A call's place in a trace is `traceparent` in its gRPC metadata, or in the message
// where a stream outlives the call; what is malformed is passed over.

import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import type { Metadata } from '@grpc/grpc-js';
import { parseTraceParent, TRACE_PARENT, type BrokerId, type Clock } from '@tidemark/core';
import type { Named, ProduceStage, ProduceTrace, ReplicaObserver } from '@tidemark/runtime';
import { VERSION } from './version.ts';

/** Of one request; what has more would fill a trace with what nobody looks at. */
const MAX_TRACED_PARTITIONS = 16;

/** What the API gives while nobody has registered anything. Where it has no such answer, the tracer it hands out does nothing by itself. */
interface MaybeUnregistered {
  getDelegateTracer?(name: string, version: string): Tracer | undefined;
}

/** The tracer somebody has registered in this process; it may come later than the broker, and stays. */
export function registeredTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider() as TracerProvider & MaybeUnregistered;
  if (provider.getDelegateTracer !== undefined) return provider.getDelegateTracer('tidemark', VERSION);
  return provider.getTracer('tidemark', VERSION);
}

export function traceParentOf(metadata: Metadata): string | undefined {
  const [sent] = metadata.get(TRACE_PARENT);
  return typeof sent === 'string' ? sent : undefined;
}

function contextOf(traceParent: string | undefined): Context {
  const found = traceParent === undefined ? undefined : parseTraceParent(traceParent);
  if (found === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, flags } = found;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true });
}

/** Spans begin and end by the node's monotonic clock, laid on its wall clock once a span. */
class SpanTime {
  readonly #clock: Clock;
  readonly #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.wallMs() - clock.monotonicMs();
  }

  /** Of a moment on the monotonic clock; now, if none is given. */
  at(monotonicMs = this.#clock.monotonicMs()): number {
    return this.#offsetMs + monotonicMs;
  }
}

/** One span of a request, which ends once. */
export class RequestSpan {
  readonly #span: Span;
  readonly #time: SpanTime;

  constructor(span: Span, time: SpanTime) {
    this.#span = span;
    this.#time = time;
  }

  protected get span(): Span {
    return this.#span;
  }

  protected get time(): SpanTime {
    return this.#time;
  }

  /** `failure`: what is in the answer or was thrown; the first of them is named. */
  end(attributes: Attributes, failure?: string): void {
    this.#span.setAttributes(attributes);
    if (failure !== undefined) this.#span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    this.#span.end(this.#time.at());
  }
}

/** A produce request: a span for the whole of it, and beneath it one for each stage of each partition. */
export class ProduceSpan extends RequestSpan implements ProduceTrace {
  readonly #tracer: Tracer;
  readonly #context: Context;
  readonly #partitions = new Set<string>();

  constructor(span: Span, time: SpanTime, tracer: Tracer) {
    super(span, time);
    this.#tracer = tracer;
    this.#context = trace.setSpan(ROOT_CONTEXT, span);
  }

  staged(stage: ProduceStage, { topic, partition }: Named, durationMs: number): void {
    const name = `${topic ?? ''}-${partition}`;
    if (!this.#partitions.has(name)) {
      if (this.#partitions.size >= MAX_TRACED_PARTITIONS) return;
      this.#partitions.add(name);
    }
    const attributes = partitionAttributes(topic, partition);
    const now = this.time.at();
    // Append and replicate together are what it took; the moment it was over is an event of the whole.
    if (stage === 'high_watermark') this.span.addEvent('high watermark', attributes, now);
    else {
      const startTime = now - durationMs;
      this.#tracer.startSpan(stage, { startTime, attributes }, this.#context).end(now);
    }
  }
}

const partitionAttributes = (topic: string | undefined, partition: number): Attributes => ({
  'messaging.destination.name': topic ?? '',
  'messaging.destination.partition.id': String(partition),
});

export class Tracing {
  readonly #find: () => Tracer | undefined;
  readonly #clock: Clock;
  #found: Tracer | undefined;

  /** `find` is asked until it answers. */
  constructor(find: () => Tracer | undefined, clock: Clock) {
    this.#find = find;
    this.#clock = clock;
  }

  /** `receivedMs` on the monotonic clock: what the request waits for memory belongs to it. Undefined: it is not traced. */
  produce(traceParent: string | undefined, receivedMs: number): ProduceSpan | undefined {
    const tracer = this.#tracer;
    if (tracer === undefined) return undefined;
    const time = new SpanTime(this.#clock);
    const options = { kind: SpanKind.SERVER, startTime: time.at(receivedMs) };
    const span = tracer.startSpan('produce', options, contextOf(traceParent));
    return span.isRecording() ? new ProduceSpan(span, time, tracer) : undefined;
  }

  /** A long poll (`fetch`), or one push of a stream (`push`). */
  fetch(name: 'fetch' | 'push', traceParent: string | undefined): RequestSpan | undefined {
    const tracer = this.#tracer;
    if (tracer === undefined) return undefined;
    const time = new SpanTime(this.#clock);
    const options = { kind: SpanKind.SERVER, startTime: time.at() };
    const span = tracer.startSpan(name, options, contextOf(traceParent));
    return span.isRecording() ? new RequestSpan(span, time) : undefined;
  }

  /** What the replica manager tells whoever measures, and a span for every answer of a leader that was written here. */
  beside(metrics: ReplicaObserver): ReplicaObserver {
    return {
      staged: (stage, durationMs) => metrics.staged(stage, durationMs),
      isrChanged: (change) => metrics.isrChanged(change),
      followed: (partition, leader, bytes, durationMs) => {
        metrics.followed(partition, leader, bytes, durationMs);
        this.#followed(partition, leader, bytes, durationMs);
      },
    };
  }

  get #tracer(): Tracer | undefined {
    return (this.#found ??= this.#find());
  }

  #followed(partition: string, leader: BrokerId, bytes: number, durationMs: number): void {
    const tracer = this.#tracer;
    if (tracer === undefined) return;
    const now = this.#clock.wallMs();
    const options = { kind: SpanKind.CONSUMER, startTime: now - durationMs };
    const span = tracer.startSpan('follow', options, ROOT_CONTEXT);
    if (!span.isRecording()) return;
    const attributes = {
      'tidemark.partition': partition,
      'tidemark.leader_id': leader,
      'tidemark.bytes': bytes,
    };
    span.setAttributes(attributes);
    span.end(now);
  }
}
