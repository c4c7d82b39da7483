// A tracer that keeps its spans in memory, made by hand: the API is all this project depends on.

import {
  isSpanContextValid,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  type SpanOptions,
  type SpanStatus,
  type TimeInput,
  type Tracer,
} from '@opentelemetry/api';

export class CollectedSpan implements Span {
  readonly name: string;
  readonly parent: SpanContext | undefined;
  readonly attributes: Attributes;
  readonly events: { readonly name: string; readonly attributes: Attributes }[] = [];
  readonly startMs: number;
  endMs: number | undefined;
  status: SpanStatus | undefined;
  readonly #context: SpanContext;
  readonly #isSampled: boolean;

  constructor(
    name: string,
    { attributes = {}, startTime }: SpanOptions,
    parent: SpanContext | undefined,
    id: number,
    isSampled: boolean,
  ) {
    this.name = name;
    this.parent = parent;
    this.attributes = { ...attributes };
    this.startMs = startTime as number;
    this.#isSampled = isSampled;
    this.#context = {
      traceId: parent?.traceId ?? id.toString(16).padStart(32, '0'),
      spanId: id.toString(16).padStart(16, '0'),
      traceFlags: isSampled ? 1 : 0,
    };
  }

  spanContext(): SpanContext {
    return this.#context;
  }
  setAttribute(key: string, value: Attributes[string]): this {
    if (value !== undefined) this.attributes[key] = value;
    return this;
  }
  setAttributes(attributes: Attributes): this {
    Object.assign(this.attributes, attributes);
    return this;
  }
  addEvent(name: string, attributes?: Attributes | TimeInput): this {
    this.events.push({ name, attributes: (attributes ?? {}) as Attributes });
    return this;
  }
  addLink(): this {
    return this;
  }
  addLinks(): this {
    return this;
  }
  setStatus(status: SpanStatus): this {
    this.status = status;
    return this;
  }
  updateName(): this {
    return this;
  }
  end(endTime?: TimeInput): void {
    if (this.endMs !== undefined) throw new Error(`${this.name} ends twice`);
    this.endMs = endTime as number;
  }
  isRecording(): boolean {
    return this.#isSampled;
  }
  recordException(): void {
    throw new Error('nobody records exceptions');
  }
}

export class SpanCollector implements Tracer {
  readonly spans: CollectedSpan[] = [];
  /** What a sampler would decide. */
  isSampling = true;
  #nextId = 1;

  startSpan(name: string, options: SpanOptions = {}, context?: Context): Span {
    const parent = context === undefined ? undefined : trace.getSpanContext(context);
    const known = parent !== undefined && isSpanContextValid(parent) ? parent : undefined;
    const span = new CollectedSpan(name, options, known, this.#nextId++, this.isSampling);
    this.spans.push(span);
    return span;
  }

  startActiveSpan(): never {
    throw new Error('the broker has no active span');
  }

  named(name: string): readonly CollectedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }
}
