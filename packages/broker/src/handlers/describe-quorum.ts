// QuorumService.DescribeQuorum. The leader first makes sure that it still leads; others say where it is, or what they know
// themselves when asked for that: with the majority lost this is all there is to see.

import { isSameReplica, type ReplicaKey, type Role } from '@tidemark/raft';
import type {
  DescribeQuorumRequestOutput,
  DescribeQuorumResponse,
  QuorumReplica,
  QuorumReplicaState,
  QuorumRole,
} from '@tidemark/rpc';
import type { QuorumContext, ReplicaProgress } from '../quorum-context.ts';
import { notController } from './controller-hint.ts';
import { whenCurrent } from './linearizable.ts';

const ROLES: Readonly<Record<Role, QuorumRole>> = {
  observer: 'QUORUM_ROLE_OBSERVER',
  follower: 'QUORUM_ROLE_FOLLOWER',
  prospective: 'QUORUM_ROLE_PROSPECTIVE',
  candidate: 'QUORUM_ROLE_CANDIDATE',
  leader: 'QUORUM_ROLE_LEADER',
};

const STATES: Readonly<Record<ReplicaProgress['state'], QuorumReplicaState>> = {
  probing: 'QUORUM_REPLICA_STATE_PROBING',
  replicating: 'QUORUM_REPLICA_STATE_REPLICATING',
  snapshot: 'QUORUM_REPLICA_STATE_SNAPSHOT',
};

const NOT_KNOWN = { matchOffset: -1, lag: -1, lastContactMs: -1 } as const;

export async function describeQuorum(
  context: QuorumContext,
  request: DescribeQuorumRequestOutput,
): Promise<DescribeQuorumResponse> {
  if (!request.allowStale && !leads(context)) return { error: notController(context) };
  const error = await whenCurrent(context, request);
  if (error !== undefined) return { error };
  // It may have been deposed while it asked.
  if (!request.allowStale && !leads(context)) return { error: notController(context) };
  return answer(context);
}

export function leads({ metadata }: QuorumContext): boolean {
  return metadata.quorum.role === 'leader';
}

function answer(context: QuorumContext): DescribeQuorumResponse {
  const { self, quorum } = context.metadata;
  const { voters, replicas } = quorum;
  const observers = replicas.filter(
    ({ key }) => !voters.some((voter) => isSameReplica(voter, key)) && !isSameReplica(self, key),
  );
  return {
    nodeId: self.nodeId,
    role: ROLES[quorum.role],
    leaderId: quorum.leader?.nodeId ?? -1,
    leaderDirectoryId: quorum.leader?.directoryId ?? '',
    term: quorum.term,
    commitOffset: quorum.commitOffset,
    logStartOffset: quorum.logStartOffset,
    logEndOffset: quorum.logEndOffset,
    appliedOffset: quorum.appliedOffset,
    snapshotOffset: quorum.snapshotOffset ?? -1,
    voters: voters.map((voter) => replicaAnswer(context, voter, voter.endpoint)),
    observers: observers
      .map(({ key }) => replicaAnswer(context, key, context.metadata.addressOf(key.nodeId)))
      .sort((a, b) => a.nodeId! - b.nodeId!),
  };
}

function replicaAnswer(
  context: QuorumContext,
  key: ReplicaKey,
  endpoint: { readonly host: string; readonly port: number } | undefined,
): QuorumReplica {
  return {
    nodeId: key.nodeId,
    directoryId: key.directoryId,
    host: endpoint?.host ?? '',
    port: endpoint?.port ?? 0,
    ...progress(context, key),
  };
}

function progress({ metadata }: QuorumContext, key: ReplicaKey): Partial<QuorumReplica> {
  const { self, quorum } = metadata;
  if (quorum.role !== 'leader') return NOT_KNOWN;
  const end = quorum.logEndOffset;
  if (isSameReplica(key, self)) {
    return { matchOffset: end, lag: 0, lastContactMs: 0, state: 'QUORUM_REPLICA_STATE_LEADER' };
  }
  const found = quorum.replicas.find((each) => isSameReplica(each.key, key));
  if (found === undefined) return NOT_KNOWN;
  return {
    matchOffset: found.matchOffset,
    lag: Math.max(0, end - found.matchOffset),
    // Never heard of since this leader was elected.
    lastContactMs: Number.isFinite(found.lastContactMsAgo) ? Math.round(found.lastContactMsAgo) : -1,
    state: STATES[found.state],
  };
}
