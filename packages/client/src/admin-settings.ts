// The admin client's configuration as it reads it: checked by core's table.
import { adminConfigs, resolveConfig } from '@tidemark/core';
import type { BackoffRange } from './backoff.ts';
import { configOf } from './client-settings.ts';
import type { ConfigOptions } from './client-settings.ts';

export interface AdminSettings {
  readonly requestTimeoutMs: number;
  readonly apiTimeoutMs: number;
  readonly retryBackoff: BackoffRange;
}

/** Refuses with INVALID_CONFIG what core's table of admin configs refuses. */
export function adminSettings(options: ConfigOptions | undefined): AdminSettings {
  const config = configOf(resolveConfig(adminConfigs, { options: options ?? {} }));
  return {
    requestTimeoutMs: config.getInt('request.timeout.ms'),
    apiTimeoutMs: config.getInt('default.api.timeout.ms'),
    retryBackoff: {
      firstMs: config.getInt('retry.backoff.ms'),
      maxMs: config.getInt('retry.backoff.max.ms'),
    },
  };
}

/** How long the node that is asked may wait for the quorum: shorter than we wait for it, so that it can say how it went. */
export function quorumWaitMs(
  { requestTimeoutMs, apiTimeoutMs }: AdminSettings,
  timeoutMs = apiTimeoutMs,
): number {
  return Math.ceil(Math.min(requestTimeoutMs, timeoutMs) * 0.8);
}
