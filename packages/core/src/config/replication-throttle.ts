// Replication throttles in Kafka's form (KIP-73): a rate for each broker and direction, and for each topic the replicas it holds
// for. What a throttle limits is only what such a replica sends or takes; who is to count it asks here.

import type { BrokerId, PartitionIndex } from '../ids.ts';
import type { BrokerConfig } from './broker-configs.ts';
import { list, type ConfigValue } from './descriptor.ts';

/** The replicas of one topic that a throttle holds for: all of them, or brokers by partition. */
export type ThrottledReplicas =
  | { readonly kind: 'all' }
  | { readonly kind: 'listed'; readonly brokers: ReadonlyMap<number, ReadonlySet<number>> };

/** In bytes a second, all throttled replicas of the broker together; Infinity when nothing is limited. */
export interface ReplicationThrottleRates {
  readonly leaderBytesPerSecond: number;
  readonly followerBytesPerSecond: number;
}

const MAX_INT32 = 2 ** 31 - 1;
const REMEDY =
  'Give partition:broker pairs separated by commas (0:1,0:2), or * for all replicas, or nothing.';

function throttledListProblem(value: ConfigValue): { cause: string; remedy: string } | undefined {
  const members = value as readonly string[];
  if (members.includes('*')) {
    return members.length === 1 ? undefined : { cause: 'names single replicas beside *', remedy: REMEDY };
  }
  const wrong = members.find((member) => pairOf(member) === undefined);
  if (wrong === undefined) return undefined;
  return { cause: `${JSON.stringify(wrong)} is not of the form partition:broker`, remedy: REMEDY };
}

function pairOf(member: string): readonly [partition: number, broker: number] | undefined {
  const match = /^(\d{1,10}):(\d{1,10})$/.exec(member);
  if (match === null) return undefined;
  const [partition, broker] = [Number(match[1]), Number(match[2])];
  return partition <= MAX_INT32 && broker <= MAX_INT32 ? [partition, broker] : undefined;
}

/** The topic configs that no broker config gives a default to. */
export const topicOnlySpecs = {
  'leader.replication.throttled.replicas': list([], {
    scope: 'topic',
    dynamic: true,
    check: throttledListProblem,
    doc: 'Replicas (`partition:broker`, or `*` for all) whose sending to followers is held to the broker’s leader.replication.throttled.rate.',
  }),
  'follower.replication.throttled.replicas': list([], {
    scope: 'topic',
    dynamic: true,
    check: throttledListProblem,
    doc: 'Replicas (`partition:broker`, or `*` for all) whose fetching from leaders is held to the broker’s follower.replication.throttled.rate.',
  }),
};

/** `members`: a checked value of one of the two topic configs. */
export function throttledReplicas(members: readonly string[]): ThrottledReplicas {
  if (members.includes('*')) return { kind: 'all' };
  const brokers = new Map<number, Set<number>>();
  for (const member of members) {
    const pair = pairOf(member);
    if (pair === undefined) continue;
    const of = brokers.get(pair[0]);
    if (of === undefined) brokers.set(pair[0], new Set([pair[1]]));
    else of.add(pair[1]);
  }
  return { kind: 'listed', brokers };
}

export function isThrottledReplica(
  throttled: ThrottledReplicas,
  partition: PartitionIndex,
  broker: BrokerId,
): boolean {
  return throttled.kind === 'all' || throttled.brokers.get(partition)?.has(broker) === true;
}

/** Of the configuration in force, that is, of `brokerConfigWith`: both rates may change at run time. */
export function replicationThrottleRates(config: BrokerConfig): ReplicationThrottleRates {
  const rate = (value: number): number => (value >= Number.MAX_SAFE_INTEGER ? Infinity : value);
  return {
    leaderBytesPerSecond: rate(config.get('leader.replication.throttled.rate')),
    followerBytesPerSecond: rate(config.get('follower.replication.throttled.rate')),
  };
}
