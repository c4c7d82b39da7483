// AuthService: SCRAM in two requests, and the token they end in. Whatever was wrong, a client hears the same, and as late.

import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { userPrincipal, isScramMechanism } from '@tidemark/core';
import {
  authService,
  errorDetail,
  guardedService,
  parseClientFirst,
  ScramError,
  type FinishAuthenticationRequestOutput,
  type FinishAuthenticationResponse,
  type ServiceRegistration,
  type StartAuthenticationRequestOutput,
  type StartAuthenticationResponse,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { unary, type UnaryCallInfo } from '../grpc-call.ts';
import type { AuthenticationLimit } from './authentication-limit.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { ScramExchanges } from './scram-exchanges.ts';
import type { TokenSessions } from './token-sessions.ts';

export interface Authentication {
  readonly exchanges: ScramExchanges;
  readonly sessions: TokenSessions;
  readonly limit: AuthenticationLimit;
  readonly refusals: RefusalLog;
}

const failed = errorDetail(
  'SASL_AUTHENTICATION_FAILED',
  'authentication failed: wrong user, password or mechanism',
);
const over = errorDetail('ILLEGAL_SASL_STATE', 'the exchange is over: authenticate from the beginning');
const busy = errorDetail('THROTTLING_QUOTA_EXCEEDED', 'too many failed authentications; try again later');

export function authRegistration(context: NodeContext, parts: Authentication): ServiceRegistration {
  const handlers = {
    StartAuthentication: unary(
      context,
      'StartAuthentication',
      (_: NodeContext, request: StartAuthenticationRequestOutput, call) =>
        start(context, parts, request, call),
    ),
    FinishAuthentication: unary(
      context,
      'FinishAuthentication',
      (_: NodeContext, request: FinishAuthenticationRequestOutput, call) =>
        finish(context, parts, request, call),
    ),
  } as UntypedServiceImplementation;
  return [guardedService(authService), handlers];
}

const hostOf = (call: UnaryCallInfo): string => call.caller?.host ?? '';

async function start(
  { config, metrics }: NodeContext,
  { exchanges, limit, refusals }: Authentication,
  { mechanism, clientFirst }: StartAuthenticationRequestOutput,
  call: UnaryCallInfo,
): Promise<StartAuthenticationResponse> {
  const host = hostOf(call);
  const offered = config.get('sasl.enabled.mechanisms');
  if (!isScramMechanism(mechanism) || !offered.includes(mechanism)) {
    return { error: errorDetail('UNSUPPORTED_SASL_MECHANISM', `this listener offers ${offered.join(', ')}`) };
  }
  try {
    const first = parseClientFirst(clientFirst);
    if (limit.waitMs(host, first.user) > 0) return { error: busy };
    return exchanges.start(mechanism, first, host) ?? { error: busy };
  } catch (thrown) {
    if (!(thrown instanceof ScramError)) throw thrown;
    metrics.security.authentications.failed += 1;
    refusals.tell({ host, cause: thrown.message });
    await limit.failed(host, NOBODY);
    return { error: failed };
  }
}

/** Whoever has not even said which user he is. */
const NOBODY = '';

async function finish(
  { config, metrics }: NodeContext,
  { exchanges, sessions, limit, refusals }: Authentication,
  { exchangeId, clientFinal }: FinishAuthenticationRequestOutput,
  call: UnaryCallInfo,
): Promise<FinishAuthenticationResponse> {
  const host = hostOf(call);
  const { authentications } = metrics.security;
  try {
    const user = exchanges.userOf(exchangeId);
    // Once more: a guesser may have begun many exchanges before the first of them failed.
    const isListenedTo = limit.waitMs(host, user) === 0;
    const finished = exchanges.finish(exchangeId, clientFinal);
    if (!isListenedTo) return { error: busy };
    if (finished === undefined) {
      authentications.failed += 1;
      refusals.tell({ host, user });
      await limit.failed(host, user);
      return { error: failed };
    }
    authentications.succeeded += 1;
    const { credential, serverFinal } = finished;
    const token = sessions.open(userPrincipal(credential.user), credential);
    return { serverFinal, token, sessionLifetimeMs: config.get('connections.max.reauth.ms') };
  } catch (thrown) {
    if (!(thrown instanceof ScramError)) throw thrown;
    authentications.failed += 1;
    await limit.failed(host, NOBODY);
    return { error: over };
  }
}
