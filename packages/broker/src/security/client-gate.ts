// The gate of a client listener: finds out who calls, and asks the authorizer what the RPC's rule says. What a rule says of the single
// things a request names is asked for each: the refused ones are taken out, and answered in their places.

import { status, type ServerUnaryCall } from '@grpc/grpc-js';
import {
  CLUSTER_RESOURCE,
  type AclOperation,
  type AclResourceType,
  type MetadataImage,
} from '@tidemark/controller';
import {
  ANONYMOUS,
  isSasl,
  isTls,
  listenerProtocol,
  type BrokerConfig,
  type Clock,
  type ErrorName,
  type TopicId,
} from '@tidemark/core';
import {
  CLIENT_ID_HEADER,
  errorDetail,
  subjectOf,
  UndecodableRequest,
  type PeerConnection,
} from '@tidemark/rpc';
import type { ClientQuotas } from '../quotas/client-quotas.ts';
import { mutationCount } from '../quotas/mutations.ts';
import type { Authorizer } from './authorizer.ts';
import { rememberCaller, type Caller } from './callers.ts';
import type { AnyCall, Callback, Gate, Passed, Refusal } from './gated-services.ts';
import { CertificatePrincipals } from './node-gate.ts';
import type { OpenStreams } from './open-streams.ts';
import type { RefusalLog } from './refusal-log.ts';
import { rpcRules, type Item, type ItemsRule, type RpcRule, type TopicNameOf } from './rpc-rules.ts';
import type { TokenSession, TokenSessions } from './token-sessions.ts';

export interface ClientGateOptions {
  readonly config: BrokerConfig;
  readonly listenerName: string;
  readonly connectionOf: (peer: string) => PeerConnection | undefined;
  readonly sessions: TokenSessions;
  readonly streams: OpenStreams;
  readonly authorizer: Authorizer;
  readonly image: () => MetadataImage;
  readonly refusals: RefusalLog;
  readonly clock: Clock;
  readonly quotas: ClientQuotas;
}

/** No name of a client is longer; what is cut off is of no use to anybody. */
const MAX_CLIENT_ID = 255;

const errors: Readonly<Record<AclResourceType, ErrorName>> = {
  topic: 'TOPIC_AUTHORIZATION_FAILED',
  group: 'GROUP_AUTHORIZATION_FAILED',
  cluster: 'CLUSTER_AUTHORIZATION_FAILED',
  'transactional-id': 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
};

export const refusalOf = (type: AclResourceType): ReturnType<typeof errorDetail> =>
  errorDetail(errors[type], `the principal may not do this to the ${type}`);

interface Identified {
  readonly caller: Caller;
  readonly session: TokenSession | undefined;
}

export function clientGate(options: ClientGateOptions): Gate {
  const identify = identification(options);
  const topicName = topicNames(options.image);
  const throttle = throttling(options, topicName);
  return (path, call, callback) => {
    const rule = rpcRules.get(path);
    if (rule === undefined) return { code: status.UNIMPLEMENTED, details: `${path} has no rule` };
    const identified = identify(call, rule);
    if ('code' in identified) return identified;
    const { caller, session } = identified;
    rememberCaller(call, caller);
    if (session !== undefined && callback === undefined) options.streams.watch(call, session);
    const asked = new Question(options.authorizer, caller, topicName);
    const outcome = asked.answer(rule, call, callback);
    if ('code' in outcome) {
      options.refusals.tell({ rpc: path, principal: caller.principal, host: caller.host });
      return outcome;
    }
    if (outcome.answered === true || rule.kind === 'open') return outcome;
    return throttle(path, rule, call, { ...outcome, callback: outcome.callback ?? callback }, caller);
  };
}

type Throttle = (path: string, rule: RpcRule, call: AnyCall, passed: Passed, caller: Caller) => Passed;

/** What the caller's quotas of time and of mutations say of a call that may otherwise be done. */
function throttling({ quotas, clock, image, config }: ClientGateOptions, topicName: TopicNameOf): Throttle {
  const busy = errorDetail(
    'THROTTLING_QUOTA_EXCEEDED',
    'the quota controller_mutation_rate is used up; try again later',
  );
  return (path, rule, call, passed, caller) => {
    const { callback } = passed;
    const quota = quotas.of(caller);
    const count = mutationCount(path);
    const { request } = call as ServerUnaryCall<unknown, unknown>;
    if (count !== undefined && rule.kind === 'items' && !(request instanceof UndecodableRequest)) {
      if (quota.waitMs('controller_mutation_rate') > 0) {
        const items = (request as Record<string, readonly never[]>)[rule.request] ?? [];
        const results = items.map((item) => ({ ...rule.item(item, topicName).answer, error: busy }));
        return answered(callback, { [rule.response]: results });
      }
      quota.use('controller_mutation_rate', count(request as never, image(), config));
    }
    // Streams measure themselves, message by message.
    if (callback === undefined) return passed;
    return {
      ...passed,
      when: quota.waitMs('request_percentage') > 0 ? quota.ready('request_percentage') : undefined,
      took: (ms) => void quota.use('request_percentage', ms),
      clock,
    };
  };
}

