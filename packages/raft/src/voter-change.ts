// Which set of voters follows from a change, or why there is none. One voter at a time, so that any two majorities of neighbouring
// sets share a voter (Raft thesis, 4.1).

import { failure, type Failure } from '@tidemark/core';
import {
  findVoter,
  isSameReplica,
  MAX_VOTERS,
  type ReplicaKey,
  type Voter,
  type VoterSet,
} from './replica.ts';

export type VoterChange =
  { readonly type: 'add'; readonly voter: Voter } | { readonly type: 'remove'; readonly replica: ReplicaKey };

/** `isCaughtUp`: whether a replica follows so closely that it would not hold up commits. */
export function changedVoters(
  voters: VoterSet,
  change: VoterChange,
  isCaughtUp: (replica: ReplicaKey) => boolean,
): VoterSet | Failure {
  return change.type === 'add' ? added(voters, change.voter, isCaughtUp) : removed(voters, change.replica);
}

function added(
  voters: VoterSet,
  voter: Voter,
  isCaughtUp: (replica: ReplicaKey) => boolean,
): VoterSet | Failure {
  const same = voters.find(({ nodeId }) => nodeId === voter.nodeId);
  if (same !== undefined) {
    const message = isSameReplica(same, voter)
      ? `Node ${voter.nodeId} is a voter already.`
      : `Node ${voter.nodeId} is a voter with another directory id, ${same.directoryId}; remove that one first.`;
    return failure('INVALID_REQUEST', message);
  }
  if (voters.length >= MAX_VOTERS) {
    return failure('INVALID_REQUEST', `There are ${voters.length} voters already, and no more are allowed.`);
  }
  if (!isCaughtUp(voter)) {
    return failure(
      'REPLICA_NOT_AVAILABLE',
      `Node ${voter.nodeId} with directory id ${voter.directoryId} does not follow this leader closely yet. Start it, and retry when quorum status shows it without lag.`,
    );
  }
  return [...voters, voter].sort((a, b) => a.nodeId - b.nodeId);
}

function removed(voters: VoterSet, replica: ReplicaKey): VoterSet | Failure {
  if (findVoter(voters, replica) === undefined) {
    return failure(
      'INVALID_REQUEST',
      `No voter has node id ${replica.nodeId} and directory id ${replica.directoryId}.`,
    );
  }
  if (voters.length === 1) return failure('INVALID_REQUEST', 'The last voter cannot be removed.');
  return voters.filter((voter) => !isSameReplica(voter, replica));
}
