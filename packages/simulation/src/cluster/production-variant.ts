// In what the simulated clusters of production nodes differ from each other, as their seeds say, and in what from a server: everything
// is small and short, so that a few seconds roll segments, drop old log and send snapshots, in one piece or in several.

import { ImageDigester } from '@tidemark/controller';
import {
  type BrokerConfig,
  brokerConfigs,
  type ConfigOverrides,
  describeProblems,
  resolveConfig,
} from '@tidemark/core';
import { type LogConfig } from '@tidemark/log';
import { defaultRaftLimits, type RaftLimits } from '@tidemark/raft';
import { metadataLogConfig, type ReplicationSettings, type TopicSettings } from '@tidemark/runtime';
import { SimPrng } from '../sim-prng.ts';

const simulatedLimits: RaftLimits = {
  ...defaultRaftLimits,
  maxInFlightBytes: 16 * 1024,
  maxInFlightMessages: 8,
  maxUncommittedBytes: 64 * 1024,
};

/** What differs from cluster to cluster. */
export interface Variant {
  readonly config: BrokerConfig;
  readonly limits: RaftLimits;
  readonly log: LogConfig;
  readonly snapshotEveryBytes: number;
  readonly saveAfterMs: number;
  readonly digester: ImageDigester;
  readonly replication: ReplicationSettings;
  /** Of a partition's log. */
  readonly recordSegmentBytes: number;
  readonly highWatermarkMs: number;
  /** Of topics, by their overrides. */
  readonly settings: WeakMap<ConfigOverrides, TopicSettings>;
}

/** Of the simulated cluster of `seed`. */
export function variantOf(seed: number): Variant {
  const resolved = resolveConfig(brokerConfigs, { file: '' });
  if (!resolved.ok) throw new RangeError(describeProblems(resolved.problems));
  const prng = new SimPrng(seed).fork('variant');
  const anyOf = (...values: readonly number[]): number => values[prng.below(values.length)]!;
  // Small, so that a short run rolls segments, drops old log and sends snapshots, in one piece or in several.
  const segmentBytes = anyOf(1024, 2 * 1024, 16 * 1024);
  const log: LogConfig = {
    ...metadataLogConfig,
    segmentBytes,
    retentionBytes: segmentBytes,
    fileDeleteDelayMs: 500,
  };
  return {
    config: resolved.config,
    log,
    limits: {
      ...simulatedLimits,
      maxCachedBytes: anyOf(1024, 8 * 1024),
      maxMessageBytes: anyOf(512, 4 * 1024, 1024 * 1024),
      maxSnapshotPieceBytes: anyOf(1024, 4 * 1024, 1024 * 1024),
    },
    snapshotEveryBytes: anyOf(1024, 2 * 1024, 16 * 1024),
    saveAfterMs: anyOf(10, 100, 1_000),
    replication: {
      // Shorter than a session, and longer, as it is by default: what a broker had is then known for longer than the broker.
      lagTimeMaxMs: anyOf(800, 2_500),
      fetchMaxBytes: anyOf(200, 1024, 64 * 1024),
      responseMaxBytes: anyOf(400, 4 * 1024, 256 * 1024),
      windowBytes: anyOf(300, 2 * 1024, 256 * 1024),
      keepAliveMs: anyOf(50, 150),
      backoffMs: anyOf(30, 200),
      requestTimeoutMs: 500,
    },
    recordSegmentBytes: anyOf(1024, 4 * 1024, 1024 * 1024),
    highWatermarkMs: anyOf(50, 500),
    // One for all nodes: it only makes comparing them cheaper.
    digester: new ImageDigester(),
    settings: new WeakMap(),
  };
}
