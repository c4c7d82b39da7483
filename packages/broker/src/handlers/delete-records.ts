// LogService.DeleteRecords: raises a partition's log start, at every in-sync replica.

import { isFailure } from '@tidemark/core';
import {
  answerPartitions,
  checkOffset,
  failureDetail,
  type DeleteRecordsRequestOutput,
  type DeleteRecordsResponse,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import { timeoutOf } from './within-time.ts';

export async function deleteRecords(
  context: BrokerContext,
  request: DeleteRecordsRequestOutput,
): Promise<DeleteRecordsResponse> {
  const results = await answerPartitions(
    request.partitions,
    (wire, address) => {
      if (wire.beforeOffset === -1) return { address, beforeOffset: undefined };
      const beforeOffset = checkOffset(wire.beforeOffset, 'before_offset');
      return isFailure(beforeOffset) ? beforeOffset : { address, beforeOffset };
    },
    (accepted) => context.replicas.deleteRecords(accepted, timeoutOf(request)),
    ({ topic, topicId, partition }, result) =>
      isFailure(result)
        ? { topic, topicId, partition, error: failureDetail(result), logStartOffset: -1 }
        : {
            topic: result.topic ?? topic,
            topicId: result.topicId ?? topicId,
            partition,
            error: result.failure === undefined ? null : failureDetail(result.failure),
            logStartOffset: result.logStartOffset,
          },
  );
  return { results };
}
