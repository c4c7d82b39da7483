// AuthService: SCRAM in two requests, and the token they end in. Whatever was wrong, a client hears the same, and as late.

import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { userPrincipal } from '@tidemark/core';
import {
  authService,
  errorDetail,
  guardedService,
  isScramMechanism,
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
const busy = errorDetail(
  'THROTTLING_QUOTA_EXCEEDED',
  'too many authentications from this address; try again later',
);

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
  { config }: NodeContext,
  { exchanges, limit, refusals }: Authentication,
  { mechanism, clientFirst }: StartAuthenticationRequestOutput,
  call: UnaryCallInfo,
): Promise<StartAuthenticationResponse> {
  const host = hostOf(call);
  if (limit.waitMs(host) > 0) return { error: busy };
  const offered = config.get('sasl.enabled.mechanisms');
  if (!isScramMechanism(mechanism) || !offered.includes(mechanism)) {
    return { error: errorDetail('UNSUPPORTED_SASL_MECHANISM', `this listener offers ${offered.join(', ')}`) };
  }
  try {
    return exchanges.start(mechanism, clientFirst, host) ?? { error: busy };
  } catch (thrown) {
    if (!(thrown instanceof ScramError)) throw thrown;
    refusals.tell({ host, cause: thrown.message });
    await limit.failed(host);
    return { error: failed };
  }
}

async function finish(
  { config }: NodeContext,
  { exchanges, sessions, limit, refusals }: Authentication,
  { exchangeId, clientFinal }: FinishAuthenticationRequestOutput,
  call: UnaryCallInfo,
): Promise<FinishAuthenticationResponse> {
  const host = hostOf(call);
  try {
    const finished = exchanges.finish(exchangeId, clientFinal);
    if (finished === undefined) {
      refusals.tell({ host });
      await limit.failed(host);
      return { error: failed };
    }
    const { credential, serverFinal } = finished;
    const token = sessions.open(userPrincipal(credential.user), credential);
    return { serverFinal, token, sessionLifetimeMs: config.get('connections.max.reauth.ms') };
  } catch (thrown) {
    if (!(thrown instanceof ScramError)) throw thrown;
    await limit.failed(host);
    return { error: over };
  }
}
