// The security of a node, put together from its configuration: what its listeners' gates share.

import { scramCredential } from '@tidemark/controller';
import { invariant, isSasl, listenerProtocol, principalsOf, type Listener } from '@tidemark/core';
import type { ServiceRegistration } from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import type { ConnectionOf, Listeners } from '../listeners.ts';
import { authRegistration, type Authentication } from './auth-service.ts';
import { AuthenticationLimit } from './authentication-limit.ts';
import { AclAuthorizer, openToAll, type Authorizer } from './authorizer.ts';
import { clientGate } from './client-gate.ts';
import { gatedServices } from './gated-services.ts';
import { openDoors } from './open-doors.ts';
import { nodeGate } from './node-gate.ts';
import { OpenStreams } from './open-streams.ts';
import { RefusalLog } from './refusal-log.ts';
import { rpcRules } from './rpc-rules.ts';
import { ScramExchanges } from './scram-exchanges.ts';
import { TokenSessions } from './token-sessions.ts';

type Parts = Pick<NodeContext, 'authorizer' | 'config' | 'clock' | 'log' | 'metadata' | 'metrics'>;

export function authorizerOf({ config, metadata }: Pick<Parts, 'config' | 'metadata'>): Authorizer {
  if (config.get('authorizer.class.name') === '') return openToAll;
  return new AclAuthorizer({
    access: () => metadata.image.access,
    superUsers: principalsOf(config.get('super.users')),
    allowIfNoAclFound: config.get('allow.everyone.if.no.acl.found'),
  });
}

/** What the PEER listener serves, behind its gate. */
export function peersOnly(
  services: readonly ServiceRegistration[],
  connectionOf: ConnectionOf,
  { config, clock, log, metrics }: Pick<Parts, 'config' | 'clock' | 'log' | 'metrics'>,
): readonly ServiceRegistration[] {
  const refusals = new RefusalLog(clock, log, 'a caller on PEER is no node; it was refused', () =>
    metrics.security.refusedCall('not-a-node'),
  );
  return gatedServices(services, nodeGate(config, connectionOf, refusals));
}

export class NodeSecurity {
  readonly #parts: Parts;
  readonly #authentication: Authentication;
  readonly #streams: OpenStreams;

  constructor(parts: Parts) {
    const { config, clock, log, metadata } = parts;
    this.#parts = parts;
    for (const door of openDoors(config)) log.warn(door);
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

  /** Begins to answer clients, on every listener of theirs. */
  serve<Context extends NodeContext>(
    listeners: Listeners,
    context: Context,
    servicesOf: (own: Context) => readonly ServiceRegistration[],
  ): void {
    listeners.serve('CLIENT', (listener, connectionOf) => {
      const own = { ...context, listenerName: listener.name };
      return this.#gated(listener, connectionOf, own, servicesOf(own));
    });
  }

  /** What a client listener serves, behind its gate. */
  #gated(
    { name }: Listener,
    connectionOf: ConnectionOf,
    context: NodeContext,
    services: readonly ServiceRegistration[],
  ): readonly ServiceRegistration[] {
    const { authorizer, config, clock, log, metadata, metrics } = this.#parts;
    const gate = clientGate({
      config,
      listenerName: name,
      connectionOf,
      sessions: this.#authentication.sessions,
      streams: this.#streams,
      authorizer,
      metrics: metrics.security,
      image: () => metadata.image,
      clock,
      quotas: context.quotas,
      refusals: new RefusalLog(clock, log, 'a call was refused: the principal may not'),
    });
    const asks = isSasl(listenerProtocol(config, name));
    const own = asks ? [authRegistration(context, this.#authentication)] : [];
    const served = [...services, ...own];
    for (const { path } of served.flatMap(([definition]) => Object.values(definition))) {
      invariant(rpcRules.has(path), 'an RPC has no rule who may call it', { path });
    }
    return gatedServices(served, gate);
  }

  close(): void {
    this.#streams.close();
  }
}
