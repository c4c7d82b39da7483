// The consumer's configuration as its parts read it: checked by core's table, in the types the code wants.
import { TidemarkError, consumerConfigs, invariant, parseOffsetReset, resolveConfig } from '@tidemark/core';
import type { ConsumerConfig, OffsetReset } from '@tidemark/core';
import type { BackoffRange } from './backoff.ts';
import { configOf } from './client-settings.ts';
import type { ConfigOptions } from './client-settings.ts';

export interface ConsumerSettings {
  readonly minBytes: number;
  readonly maxWaitMs: number;
  /** Most bytes pushed by one broker that the application has not taken yet. */
  readonly windowBytes: number;
  readonly partitionMaxBytes: number;
  readonly maxPollRecords: number;
  readonly reset: OffsetReset;
  readonly checkCrcs: boolean;
  readonly requestTimeoutMs: number;
  /** For a call of the application, retries included. */
  readonly apiTimeoutMs: number;
  readonly retryBackoff: BackoffRange;
  readonly reconnectBackoff: BackoffRange;
  /** Undefined: the consumer is in no group. */
  readonly group: GroupSettings | undefined;
}

export interface GroupSettings {
  readonly groupId: string;
  /** Of a static member (KIP-345). */
  readonly instanceId: string | undefined;
  readonly clientId: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** Also how long a rebalance waits for the application. */
  readonly maxPollIntervalMs: number;
  /** In the order of preference. */
  readonly assignors: readonly string[];
  /** Eager: every rebalance begins with giving up everything. Cooperative: only what moves is given up (KIP-429). */
  readonly rebalancing: 'eager' | 'cooperative';
  readonly autoCommit: boolean;
  readonly autoCommitIntervalMs: number;
  readonly requestTimeoutMs: number;
  readonly apiTimeoutMs: number;
  readonly retryBackoff: BackoffRange;
}

/** More than this in advance of the application gains nothing; fetch.max.bytes below it lowers it. */
const ENOUGH_AHEAD_BYTES = 8 * 1024 * 1024;

/** Refuses with INVALID_CONFIG what core's table of consumer configs refuses. `groupId` is another way to say `group.id`. */
export function consumerSettings(options: ConfigOptions | undefined, groupId?: string): ConsumerSettings {
  const named = options?.['group.id'];
  if (groupId !== undefined && named !== undefined && named !== groupId) {
    const text = `groupId is "${groupId}" and group.id is "${String(named)}"; give one of them`;
    throw new TidemarkError('INVALID_CONFIG', text);
  }
  const given = groupId === undefined ? options : { ...options, 'group.id': groupId };
  const config = configOf(resolveConfig(consumerConfigs, { options: given ?? {} }));
  const partitionMaxBytes = config.getInt('max.partition.fetch.bytes');
  const reset = parseOffsetReset(config.get('auto.offset.reset'));
  invariant(reset !== undefined, 'auto.offset.reset was checked by its table');
  return {
    minBytes: config.getInt('fetch.min.bytes'),
    maxWaitMs: config.getInt('fetch.max.wait.ms'),
    windowBytes: Math.min(
      config.getInt('fetch.max.bytes'),
      Math.max(ENOUGH_AHEAD_BYTES, 2 * partitionMaxBytes, config.getInt('fetch.min.bytes')),
    ),
    partitionMaxBytes,
    maxPollRecords: config.getInt('max.poll.records'),
    reset,
    checkCrcs: config.getBoolean('check.crcs'),
    requestTimeoutMs: config.getInt('request.timeout.ms'),
    apiTimeoutMs: config.getInt('default.api.timeout.ms'),
    retryBackoff: retryBackoff(config),
    reconnectBackoff: {
      firstMs: config.getInt('reconnect.backoff.ms'),
      maxMs: config.getInt('reconnect.backoff.max.ms'),
    },
    group: config.get('group.id') === '' ? undefined : groupSettings(config),
  };
}

function retryBackoff(config: ConsumerConfig): BackoffRange {
  return { firstMs: config.getInt('retry.backoff.ms'), maxMs: config.getInt('retry.backoff.max.ms') };
}

function groupSettings(config: ConsumerConfig): GroupSettings {
  const assignors = [...new Set(config.get('partition.assignment.strategy'))];
  const instanceId = config.get('group.instance.id');
  return {
    groupId: config.get('group.id'),
    instanceId: instanceId === '' ? undefined : instanceId,
    clientId: config.get('client.id'),
    sessionTimeoutMs: config.getInt('session.timeout.ms'),
    heartbeatIntervalMs: config.getInt('heartbeat.interval.ms'),
    maxPollIntervalMs: config.getInt('max.poll.interval.ms'),
    assignors,
    // As in Kafka: what every assignor of the list can do.
    rebalancing: assignors.every((name) => name === 'cooperative-sticky') ? 'cooperative' : 'eager',
    autoCommit: config.getBoolean('enable.auto.commit'),
    autoCommitIntervalMs: config.getInt('auto.commit.interval.ms'),
    requestTimeoutMs: config.getInt('request.timeout.ms'),
    apiTimeoutMs: config.getInt('default.api.timeout.ms'),
    retryBackoff: retryBackoff(config),
  };
}
