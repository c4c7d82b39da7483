// QuorumService.RemoveVoter: takes the vote from a replica, for example from a disk that died. Without a directory id it is that of
// the voter with this node id, as the quorum has it now.

import { failure, type Failure, isFailure, type NodeId } from '@tidemark/core';
import type { ReplicaKey } from '@tidemark/raft';
import type { RemoveVoterRequestOutput, RemoveVoterResponse, WireError } from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { checkDirectoryId } from './add-voter.ts';
import { quorumError } from './controller-hint.ts';
import { whenCurrent } from './linearizable.ts';
import { timeoutOf } from './within-time.ts';

export async function removeVoter(
  context: QuorumContext,
  request: RemoveVoterRequestOutput,
): Promise<RemoveVoterResponse> {
  const startedMs = context.clock.monotonicMs();
  const named = await replicaOf(context, request);
  if ('error' in named) return named;
  const leftMs = timeoutOf(request) - (context.clock.monotonicMs() - startedMs);
  const change = { type: 'remove', replica: named.replica } as const;
  const changed = await context.metadata.changeVoters(change, Math.max(1, leftMs));
  return isFailure(changed) ? { error: quorumError(context, changed) } : {};
}

async function replicaOf(
  context: QuorumContext,
  { nodeId, directoryId, timeoutMs }: RemoveVoterRequestOutput,
): Promise<{ readonly replica: ReplicaKey } | { readonly error: WireError }> {
  const refuse = (reason: Failure) => ({ error: quorumError(context, reason) });
  if (directoryId !== '') {
    const directory = checkDirectoryId(directoryId);
    if (typeof directory !== 'string') return refuse(directory);
    return { replica: { nodeId: nodeId as NodeId, directoryId: directory } };
  }
  const error = await whenCurrent(context, { allowStale: false, timeoutMs });
  if (error !== undefined) return { error };
  const { voters } = context.metadata.quorum;
  const voter = voters.find((each) => each.nodeId === nodeId);
  if (voter !== undefined) return { replica: { nodeId: voter.nodeId, directoryId: voter.directoryId } };
  const ids = voters.map((each) => each.nodeId).join(', ');
  return refuse(failure('INVALID_REQUEST', `node ${nodeId} does not vote; the voters are ${ids}`));
}
