// AdminService.DescribeReplicas: the replicas this broker holds, with their offsets and sizes, and what each knows in its role.

import {
  errorDetail,
  failureDetail,
  type DescribeReplicasRequestOutput,
  type DescribeReplicasResponse,
} from '@tidemark/rpc';
import type { FollowingState, ReplicaDescription } from '@tidemark/rpc';
import type { FollowingDescription, ReplicaDescription as HostedReplica } from '@tidemark/runtime';
import type { NodeContext } from '../broker-context.ts';

const FOLLOWING_STATES = {
  idle: 'FOLLOWING_STATE_IDLE',
  fetching: 'FOLLOWING_STATE_FETCHING',
  truncating: 'FOLLOWING_STATE_TRUNCATING',
  waiting: 'FOLLOWING_STATE_WAITING',
} as const satisfies Record<FollowingDescription['state'], FollowingState>;

export function describeReplicas(
  context: NodeContext,
  request: DescribeReplicasRequestOutput,
): DescribeReplicasResponse {
  const wanted = request.topics.length === 0 ? undefined : new Set(request.topics);
  const replicas = (context.replicas?.describeReplicas(wanted) ?? []).map((each): ReplicaDescription => ({
    topic: each.topic,
    topicId: each.topicId,
    partition: each.partition,
    brokerId: context.self,
    isLeader: each.isLeader,
    inSync: each.inSync,
    logStartOffset: each.logStartOffset,
    highWatermark: each.highWatermark,
    logEndOffset: each.logEndOffset,
    lag: each.isLeader ? 0 : Math.max(0, each.highWatermark - each.logEndOffset),
    sizeBytes: each.sizeBytes,
    segmentCount: each.segmentCount,
    flushedOffset: each.flushedOffset,
    leaderEpoch: each.leaderEpoch,
    leaderEpochs: each.leaderEpochs.map(({ epoch, startOffset }) => ({ leaderEpoch: epoch, startOffset })),
    ...standingOf(each),
  }));
  for (const unopened of context.replicas?.unopenedReplicas(wanted) ?? []) {
    const { topic, topicId, partition, failure } = unopened;
    replicas.push({ topic, topicId, partition, brokerId: context.self, error: failureDetail(failure) });
  }
  const { image } = context.metadata;
  for (const topic of wanted ?? []) {
    if (image.topicByName(topic) !== undefined) continue;
    const error = errorDetail('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${topic}`);
    replicas.push({ topic, partition: -1, brokerId: context.self, error });
  }
  return { replicas };
}

function standingOf({ standing }: HostedReplica): Pick<ReplicaDescription, 'leader' | 'follower'> {
  switch (standing.role) {
    case 'changing':
      return {};
    case 'follower':
      return {
        follower: {
          leaderId: standing.leader,
          state: FOLLOWING_STATES[standing.state],
          refusal: standing.refusal === undefined ? null : failureDetail(standing.refusal),
        },
      };
    case 'leader':
      return {
        leader: {
          epochStartOffset: standing.epochStartOffset,
          isolated: standing.isIsolated,
          followers: standing.followers.map((follower) => ({
            brokerId: follower.broker,
            logEndOffset: follower.logEndOffset,
            acknowledgedOffset: follower.acknowledgedOffset,
            inSync: follower.isInSync,
            lagMs: Number.isFinite(follower.lagMs) ? Math.round(follower.lagMs) : -1,
          })),
          acksAllRefusal: standing.refusal === undefined ? null : failureDetail(standing.refusal),
        },
      };
  }
}
