// Streams outlive the check at their beginning: those of a session that has expired, or whose credential was taken away, are ended
// within a second. The client names itself anew and goes on. One that does not read would never be told, and could go on writing: it
// loses the stream at the next look.

import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Clock, Timer } from '@tidemark/core';
import { resetCall } from '@tidemark/rpc';
import type { AnyCall } from './gated-services.ts';
import type { TokenSession, TokenSessions } from './token-sessions.ts';

const LOOK_MS = 1000;

export class OpenStreams {
  readonly #clock: Clock;
  readonly #sessions: TokenSessions;
  readonly #streams = new Map<AnyCall, TokenSession>();
  /** Those that were told that they are over, and are not yet. */
  readonly #told = new Set<AnyCall>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, sessions: TokenSessions) {
    this.#clock = clock;
    this.#sessions = sessions;
  }

  watch(call: AnyCall, session: TokenSession): void {
    if (this.#closed) return;
    this.#streams.set(call, session);
    const forget = (): void => {
      this.#streams.delete(call);
      this.#told.delete(call);
    };
    const stream = call as ServerDuplexStream<unknown, unknown>;
    stream.once('cancelled', forget);
    stream.once('close', forget);
    this.#timer ??= this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#streams.clear();
    this.#told.clear();
  }

  #next(): Timer {
    return this.#clock.setTimer(LOOK_MS, () => {
      for (const call of this.#told) {
        this.#told.delete(call);
        resetCall(call);
      }
      for (const [call, session] of this.#streams) {
        if (this.#sessions.isGood(session)) continue;
        this.#streams.delete(call);
        this.#told.add(call);
        (call as ServerDuplexStream<unknown, unknown>).emit('error', {
          code: status.UNAUTHENTICATED,
          details: 'the session is over; authenticate again',
        });
      }
      this.#timer = this.#streams.size + this.#told.size === 0 ? undefined : this.#next();
    });
  }
}
