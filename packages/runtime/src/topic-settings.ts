// What a topic's configuration means to its partitions, read once per change and not once per request.

import {
  minInsyncReplicas,
  throttledReplicas,
  type ThrottledReplicas,
  type TopicConfig,
} from '@tidemark/core';
import type { CleanupPolicy, LogConfig } from '@tidemark/log';

export interface TopicSettings {
  readonly log: LogConfig;
  /** The topic is compacted: a record without a key is refused. */
  readonly requiresKeys: boolean;
  /** `max.message.bytes`: the largest batch, in bytes as sent. */
  readonly maxBatchBytes: number;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  /** How far before and after the server's time a CreateTime may lie, in milliseconds. */
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
  /** The in-sync replicas acks=all needs, for a partition of so many replicas. */
  readonly minInsyncReplicas: (replicaCount: number) => number;
  /** Replicas whose sending to followers, and whose fetching from leaders, is held to the broker's rate. */
  readonly leaderThrottled: ThrottledReplicas;
  readonly followerThrottled: ThrottledReplicas;
}

/** `producerIdExpirationMs` is the broker's `producer.id.expiration.ms`, which topics do not override. */
export function topicSettings(config: TopicConfig, producerIdExpirationMs: number): TopicSettings {
  const cleanupPolicy = cleanupPolicyOf(config.get('cleanup.policy'));
  return {
    log: {
      segmentBytes: config.get('segment.bytes'),
      segmentMs: config.get('segment.ms'),
      segmentIndexBytes: config.get('segment.index.bytes'),
      indexIntervalBytes: config.get('index.interval.bytes'),
      retentionMs: config.get('retention.ms'),
      retentionBytes: config.get('retention.bytes'),
      flushPolicy: config.get('flush.policy'),
      flushMessages: config.get('flush.messages'),
      flushMs: config.get('flush.ms'),
      fileDeleteDelayMs: config.get('file.delete.delay.ms'),
      producerIdExpirationMs,
      cleanupPolicy,
      minCleanableDirtyRatio: config.get('min.cleanable.dirty.ratio'),
      deleteRetentionMs: config.get('delete.retention.ms'),
      minCompactionLagMs: config.get('min.compaction.lag.ms'),
      maxCompactionLagMs: config.get('max.compaction.lag.ms'),
      messageTimestampType: config.get('message.timestamp.type'),
    },
    requiresKeys: cleanupPolicy !== 'delete',
    maxBatchBytes: config.get('max.message.bytes'),
    timestampType: config.get('message.timestamp.type'),
    timestampBeforeMaxMs: config.get('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: config.get('message.timestamp.after.max.ms'),
    minInsyncReplicas: (replicaCount) => minInsyncReplicas(config, replicaCount),
    leaderThrottled: throttledReplicas(config.get('leader.replication.throttled.replicas')),
    followerThrottled: throttledReplicas(config.get('follower.replication.throttled.replicas')),
  };
}

function cleanupPolicyOf(policies: readonly string[]): CleanupPolicy {
  if (!policies.includes('compact')) return 'delete';
  return policies.includes('delete') ? 'compact,delete' : 'compact';
}
