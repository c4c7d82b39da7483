// The consumer's configuration as its parts read it: checked by core's table, in the types the code wants.
import { consumerConfigs, resolveConfig } from '@tidemark/core';
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
  readonly reset: 'latest' | 'earliest' | 'none';
  readonly checkCrcs: boolean;
  readonly requestTimeoutMs: number;
  readonly retryBackoff: BackoffRange;
  readonly reconnectBackoff: BackoffRange;
}

/** More than this in advance of the application gains nothing; fetch.max.bytes below it lowers it. */
const ENOUGH_AHEAD_BYTES = 8 * 1024 * 1024;

/** Refuses with INVALID_CONFIG what core's table of consumer configs refuses. */
export function consumerSettings(options: ConfigOptions | undefined): ConsumerSettings {
  const config = configOf(resolveConfig(consumerConfigs, { options: options ?? {} }));
  const partitionMaxBytes = config.getInt('max.partition.fetch.bytes');
  return {
    minBytes: config.getInt('fetch.min.bytes'),
    maxWaitMs: config.getInt('fetch.max.wait.ms'),
    windowBytes: Math.min(
      config.getInt('fetch.max.bytes'),
      Math.max(ENOUGH_AHEAD_BYTES, 2 * partitionMaxBytes, config.getInt('fetch.min.bytes')),
    ),
    partitionMaxBytes,
    maxPollRecords: config.getInt('max.poll.records'),
    reset: config.get('auto.offset.reset'),
    checkCrcs: config.getBoolean('check.crcs'),
    requestTimeoutMs: config.getInt('request.timeout.ms'),
    retryBackoff: {
      firstMs: config.getInt('retry.backoff.ms'),
      maxMs: config.getInt('retry.backoff.max.ms'),
    },
    reconnectBackoff: {
      firstMs: config.getInt('reconnect.backoff.ms'),
      maxMs: config.getInt('reconnect.backoff.max.ms'),
    },
  };
}
