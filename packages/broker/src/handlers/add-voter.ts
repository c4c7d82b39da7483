// QuorumService.AddVoter: gives an observer a vote. Whether it is caught up, and whether another change is under way, the leader
// knows; here only the request itself is checked.

import { failure, type Failure, isFailure, isTopicId, type NodeId } from '@tidemark/core';
import type { Voter } from '@tidemark/raft';
import type { AddVoterRequestOutput, AddVoterResponse } from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { quorumError } from './controller-hint.ts';
import { timeoutOf } from './within-time.ts';

const MAX_HOST_LENGTH = 255;

/** Directory ids have the form of topic ids. */
export function checkDirectoryId(text: string): string | Failure {
  if (isTopicId(text)) return text;
  return failure(
    'INVALID_REQUEST',
    'a directory id is 22 characters of base64url, as `tidemark quorum status -o wide` shows it',
  );
}

function checked({ nodeId, directoryId, host, port }: AddVoterRequestOutput): Voter | Failure {
  if (nodeId < 0) return failure('INVALID_REQUEST', `node id ${nodeId} is negative`);
  const directory = checkDirectoryId(directoryId);
  if (typeof directory !== 'string') return directory;
  if (host === '' || host.length > MAX_HOST_LENGTH || /[\s@/]/.test(host)) {
    return failure('INVALID_REQUEST', 'the voter needs the host of its PEER listener');
  }
  if (port < 1 || port > 65535) {
    return failure('INVALID_REQUEST', `port ${port} does not exist: give that of its PEER listener`);
  }
  return { nodeId: nodeId as NodeId, directoryId: directory, endpoint: { host, port } };
}

export async function addVoter(
  context: QuorumContext,
  request: AddVoterRequestOutput,
): Promise<AddVoterResponse> {
  const voter = checked(request);
  if (isFailure(voter)) return { error: quorumError(context, voter) };
  const changed = await context.metadata.changeVoters({ type: 'add', voter }, timeoutOf(request));
  return isFailure(changed) ? { error: quorumError(context, changed) } : {};
}
