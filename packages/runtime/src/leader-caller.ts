// The way to the leader of the quorum, wherever it is: on this node, on another, or nowhere for a moment. Contract: every call is
// settled by its deadline; it is tried again only where nothing has happened, or where doing it twice is the same as once.

import {
  type Clock,
  failure,
  type Failure,
  isFailure,
  MalformedRecord,
  MAX_TIMER_MS,
  type NodeId,
  type Timer,
} from '@tidemark/core';
import { Pauses } from './pauses.ts';
import type { PeerAnswer, PeerRequests } from './peer-requests.ts';

export interface LeaderCallerOptions {
  readonly self: NodeId;
  /** As far as this node knows. */
  readonly leader: () => NodeId | undefined;
  readonly requests: Pick<PeerRequests, 'call'>;
  readonly clock: Clock;
  /** Between two tries, in milliseconds. */
  readonly retryBackoffMs: number;
}

export interface LeaderCall<R> {
  /** Of one try; absent: all the time that is left. */
  readonly attemptMs?: number;
  /** While this node leads. */
  readonly here: (timeoutMs: number) => Promise<R | Failure>;
  readonly kind: number;
  readonly body: () => Uint8Array;
  /** Throws MalformedRecord. */
  readonly read: (body: Uint8Array) => R | Failure;
  /**
   * What to do when it is not known whether it was done: 'repeat' where doing it twice is the same as doing it once. A function
   * finds out: the answer if it was done, 'repeat' if it surely was not and will not be, undefined if that cannot be told. Absent:
   * the caller is told that it is not known.
   */
  readonly inDoubt?: 'repeat' | ((timeoutMs: number) => Promise<R | 'repeat' | undefined>);
}

/** How long the answer to a read is waited for before the read is sent again: the network loses messages. */
export const READ_ATTEMPT_MS = 1_000;
/** How long an answer of a leader that was replaced is waited for. */
const REPLACED_MS = 200;

export class LeaderCaller {
  readonly #options: LeaderCallerOptions;
  readonly #pauses: Pauses;
  /** Of the calls that wait for another node. */
  readonly #watches = new Set<() => void>();

  constructor(options: LeaderCallerOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.clock);
  }

  /** Tries the leader until the time is over; again only where that does no harm. */
  async call<R extends object>(timeoutMs: number, call: LeaderCall<R>): Promise<R | Failure> {
    const { clock, retryBackoffMs } = this.#options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    /** What became of an earlier try is not known, so that "nothing happened" is no answer any more. */
    let doubt: Failure | undefined;
    for (;;) {
      const leftMs = deadlineMs - clock.monotonicMs();
      const answer = await this.#ask(call, Math.min(leftMs, call.attemptMs ?? leftMs));
      if (!isFailure(answer)) return answer;
      if (answer.error === 'REQUEST_TIMED_OUT') doubt = answer;
      const isOver = this.#pauses.isClosed || deadlineMs - clock.monotonicMs() <= retryBackoffMs;
      if (isOver || !(isHarmless(answer) || answer === doubt)) return doubt ?? answer;
      if (doubt !== undefined) {
        const { inDoubt } = call;
        const found =
          typeof inDoubt === 'function' ? await inDoubt(deadlineMs - clock.monotonicMs()) : inDoubt;
        if (found === undefined) return doubt;
        if (found !== 'repeat') return found;
        if (typeof inDoubt === 'function') doubt = undefined;
      }
      await this.#pauses.wait(retryBackoffMs);
    }
  }

  /** Another node leads, or none. */
  leaderChanged(): void {
    for (const watch of [...this.#watches]) watch();
  }

  /** Nothing is tried again. */
  close(): void {
    this.#pauses.close();
  }

  async #ask<R extends object>(
    { here, kind, body, read }: LeaderCall<R>,
    leftMs: number,
  ): Promise<R | Failure> {
    const { self, requests } = this.#options;
    const leader = this.#options.leader();
    if (leader === undefined) {
      return failure(
        'NOT_CONTROLLER',
        'No active controller is known at the moment: a majority of the voters must be up.',
      );
    }
    if (leader === self) return this.#inTime(here(leftMs), leftMs);
    const answer = await this.#unlessReplaced(leader, requests.call(leader, kind, body(), leftMs));
    if (!answer.ok) return answer;
    try {
      return read(answer.body);
    } catch (error) {
      if (error instanceof MalformedRecord) return failure('CORRUPT_MESSAGE', `An answer ${error.message}.`);
      throw error;
    }
  }

  /** A leader that was replaced may still answer, for a moment; after that nobody waits for it. */
  #unlessReplaced(leader: NodeId, work: Promise<PeerAnswer>): Promise<PeerAnswer> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const watch = (): void => {
        if (timer !== undefined || this.#options.leader() === leader) return;
        timer = this.#options.clock.setTimer(REPLACED_MS, () => done(replaced));
      };
      const done = (answer: PeerAnswer): void => {
        timer?.cancel();
        this.#watches.delete(watch);
        resolve(answer);
      };
      this.#watches.add(watch);
      void work.then(done);
    });
  }

  #inTime<R>(work: Promise<R>, timeoutMs: number): Promise<R | Failure> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const boundedMs = Math.min(Math.max(0, Math.floor(timeoutMs)), MAX_TIMER_MS);
      const timer = clock.setTimer(boundedMs, () => resolve(tooLate(timeoutMs)));
      work.then(
        (result) => {
          timer.cancel();
          resolve(result);
        },
        (cause: unknown) => {
          timer.cancel();
          reject(cause instanceof Error ? cause : new Error(String(cause)));
        },
      );
    });
  }
}

const replaced = failure(
  'REQUEST_TIMED_OUT',
  'The active controller changed before it answered; whether the command took effect shows in the metadata.',
);

/** Failures after which the request can be sent again, because it has done nothing. */
const isHarmless = ({ error }: Failure): boolean =>
  error === 'NOT_CONTROLLER' || error === 'NETWORK_EXCEPTION';

export const tooLate = (timeoutMs: number): Failure =>
  failure(
    'REQUEST_TIMED_OUT',
    `It was not done within ${Math.round(timeoutMs)} ms; whether it will be is not known.`,
  );
