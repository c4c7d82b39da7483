// AdminService.ReassignPartitions (KIP-455): moves partitions, or takes back a move that is under way.

import { isFailure } from '@tidemark/core';
import {
  failureDetail,
  type ReassignPartitionsRequestOutput,
  type ReassignPartitionsResponse,
} from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { quorumError } from './controller-hint.ts';
import { timeoutOf } from './within-time.ts';

export async function reassignPartitions(
  context: QuorumContext,
  request: ReassignPartitionsRequestOutput,
): Promise<ReassignPartitionsResponse> {
  const response = await context.metadata.submit(
    {
      type: 'reassignPartitions',
      partitions: request.partitions.map(({ topic, partition, brokerIds }) => ({
        topic,
        partition,
        replicas: brokerIds.length === 0 ? undefined : brokerIds,
      })),
      allowReplicationFactorChange: !request.keepReplicationFactor,
    },
    timeoutOf(request),
  );
  if (isFailure(response)) return { error: quorumError(context, response) };
  return {
    results: response.partitions.map((each) => {
      const { topic, partition } = each;
      return each.ok ? { topic, partition } : { topic, partition, error: failureDetail(each) };
    }),
  };
}
