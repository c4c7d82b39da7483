// Who may speak on the PEER listener: nodes, and nobody else. Where PEER speaks TLS a node is known by the principal of its
// certificate; a client with a certificate of the same authority is no node (CVE-2018-1288 was a client posing as a broker).

import { status } from '@grpc/grpc-js';
import {
  isTls,
  listenerConfig,
  listenerProtocol,
  matchesPrincipal,
  PrincipalMapper,
  principalsOf,
  userPrincipal,
  type BrokerConfig,
} from '@tidemark/core';
import { subjectOf, type PeerConnection } from '@tidemark/rpc';
import type { Gate, Passed, Refusal } from './gated-services.ts';
import type { RefusalLog } from './refusal-log.ts';

/** The principal of a certificate on a listener. */
export class CertificatePrincipals {
  readonly #mapper: PrincipalMapper;

  constructor(config: BrokerConfig, listener: string) {
    this.#mapper = new PrincipalMapper(listenerConfig(config, listener, 'ssl.principal.mapping.rules'));
  }

  /** Undefined when no rule makes a name of it. */
  ofSubject(subject: string): string | undefined {
    const name = this.#mapper.nameOf(subject);
    return name === undefined || name === '' ? undefined : userPrincipal(name);
  }
}

/** Whether a certificate of this subject is a node's. */
export function nodeCheck(config: BrokerConfig): (subject: string) => boolean {
  const principals = new CertificatePrincipals(config, 'PEER');
  const patterns = principalsOf(config.get('node.principals'));
  return (subject) => {
    const principal = principals.ofSubject(subject);
    return principal !== undefined && matchesPrincipal(patterns, principal);
  };
}

export function nodeGate(
  config: BrokerConfig,
  connectionOf: (peer: string) => PeerConnection | undefined,
  refusals: RefusalLog,
): Gate {
  if (!isTls(listenerProtocol(config, 'PEER'))) return () => ({});
  const isNode = nodeCheck(config);
  return (_path, call): Refusal | Passed => {
    const connection = connectionOf(call.getPeer());
    const subject = connection?.certificate === undefined ? '' : subjectOf(connection.certificate);
    if (subject !== '' && isNode(subject)) return {};
    refusals.tell({ subject, remoteAddress: connection?.remoteAddress });
    return { code: status.PERMISSION_DENIED, details: 'this listener is for the nodes of the cluster' };
  };
}
