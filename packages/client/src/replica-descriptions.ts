// What every broker says of the replicas it holds. Brokers are asked a few at a time, each with a deadline of its own: one that is
// dead costs its deadline and no more, and is told as unreachable with its cause rather than left out.
import { hostAndPort, TidemarkError } from '@tidemark/core';
import { adminService, errorFromDetail } from '@tidemark/rpc';
import type { FollowingStateOutput, ReplicaDescriptionOutput } from '@tidemark/rpc';
import type { ReplicaInfo, ReplicasDescription, ReplicaStanding } from './admin-types.ts';
import type { BrokerInfo } from './cluster-metadata.ts';
import type { Connections } from './connections.ts';

const CONCURRENCY = 8;

const STATES: Readonly<
  Record<FollowingStateOutput, 'idle' | 'fetching' | 'truncating' | 'waiting' | 'unknown'>
> = {
  FOLLOWING_STATE_UNSPECIFIED: 'unknown',
  FOLLOWING_STATE_IDLE: 'idle',
  FOLLOWING_STATE_FETCHING: 'fetching',
  FOLLOWING_STATE_TRUNCATING: 'truncating',
  FOLLOWING_STATE_WAITING: 'waiting',
};

export async function describeReplicasOf(
  connections: Connections,
  brokers: readonly BrokerInfo[],
  topics: readonly string[],
  timeoutMs: number,
): Promise<ReplicasDescription> {
  const replicas = new Map<string, ReplicaInfo>();
  const unreachable: { brokerId: number; error: TidemarkError }[] = [];
  const ask = async ({ id, host, port }: BrokerInfo): Promise<void> => {
    if (host === '' || port === 0) {
      const error = new TidemarkError('BROKER_NOT_AVAILABLE', `broker ${id} has no listener for clients`);
      unreachable.push({ brokerId: id, error });
      return;
    }
    try {
      const answer = await connections
        .channel(hostAndPort(host, port))
        .unary(adminService.DescribeReplicas, { topics: [...topics] }, { timeoutMs });
      for (const replica of answer.replicas) {
        const key = `${replica.topic}-${replica.partition}@${replica.brokerId}`;
        // A broker knows its own replicas best.
        if (replica.brokerId !== id && replicas.has(key)) continue;
        replicas.set(key, replicaInfo(replica));
      }
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      unreachable.push({ brokerId: id, error });
    }
  };
  const queue = [...brokers];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await ask(next);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, queue.length) }, worker));
  unreachable.sort((a, b) => a.brokerId - b.brokerId);
  return { replicas: [...replicas.values()], unreachable };
}

function replicaInfo({ error, leader, follower, ...rest }: ReplicaDescriptionOutput): ReplicaInfo {
  return { ...rest, standing: standingOf({ leader, follower }), error: errorFromDetail(error) };
}

function standingOf({
  leader,
  follower,
}: Pick<ReplicaDescriptionOutput, 'leader' | 'follower'>): ReplicaStanding {
  if (leader !== null) {
    const { acksAllRefusal, ...known } = leader;
    return { role: 'leader', ...known, refusal: acksAllRefusal?.message };
  }
  if (follower !== null) {
    const { leaderId, state, refusal } = follower;
    return { role: 'follower', leaderId, state: STATES[state], refusal: refusal?.message };
  }
  return { role: 'changing' };
}
