// Channel: one HTTP/2 connection to one server, with the options grpc-js needs in order to notice a dead peer and to come back
// soon. Every unary call has a deadline. A connection attempt that gets nowhere is thrown away and made anew: a peer that
// accepts TCP and never sends SETTINGS would leave grpc-js CONNECTING for ever (grpc-node#2785, keepalive does not help), and
// one that refused a connection before it fell silent in TRANSIENT_FAILURE, which it says until an attempt succeeds.
import { Client, Metadata, connectivityState, credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream, ClientUnaryCall, Interceptor } from '@grpc/grpc-js';
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import { ChannelIdentity, type ScramLogin } from './channel-identity.ts';
import { nodeClock } from './node-clock.ts';
import { errorFromStatus } from './status-error.ts';

/** The part of a generated method definition that a caller needs. */
export interface CallDefinition<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** What a method takes and gives, by its definition: `ResponseOf<typeof clusterService.GetMetadata>`. */
export type RequestOf<Method> = Method extends { requestSerialize: (request: infer T) => Buffer } ? T : never;
export type ResponseOf<Method> = Method extends { responseDeserialize: (bytes: Buffer) => infer T }
  ? T
  : never;

export interface ChannelOptions {
  /** Where time-outs come from. Default: Node's. */
  readonly clock?: Clock;
  /** Deadline of a unary call that names none, in ms. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** How long a connection attempt may take before it is thrown away and made anew, in ms. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** A ping after this long without traffic while a call is open, in ms. Default 10,000. */
  readonly keepaliveTimeMs?: number;
  /** The connection is dead when a ping is not answered within this, in ms. Default 5,000. */
  readonly keepaliveTimeoutMs?: number;
  /** The longest pause between two connection attempts, in ms. Default 1,000; the first one is 50. */
  readonly maxReconnectBackoffMs?: number;
  /** The largest message taken from the server, in bytes. Default 128 MiB. */
  readonly maxReceiveBytes?: number;
  /** HTTP/2 flow control window for what the server sends, in bytes. Default 1 MiB. */
  readonly flowControlWindowBytes?: number;
  /** Default: plaintext. */
  readonly credentials?: ChannelCredentials;
  /** `client.id`: told with every call. */
  readonly clientId?: string;
  /** For a listener that wants to know who calls. */
  readonly login?: ScramLogin;
}

export interface CallOptions {
  /** In ms; default: the channel's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

const MIB = 1024 * 1024;

/** The house's grpc-js options. Retries, proxies and service configs are off: retrying is the caller's, who knows the order. */
function grpcOptions(options: ChannelOptions): Record<string, number> {
  const maxReconnectBackoffMs = options.maxReconnectBackoffMs ?? 1000;
  return {
    'grpc.keepalive_time_ms': options.keepaliveTimeMs ?? 10_000,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs ?? 5000,
    'grpc.initial_reconnect_backoff_ms': Math.min(50, maxReconnectBackoffMs),
    'grpc.max_reconnect_backoff_ms': maxReconnectBackoffMs,
    'grpc.max_receive_message_length': options.maxReceiveBytes ?? 128 * MIB,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': options.flowControlWindowBytes ?? MIB,
    // In MiB; what waits to be sent counts, and the callers bound that by their windows.
    'grpc-node.max_session_memory': 512,
    // A host that comes back under its name may have another address; by default names are looked up every 30 s at most.
    'grpc.dns_min_time_between_resolutions_ms': maxReconnectBackoffMs,
    // A channel is one connection. The global pool would hand a recreated channel the very subchannel that is stuck.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
    'grpc.service_config_disable_resolution': 1,
  };
}

export class Channel {
  /** `host:port`. */
  readonly address: string;
  readonly #options: ChannelOptions;
  readonly #clock: Clock;
  /** Calls under way, of either kind. */
  readonly #calls = new Set<{ cancel(): void }>();
  readonly #identity: ChannelIdentity;
  #client: Client;
  #watchdog: Timer | undefined;
  #closed = false;
  #recreated = 0;

