// QuorumService.TransferLeadership: another voter leads, chosen or whichever is furthest (Raft thesis, 3.10).

import { failure, isFailure, type NodeId } from '@tidemark/core';
import type { TransferLeadershipRequestOutput, TransferLeadershipResponse } from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { quorumError } from './controller-hint.ts';
import { timeoutOf } from './within-time.ts';

export async function transferLeadership(
  context: QuorumContext,
  request: TransferLeadershipRequestOutput,
): Promise<TransferLeadershipResponse> {
  const { nodeId } = request;
  if (nodeId !== undefined && nodeId < 0) {
    const reason = failure('INVALID_REQUEST', `node id ${nodeId} is negative`);
    return { error: quorumError(context, reason), leaderId: leaderOf(context) };
  }
  const done = await context.metadata.transferLeadership(nodeId as NodeId | undefined, timeoutOf(request));
  const leaderId = leaderOf(context);
  return isFailure(done) ? { error: quorumError(context, done), leaderId } : { leaderId };
}

function leaderOf({ metadata }: QuorumContext): number {
  return metadata.quorum.leader?.nodeId ?? -1;
}
