// The produce stream to one broker: a window of requests in flight, answers matched by correlation id. When the stream breaks
// or an answer stays out too long the stream is given up and every request in flight fails, oldest first: what became of them
// is not known. A stream that was given up sends nothing more.
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import { errorFromStatus, logService } from '@tidemark/rpc';
import type { CallDefinition, Channel, ProduceStreamMessage, ResponseOf } from '@tidemark/rpc';

type StreamAnswer = ResponseOf<typeof logService.ProduceStream>;
export type ProduceAnswer = NonNullable<StreamAnswer['response']>;
type Stream = ClientDuplexStream<ProduceStreamMessage, StreamAnswer>;

export interface ProduceConnectionOptions<Request> {
  readonly channel: Channel;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  /** Requests in flight at most. */
  readonly window: number;
  /** `answer` is undefined when none is expected (acks=0) and the request has been written. */
  readonly onAnswer: (request: Request, answer: ProduceAnswer | undefined) => void;
  /** The outcome of all of them is unknown. */
  readonly onBroken: (requests: readonly Request[], error: TidemarkError) => void;
  /** A request is out for so long that the broker may be gone without a word. Told again and again while it is. */
  readonly onSlow: () => void;
}

/** Long for an append on several disks, short for a broker's session. */
export const SLOW_ANSWER_MS = 1_500;

interface Pending<Request> {
  readonly request: Request;
  readonly sentMs: number;
  /** When it counts as slow, or as slow still. */
  slowMs: number;
  readonly deadlineMs: number;
}

const method: CallDefinition<ProduceStreamMessage, StreamAnswer> = {
  path: logService.ProduceStream.path,
  requestSerialize: (message) => message.asBuffer(),
  responseDeserialize: logService.ProduceStream.responseDeserialize,
};

export class ProduceConnection<Request> {
  readonly #options: ProduceConnectionOptions<Request>;
  readonly #pending = new Map<number, Pending<Request>>();
  #stream: Stream | undefined;
  #timer: Timer | undefined;

  constructor(options: ProduceConnectionOptions<Request>) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** Those in flight, the oldest first. */
  get requests(): Iterable<Request> {
    return [...this.#pending.values()].map(({ request }) => request);
  }

  /** Its oldest request is out for so long that the broker may be gone without a word. */
  get isSlow(): boolean {
    const [oldest] = this.#pending.values();
    return oldest !== undefined && this.#options.clock.monotonicMs() - oldest.sentMs >= SLOW_ANSWER_MS;
  }

  get hasRoom(): boolean {
    return this.#pending.size < this.#options.window;
  }

  /** `message` carries `correlationId`. There must be room. */
  send(correlationId: number, message: ProduceStreamMessage, request: Request, expectAnswer: boolean): void {
    const { clock, requestTimeoutMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const deadlineMs = nowMs + requestTimeoutMs;
    this.#pending.set(correlationId, { request, sentMs: nowMs, deadlineMs, slowMs: nowMs + SLOW_ANSWER_MS });
    this.#watch();
    const stream = (this.#stream ??= this.#open());
    stream.write(message, () => {
      if (!expectAnswer && stream === this.#stream) this.#answered(correlationId, undefined);
    });
  }

  /** Lets what was written arrive: without answers (acks=0) the end of the stream is the only sign that it did. */
  finish(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return Promise.resolve();
    this.#stream = undefined;
    return new Promise((resolve) => {
      stream.on('end', resolve);
      stream.on('error', () => resolve());
      stream.end();
    });
  }

  /** As if it had broken: what became of the requests in flight is not known. */
  giveUp(error: TidemarkError): void {
    this.#break(error);
  }

  /** Nothing is told of what was in flight. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pending.clear();
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
  }

  #open(): Stream {
    const stream: Stream = this.#options.channel.stream(method);
    // A stream that was given up still reports its end; only the present one counts.
    const broken = (error: unknown): void => {
      if (stream === this.#stream) this.#break(errorFromStatus(error, this.#options.channel.address));
    };
    stream.on('data', (answer: StreamAnswer) => {
      if (stream === this.#stream && answer.response !== null) {
        this.#answered(answer.correlationId, answer.response);
      }
    });
    stream.on('error', broken);
    stream.on('end', () => {
      broken(
        new TidemarkError('NETWORK_EXCEPTION', `${this.#options.channel.address} ended the produce stream`),
      );
    });
    return stream;
  }

  #answered(correlationId: number, answer: ProduceAnswer | undefined): void {
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) return;
    this.#pending.delete(correlationId);
    this.#options.onAnswer(pending.request, answer);
  }

  #break(error: TidemarkError): void {
    const requests = [...this.#pending.values()].map(({ request }) => request);
    this.close();
    this.#options.onBroken(requests, error);
  }

  /** One timer for the oldest request; answers may overtake each other, so it looks again when it fires. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    const [oldest] = this.#pending.values();
    if (oldest === undefined) return;
    const { clock, requestTimeoutMs, channel, onSlow } = this.#options;
    const dueMs = Math.min(oldest.slowMs, oldest.deadlineMs);
    const delayMs = Math.max(0, Math.ceil(dueMs - clock.monotonicMs()));
    this.#timer = clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      const [first] = this.#pending.values();
      if (first === undefined) return;
      const nowMs = clock.monotonicMs();
      if (first.deadlineMs <= nowMs) {
        const text = `${channel.address} did not answer in ${requestTimeoutMs} ms`;
        this.#break(new TidemarkError('REQUEST_TIMED_OUT', text));
        return;
      }
      if (first.slowMs <= nowMs) {
        first.slowMs = nowMs + SLOW_ANSWER_MS;
        onSlow();
      }
      this.#watch();
    });
  }
}
