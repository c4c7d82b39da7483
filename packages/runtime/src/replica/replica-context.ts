// What the replicas of one broker share: who it is, the time, the settings of replication, and the ways to other brokers and to the
// controller. Put together by the replica manager.

import type { BrokerEpoch, BrokerId, Clock } from '@tidemark/core';
import type { BrokerLookup } from '@tidemark/replication';
import type { ReplicaObserver } from '../replica-observer.ts';
import type { IsrProposals } from './isr-proposals.ts';
import type { Leaderships } from './leaderships.ts';
import type { ReplicaExchange } from './replica-exchange.ts';
import type { ReplicaTicker } from './replica-ticker.ts';
import type { ReplicationQuota } from './replication-quota.ts';

export interface ReplicationSettings {
  /** `replica.lag.time.max.ms` */
  readonly lagTimeMaxMs: number;
  /** `replica.fetch.max.bytes` */
  readonly fetchMaxBytes: number;
  /** `replica.fetch.response.max.bytes` */
  readonly responseMaxBytes: number;
  /** `replica.fetch.window.bytes` */
  readonly windowBytes: number;
  /** `replica.fetch.wait.max.ms` */
  readonly keepAliveMs: number;
  /** `replica.fetch.backoff.ms` */
  readonly backoffMs: number;
  /** How long the controller may take to answer, in milliseconds: `controller.quorum.request.timeout.ms`. */
  readonly requestTimeoutMs: number;
}

/** Of all throttled replicas of this broker together (KIP-73). */
export interface ReplicationQuotas {
  /** What it sends as leader. */
  readonly leader: ReplicationQuota;
  /** What it gets as follower. */
  readonly follower: ReplicationQuota;
}

export interface ReplicaContext {
  readonly self: BrokerId;
  /** Of this incarnation. */
  readonly brokerEpoch: BrokerEpoch;
  readonly clock: Clock;
  readonly settings: ReplicationSettings;
  /** As the metadata has them by now. */
  readonly brokers: BrokerLookup;
  readonly exchange: ReplicaExchange;
  readonly proposals: IsrProposals;
  readonly ticker: ReplicaTicker;
  readonly leaderships: Leaderships;
  readonly quotas: ReplicationQuotas;
  /** The controller has not been heard for as long as a session. */
  readonly isIsolated: () => boolean;
  /** Undefined: nobody measures. */
  readonly observer: ReplicaObserver | undefined;
  /** Something in the background failed and goes on: for the process's log. */
  readonly onError: (cause: unknown, doing: string) => void;
}
