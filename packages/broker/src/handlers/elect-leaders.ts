// AdminService.ElectLeaders: preferred or unclean elections (KIP-460), decided by the active controller.

import { failure, isFailure } from '@tidemark/core';
import { failureDetail, type ElectLeadersRequestOutput, type ElectLeadersResponse } from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { quorumError } from './controller-hint.ts';
import { timeoutOf } from './within-time.ts';

export async function electLeaders(
  context: QuorumContext,
  request: ElectLeadersRequestOutput,
): Promise<ElectLeadersResponse> {
  const { type, partitions } = request;
  if (type !== 'ELECTION_TYPE_PREFERRED' && type !== 'ELECTION_TYPE_UNCLEAN') {
    return { error: failureDetail(failure('INVALID_REQUEST', 'an election is PREFERRED or UNCLEAN')) };
  }
  const response = await context.metadata.submit(
    {
      type: 'electLeaders',
      election: type === 'ELECTION_TYPE_PREFERRED' ? 'preferred' : 'unclean',
      partitions: partitions.length === 0 ? undefined : partitions,
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
