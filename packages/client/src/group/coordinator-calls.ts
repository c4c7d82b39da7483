// Calls to the coordinator of one group. Who that is, is asked of any broker, and again whenever an answer, or none, shows that it is
// another one now. Errors that pass are waited out with back-off, until the deadline or the signal; every other answer is the caller's.
import { TidemarkError } from '@tidemark/core';
import type { Clock, ErrorName } from '@tidemark/core';
import { errorFromDetail, groupService } from '@tidemark/rpc';
import type { CallDefinition, CallOptions, ErrorDetailOutput } from '@tidemark/rpc';
import { backoffMs } from '../backoff.ts';
import type { BackoffRange } from '../backoff.ts';
import type { Wiring } from '../client-settings.ts';
import { pause } from '../pause.ts';

/** How a request gets to an address. */
export interface GroupTransport {
  /** Some broker, another one with each call. */
  anyAddress(): string;
  unary<Request, Answer>(
    address: string,
    method: CallDefinition<Request, Answer>,
    request: Request,
    options: CallOptions,
  ): Promise<Answer>;
}

/** Over the client's own connections. */
export function transportOf({ connections, metadata }: Wiring): GroupTransport {
  return {
    anyAddress: () => metadata.anyAddress(),
    unary: (address, method, request, call) => connections.channel(address).unary(method, request, call),
  };
}

export interface CoordinatorCallsOptions {
  readonly groupId: string;
  readonly transport: GroupTransport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly requestTimeoutMs: number;
  readonly retryBackoff: BackoffRange;
  /** An error that is waited out. */
  readonly onTrouble?: (error: TidemarkError) => void;
  readonly onFound?: (coordinator: Coordinator) => void;
}

export interface Coordinator {
  readonly nodeId: number;
  /** `host:port`. */
  readonly address: string;
}

export interface CoordinatorCallOptions {
  /** For one attempt; `request.timeout.ms` if absent. */
  readonly timeoutMs?: number;
  /** By the monotonic clock; absent: for as long as it takes. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal | undefined;
}

interface GroupAnswer {
  readonly error: ErrorDetailOutput | null;
}

/** Somebody else coordinates, or nobody can be reached there. */
const ELSEWHERE: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
]);

export class CoordinatorCalls {
  readonly #options: CoordinatorCallsOptions;
  #coordinator: Coordinator | undefined;

  constructor(options: CoordinatorCallsOptions) {
    this.#options = options;
  }

  get coordinator(): Coordinator | undefined {
    return this.#coordinator;
  }

  /** It is not heard of; the next call asks who it is. */
  forget(): void {
    this.#coordinator = undefined;
  }

  /** The answer, unless its error is one that passes. Rejects with the last of those when the time is over. */
  async call<Request, Answer extends GroupAnswer>(
    method: CallDefinition<Request, Answer>,
    request: () => Request,
    options: CoordinatorCallOptions = {},
  ): Promise<Answer> {
    return this.#persist(options, async (timeoutMs) => {
      const coordinator = this.#coordinator ?? (await this.#find(options.signal, timeoutMs));
      this.#coordinator = coordinator;
      const { transport } = this.#options;
      const attempt = { timeoutMs: options.timeoutMs ?? timeoutMs, signal: options.signal };
      try {
        const answer = await transport.unary(coordinator.address, method, request(), attempt);
        const error = errorFromDetail(answer.error);
        if (error?.retriable !== true) return answer;
        throw error;
      } catch (error) {
        if (error instanceof TidemarkError && ELSEWHERE.has(error.error)) this.#leave(coordinator);
        throw error;
      }
    });
  }

  /** Another call may have found the next one meanwhile. */
  #leave(coordinator: Coordinator): void {
    if (this.#coordinator === coordinator) this.#coordinator = undefined;
  }

  async #persist<T>(
    { deadlineMs = Infinity, signal }: CoordinatorCallOptions,
    attempt: (timeoutMs: number) => Promise<T>,
  ): Promise<T> {
    const { clock, random, requestTimeoutMs, retryBackoff } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        return await attempt(Math.max(1, Math.min(requestTimeoutMs, deadlineMs - clock.monotonicMs())));
      } catch (error) {
        if (signal?.aborted === true || !(error instanceof TidemarkError) || !error.retriable) throw error;
        const pauseMs = backoffMs(retryBackoff, failures, random);
        if (clock.monotonicMs() + pauseMs >= deadlineMs) throw error;
        this.#options.onTrouble?.(error);
        await pause(clock, pauseMs, signal);
      }
    }
  }

  async #find(signal: AbortSignal | undefined, timeoutMs: number): Promise<Coordinator> {
    const { groupId, transport, onFound } = this.#options;
    const address = transport.anyAddress();
    const request = { groupIds: [groupId] };
    const { coordinators } = await transport.unary(address, groupService.FindCoordinator, request, {
      timeoutMs,
      signal,
    });
    const [answer] = coordinators;
    const error = errorFromDetail(answer?.error);
    if (error !== undefined) throw error;
    if (answer === undefined) throw new TidemarkError('UNKNOWN_SERVER_ERROR', `${address}: an empty answer`);
    const { nodeId, host, port } = answer;
    const found = { nodeId, address: `${host.includes(':') ? `[${host}]` : host}:${port}` };
    onFound?.(found);
    return found;
  }
}
