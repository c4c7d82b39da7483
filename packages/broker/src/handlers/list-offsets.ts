// LogService.ListOffsets: offsets by timestamp, or the ends of a partition.

import { failure, type Failure, isFailure } from '@tidemark/core';
import {
  answerPartitions,
  checkEpoch,
  failureDetail,
  type ListOffsetsRequestOutput,
  type ListOffsetsResponse,
} from '@tidemark/rpc';
import type { OffsetQuery } from '@tidemark/runtime';
import type { BrokerContext } from '../broker-context.ts';

function query(timestampMs: number): OffsetQuery | Failure {
  switch (timestampMs) {
    case -1:
      return { kind: 'end' };
    case -2:
      return { kind: 'start' };
    case -3:
      return { kind: 'max-timestamp' };
    default:
      return timestampMs >= 0 && Number.isSafeInteger(timestampMs)
        ? { kind: 'timestamp', timestampMs }
        : failure(
            'INVALID_REQUEST',
            `timestamp_ms ${timestampMs} is neither a time in milliseconds nor -1 (end), -2 (start), -3 (largest timestamp)`,
          );
  }
}

export async function listOffsets(
  context: BrokerContext,
  request: ListOffsetsRequestOutput,
): Promise<ListOffsetsResponse> {
  const results = await answerPartitions(
    request.partitions,
    (wire, address) => {
      const currentLeaderEpoch = checkEpoch(wire.currentLeaderEpoch, 'current_leader_epoch');
      if (isFailure(currentLeaderEpoch)) return currentLeaderEpoch;
      const asked = query(wire.timestampMs);
      return isFailure(asked) ? asked : { address, currentLeaderEpoch, query: asked };
    },
    (accepted) => context.replicas.listOffsets(accepted),
    ({ topic, topicId, partition }, result) =>
      isFailure(result)
        ? {
            topic,
            topicId,
            partition,
            error: failureDetail(result),
            offset: -1,
            timestampMs: -1,
            leaderEpoch: -1,
          }
        : {
            topic: result.topic ?? topic,
            topicId: result.topicId ?? topicId,
            partition,
            error: result.failure === undefined ? null : failureDetail(result.failure),
            offset: result.offset,
            timestampMs: result.timestampMs,
            leaderEpoch: result.leaderEpoch,
          },
  );
  return { results };
}
