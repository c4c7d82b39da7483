// Who calls, by the connection a call came on or the token it carries. A listener that wants to know serves nobody it does not know.

import { status } from '@grpc/grpc-js';
import { ANONYMOUS, isSasl, isTls, listenerProtocol, type BrokerConfig } from '@tidemark/core';
import { CLIENT_ID_HEADER, subjectOf, type PeerConnection } from '@tidemark/rpc';
import type { Caller } from './callers.ts';
import type { AnyCall, Refusal } from './gated-services.ts';
import { CertificatePrincipals } from './node-gate.ts';
import type { RpcRule } from './rpc-rules.ts';
import type { TokenSession, TokenSessions } from './token-sessions.ts';

/** No name of a client is longer; what is cut off is of no use to anybody. */
const MAX_CLIENT_ID = 255;

export interface Identified {
  readonly caller: Caller;
  readonly session: TokenSession | undefined;
}

export interface IdentificationOptions {
  readonly config: BrokerConfig;
  readonly listenerName: string;
  readonly connectionOf: (peer: string) => PeerConnection | undefined;
  readonly sessions: TokenSessions;
}

export function identification(
  options: IdentificationOptions,
): (call: AnyCall, rule: RpcRule) => Identified | Refusal {
  const { config, listenerName, connectionOf, sessions } = options;
  const protocol = listenerProtocol(config, listenerName);
  const principals = isTls(protocol) ? new CertificatePrincipals(config, listenerName) : undefined;
  const known = new WeakMap<PeerConnection, string | undefined>();
  const certified = (connection: PeerConnection): string | undefined => {
    if (!known.has(connection)) {
      const { certificate } = connection;
      known.set(
        connection,
        certificate === undefined || principals === undefined
          ? ANONYMOUS
          : principals.ofSubject(subjectOf(certificate)),
      );
    }
    return known.get(connection);
  };
  return (call, rule) => {
    const connection = connectionOf(call.getPeer());
    // Its connection closed in this very moment; nobody hears the answer.
    if (connection === undefined) return { code: status.UNAVAILABLE, details: 'the connection is closed' };
    const of = (principal: string, session?: TokenSession): Identified => ({
      caller: { principal, host: hostOf(connection), clientId: clientIdOf(call) },
      session,
    });
    if (rule.kind === 'open') return of(ANONYMOUS);
    if (!isSasl(protocol)) {
      const principal = certified(connection);
      return principal === undefined ? unauthenticated : of(principal);
    }
    const session = sessions.find(tokenOf(call));
    return session === undefined ? unauthenticated : of(session.principal, session);
  };
}

const unauthenticated: Refusal = {
  code: status.UNAUTHENTICATED,
  details: 'the listener wants to know who calls; authenticate with AuthService',
};

/** IPv4 addresses as they are written in ACLs, also where the socket is IPv6. */
const hostOf = ({ remoteAddress }: PeerConnection): string => remoteAddress.replace(/^::ffff:/, '');

function headerOf(call: AnyCall, name: string): string {
  const [value] = call.metadata.get(name);
  return typeof value === 'string' ? value : '';
}

function tokenOf(call: AnyCall): string {
  return /^Bearer ([\w-]{1,200})$/.exec(headerOf(call, 'authorization'))?.[1] ?? '';
}

function clientIdOf(call: AnyCall): string {
  const text = headerOf(call, CLIENT_ID_HEADER);
  if (text === '' || text.length > 3 * MAX_CLIENT_ID) return '';
  try {
    return decodeURIComponent(text).slice(0, MAX_CLIENT_ID);
  } catch (error) {
    // Whoever does not write it as it should be has no name.
    if (error instanceof URIError) return '';
    throw error;
  }
}
