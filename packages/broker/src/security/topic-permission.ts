// The question handlers ask for themselves, where a request names topics as it goes on: whether this caller may do this to that topic.

import { failure, type Failure, type TopicId } from '@tidemark/core';
import type { AclOperation } from '@tidemark/controller';
import type { NodeContext } from '../broker-context.ts';
import { openToAll } from './authorizer.ts';
import { ANONYMOUS_CALLER, callerOf } from './callers.ts';

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
  return ({ topic, topicId }) => {
    const byId = topicId === '' ? undefined : metadata.image.topicById(topicId as TopicId)?.name;
    const isRefused =
      (topic !== '' && refused(topic)) || (byId !== undefined && byId !== topic && refused(byId));
    if (!isRefused) return undefined;
    metrics.security.refusedCall('denied');
    return failure('TOPIC_AUTHORIZATION_FAILED');
  };
}
