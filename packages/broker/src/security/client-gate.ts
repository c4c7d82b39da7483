// The gate of a client listener: finds out who calls, asks the authorizer what the RPC's rule says, and holds back who has used up a
// quota. Everything a listener serves stands behind it; an RPC without a rule is refused.

import { status } from '@grpc/grpc-js';
import type { MetadataImage } from '@tidemark/controller';
import type { BrokerConfig, Clock } from '@tidemark/core';
import type { PeerConnection } from '@tidemark/rpc';
import type { SecurityMetrics } from '../metrics/security-metrics.ts';
import { throttling } from '../quotas/call-throttle.ts';
import type { ClientQuotas } from '../quotas/client-quotas.ts';
import type { Authorizer } from './authorizer.ts';
import { identification } from './caller-identity.ts';
import { rememberCaller } from './callers.ts';
import type { Gate } from './gated-services.ts';
import type { OpenStreams } from './open-streams.ts';
import type { RefusalLog } from './refusal-log.ts';
import { RpcQuestion } from './rpc-question.ts';
import { rpcRules } from './rpc-rules.ts';
import type { TokenSessions } from './token-sessions.ts';
import { topicNamesIn } from './topic-permission.ts';

export interface ClientGateOptions {
  readonly config: BrokerConfig;
  readonly listenerName: string;
  readonly connectionOf: (peer: string) => PeerConnection | undefined;
  readonly sessions: TokenSessions;
  readonly streams: OpenStreams;
  readonly authorizer: Authorizer;
  readonly image: () => MetadataImage;
  readonly refusals: RefusalLog;
  readonly clock: Clock;
  readonly quotas: ClientQuotas;
  readonly metrics: SecurityMetrics;
}

export function clientGate(options: ClientGateOptions): Gate {
  const identify = identification(options);
  const topicNames = topicNamesIn(options.image);
  const throttle = throttling(options, topicNames);
  const { authorizer, metrics } = options;
  return (path, call, callback) => {
    const rule = rpcRules.get(path);
    if (rule === undefined) return { code: status.UNIMPLEMENTED, details: `${path} has no rule` };
    const identified = identify(call, rule);
    if ('code' in identified) {
      if (identified.code === status.UNAUTHENTICATED) metrics.refusedCall('unauthenticated');
      return identified;
    }
    const { caller, session } = identified;
    rememberCaller(call, caller);
    if (session !== undefined && callback === undefined) options.streams.watch(call, session);
    const onDenied = (): void => {
      metrics.refusedCall('denied');
      options.refusals.tell({ rpc: path, principal: caller.principal, host: caller.host });
    };
    const asked = new RpcQuestion({ authorizer, caller, topicNames, onDenied });
    const outcome = asked.answer(rule, call, callback);
    if ('code' in outcome) {
      onDenied();
      return outcome;
    }
    if (outcome.answered === true || rule.kind === 'open') return outcome;
    return throttle(path, rule, call, { ...outcome, callback: outcome.callback ?? callback }, caller);
  };
}
