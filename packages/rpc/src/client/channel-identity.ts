// Who a channel's calls come from: the client's name, and on a listener that wants it a token, for which SCRAM is spoken once with the
// broker. A token that the broker does not take any more (it expired, the broker began anew) ends the calls that carried it as
// UNAVAILABLE, since none of them was done, and the next call asks for another.

import { InterceptingCall, ListenerBuilder, Metadata, status, type Interceptor } from '@grpc/grpc-js';
import { TidemarkError, type ScramMechanism } from '@tidemark/core';
import { authService } from '../definitions.ts';
import { ScramClient, ScramError } from '../scram.ts';
import type { CallDefinition } from './channel.ts';
import { throwFromDetail } from './status-error.ts';

export const CLIENT_ID_HEADER = 'tidemark-client-id';
const AUTH_PREFIX = '/tidemark.v1.AuthService/';
/** A token is renewed when so much of its life is left, so that no call meets its end. */
const RENEW_AT = 0.2;

export interface ScramLogin {
  readonly mechanism: ScramMechanism;
  readonly user: string;
  readonly password: string;
}

export interface ChannelIdentityOptions {
  readonly clientId?: string | undefined;
  readonly login?: ScramLogin | undefined;
  readonly monotonicMs: () => number;
  readonly unary: <Request, Response>(
    method: CallDefinition<Request, Response>,
    request: Request,
  ) => Promise<Response>;
}

interface Token {
  readonly text: string;
  readonly renewAtMs: number;
}

export class ChannelIdentity {
  readonly #options: ChannelIdentityOptions;
  #token: Token | undefined;
  #pending: Promise<Token> | undefined;

  constructor(options: ChannelIdentityOptions) {
    this.#options = options;
  }

  /** For a grpc-js client. */
  get interceptors(): Interceptor[] {
    return [
      (options, nextCall) => {
        const isLogin = options.method_definition.path.startsWith(AUTH_PREFIX);
        return this.#options.login === undefined || isLogin
          ? this.#named(nextCall(options))
          : this.#authenticated(nextCall(options));
      },
    ];
  }

  #named(call: ConstructorParameters<typeof InterceptingCall>[0]): InterceptingCall {
    return new InterceptingCall(call, {
      start: (metadata, listener, next) => {
        this.#addName(metadata);
        next(metadata, listener);
      },
    });
  }

  #addName(metadata: Metadata): void {
    const { clientId } = this.#options;
    // Metadata is printable ASCII.
    if (clientId !== undefined && clientId !== '')
      metadata.set(CLIENT_ID_HEADER, encodeURIComponent(clientId));
  }

  #authenticated(call: ConstructorParameters<typeof InterceptingCall>[0]): InterceptingCall {
    let state: 'waiting' | 'started' | 'over' = 'waiting';
    let end: (code: status, details: string) => void = () => undefined;
    return new InterceptingCall(call, {
      start: (metadata, listener, next) => {
        // A call that was not begun has nobody below it who would say that it is over.
        end = (code, details) => {
          if (state !== 'waiting') return;
          state = 'over';
          listener.onReceiveStatus({ code, details, metadata: new Metadata() });
        };
        this.#current().then(
          (token) => {
            if (state !== 'waiting') return;
            state = 'started';
            this.#addName(metadata);
            metadata.set('authorization', `Bearer ${token.text}`);
            next(metadata, this.#listener(token));
          },
          (thrown: unknown) => end(...statusOf(thrown)),
        );
      },
      cancel: (next) => {
        end(status.CANCELLED, 'cancelled');
        next();
      },
    });
  }

  #listener(token: Token) {
    return new ListenerBuilder()
      .withOnReceiveStatus((received, next) => {
        if (received.code !== status.UNAUTHENTICATED) {
          next(received);
          return;
        }
        if (this.#token === token) this.#token = undefined;
        next({ ...received, code: status.UNAVAILABLE });
      })
      .build();
  }

  #current(): Promise<Token> {
    const token = this.#token;
    if (token !== undefined && this.#options.monotonicMs() < token.renewAtMs) return Promise.resolve(token);
    this.#pending ??= this.#login().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #login(): Promise<Token> {
    const { login, unary, monotonicMs } = this.#options;
    const { mechanism, user, password } = login!;
    const client = new ScramClient(mechanism, user, password);
    const startedMs = monotonicMs();
    const begun = await unary(authService.StartAuthentication, { mechanism, clientFirst: client.first });
    throwFromDetail(begun.error);
    const clientFinal = await client.final(begun.serverFirst);
    const done = await unary(authService.FinishAuthentication, { exchangeId: begun.exchangeId, clientFinal });
    throwFromDetail(done.error);
    // Whoever does not know the credential is not the cluster, whatever it let in.
    if (!client.isServer(done.serverFinal)) throw new ScramError('the server does not know the credential');
    const lifetimeMs = done.sessionLifetimeMs;
    const renewAtMs = lifetimeMs === 0 ? Infinity : startedMs + lifetimeMs * (1 - RENEW_AT);
    this.#token = { text: done.token, renewAtMs };
    return this.#token;
  }
}

function statusOf(thrown: unknown): [code: status, details: string] {
  if (thrown instanceof TidemarkError) {
    return [thrown.retriable ? status.UNAVAILABLE : status.UNAUTHENTICATED, thrown.message];
  }
  if (thrown instanceof ScramError) return [status.UNAUTHENTICATED, thrown.message];
  return [status.UNKNOWN, thrown instanceof Error ? thrown.message : String(thrown)];
}
