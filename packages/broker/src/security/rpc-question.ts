// What an RPC's rule asks, asked for one call. What a rule says of the single things a request names is asked for each: the refused
// ones are taken out, and answered in their places.

import { status, type ServerUnaryCall } from '@grpc/grpc-js';
import { CLUSTER_RESOURCE, type AclOperation, type AclResourceType } from '@tidemark/controller';
import type { ErrorName } from '@tidemark/core';
import { errorDetail, UndecodableRequest } from '@tidemark/rpc';
import type { Authorizer } from './authorizer.ts';
import type { Caller } from './callers.ts';
import { answeredHere, type AnyCall, type Callback, type Passed, type Refusal } from './gated-services.ts';
import type { Item, ItemsRule, RpcRule, TopicNamesOf } from './rpc-rules.ts';

const errors: Readonly<Record<AclResourceType, ErrorName>> = {
  topic: 'TOPIC_AUTHORIZATION_FAILED',
  group: 'GROUP_AUTHORIZATION_FAILED',
  cluster: 'CLUSTER_AUTHORIZATION_FAILED',
  'transactional-id': 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
};

const refusalOf = (type: AclResourceType): ReturnType<typeof errorDetail> =>
  errorDetail(errors[type], `the principal may not do this to the ${type}`);

export interface QuestionParts {
  readonly authorizer: Authorizer;
  readonly caller: Caller;
  readonly topicNames: TopicNamesOf;
  /** Told once for a call of which a part is refused. */
  readonly onDenied: () => void;
}

export class RpcQuestion {
  readonly #parts: QuestionParts;

  constructor(parts: QuestionParts) {
    this.#parts = parts;
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
          this.#parts.authorizer.allowsSome(this.#parts.caller, rule.onTopic, 'topic')
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
    return this.#parts.authorizer.allows(this.#parts.caller, operation, type, name);
  }

  #onCluster(operation: AclOperation): boolean {
    return this.#allows(operation, 'cluster', CLUSTER_RESOURCE);
  }

  #onGroup(operation: AclOperation, call: AnyCall, callback: Callback | undefined): Refusal | Passed {
    const { request } = call as ServerUnaryCall<unknown, unknown>;
    if (request instanceof UndecodableRequest) return {};
    const { groupId } = request as { groupId: string };
    if (this.#allows(operation, 'group', groupId)) return {};
    this.#parts.onDenied();
    return answeredHere(callback, { error: refusalOf('group') });
  }

  #hide(rule: Extract<RpcRule, { kind: 'hidden' }>, callback: Callback | undefined): Passed {
    const { response, type, nameOf, orCluster } = rule;
    if (orCluster !== undefined && this.#onCluster(orCluster)) return {};
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
      this.#parts.onDenied();
      return answeredHere(callback, { error: refusalOf('group') });
    }
    if (rule.orCluster !== undefined && this.#onCluster(rule.orCluster)) return {};
    const all = request[rule.request] ?? [];
    const items = all.map((item) => rule.item(item, this.#parts.topicNames));
    const refused = items.map((item) => !this.#allowsItem(item));
    if (!refused.includes(true)) return rule.whole === true ? this.#seen(rule, callback) : {};
    this.#parts.onDenied();
    if (rule.whole === true)
      return answeredHere(callback, { error: refusalOf(items[refused.indexOf(true)]!.type) });
    const results = items.map(({ type, answer }) => ({ ...answer, error: refusalOf(type) }));
    if (!refused.includes(false)) return answeredHere(callback, { [rule.response]: results });
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

  #allowsItem({ operation, type, names }: Item): boolean {
    return names.every((name) => this.#allows(operation, type, name));
  }
}

const isThere = <T>(value: T | undefined): value is T => value !== undefined;

const denied = (details: string): Refusal => ({ code: status.PERMISSION_DENIED, details });
const deniedCluster = denied('CLUSTER_AUTHORIZATION_FAILED: the principal may not do this to the cluster');
