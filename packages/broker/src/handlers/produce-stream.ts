// LogService.ProduceStream: requests are appended in the order they come and answered as their acks are satisfied, out of order if
// need be. The stream is read no further while too much of it is in flight, or while the node has no memory for more; so a fast
// producer is slowed by HTTP/2's own flow control and by nothing else.

import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  MalformedRequest,
  UndecodableRequest,
  type ProduceStreamAnswer,
  type ProduceStreamRequestOutput,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import { callEnded, endWhenClosing, endWith } from '../grpc-call.ts';
import type { CallerQuotas } from '../quotas/client-quotas.ts';
import { ANONYMOUS_CALLER, callerOf } from '../security/callers.ts';
import { topicPermission, type TopicPermission } from '../security/topic-permission.ts';
import { traceParentOf } from '../tracing.ts';
import { recordBytes, startProduce, type ProduceArrival } from './produce-partitions.ts';

/** Requests and bytes of one stream that may be in flight: enough to keep a disk busy, few enough to bound what one peer holds. */
const MAX_IN_FLIGHT = 256;
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024;
/** Answers that may wait for a peer that does not read them; at the bound its requests are not read either. */
const MAX_UNREAD_ANSWERS = 1024;
/** And partitions in them: one is two bytes in a request and three hundred in an answer. */
const MAX_UNREAD_RESULTS = 10_000;

type Call = ServerDuplexStream<ProduceStreamRequestOutput | UndecodableRequest, ProduceStreamAnswer>;

export function produceStream(context: BrokerContext): (call: Call) => void {
  const metrics = context.metrics.rpc('ProduceStream');
  return (call) => {
    const ended = callEnded(call);
    const stream = new ProduceStream(context, call);
    // What was taken is still answered; the client sends the rest elsewhere.
    endWhenClosing(context, call, ended, () => stream.drained());
    metrics.streams += 1;
    void ended.then(() => {
      metrics.streams -= 1;
      stream.close();
    });
  };
}

class ProduceStream {
  readonly #context: BrokerContext;
  readonly #call: Call;
  /** Of the stream, for requests that say nothing themselves. */
  readonly #traceParent: string | undefined;
  readonly #permission: TopicPermission;
  readonly #quota: CallerQuotas;
  #inFlight = 0;
  #inFlightBytes = 0;
  #unread = 0;
  #unreadResults = 0;
  #ended = false;
  #closed = false;
  /** A request that came but has no memory yet. While there is one, nothing is read. */
  #waiting = false;
  #draining = false;
  /** The caller has used up a quota. While he has, nothing is read. */
  #throttled = false;
  #onDrained: (() => void) | undefined;

