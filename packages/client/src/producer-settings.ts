// The producer's configuration as its parts read it: checked by core's table, in the types the code wants.
import { producerConfigs, resolveConfig } from '@tidemark/core';
import type { CompressionType } from '@tidemark/record';
import type { BackoffRange } from './backoff.ts';
import { configOf } from './client-settings.ts';
import type { ConfigOptions } from './client-settings.ts';

export interface ProducerSettings {
  /** -1 is all. */
  readonly acks: 0 | 1 | -1;
  readonly idempotence: boolean;
  readonly lingerMs: number;
  readonly batchSizeBytes: number;
  readonly bufferMemoryBytes: number;
  readonly maxBlockMs: number;
  readonly maxInFlight: number;
  readonly retries: number;
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxRequestBytes: number;
  readonly retryBackoff: BackoffRange;
  readonly reconnectBackoff: BackoffRange;
  readonly compression: CompressionType;
  readonly adaptivePartitioning: boolean;
  /** 0: no broker is left out. */
  readonly availabilityTimeoutMs: number;
}

const ACKS = { all: -1, '-1': -1, '1': 1, '0': 0 } as const;

/** Refuses with INVALID_CONFIG what core's table of producer configs refuses. */
export function producerSettings(options: ConfigOptions | undefined): ProducerSettings {
  const config = configOf(resolveConfig(producerConfigs, { options: options ?? {} }));
  return {
    acks: ACKS[config.get('acks')],
    idempotence: config.getBoolean('enable.idempotence'),
    lingerMs: config.getInt('linger.ms'),
    batchSizeBytes: config.getInt('batch.size'),
    bufferMemoryBytes: config.getInt('buffer.memory'),
    maxBlockMs: config.getInt('max.block.ms'),
    maxInFlight: config.getInt('max.in.flight.requests.per.connection'),
    retries: config.getInt('retries'),
    deliveryTimeoutMs: config.getInt('delivery.timeout.ms'),
    requestTimeoutMs: config.getInt('request.timeout.ms'),
    maxRequestBytes: config.getInt('max.request.size'),
    retryBackoff: {
      firstMs: config.getInt('retry.backoff.ms'),
      maxMs: config.getInt('retry.backoff.max.ms'),
    },
    reconnectBackoff: {
      firstMs: config.getInt('reconnect.backoff.ms'),
      maxMs: config.getInt('reconnect.backoff.max.ms'),
    },
    compression: config.get('compression.type'),
    adaptivePartitioning: config.getBoolean('partitioner.adaptive.partitioning.enable'),
    availabilityTimeoutMs: config.getInt('partitioner.availability.timeout.ms'),
  };
}
