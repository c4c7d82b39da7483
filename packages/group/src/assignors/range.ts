// Range: topic by topic, each subscriber gets a run of neighbouring partitions, the first ones one more. Partitions of the same index go
// to the same member where topics have the same subscribers and size, which joins by key rely on. Kafka's choice by racks is left out.

import type { PartitionIndex } from '@tidemark/core';
import type { MemberId } from '../group-ids.ts';
import type { TopicPartition } from '../group-request.ts';
import { sortedMembers, subscribersByTopic, type Assignor } from './assignor.ts';

export const rangeAssignor: Assignor = {
  name: 'range',
  assign: (counts, members) => {
    const sorted = sortedMembers(members);
    const assigned = new Map<MemberId, TopicPartition[]>(sorted.map(({ memberId }) => [memberId, []]));
    for (const [topic, subscribers] of subscribersByTopic(counts, sorted)) {
      const count = counts.get(topic)!;
      const each = Math.floor(count / subscribers.length);
      const larger = count % subscribers.length;
      let next = 0;
      subscribers.forEach(({ memberId }, position) => {
        const end = next + each + (position < larger ? 1 : 0);
        for (; next < end; next++) assigned.get(memberId)!.push({ topic, partition: next as PartitionIndex });
      });
    }
    return assigned;
  },
};
