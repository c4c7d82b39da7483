// Tokens of callers who have proved who they are: random, this process's own, and good until they expire or the credential they rest
// on is changed or removed. What a token was given for is looked up by its hash, so that no comparison tells anything about it.

import { createHash, randomBytes } from 'node:crypto';
import type { ScramCredential } from '@tidemark/controller';
import type { Clock } from '@tidemark/core';

export interface TokenSession {
  readonly principal: string;
  readonly credential: ScramCredential;
  /** Monotonic; `Infinity` without a limit. */
  readonly expiresAtMs: number;
}

export interface TokenSessionsOptions {
  readonly clock: Clock;
  /** 0: no limit. */
  readonly lifetimeMs: number;
  /** The credential as it is now. */
  readonly credentialOf: (
    user: string,
    mechanism: ScramCredential['mechanism'],
  ) => ScramCredential | undefined;
}

/** The oldest give way. A client has one for each connection. */
const MAX_SESSIONS = 100_000;

const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64');

export class TokenSessions {
  readonly #options: TokenSessionsOptions;
  /** In the order they were last used. */
  readonly #sessions = new Map<string, TokenSession>();

  constructor(options: TokenSessionsOptions) {
    this.#options = options;
  }

  open(principal: string, credential: ScramCredential): string {
    const { clock, lifetimeMs } = this.#options;
    const token = randomBytes(32).toString('base64url');
    const expiresAtMs = lifetimeMs === 0 ? Infinity : clock.monotonicMs() + lifetimeMs;
    this.#sessions.set(keyOf(token), { principal, credential, expiresAtMs });
    if (this.#sessions.size > MAX_SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value!);
    return token;
  }

  /** Undefined for a token that is not, or no longer, good. */
  find(token: string): TokenSession | undefined {
    const key = keyOf(token);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    this.#sessions.delete(key);
    if (!this.isGood(session)) return undefined;
    this.#sessions.set(key, session);
    return session;
  }

  /** Asked again for calls that last. */
  isGood({ credential, expiresAtMs }: TokenSession): boolean {
    if (this.#options.clock.monotonicMs() >= expiresAtMs) return false;
    const now = this.#options.credentialOf(credential.user, credential.mechanism);
    return (
      now === credential || (now !== undefined && Buffer.compare(now.storedKey, credential.storedKey) === 0)
    );
  }
}
