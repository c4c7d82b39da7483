// Sets and removes the throttles of a reassignment: a rate on every broker that sends or takes, and on the topics the replicas it
// holds for (KIP-73). Removing takes the rates from all brokers: they concern nobody once nothing moves.
import type { Admin, ConfigAlteration } from '@tidemark/client';
import { mergedMembers, type MoveThrottle } from './reassignment-plan.ts';

const RATES = ['leader.replication.throttled.rate', 'follower.replication.throttled.rate'] as const;
const LEADERS = 'leader.replication.throttled.replicas';
const FOLLOWERS = 'follower.replication.throttled.replicas';

async function listsOf(admin: Admin, topics: readonly string[]) {
  const resources = topics.map((name) => ({ type: 'topic', name }) as const);
  const results = resources.length === 0 ? [] : await admin.describeConfigs(resources, [LEADERS, FOLLOWERS]);
  return results.map(({ resource, entries, error }) => {
    if (error !== undefined && error.error !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
    const valueOf = (name: string): string => entries.find((entry) => entry.name === name)?.value ?? '';
    return { topic: resource.name, leaders: valueOf(LEADERS), followers: valueOf(FOLLOWERS) };
  });
}

async function alter(admin: Admin, alterations: readonly ConfigAlteration[]): Promise<void> {
  if (alterations.length === 0) return;
  for (const { error } of await admin.alterConfigs(alterations)) if (error !== undefined) throw error;
}

const ratesOf = (brokerIds: readonly number[], value: string | null): ConfigAlteration[] =>
  brokerIds.map((id) => ({
    resource: { type: 'broker', name: `${id}` },
    changes: Object.fromEntries(RATES.map((name) => [name, value])),
  }));

/** Answers what it did, in a sentence; empty when nothing moves. */
export async function setThrottle(
  admin: Admin,
  { brokerIds, leaders, followers }: MoveThrottle,
  bytesPerSecond: number,
): Promise<string> {
  if (brokerIds.length === 0) return '';
  const topics = [...new Set([...leaders.keys(), ...followers.keys()])];
  const before = await listsOf(admin, topics);
  await alter(admin, [
    ...ratesOf(brokerIds, `${bytesPerSecond}`),
    ...before.map((lists): ConfigAlteration => ({
      resource: { type: 'topic', name: lists.topic },
      changes: {
        [LEADERS]: mergedMembers(lists.leaders, leaders.get(lists.topic) ?? []),
        [FOLLOWERS]: mergedMembers(lists.followers, followers.get(lists.topic) ?? []),
      },
    })),
  ]);
  return `throttled to ${bytesPerSecond} bytes/s: brokers ${brokerIds.join(', ')}, topics ${topics.join(', ')}`;
}

export async function removeThrottle(admin: Admin, topics: readonly string[]): Promise<string> {
  const { brokers } = await admin.describeCluster();
  const throttled = (await listsOf(admin, topics))
    .filter(({ leaders, followers }) => leaders !== '' || followers !== '')
    .map(({ topic }) => topic);
  const brokerIds = brokers.map(({ id }) => id);
  await alter(admin, [
    ...ratesOf(brokerIds, null),
    ...throttled.map((name): ConfigAlteration => ({
      resource: { type: 'topic', name },
      changes: { [LEADERS]: null, [FOLLOWERS]: null },
    })),
  ]);
  const lists =
    throttled.length === 0 ? 'no topic had a list' : `lists of topics ${throttled.join(', ')} removed`;
  return `throttles removed: rates of brokers ${brokerIds.join(', ')}; ${lists}`;
}
