// Calls that any broker answers, or sends on: an answer NOT_CONTROLLER says where the active controller is, and nothing has happened.
// Reads are repeated on the next address while the error may pass and there is time; a change goes to an address that has just
// answered a read, and again only after NOT_CONTROLLER: after a broken connection nobody knows whether it happened.
import { TidemarkError, errorTable, hostAndPort } from '@tidemark/core';
import { clusterService } from '@tidemark/rpc';
import type { CallDefinition, ErrorDetailOutput } from '@tidemark/rpc';
import type { AdminSettings } from './admin-settings.ts';
import { backoffMs } from './backoff.ts';
import type { Wiring } from './client-settings.ts';

/** An answer, and the broker that gave it. At the end of the time it may be one that reports an error. */
export interface Answered<Answer> {
  readonly address: string;
  readonly answer: Answer;
}

type Mode = 'read' | 'change';

export class AnyBroker {
  readonly #wiring: Wiring;
  readonly #settings: AdminSettings;

  constructor(wiring: Wiring, settings: AdminSettings) {
    this.#wiring = wiring;
    this.#settings = settings;
  }

  /** `timeoutMs`: for everything, repetitions included; `default.api.timeout.ms` if absent. */
  async read<Request, Answer>(
    method: CallDefinition<Request, Answer>,
    request: Request,
    timeoutMs?: number,
  ): Promise<Answer> {
    return (await this.#call('read', method, request, timeoutMs)).answer;
  }

  async change<Request, Answer>(method: CallDefinition<Request, Answer>, request: Request): Promise<Answer> {
    return (await this.#call('change', method, request)).answer;
  }

  async #call<Request, Answer>(
    mode: Mode,
    method: CallDefinition<Request, Answer>,
    request: Request,
    totalMs = this.#settings.apiTimeoutMs,
  ): Promise<Answered<Answer>> {
    const { clock, metadata, random } = this.#wiring;
    const deadlineMs = clock.monotonicMs() + totalMs;
    /** Where the last answer said the controller is. */
    let hinted: string | undefined;
    /** The last answer, although a refusal. It says more than that the time was over, or that yet another broker is down. */
    let told: Answered<Answer> | undefined;
    for (let failures = 1; ; failures++) {
      const address: string = hinted ?? metadata.anyAddress();
      const pauseMs = backoffMs(this.#settings.retryBackoff, failures, random);
      const late = (): boolean => clock.monotonicMs() + pauseMs >= deadlineMs;
      try {
        if (mode === 'change') await this.#reach(address, deadlineMs);
      } catch (error) {
        if (!this.#passes(error)) throw error;
        if (late()) {
          if (told !== undefined) return told;
          throw error;
        }
        hinted = undefined;
        await this.#pause(pauseMs);
        continue;
      }
      const sentMs = clock.monotonicMs();
      try {
        const answer = await this.#send(mode, address, method, request, deadlineMs);
        const refusal = refusalIn(mode, answer);
        told = { address, answer };
        if (refusal === undefined || late()) return told;
        // A change that runs out of time has an unknown outcome; this one has none, and the next answer may take as long.
        const answeredMs = clock.monotonicMs();
        if (mode === 'change' && answeredMs + pauseMs + (answeredMs - sentMs) >= deadlineMs) return told;
        const next = controllerAddress(refusal);
        // The first time at once; to and fro between nodes that disagree, with pauses.
        const isNews = next !== undefined && next !== address && hinted === undefined;
        hinted = next === address ? undefined : next;
        if (isNews) continue;
      } catch (error) {
        if (mode === 'change' || !this.#passes(error)) throw error;
        if (late()) {
          if (told !== undefined) return told;
          throw error;
        }
        hinted = undefined;
      }
      await this.#pause(pauseMs);
    }
  }

  #send<Request, Answer>(
    mode: Mode,
    address: string,
    method: CallDefinition<Request, Answer>,
    request: Request,
    deadlineMs: number,
  ): Promise<Answer> {
    const leftMs = Math.max(1, deadlineMs - this.#wiring.clock.monotonicMs());
    const timeoutMs = mode === 'read' ? Math.min(this.#settings.requestTimeoutMs, leftMs) : leftMs;
    return this.#wiring.connections.channel(address).unary(method, request, { timeoutMs });
  }

  /** Rejects unless there is a broker that answers. */
  async #reach(address: string, deadlineMs: number): Promise<void> {
    await this.#send('read', address, clusterService.DescribeCluster, { allowStale: true }, deadlineMs);
  }

  #passes(error: unknown): error is TidemarkError {
    return error instanceof TidemarkError && error.retriable && !this.#wiring.connections.closed;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#wiring.clock.setTimer(ms, resolve));
  }
}

interface MaybeRefused {
  readonly error?: ErrorDetailOutput | null;
  readonly results?: readonly { readonly error?: ErrorDetailOutput | null }[];
}

const NOT_CONTROLLER = errorTable.NOT_CONTROLLER.code;

/** Why the whole request should be sent again: nothing has happened, or nothing can. */
function refusalIn(mode: Mode, answer: unknown): ErrorDetailOutput | undefined {
  const { error, results = [] } = answer as MaybeRefused;
  if (error != null) {
    return error.code === NOT_CONTROLLER || (mode === 'read' && error.retriable) ? error : undefined;
  }
  const refused = results.filter((each) => each.error?.code === NOT_CONTROLLER);
  return refused.length === results.length ? (refused[0]?.error ?? undefined) : undefined;
}

function controllerAddress({ controller }: ErrorDetailOutput): string | undefined {
  if (controller === null || controller.host === '' || controller.port === 0) return undefined;
  return hostAndPort(controller.host, controller.port);
}
