// The question handlers ask for themselves, where a request names topics as it goes on: whether this caller may do this to that topic.

import { failure, type Failure, type TopicId } from '@tidemark/core';
import type { AclOperation, MetadataImage } from '@tidemark/controller';
import type { NodeContext } from '../broker-context.ts';
import { openToAll } from './authorizer.ts';
import { ANONYMOUS_CALLER, callerOf } from './callers.ts';
import type { TopicNamesOf } from './rpc-rules.ts';

/** By name, by id or both: then by both. Undefined when it is allowed, or when there is no such topic for the id. */
export type TopicPermission = (wire: {
  readonly topic: string;
  readonly topicId: string;
}) => Failure | undefined;

const always: TopicPermission = () => undefined;

export function topicPermission(
  { authorizer, metadata, metrics }: Pick<NodeContext, 'authorizer' | 'metadata' | 'metrics'>,
  call: object,
  operation: AclOperation,
): TopicPermission {
  if (authorizer === openToAll) return always;
  const caller = callerOf(call) ?? ANONYMOUS_CALLER;
  const refused = (topic: string): boolean => !authorizer.allows(caller, operation, 'topic', topic);
  const topicNames = topicNamesIn(() => metadata.image);
  return (wire) => {
    if (!topicNames(wire).some(refused)) return undefined;
    metrics.security.refusedCall('denied');
    return failure('TOPIC_AUTHORIZATION_FAILED');
  };
}

/** The names of the topics a request means; none for an id that nobody has. */
export function topicNamesIn(image: () => MetadataImage): TopicNamesOf {
  return ({ topic, name, topicId = '' }) => {
    const given = topic ?? name ?? '';
    const byId = topicId === '' ? undefined : image().topicById(topicId as TopicId)?.name;
    const named = given === '' ? [] : [given];
    return byId === undefined || byId === given ? named : [...named, byId];
  };
}
