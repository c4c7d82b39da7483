// AdminService.DescribeReplicas: the replicas this broker holds, with their offsets and sizes.

import {
  errorDetail,
  type DescribeReplicasRequestOutput,
  type DescribeReplicasResponse,
} from '@tidemark/rpc';
import type { ReplicaDescription } from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';

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
  }));
  const { image } = context.metadata;
  for (const topic of wanted ?? []) {
    if (image.topicByName(topic) !== undefined) continue;
    const error = errorDetail('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${topic}`);
    replicas.push({ topic, partition: -1, brokerId: context.self, error });
  }
  return { replicas };
}
