// The topics that brokers keep for themselves. Clients may read them; only the brokers write, create or delete them.

import type { TopicName } from './ids.ts';

/** The groups of the cluster and their offsets. */
export const OFFSETS_TOPIC = '__consumer_offsets' as TopicName;

export function isInternalTopic(name: string): boolean {
  return name === OFFSETS_TOPIC;
}
