// LogService.OffsetForLeaderEpoch: where a leader epoch ended, for clients that check after a failover whether what they read
// is still there (KIP-320).

import { failure, isFailure } from '@tidemark/core';
import {
  answerPartitions,
  checkEpoch,
  failureDetail,
  type OffsetForLeaderEpochRequestOutput,
  type OffsetForLeaderEpochResponse,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';

export async function offsetForLeaderEpoch(
  context: BrokerContext,
  request: OffsetForLeaderEpochRequestOutput,
): Promise<OffsetForLeaderEpochResponse> {
  const results = await answerPartitions(
    request.partitions,
    (wire, address) => {
      const currentLeaderEpoch = checkEpoch(wire.currentLeaderEpoch, 'current_leader_epoch');
      if (isFailure(currentLeaderEpoch)) return currentLeaderEpoch;
      const leaderEpoch = checkEpoch(wire.leaderEpoch, 'leader_epoch');
      if (isFailure(leaderEpoch)) return leaderEpoch;
      return leaderEpoch === undefined
        ? failure('INVALID_REQUEST', 'leader_epoch -1 names no epoch')
        : { address, currentLeaderEpoch, leaderEpoch };
    },
    (accepted) => context.replicas.offsetForLeaderEpoch(accepted),
    ({ topic, topicId, partition }, result) =>
      isFailure(result)
        ? { topic, topicId, partition, error: failureDetail(result), leaderEpoch: -1, endOffset: -1 }
        : {
            topic: result.topic ?? topic,
            topicId: result.topicId ?? topicId,
            partition,
            error: result.failure === undefined ? null : failureDetail(result.failure),
            leaderEpoch: result.leaderEpoch,
            endOffset: result.endOffset,
          },
  );
  return { results };
}