  constructor(context: BrokerContext, call: Call) {
    this.#context = context;
    this.#call = call;
    this.#traceParent = traceParentOf(call.metadata);
    this.#permission = topicPermission(context, call, 'write');
    this.#quota = context.quotas.of(callerOf(call) ?? ANONYMOUS_CALLER);
    limitReadAhead(call);
    call.on('data', (request: ProduceStreamRequestOutput | UndecodableRequest) => this.#take(request));
    call.on('end', () => {
      this.#ended = true;
      this.#maybeEnd();
    });
    // Another stream may have used it up.
    this.#throttle();
  }

  close(): void {
    this.#closed = true;
  }

  /** Takes nothing more, and resolves when everything that was taken is answered. */
  drained(): Promise<void> {
    this.#draining = true;
    this.#call.pause();
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }

  #take(message: ProduceStreamRequestOutput | UndecodableRequest): void {
    if (this.#closed) return;
    if (message instanceof UndecodableRequest) {
      this.#fail(new MalformedRequest(message.reason));
      return;
    }
    const { request } = message;
    if (request === null) {
      this.#fail(new MalformedRequest('a message has no request'));
      return;
    }
    const receivedMs = this.#context.clock.monotonicMs();
    const bytes = recordBytes(request);
    const arrival = { bytes, receivedMs, traceParent: message.traceparent || this.#traceParent };
    const budget = this.#context.replicas.requestBudget;
    this.#inFlight += 1;
    this.#inFlightBytes += bytes;
    if (budget.tryTake(bytes)) {
      this.#run(message.correlationId, request, arrival);
    } else {
      this.#waiting = true;
      void budget.take(bytes).then((taken) => {
        this.#waiting = false;
        if (taken) this.#run(message.correlationId, request, arrival);
        else {
          this.#inFlight -= 1;
          this.#inFlightBytes -= bytes;
          this.#end(status.RESOURCE_EXHAUSTED, 'too many requests wait for memory: try again later');
        }
        this.#flow();
      });
    }
    this.#flow();
  }

  #run(
    correlationId: number,
    request: NonNullable<ProduceStreamRequestOutput['request']>,
    arrival: ProduceArrival,
  ): void {
    const { bytes } = arrival;
    const { clock, metrics, replicas } = this.#context;
    const startedMs = clock.monotonicMs();
    const rpc = metrics.rpc('ProduceStream');
    rpc.requestBytes += bytes;
    const throttleMs = Math.max(
      this.#quota.use('producer_byte_rate', bytes),
      this.#quota.waitMs('request_percentage'),
    );
    const done = (): void => {
      this.#inFlight -= 1;
      this.#inFlightBytes -= bytes;
      this.#flow();
      this.#maybeEnd();
    };
    try {
      const { acks, answer, released } = startProduce(this.#context, request, arrival, this.#permission);
      void released.then(() => replicas.requestBudget.giveBack(bytes));
      answer.then(
        (response) => {
          rpc.observe(
            clock.monotonicMs() - startedMs,
            response.results.some((each) => each.error !== undefined),
          );
          const told = throttleMs === 0 ? response : { ...response, throttleMs };
          if (acks !== 'none') this.#answer({ correlationId, response: told });
          done();
        },
        (thrown: unknown) => {
          this.#fail(thrown);
          done();
        },
      );
    } catch (thrown) {
      replicas.requestBudget.giveBack(bytes);
      this.#fail(thrown);
      done();
    }
    this.#quota.use('request_percentage', clock.monotonicMs() - startedMs);
    this.#throttle();
  }

  /** Reads nothing as long as the caller is over a quota. What he sends meanwhile fills HTTP/2's window and stays with him. */
  #throttle(): void {
    const quota = this.#quota;
    if (this.#throttled) return;
    if (quota.waitMs('producer_byte_rate') === 0 && quota.waitMs('request_percentage') === 0) return;
    this.#throttled = true;
    this.#flow();
    const isOver = (): boolean => this.#closed;
    const ready = Promise.all([
      quota.ready('producer_byte_rate', isOver),
      quota.ready('request_percentage', isOver),
    ]);
    void ready.then(() => {
      this.#throttled = false;
      this.#flow();
    });
  }

  #answer(answer: ProduceStreamAnswer): void {
    if (this.#closed || this.#call.cancelled) return;
    const results = answer.response.results.length;
    this.#unread += 1;
    this.#unreadResults += results;
    this.#call.write(answer, () => {
      this.#unread -= 1;
      this.#unreadResults -= results;
      this.#flow();
    });
  }

  /** Reads on, or not. */
  #flow(): void {
    if (this.#closed) return;
    const full =
      this.#draining ||
      this.#throttled ||
      this.#waiting ||
      this.#inFlight >= MAX_IN_FLIGHT ||
      this.#inFlightBytes >= MAX_IN_FLIGHT_BYTES ||
      this.#unread >= MAX_UNREAD_ANSWERS ||
      this.#unreadResults >= MAX_UNREAD_RESULTS;
    if (full) this.#call.pause();
    else if (this.#call.isPaused()) this.#call.resume();
  }

  #maybeEnd(): void {
    if (this.#inFlight === 0) this.#onDrained?.();
    if (this.#ended && this.#inFlight === 0 && !this.#closed) this.#call.end();
  }

  #fail(thrown: unknown): void {
    endWith(this.#context, this.#call, thrown);
    this.#closed = true;
  }

  #end(code: status, details: string): void {
    if (!this.#call.cancelled) this.#call.emit('error', { code, details });
    this.#closed = true;
  }
}

/**
 * A grpc-js call reads 16 messages ahead of its handler, which at a megabyte or a hundred each is memory nobody counted. At 0 a
 * stream that is paused reads nothing. Node gives no way to set this after construction but the state object.
 */
function limitReadAhead(call: Call): void {
  const { _readableState: state } = call as unknown as { _readableState: { highWaterMark: number } };
  state.highWaterMark = 0;
}
