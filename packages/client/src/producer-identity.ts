// The id an idempotent producer writes under. Any broker hands one out; it is asked for on first need, again after a failure,
// and again when the one in use was refused or its epochs are used up.
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import { errorFromDetail, logService } from '@tidemark/rpc';
import { backoffMs } from './backoff.ts';
import type { BackoffRange } from './backoff.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';
import type { Connections } from './connections.ts';

export interface ProducerId {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface ProducerIdentityOptions {
  readonly connections: Connections;
  readonly metadata: ClusterMetadata;
  readonly clock: Clock;
  readonly random: () => number;
  readonly requestTimeoutMs: number;
  readonly retryBackoff: BackoffRange;
  /** There is an id now. */
  readonly onReady: () => void;
}

export class ProducerIdentity {
  readonly #options: ProducerIdentityOptions;
  #current: ProducerId | undefined;
  #lastError: TidemarkError | undefined;
  #asking = false;
  #failures = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: ProducerIdentityOptions) {
    this.#options = options;
  }

  /** Why there is none yet. */
  get lastError(): TidemarkError | undefined {
    return this.#lastError;
  }

  /** The id, or undefined while it is being asked for: `onReady` follows. */
  current(): ProducerId | undefined {
    if (this.#current === undefined && !this.#asking && this.#timer === undefined) void this.#ask();
    return this.#current;
  }

  /** `refused` is of no use any more. Harmless when it was replaced already. */
  replace(refused: ProducerId): void {
    if (this.#current?.producerId === refused.producerId) this.#current = undefined;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    const { connections, metadata, clock, random, requestTimeoutMs, retryBackoff, onReady } = this.#options;
    this.#asking = true;
    try {
      const channel = connections.channel(metadata.anyAddress());
      const answer = await channel.unary(logService.InitProducerId, {}, { timeoutMs: requestTimeoutMs });
      const error = errorFromDetail(answer.error);
      if (error !== undefined) throw error;
      this.#current = { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
      this.#failures = 0;
      this.#lastError = undefined;
    } catch (error) {
      this.#lastError = error instanceof TidemarkError ? error : new TidemarkError('UNKNOWN_SERVER_ERROR');
      this.#failures += 1;
    }
    this.#asking = false;
    if (this.#closed) return;
    if (this.#current !== undefined) {
      onReady();
      return;
    }
    this.#timer = clock.setTimer(backoffMs(retryBackoff, this.#failures, random), () => {
      this.#timer = undefined;
      void this.#ask();
    });
  }
}
