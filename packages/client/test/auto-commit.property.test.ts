// Whatever an application does with a consumer that commits by itself, what is committed is never beyond what it was handed out and has
// come back from, and never goes back.
import { expect } from 'chai';
import fc from 'fast-check';
import { startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { GroupStory } from './group-story.ts';
import { quiet } from './test-clock.ts';

const RUNS = Number(process.env['AUTO_COMMIT_RUNS'] ?? 12);

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('poll' as const), count: fc.integer({ min: 1, max: 7 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('time' as const), ms: fc.constantFrom(1000, 5000, 9000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      partition: fc.integer({ min: 0, max: 1 }),
      count: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('join' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('coordinator' as const) }) },
);

describe('automatic commits', () => {
  let fixture: Fixture;
  let story: GroupStory;
  let group = 0;
  before(async () => {
    fixture = await startFixture(2);
    story = new GroupStory(fixture, 2);
  });
  after(() => fixture.stop());

  it('are never beyond what the application has come back from', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 25 }),
        fc.boolean(),
        async (steps, eager) => {
          const groupId = `g-${group++}`;
          const config = {
            'partition.assignment.strategy': eager ? 'range' : 'cooperative-sticky',
            'max.poll.interval.ms': 1_000_000,
          };
          const members = [story.member(config, { groupId })];
          members[0]!.subscribe(['orders']);
          /** By partition: behind the last record that some application came back from, and what is in hands. */
          const done = [0, 0];
          const inHand = new Map<number, Map<number, number>>();
          const seen = [0, 0];
          const check = (what: string): void => {
            for (const partition of [0, 1]) {
              const committed = story.committed(partition, groupId) ?? 0;
              expect(committed, `${what}, partition ${partition}`).to.be.at.most(done[partition]!);
              expect(committed, `${what}, partition ${partition} went back`).to.be.at.least(seen[partition]!);
              seen[partition] = committed;
            }
          };
          for (const each of steps) {
            if (each.type === 'write') {
              story.place(each.partition, ...Array.from({ length: each.count }, (_, at) => `v${at}`));
              await quiet(10);
            } else if (each.type === 'time') await story.pass(each.ms);
            else if (each.type === 'coordinator') fixture.coordinator.move(3 - fixture.coordinator.brokerId);
            else if (each.type === 'join' && members.length < 2) {
              const joined = story.member(config, { groupId });
              members.push(joined);
              joined.subscribe(['orders']);
            } else if (each.type === 'poll') {
              for (const [at, member] of members.entries()) {
                const mine = inHand.get(at) ?? new Map<number, number>();
                for (const [partition, next] of mine) done[partition] = Math.max(done[partition]!, next);
                mine.clear();
                inHand.set(at, mine);
                for (const { partition, offset } of await member.poll({ maxRecords: each.count })) {
                  mine.set(partition, offset + 1);
                }
                await quiet(5);
              }
            }
            check(each.type);
          }
          for (const member of members) await member.close();
          check('close');
        },
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});
