// Calls that any broker answers. Reads are repeated on the next address while the error may pass and there is time; a change goes
// once to an address that has just answered a read.
import { TidemarkError } from '@tidemark/core';
import { clusterService } from '@tidemark/rpc';
import type { CallDefinition } from '@tidemark/rpc';
import type { AdminSettings } from './admin-settings.ts';
import { backoffMs } from './backoff.ts';
import type { Wiring } from './client-settings.ts';

export class AnyBroker {
  readonly #wiring: Wiring;
  readonly #settings: AdminSettings;

  constructor(wiring: Wiring, settings: AdminSettings) {
    this.#wiring = wiring;
    this.#settings = settings;
  }

  async read<Request, Answer>(method: CallDefinition<Request, Answer>, request: Request): Promise<Answer> {
    const { answer } = await this.#read(method, request);
    return answer;
  }

  async change<Request, Answer>(method: CallDefinition<Request, Answer>, request: Request): Promise<Answer> {
    const { address } = await this.#read(clusterService.DescribeCluster, {});
    const timeoutMs = this.#settings.apiTimeoutMs;
    return this.#wiring.connections.channel(address).unary(method, request, { timeoutMs });
  }

  async #read<Request, Answer>(
    method: CallDefinition<Request, Answer>,
    request: Request,
  ): Promise<{ address: string; answer: Answer }> {
    const { metadata, connections, clock, random } = this.#wiring;
    const { requestTimeoutMs, apiTimeoutMs, retryBackoff } = this.#settings;
    const deadlineMs = clock.monotonicMs() + apiTimeoutMs;
    for (let failures = 1; ; failures++) {
      const address = metadata.anyAddress();
      try {
        const leftMs = Math.max(1, deadlineMs - clock.monotonicMs());
        const timeoutMs = Math.min(requestTimeoutMs, leftMs);
        const answer = await connections.channel(address).unary(method, request, { timeoutMs });
        return { address, answer };
      } catch (error) {
        const pauseMs = backoffMs(retryBackoff, failures, random);
        const passes = error instanceof TidemarkError && error.retriable && !connections.closed;
        if (!passes || clock.monotonicMs() + pauseMs >= deadlineMs) throw error;
        await new Promise<void>((resolve) => void clock.setTimer(pauseMs, resolve));
      }
    }
  }
}
