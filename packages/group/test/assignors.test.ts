import type { PartitionIndex } from '@tidemark/core';
import {
  cooperativeStickyAssignor,
  rangeAssignor,
  roundRobinAssignor,
  stickyAssignor,
  type AssignedPartitions,
  type Assignor,
  type AssignorMember,
  type InstanceId,
  type MemberId,
  type PartitionCounts,
  type TopicPartition,
} from '@tidemark/group';
import { expect } from 'chai';
import fc from 'fast-check';

const topicNames = ['a', 'b', 'c', 'd'];
const counts: fc.Arbitrary<PartitionCounts> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...topicNames), fc.nat(12)), { selector: ([topic]) => topic })
  .map((entries) => new Map(entries));
const topicPartition = fc.record({
  topic: fc.constantFrom(...topicNames),
  partition: fc.nat(12).map((value) => value as PartitionIndex),
});

/** Members with any subscriptions and any claims, true or not. */
const anyMembers: fc.Arbitrary<readonly AssignorMember[]> = fc
  .array(
    fc.record({
      topics: fc.subarray([...topicNames, 'missing']),
      isStatic: fc.boolean(),
      ownedPartitions: fc.array(topicPartition, { maxLength: 8 }),
      generation: fc.integer({ min: -1, max: 3 }),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((list) =>
    list.map(({ topics, isStatic, ownedPartitions, generation }, at) => ({
      memberId: `m${at}` as MemberId,
      instanceId: isStatic ? (`i${9 - at}` as InstanceId) : undefined,
      topics,
      ownedPartitions,
      generation,
    })),
  );
const equalMembers = anyMembers.map((members) =>
  members.map((member) => ({ ...member, topics: topicNames })),
);

const name = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;
const sizes = (assigned: AssignedPartitions): number[] => [...assigned.values()].map((list) => list.length);
const spread = (assigned: AssignedPartitions): number =>
  Math.max(...sizes(assigned)) - Math.min(...sizes(assigned));
const namesOf = (assigned: AssignedPartitions): unknown =>
  Object.fromEntries([...assigned].map(([memberId, list]) => [memberId, list.map(name)]));

/** The members as they come back in the next generation. */
function after(members: readonly AssignorMember[], assigned: AssignedPartitions): readonly AssignorMember[] {
  return members.map((member) => ({
    ...member,
    ownedPartitions: assigned.get(member.memberId) ?? [],
    generation: 9,
  }));
}

/** Everything that somebody subscribes to, once, and only to who subscribes. */
function expectComplete(
  size: PartitionCounts,
  members: readonly AssignorMember[],
  assigned: AssignedPartitions,
): void {
  const wanted = [...size].flatMap(([topic, count]) =>
    members.some(({ topics }) => topics.includes(topic))
      ? Array.from({ length: count }, (_, partition) => `${topic}-${partition}`)
      : [],
  );
  const given = [...assigned.values()].flat().map(name);
  expect(given.sort()).deep.equals(wanted.sort());
  for (const { memberId, topics } of members) {
    for (const { topic } of assigned.get(memberId)!) expect(topics).includes(topic);
  }
}

const MOST_GENERATIONS = 4;
const complete: readonly Assignor[] = [rangeAssignor, roundRobinAssignor, stickyAssignor];

describe('assignors', () => {
  it('have the names of Kafka', () => {
    const names = [...complete, cooperativeStickyAssignor].map((assignor) => assignor.name);
    expect(names).deep.equals(['range', 'roundrobin', 'sticky', 'cooperative-sticky']);
  });

  for (const assignor of complete) {
    it(`${assignor.name} gives every partition to one subscriber`, () => {
      fc.assert(
        fc.property(counts, anyMembers, (size, members) => {
          expectComplete(size, members, assignor.assign(size, members));
        }),
      );
    });
  }

  for (const assignor of [...complete, cooperativeStickyAssignor]) {
    it(`${assignor.name} does not depend on the order of the members`, () => {
      fc.assert(
        fc.property(counts, anyMembers, (size, members) => {
          const there = namesOf(assignor.assign(size, members));
          expect(namesOf(assignor.assign(size, [...members].reverse()))).deep.equals(there);
        }),
      );
    });
  }

  it('range gives runs of neighbours, as Kafka documents it', () => {
    const members = ['c0', 'c1'].map((id) => member(id, ['t0', 't1']));
    const size = new Map([
      ['t0', 3],
      ['t1', 3],
    ]);
    expect(namesOf(rangeAssignor.assign(size, members))).deep.equals({
      c0: ['t0-0', 't0-1', 't1-0', 't1-1'],
      c1: ['t0-2', 't1-2'],
    });
  });

  it('round robin deals out in turn, as Kafka documents it', () => {
    const size = new Map([
      ['t0', 1],
      ['t1', 2],
      ['t2', 3],
    ]);
    const members = [member('c0', ['t0']), member('c1', ['t0', 't1']), member('c2', ['t0', 't1', 't2'])];
    expect(namesOf(roundRobinAssignor.assign(size, members))).deep.equals({
      c0: ['t0-0'],
      c1: ['t1-0'],
      c2: ['t1-1', 't2-0', 't2-1', 't2-2'],
    });
    // Where the sticky one does better (KIP-54).
    expect(namesOf(stickyAssignor.assign(size, members))).deep.equals({
      c0: ['t0-0'],
      c1: ['t1-0', 't1-1'],
      c2: ['t2-0', 't2-1', 't2-2'],
    });
  });

  it('round robin and sticky are even where all subscribe to the same', () => {
    fc.assert(
      fc.property(counts, equalMembers, (size, members) => {
        expect(spread(roundRobinAssignor.assign(size, members))).at.most(1);
        expect(spread(stickyAssignor.assign(size, members))).at.most(1);
      }),
    );
  });

  it('sticky leaves no move of one partition that would make it more even', () => {
    fc.assert(
      fc.property(counts, anyMembers, (size, members) => {
        const assigned = stickyAssignor.assign(size, members);
        for (const [from, list] of assigned) {
          for (const to of members) {
            if (list.length <= assigned.get(to.memberId)!.length + 1) continue;
            const movable = list.filter(({ topic }) => to.topics.includes(topic)).map(name);
            expect(movable, `${from} to ${to.memberId}`).deep.equals([]);
          }
        }
      }),
    );
  });

  it('sticky changes nothing when nothing has changed', () => {
    fc.assert(
      fc.property(counts, anyMembers, (size, members) => {
        const first = stickyAssignor.assign(size, members);
        const again = stickyAssignor.assign(size, after(members, first));
        expect(namesOf(again)).deep.equals(namesOf(first));
      }),
    );
  });

  it('sticky takes nothing from who stays when somebody goes, and gives only to who comes', () => {
    fc.assert(
      fc.property(counts, equalMembers, (size, members) => {
        const first = stickyAssignor.assign(size, members);
        const stayed = after(members, first).slice(1);
        if (stayed.length > 0) {
          const without = stickyAssignor.assign(size, stayed);
          for (const { memberId } of stayed) {
            expect(without.get(memberId)!.map(name)).includes.members(first.get(memberId)!.map(name));
          }
        }
        const joined = stickyAssignor.assign(size, [...after(members, first), member('new', topicNames)]);
        for (const { memberId } of members) {
          expect(first.get(memberId)!.map(name)).includes.members(joined.get(memberId)!.map(name));
        }
      }),
    );
  });

  it('sticky believes the newest generation, and nobody when two of one generation claim the same', () => {
    const size = new Map([['t', 2]]);
    const owned = [place('t', 0), place('t', 1)];
    const old = { ...member('old', ['t']), ownedPartitions: owned, generation: 1 };
    const fresh = { ...member('new', ['t']), ownedPartitions: [place('t', 0)], generation: 2 };
    expect(namesOf(stickyAssignor.assign(size, [old, fresh]))).deep.equals({ old: ['t-1'], new: ['t-0'] });
    const twin = { ...old, generation: 2 };
    const withheld = cooperativeStickyAssignor.assign(size, [twin, fresh]);
    expect([...withheld.values()].flat().map(name)).deep.equals(['t-1']);
  });

  it('rule 14, cooperative (KIP-429): what moves is given up in one generation and assigned in the next', () => {
    const size = new Map([['t', 4]]);
    const all = [0, 1, 2, 3].map((partition) => place('t', partition));
    const members = [{ ...member('a', ['t']), ownedPartitions: all, generation: 1 }, member('b', ['t'])];
    const first = cooperativeStickyAssignor.assign(size, members);
    expect(namesOf(first), 'nobody has what a is to give up').deep.equals({ a: ['t-0', 't-1'], b: [] });
    const second = cooperativeStickyAssignor.assign(size, after(members, first));
    expect(namesOf(second)).deep.equals({ a: ['t-0', 't-1'], b: ['t-2', 't-3'] });
  });

  it('cooperative sticky gives nobody what another still has', () => {
    fc.assert(
      fc.property(counts, anyMembers, (size, members) => {
        const first = cooperativeStickyAssignor.assign(size, members);
        const settled = stickyAssignor.assign(size, members);
        for (const [memberId, list] of first) {
          const mine = members.find((each) => each.memberId === memberId)!;
          expect(settled.get(memberId)!.map(name)).includes.members(list.map(name));
          const had = new Set(mine.ownedPartitions.map(name));
          for (const given of list.map(name)) {
            if (had.has(given)) continue;
            const others = members.filter((each) => each.ownedPartitions.map(name).includes(given));
            expect(others, given).deep.equals([]);
          }
        }
      }),
    );
  });

  it('cooperative sticky is done one generation later where all subscribe to the same', () => {
    fc.assert(
      fc.property(counts, equalMembers, (size, members) => {
        const first = cooperativeStickyAssignor.assign(size, members);
        const second = cooperativeStickyAssignor.assign(size, after(members, first));
        expectComplete(size, members, second);
        expect(spread(second)).at.most(1);
      }),
    );
  });

  // What was given up may go elsewhere than it was given up for, which can make another one move.
  it('cooperative sticky is done after a few generations whatever they subscribe to', () => {
    fc.assert(
      fc.property(counts, anyMembers, (size, members) => {
        let assigned = cooperativeStickyAssignor.assign(size, members);
        for (let generation = 0; generation < MOST_GENERATIONS; generation++) {
          const next = cooperativeStickyAssignor.assign(size, after(members, assigned));
          if (JSON.stringify(namesOf(next)) === JSON.stringify(namesOf(assigned))) break;
          assigned = next;
        }
        expectComplete(size, members, assigned);
      }),
      { numRuns: Number(process.env['ASSIGNOR_RUNS'] ?? 200) },
    );
  });

  it('cope with a group of 1,000 members and 10,000 partitions', () => {
    const members = Array.from({ length: 1_000 }, (_, at) => member(`m${at}`, ['t']));
    const size = new Map([['t', 10_000]]);
    const first = stickyAssignor.assign(size, members.slice(1));
    const joined = stickyAssignor.assign(size, [...after(members.slice(1), first), members[0]!]);
    expect(spread(joined)).equals(0);
  });
});

function member(memberId: string, topics: readonly string[]): AssignorMember {
  return {
    memberId: memberId as MemberId,
    instanceId: undefined,
    topics,
    ownedPartitions: [],
    generation: -1,
  };
}

function place(topic: string, partition: number): TopicPartition {
  return { topic, partition: partition as PartitionIndex };
}
