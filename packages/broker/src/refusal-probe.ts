// RefusalProbe: asks one address whether anybody listens there, with a connection that is closed as soon as it stands. grpc-js fails
// every call of its back-off with the one error it had last; here every refusal is an attempt of its own. Contract: at most one attempt
// under way and one in `MIN_INTERVAL_MS`, and only when told to.

import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '@tidemark/core';

/** `unclear`: no answer in time, no route, no such name. Says nothing of the process. */
export type ProbeOutcome = 'refused' | 'accepted' | 'unclear';

const MIN_INTERVAL_MS = 120;
const TIMEOUT_MS = 1000;

export class RefusalProbe {
  readonly address: string;
  readonly #clock: Clock;
  readonly #onOutcome: (outcome: ProbeOutcome) => void;
  #socket: Socket | undefined;
  #timeout: Timer | undefined;
  #nextAtMs = -Infinity;
  #isClosed = false;

  /** `address` is `host:port`. */
  constructor(address: string, clock: Clock, onOutcome: (outcome: ProbeOutcome) => void) {
    this.address = address;
    this.#clock = clock;
    this.#onOutcome = onOutcome;
  }

  attempt(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#isClosed || this.#socket !== undefined || nowMs < this.#nextAtMs) return;
    this.#nextAtMs = nowMs + MIN_INTERVAL_MS;
    const socket = connect(targetOf(this.address));
    this.#socket = socket;
    this.#timeout = this.#clock.setTimer(TIMEOUT_MS, () => this.#end('unclear'));
    socket.once('connect', () => this.#end('accepted'));
    socket.on('error', (error) => this.#end(isRefusal(error) ? 'refused' : 'unclear'));
  }

  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  #end(outcome: ProbeOutcome): void {
    if (this.#socket === undefined) return;
    this.#release();
    this.#onOutcome(outcome);
  }

  #release(): void {
    this.#timeout?.cancel();
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

/** IPv6 addresses are in brackets. */
function targetOf(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
  };
}

/** A name may have several addresses; nobody listens only if none of them says anything else. */
const isRefusal = (error: Error): boolean =>
  error instanceof AggregateError
    ? error.errors.length > 0 && error.errors.every(isRefused)
    : isRefused(error);

const isRefused = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
