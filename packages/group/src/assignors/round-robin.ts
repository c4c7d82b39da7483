// Round robin: all partitions in order, dealt out to the members in turn; who does not subscribe to the topic is passed over.

import type { PartitionIndex } from '@tidemark/core';
import type { MemberId } from '../group-ids.ts';
import type { TopicPartition } from '../group-request.ts';
import { sortedMembers, subscribersByTopic, type Assignor } from './assignor.ts';

export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  assign: (counts, members) => {
    const sorted = sortedMembers(members);
    const assigned = new Map<MemberId, TopicPartition[]>(sorted.map(({ memberId }) => [memberId, []]));
    let turn = 0;
    for (const [topic, subscribers] of subscribersByTopic(counts, sorted)) {
      const takers = new Set(subscribers);
      for (let partition = 0; partition < counts.get(topic)!; partition++) {
        // There is one: the topic is in the map because of its subscribers.
        while (!takers.has(sorted[turn]!)) turn = (turn + 1) % sorted.length;
        assigned.get(sorted[turn]!.memberId)!.push({ topic, partition: partition as PartitionIndex });
        turn = (turn + 1) % sorted.length;
      }
    }
    return assigned;
  },
};
