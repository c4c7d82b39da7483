// What every handler is given: the running parts of this node, and nothing global.

import type { BrokerConfig, BrokerId, Clock } from '@tidemark/core';
import type { Codecs } from '@tidemark/record';
import type {
  GroupCoordinator,
  MetadataNode,
  OffsetsTopic,
  ProducerIds,
  ReplicaManager,
} from '@tidemark/runtime';
import type { Logger } from 'pino';
import type { RequestMetrics } from './metrics/request-metrics.ts';
import type { ClientQuotas } from './quotas/client-quotas.ts';
import type { Authorizer } from './security/authorizer.ts';
import type { Tracing } from './tracing.ts';

/** Of a node in any role. */
export interface NodeContext {
  /** `node.id`; the broker's id where the node is one. */
  readonly self: BrokerId;
  /** The listener the call came in by: metadata answers each broker's address of the same name. */
  readonly listenerName: string;
  readonly clusterId: string;
  readonly version: string;
  /** The node's own configuration: file, environment, flags. Run-time overrides are in the metadata. */
  readonly config: BrokerConfig;
  readonly clock: Clock;
  readonly metadata: MetadataNode;
  /** Undefined on a node that is no broker. */
  readonly replicas: ReplicaManager | undefined;
  /** Who may do what. */
  readonly authorizer: Authorizer;
  /** How fast. */
  readonly quotas: ClientQuotas;
  readonly metrics: RequestMetrics;
  readonly tracing: Tracing;
  readonly log: Logger;
  /** Aborted when the node begins to shut down: streams end what they do. */
  readonly closing: AbortSignal;
  /** A bug was met: the process logs it and ends. */
  readonly onFatal: (cause: unknown) => void;
}

export interface BrokerContext extends NodeContext {
  readonly codecs: Codecs;
  readonly replicas: ReplicaManager;
  readonly producerIds: ProducerIds;
  readonly groups: GroupCoordinator;
  readonly offsetsTopic: OffsetsTopic;
}

export const isBrokerContext = (context: NodeContext): context is BrokerContext =>
  context.replicas !== undefined;
