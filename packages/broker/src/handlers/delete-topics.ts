// AdminService.DeleteTopics. The logs are renamed at once and removed after file.delete.delay.ms.

import { type Failure, isFailure } from '@tidemark/core';
import type { DeleteTopic } from '@tidemark/controller';
import {
  checkTopicId,
  errorDetail,
  failureDetail,
  type DeleteTopicOutput,
  type DeleteTopicsRequestOutput,
  type DeleteTopicsResponse,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { decided } from './decided.ts';
import { withinTime } from './within-time.ts';

function checked(wire: DeleteTopicOutput): DeleteTopic | Failure {
  const topicId = wire.topicId === '' ? undefined : checkTopicId(wire.topicId);
  if (isFailure(topicId)) return topicId;
  return { name: wire.name === '' ? undefined : wire.name, topicId };
}

export async function deleteTopics(
  context: NodeContext,
  request: DeleteTopicsRequestOutput,
): Promise<DeleteTopicsResponse> {
  const wanted = request.topics.map(checked);
  const response = await withinTime(context.clock, request.timeoutMs, () =>
    decided(
      context,
      { type: 'deleteTopics', topics: wanted.flatMap((each) => (isFailure(each) ? [] : [each])) },
      request.timeoutMs,
    ),
  );
  let next = 0;
  return {
    results: request.topics.map(({ name, topicId }, at) => {
      const refused = wanted[at];
      if (isFailure(refused)) return { name, topicId, error: failureDetail(refused) };
      if (response === 'late') {
        return { name, topicId, error: errorDetail('REQUEST_TIMED_OUT', 'the topic is being deleted still') };
      }
      if (isFailure(response)) return { name, topicId, error: failureDetail(response) };
      const result = response.topics[next++]!;
      return result.ok
        ? { name: result.name, topicId: result.topicId }
        : { name, topicId, error: failureDetail(result) };
    }),
  };
}
