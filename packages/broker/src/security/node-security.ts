// The security of a node, put together from its configuration: what its listeners' gates share.

import { scramCredential } from '@tidemark/controller';
import { isSasl, listenerProtocol, principalsOf, type Listener } from '@tidemark/core';
import type { ServiceRegistration } from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import type { ConnectionOf } from '../listeners.ts';
import { authRegistration, type Authentication } from './auth-service.ts';
import { AuthenticationLimit } from './authentication-limit.ts';
import { AclAuthorizer, openToAll, type Authorizer } from './authorizer.ts';
import { clientGate } from './client-gate.ts';
import { gatedServices } from './gated-services.ts';
import { OpenStreams } from './open-streams.ts';
import { RefusalLog } from './refusal-log.ts';
import { ScramExchanges } from './scram-exchanges.ts';
import { TokenSessions } from './token-sessions.ts';

type Parts = Pick<NodeContext, 'config' | 'clock' | 'log' | 'metadata'>;

export function authorizerOf({ config, metadata }: Pick<Parts, 'config' | 'metadata'>): Authorizer {
  if (config.get('authorizer.class.name') === '') return openToAll;
  return new AclAuthorizer({
    access: () => metadata.image.access,
    superUsers: principalsOf(config.get('super.users')),
    allowIfNoAclFound: config.get('allow.everyone.if.no.acl.found'),
  });
}

export class NodeSecurity {
  readonly #parts: Parts;
  readonly #authorizer: Authorizer;
  readonly #authentication: Authentication;
  readonly #streams: OpenStreams;

  constructor(parts: Parts, authorizer: Authorizer) {
    const { config, clock, log, metadata } = parts;
    this.#parts = parts;
    this.#authorizer = authorizer;
    const sessions = new TokenSessions({
      clock,
      lifetimeMs: config.get('connections.max.reauth.ms'),
      credentialOf: (user, mechanism) => scramCredential(metadata.image.access, user, mechanism),
    });
    this.#authentication = {
      exchanges: new ScramExchanges(clock, () => metadata.image.access),
      sessions,
      limit: new AuthenticationLimit(clock, config.get('connection.failed.authentication.delay.ms')),
      refusals: new RefusalLog(clock, log, 'an authentication failed'),
    };
    this.#streams = new OpenStreams(clock, sessions);
  }

  /** What a client listener serves, behind its gate. */
  gated(
    { name }: Listener,
    connectionOf: ConnectionOf,
    context: NodeContext,
    services: readonly ServiceRegistration[],
  ): readonly ServiceRegistration[] {
    const { config, clock, log, metadata } = this.#parts;
    const gate = clientGate({
      config,
      listenerName: name,
      connectionOf,
      sessions: this.#authentication.sessions,
      streams: this.#streams,
      authorizer: this.#authorizer,
      image: () => metadata.image,
      clock,
      quotas: context.quotas,
      refusals: new RefusalLog(clock, log, 'a call was refused: the principal may not'),
    });
    const asks = isSasl(listenerProtocol(config, name));
    const own = asks ? [authRegistration(context, this.#authentication)] : [];
    return gatedServices([...services, ...own], gate);
  }

  close(): void {
    this.#streams.close();
  }
}
