// What a caller's quotas of time and of mutations say of a single call that may otherwise be done. Streams measure themselves, message
// by message.

import { status, type ServerUnaryCall } from '@grpc/grpc-js';
import type { MetadataImage } from '@tidemark/controller';
import type { BrokerConfig, Clock } from '@tidemark/core';
import { errorDetail, UndecodableRequest, type ProduceRequestOutput } from '@tidemark/rpc';
import { recordBytes } from '../handlers/produce-partitions.ts';
import type { SecurityMetrics } from '../metrics/security-metrics.ts';
import type { Caller } from '../security/callers.ts';
import { answeredHere, type AnyCall, type Passed, type Refusal } from '../security/gated-services.ts';
import type { RpcRule, TopicNamesOf } from '../security/rpc-rules.ts';
import type { ClientQuotas } from './client-quotas.ts';
import { mutationCount } from './mutations.ts';

export interface ThrottleOptions {
  readonly quotas: ClientQuotas;
  readonly clock: Clock;
  readonly image: () => MetadataImage;
  readonly config: BrokerConfig;
  readonly metrics: SecurityMetrics;
}

export type Throttle = (
  path: string,
  rule: RpcRule,
  call: AnyCall,
  passed: Passed,
  caller: Caller,
) => Refusal | Passed;

const PRODUCE = '/tidemark.v1.LogService/Produce';

export function throttling(options: ThrottleOptions, topicNames: TopicNamesOf): Throttle {
  const { quotas, clock, image, config, metrics } = options;
  const busy = errorDetail(
    'THROTTLING_QUOTA_EXCEEDED',
    'the quota controller_mutation_rate is used up; try again later',
  );
  return (path, rule, call, passed, caller) => {
    if (quotas.isOff) return passed;
    const { callback } = passed;
    const quota = quotas.of(caller);
    const count = mutationCount(path);
    const { request } = call as ServerUnaryCall<unknown, unknown>;
    if (count !== undefined && rule.kind === 'items' && !(request instanceof UndecodableRequest)) {
      if (quota.waitMs('controller_mutation_rate') > 0) {
        metrics.throttled('controller_mutation_rate');
        const items = (request as Record<string, readonly never[]>)[rule.request] ?? [];
        const results = items.map((item) => ({ ...rule.item(item, topicNames).answer, error: busy }));
        return answeredHere(callback, { [rule.response]: results });
      }
      quota.use('controller_mutation_rate', count(request as never, image(), config));
    }
    if (callback === undefined) return passed;
    let when: Promise<void> | undefined;
    if (quota.waitMs('request_percentage') > 0) {
      const isDecoded = path === PRODUCE && !(request instanceof UndecodableRequest);
      const bytes = isDecoded ? recordBytes(request as ProduceRequestOutput) : 0;
      const isOver = (): boolean => (call as ServerUnaryCall<unknown, unknown>).cancelled;
      when = quotas.readyHeld(quota, 'request_percentage', bytes, isOver);
      if (when === undefined) {
        metrics.throttled('request_percentage');
        return { code: status.UNAVAILABLE, details: 'too many throttled requests wait: try again later' };
      }
    }
    return {
      ...passed,
      when,
      took: (ms) => void quota.use('request_percentage', ms),
      clock,
    };
  };
}