  constructor(address: string, options: ChannelOptions = {}) {
    this.address = address;
    this.#options = options;
    this.#clock = options.clock ?? nodeClock;
    this.#identity = new ChannelIdentity({
      clientId: options.clientId,
      login: options.login,
      monotonicMs: () => this.#clock.monotonicMs(),
      unary: (method, request) => this.unary(method, request),
    });
    this.#client = this.#connect();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How often a connection that did not come about in time was thrown away. */
  get recreated(): number {
    return this.#recreated;
  }

  /** One request, one answer. Rejects with `TidemarkError`: the deadline as REQUEST_TIMED_OUT, the transport as NETWORK_EXCEPTION. */
  unary<Request, Response>(
    method: CallDefinition<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs ?? 30_000;
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closedError());
        return;
      }
      if (signal?.aborted === true) {
        reject(abortReason(signal));
        return;
      }
      const answered = (error: unknown, answer: Response | undefined): void => {
        timer.cancel();
        this.#calls.delete(call);
        signal?.removeEventListener('abort', onAbort);
        if (error === null) resolve(answer as Response);
        else if (signal?.aborted === true) reject(abortReason(signal));
        else if (timedOut) reject(this.#timeoutError(method.path, timeoutMs));
        else reject(errorFromStatus(error, this.address));
      };
      const onAbort = (): void => call.cancel();
      let timedOut = false;
      const timer = this.#clock.setTimer(timeoutMs, () => {
        timedOut = true;
        call.cancel();
      });
      this.#watch();
      const call: ClientUnaryCall = this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        { deadline: Date.now() + timeoutMs },
        answered,
      );
      this.#calls.add(call);
      signal?.addEventListener('abort', onAbort);
    });
  }

  /**
   * Opens a bidirectional stream. It ends with an 'error' (see `errorFromStatus`) or an 'end' event; closing the channel cancels
   * it. It has no deadline: the caller watches over it.
   */
  stream<Request, Response>(
    method: CallDefinition<Request, Response>,
  ): ClientDuplexStream<Request, Response> {
    if (this.#closed) throw this.#closedError();
    this.#watch();
    const call = this.#client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
    );
    this.#calls.add(call);
    const forget = (): void => void this.#calls.delete(call);
    call.on('error', forget);
    call.on('end', forget);
    return call;
  }

  /** Cancels what is under way and drops the connection. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watchdog?.cancel();
    this.#drop();
  }

  #connect(): Client {
    return new Client(this.address, this.#options.credentials ?? credentials.createInsecure(), {
      ...grpcOptions(this.#options),
      ...this.#interceptors(),
    });
  }

  #interceptors(): { interceptors?: Interceptor[] } {
    const { clientId, login } = this.#options;
    return clientId === undefined && login === undefined ? {} : { interceptors: this.#identity.interceptors };
  }

  /** The calls first: grpc-js leaves those with a transport alone when a channel closes. */
  #drop(): void {
    for (const call of [...this.#calls]) call.cancel();
    this.#calls.clear();
    this.#client.close();
  }

  /** Armed by a call that finds no connection; looks once, when the attempt has had its time. */
  #watch(): void {
    if (this.#watchdog !== undefined || this.#state() === connectivityState.READY) return;
    this.#watchdog = this.#clock.setTimer(this.#options.connectTimeoutMs ?? 10_000, () => {
      this.#watchdog = undefined;
      const state = this.#state();
      const isFailing = state === connectivityState.TRANSIENT_FAILURE;
      if (this.#closed || (state !== connectivityState.CONNECTING && !isFailing)) return;
      this.#recreated += 1;
      // Calls that wait for the attempt go with it. In a failing channel none does, but some may still be served by a
      // connection whose server takes no new ones.
      if (isFailing) this.#client.close();
      else this.#drop();
      this.#client = this.#connect();
    });
  }

  #state(): connectivityState {
    return this.#client.getChannel().getConnectivityState(false);
  }

  #closedError(): TidemarkError {
    return new TidemarkError('NETWORK_EXCEPTION', `the channel to ${this.address} is closed`);
  }

  #timeoutError(path: string, timeoutMs: number): TidemarkError {
    return new TidemarkError('REQUEST_TIMED_OUT', `${this.address}: no answer to ${path} in ${timeoutMs} ms`);
  }
}

function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}
