// Static members (KIP-345) under the cooperative protocol (KIP-429): who is to give something up says so by joining again, and a static
// member may start anew before it has.

import type { PartitionIndex } from '@tidemark/core';
import {
  assignorMembers,
  cooperativeStickyAssignor,
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
  NO_MEMBER_ID,
  type Generation,
  type GroupId,
  type GroupReply,
  type InstanceId,
  type JoinResponse,
  type MemberId,
  type RequestId,
  type TopicPartition,
} from '@tidemark/group';
import { expect } from 'chai';
import { Coordinator } from './coordinator.ts';

const groupId = 'g' as GroupId;
const COUNTS = new Map([['t', 4]]);

/** A static member as its client has it: what it owns it claims when it joins, and then it syncs. */
class Instance {
  memberId: MemberId = NO_MEMBER_ID;
  generation = -1 as Generation;
  owned: readonly TopicPartition[] = [];
  joined: (JoinResponse & { ok: true }) | undefined;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

class Story {
  readonly #waiting = new Map<RequestId, Instance>();
  coordinator = this.#coordinator();
  #lastId = 0;

  /** Another broker coordinates, and has the log. */
  move(): void {
    this.coordinator = this.#coordinator(this.coordinator);
  }

  #coordinator(before?: Coordinator): Coordinator {
    const events = { reply: (reply: GroupReply): void => this.#take(reply) };
    return new Coordinator(events, 0, { initialRebalanceDelayMs: 0 }, before?.log);
  }

  join(member: Instance): void {
    const { name, generation, owned } = member;
    member.joined = undefined;
    const said = { topics: ['t'], userData: undefined, ownedPartitions: owned, generation, rack: undefined };
    this.coordinator.handle(
      {
        ...this.#asked(member),
        ...{
          type: 'join',
          newMemberId: `${name}-${this.#lastId}` as MemberId,
          clientId: 'c',
          clientHost: '/h',
        },
        ...{ sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 60_000, protocolType: 'consumer' },
        protocols: [{ name: cooperativeStickyAssignor.name, metadata: encodeSubscription(said) }],
        reason: undefined,
      },
      0,
    );
  }

  /** The leader first: it computes for all. */
  sync(...members: readonly Instance[]): void {
    for (const member of members) {
      const { memberId, generation, leader, members: all, skipAssignment } = member.joined!;
      member.memberId = memberId;
      member.generation = generation;
      const read = assignorMembers(all);
      if (!read.ok) throw new Error(read.message);
      const computed =
        leader === memberId && !skipAssignment ? cooperativeStickyAssignor.assign(COUNTS, read.members) : [];
      const assignments = new Map(
        [...computed].map(([id, partitions]) => [id, encodeAssignment({ partitions, userData: undefined })]),
      );
      const asked = { type: 'sync' as const, generation, protocolType: undefined, protocol: undefined };
      this.coordinator.handle({ ...this.#asked(member), ...asked, assignments }, 0);
    }
  }

  #asked(member: Instance) {
    const requestId = ++this.#lastId as RequestId;
    this.#waiting.set(requestId, member);
    return { requestId, groupId, memberId: member.memberId, instanceId: member.name as InstanceId };
  }

  #take({ type, requestId, response }: GroupReply): void {
    const member = this.#waiting.get(requestId)!;
    if (!response.ok) throw new Error(`${type} of ${member.name}: ${response.error}`);
    if (type === 'join') member.joined = response;
    else if (type === 'sync') {
      const decoded = decodeAssignment((response as { readonly assignment: Uint8Array }).assignment);
      if (!decoded.ok) throw new Error(decoded.message);
      member.owned = decoded.assignment.partitions;
    }
  }
}

const indexes = (members: readonly Instance[]): readonly PartitionIndex[] =>
  members.flatMap(({ owned }) => owned.map(({ partition }) => partition)).sort();

describe('a static member under the cooperative protocol', () => {
  for (const moves of [false, true]) {
    it(`that starts anew before it has given up what it was to, ${moves ? 'and the coordinator moves, ' : ''}leaves nothing without an owner`, () => {
      const story = new Story();
      const [a, b] = [new Instance('A'), new Instance('B')];
      story.join(a);
      story.sync(a);
      expect(a.owned).length(4);
      story.join(b);
      story.join(a);
      story.sync(a, b);
      expect(
        indexes([a]),
        'two of four are to move, and nobody has them until it has given them up',
      ).deep.equals([0, 1]);
      expect(b.owned).deep.equals([]);
      // Here it would join again, without them. Its process ends instead, and another takes its place.
      if (moves) story.move();
      const again = new Instance('A');
      story.join(again);
      // The group rebalances, or the two that A was to give up are nobody's until something else makes it.
      story.join(b);
      for (const { joined } of [again, b]) expect(joined?.generation).equals(3);
      story.sync(...[again, b].sort((one) => (one.joined!.leader === one.joined!.memberId ? -1 : 1)));
      expect(indexes([again, b])).deep.equals([0, 1, 2, 3]);
    });
  }

  it('that has given up what it was to, starts anew without a rebalance', () => {
    const story = new Story();
    const [a, b] = [new Instance('A'), new Instance('B')];
    story.join(a);
    story.sync(a);
    story.join(b);
    story.join(a);
    story.sync(a, b);
    story.join(a);
    story.join(b);
    story.sync(a, b);
    expect(indexes([a, b])).deep.equals([0, 1, 2, 3]);
    const again = new Instance('A');
    story.join(again);
    expect(again.joined).includes({ generation: 3, skipAssignment: true });
    story.sync(again);
    expect(indexes([again, b])).deep.equals([0, 1, 2, 3]);
  });
});