function identification(options: ClientGateOptions): (call: AnyCall, rule: RpcRule) => Identified | Refusal {
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

/** The name of the topic a request means; undefined for an id that nobody has. */
function topicNames(image: () => MetadataImage): TopicNameOf {
  return ({ topic, name, topicId = '' }) => {
    const given = topic ?? name ?? '';
    return given !== '' ? given : image().topicById(topicId as TopicId)?.name;
  };
}

class Question {
  readonly #authorizer: Authorizer;
  readonly #caller: Caller;
  readonly #topicName: TopicNameOf;

  constructor(authorizer: Authorizer, caller: Caller, topicName: TopicNameOf) {
    this.#authorizer = authorizer;
    this.#caller = caller;
    this.#topicName = topicName;
  }

  answer(rule: RpcRule, call: AnyCall, callback: Callback | undefined): Refusal | Passed {
    switch (rule.kind) {
      case 'open':
      case 'known':
      case 'handler':
        return {};
      case 'node':
        return denied('this listener is for clients');
      case 'cluster':
        return this.#onCluster(rule.operation) ? {} : deniedCluster;
      case 'clusterOrTopic':
        return this.#onCluster(rule.operation) ||
          this.#authorizer.allowsSome(this.#caller, rule.onTopic, 'topic')
          ? {}
          : deniedCluster;
      case 'group':
        return this.#onGroup(rule.operation, call, callback);
      case 'hidden':
        return this.#hide(rule, callback);
      case 'items':
        return this.#items(rule, call, callback);
    }
  }

  #allows(operation: AclOperation, type: AclResourceType, name: string): boolean {
    return this.#authorizer.allows(this.#caller, operation, type, name);
  }

  #onCluster(operation: AclOperation): boolean {
    return this.#allows(operation, 'cluster', CLUSTER_RESOURCE);
  }

  #onGroup(operation: AclOperation, call: AnyCall, callback: Callback | undefined): Refusal | Passed {
    const { request } = call as ServerUnaryCall<unknown, unknown>;
    if (request instanceof UndecodableRequest) return {};
    const { groupId } = request as { groupId: string };
    if (this.#allows(operation, 'group', groupId)) return {};
    return answered(callback, { error: refusalOf('group') });
  }

  #hide(rule: Extract<RpcRule, { kind: 'hidden' }>, callback: Callback | undefined): Passed {
    const { response, type, nameOf } = rule;
    return {
      callback: (error, answer) => {
        const items = (answer as Record<string, readonly never[]> | null | undefined)?.[response];
        if (items === undefined || answer === null) callback?.(error, answer);
        else {
          const seen = items.filter((item) => this.#allows('describe', type, nameOf(item)));
          callback?.(error, { ...answer, [response]: seen });
        }
      },
    };
  }

  #items(rule: ItemsRule, call: AnyCall, callback: Callback | undefined): Refusal | Passed {
    const unary = call as ServerUnaryCall<unknown, unknown>;
    if (unary.request instanceof UndecodableRequest) return {};
    const request = unary.request as Record<string, readonly never[]> & { groupId?: string };
    if (rule.group !== undefined && !this.#allows(rule.group, 'group', request.groupId ?? '')) {
      return answered(callback, { error: refusalOf('group') });
    }
    if (rule.orCluster !== undefined && this.#onCluster(rule.orCluster)) return {};
    const all = request[rule.request] ?? [];
    const items = all.map((item) => rule.item(item, this.#topicName));
    const refused = items.map((item) => !this.#allowsItem(item));
    if (!refused.includes(true)) return rule.whole === true ? this.#seen(rule, callback) : {};
    if (rule.whole === true)
      return answered(callback, { error: refusalOf(items[refused.indexOf(true)]!.type) });
    const results = items.map(({ type, answer }) => ({ ...answer, error: refusalOf(type) }));
    if (!refused.includes(false)) return answered(callback, { [rule.response]: results });
    unary.request = { ...request, [rule.request]: all.filter((_, at) => refused[at] === false) };
    return {
      callback: (error, answer) => {
        const told = (answer as Record<string, readonly object[]> | null | undefined)?.[rule.response];
        let next = 0;
        const merged = results
          .map((result, at) => (refused[at] === true ? result : told?.[next++]))
          .filter(isThere);
        callback?.(error, answer == null ? answer : { ...answer, [rule.response]: merged });
      },
    };
  }

  /** Answers of everything there is: without what may not be seen. */
  #seen(rule: ItemsRule, callback: Callback | undefined): Passed {
    const nameOf = (item: { topic: string }): string => item.topic;
    return this.#hide({ kind: 'hidden', response: rule.response, type: 'topic', nameOf }, callback);
  }

  #allowsItem({ operation, type, name }: Item): boolean {
    return name === undefined || this.#allows(operation, type, name);
  }
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined;

const denied = (details: string): Refusal => ({ code: status.PERMISSION_DENIED, details });
const deniedCluster = denied('CLUSTER_AUTHORIZATION_FAILED: the principal may not do this to the cluster');

/** It was answered here; the handler hears nothing of it. */
function answered(callback: Callback | undefined, answer: object): Passed {
  callback?.(null, answer);
  return { answered: true };
}
